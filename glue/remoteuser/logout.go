package remoteuser

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var (
	pageLogout = glue.Page{Kind: "logout", Status: http.StatusOK, Title: "Log out?",
		Text: []string{"This ends the session that you began on this site with a password."}}
	pageLoggedOut = glue.Page{Kind: "logged-out", Status: http.StatusOK, Title: "You are logged out",
		Text: []string{"The session that you began with a password has ended. If this site knew you without asking for one, it still does: log out where you logged in."}}
)

// Logout is a handler that ends the session of the login form: a POST from the site's own
// pages does, anything else gets a page with a button. It cannot end what the front
// server knows. Without Config.Form it is 404.
func (u *RemoteUser) Logout(w http.ResponseWriter, r *http.Request) {
	v := u.visit(w, r)
	if !v.beginForm() {
		return
	}
	if r.Method == http.MethodPost && v.mayLogOut() {
		v.logOut()
		return
	}
	v.offerLogout()
}

// mayLogOut reports whether this POST comes from a page of this site, by the browser's
// word or by the proof on our own page.
func (v *visit) mayLogOut() bool {
	h := v.r.Header
	switch {
	case v.foreign():
		return false
	case h.Get("Sec-Fetch-Site") != "" || h.Get("Origin") != "" && h.Get("Origin") != "null":
		return true
	}
	form, err := v.parseForm()
	if err != nil {
		return false
	}
	token, ok := only(form, fieldToken)
	return ok && v.fits(token)
}

func (v *visit) offerLogout() {
	f := v.u.form
	p := pageLogout
	p.Form = &glue.Form{Action: f.url(f.cfg.LogoutPath), Button: "Log out"}
	if id, known := v.session(); known {
		p.Principal = id.Principal
	}
	if secret := f.secret(v.r); secret != "" {
		token, err := f.token.Seal(fieldToken, v.now.Add(tokenLife), []byte(secret.Binding()))
		if err != nil {
			v.unavailable("form", err)
			return
		}
		p.Form.Hidden = map[string]string{fieldToken: token}
	}
	v.show(p)
}

// logOut ends the session. The browser gets a new secret, so that copies of the session
// and forms that are still open are of no use in it.
func (v *visit) logOut() {
	f := v.u.form
	id, known := v.session()
	f.clearCookie(v.w, f.sessionCookie)
	f.setCookie(v.w, f.browserCookie, string(webauth.NewBrowserSecret()))
	v.w.Header().Set("Clear-Site-Data", `"cache"`)
	if known {
		v.log(glue.Event{Name: glue.EventLogout, Principal: id.Principal})
	}
	p := pageLoggedOut
	p.Links = []glue.Link{{Text: "Back to the site", Href: f.url("/")}}
	v.show(p)
}
