package glue

import (
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// logoutField carries, on our own logout page, proof that the page is ours, for
// browsers that do not tell where a request comes from.
const logoutField = "wls-logout"

const logoutPageLife = time.Hour

func (v *exchange) logout() {
	switch {
	case v.r.Method == http.MethodPost && v.mayLogOut():
		v.logOutHere()
	case v.r.Method == http.MethodPost || v.r.Method == http.MethodGet || v.r.Method == http.MethodHead:
		v.offerLogout()
	default:
		v.w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(v.w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// mayLogOut reports whether this POST comes from a page of this site, by the browser's
// word or by the proof on our own page.
func (v *exchange) mayLogOut() bool {
	if same, told := v.cfg.Site.SameOrigin(v.r); told {
		return same
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, 4<<10)
	plain, _, err := v.origin.logout.Open(logoutField, v.r.PostFormValue(logoutField), v.now)
	return err == nil && v.secret.Fits(string(plain))
}

// offerLogout shows the button.
func (v *exchange) offerLogout() {
	s, _, err := v.evaluate()
	if err != nil {
		v.storeDown(err)
		return
	}
	p := pageLogout
	p.Form = &site.Form{Action: v.origin.url(v.path, ""), Button: "Log out", AnyTarget: v.cfg.LogoutAtWLS}
	if s != nil {
		p.Principal = s.Principal
	}
	if v.secret != "" {
		if token, err := v.origin.logout.Seal(logoutField, v.now.Add(logoutPageLife), []byte(v.secret.Binding())); err == nil {
			p.Form.Hidden = map[string]string{logoutField: token}
		}
	}
	v.cfg.Site.Show(v.w, v.r, p)
}

// logOutHere ends the session. The browser gets a new secret: tokens and sessions of
// the old one are dead, replies still on their way included.
func (v *exchange) logOutHere() {
	old, _, err := v.evaluate()
	if err == nil {
		err = v.a.s.store.drop(v.w, v.r, v.origin)
	}
	v.origin.cookies.setSecret(v.w, webauth.NewBrowserSecret())
	v.markTried()
	clearLoops(v.w, v.r, v.origin)
	v.forgetTargets()
	if v.cfg.Session.Inactivity != 0 {
		v.origin.cookies.clear(v.w, v.origin.cookies.seen)
	}
	v.w.Header().Set("Clear-Site-Data", `"cache"`)
	if err != nil {
		// This browser is logged out, but the store still holds the session.
		v.storeDown(err)
		return
	}
	if old != nil { // or ended by itself: what the application keeps goes all the same
		v.log(site.Event{Name: EventLogout, Principal: old.Principal})
		v.personChanges(old.Identity, Identity{})
	}
	switch {
	case v.cfg.LogoutAtWLS && v.cfg.Service.LogoutURL != "":
		respond.Redirect(v.w, v.r, v.cfg.Service.LogoutURL)
	case v.cfg.AfterLogout != "":
		respond.Redirect(v.w, v.r, v.origin.base+v.cfg.AfterLogout)
	default:
		p := pageLoggedOut
		if v.cfg.Service.LogoutURL != "" {
			p.Links = append(p.Links, site.Link{Text: "Log out of the login service as well", Href: v.cfg.Service.LogoutURL})
		}
		p.Links = append(p.Links, site.Link{Text: "Back to the site", Href: v.origin.home()})
		v.cfg.Site.Show(v.w, v.r, p)
	}
}
