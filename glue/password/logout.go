package password

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var (
	pageLogout = site.Page{Kind: "logout", Status: http.StatusOK, Title: "Log out?",
		Text: []string{"To see what this site shows to you alone you will have to type your password again."}}
	pageLoggedOut = site.Page{Kind: "logged-out", Status: http.StatusOK, Title: "You are logged out",
		Text: []string{"If this site knew you without asking for a password, it still does: log out where you logged in."}}
	pageNotLoggedIn = site.Page{Kind: "not-logged-in", Status: http.StatusOK, Title: "You are not logged in with a password",
		Text: []string{"If this site knows you all the same, log out where you logged in."}}
)

// Logout is a handler that ends the session of the form: a POST from the site's own pages
// does, anything else gets a page with a button. It cannot end what a front server knows.
func (f *Form) Logout(w http.ResponseWriter, r *http.Request) {
	if !f.begin(w, r) {
		return
	}
	if r.Method == http.MethodPost && f.mayLogOut(w, r) {
		f.logOut(w, r)
		return
	}
	f.offerLogout(w, r)
}

// mayLogOut reports whether a POST comes from a page of this site, by the browser's word or
// by the proof on our own page.
func (f *Form) mayLogOut(w http.ResponseWriter, r *http.Request) bool {
	if same, told := f.site.SameOrigin(r); told {
		return same
	}
	form, err := parseForm(w, r)
	if err != nil {
		return false
	}
	token, ok := only(form, fieldToken)
	return ok && f.fits(r, token)
}

func (f *Form) offerLogout(w http.ResponseWriter, r *http.Request) {
	id, known := f.Session(r)
	if !known && r.Method != http.MethodPost { // of a form of another site's, browsers bring no session
		f.showLoggedOut(w, r, pageNotLoggedIn)
		return
	}
	p := pageLogout
	p.Form, p.Principal = &site.Form{Action: f.LogoutURL(), Button: "Log out"}, id.Principal
	if browser := f.browser(r); browser != "" {
		token, err := f.newToken(browser)
		if err != nil {
			f.answer(w, r, Unavailable("form", err))
			return
		}
		p.Form.Hidden = map[string]string{fieldToken: token}
	}
	f.site.Show(w, r, p)
}

// logOut ends the session. The browser gets a new secret, so that copies of the session and
// forms that are still open are of no use in it.
func (f *Form) logOut(w http.ResponseWriter, r *http.Request) {
	id, known := f.Session(r)
	f.setCookie(w, f.sessionCookie, "")
	f.setCookie(w, f.browserCookie, string(webauth.NewBrowserSecret()))
	w.Header().Set("Clear-Site-Data", `"cache"`)
	if !known {
		f.showLoggedOut(w, r, pageNotLoggedIn)
		return
	}
	e := event(glue.EventLogout, "", nil)
	e.Principal = id.Principal
	f.site.Report(r, e)
	f.showLoggedOut(w, r, pageLoggedOut)
}

func (f *Form) showLoggedOut(w http.ResponseWriter, r *http.Request, p site.Page) {
	p.Links = []site.Link{{Text: "Back to the site", Href: f.url("")}}
	f.site.Show(w, r, p)
}
