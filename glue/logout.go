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

func (x *exchange) logout() {
	switch {
	case x.r.Method == http.MethodPost && x.mayLogOut():
		x.logOutHere()
	case x.r.Method == http.MethodPost || x.r.Method == http.MethodGet || x.r.Method == http.MethodHead:
		x.offerLogout()
	default:
		x.w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(x.w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// mayLogOut reports whether this POST comes from a page of this site, by the browser's
// word or by the proof on our own page.
func (x *exchange) mayLogOut() bool {
	if same, told := x.cfg.Site.SameOrigin(x.r); told {
		return same
	}
	x.r.Body = http.MaxBytesReader(x.w, x.r.Body, 4<<10)
	plain, _, err := x.origin.logout.Open(logoutField, x.r.PostFormValue(logoutField), x.now)
	return err == nil && x.secret.Fits(plain)
}

// offerLogout shows the button.
func (x *exchange) offerLogout() {
	s, _, err := x.evaluate()
	if err != nil {
		x.storeDown(err)
		return
	}
	p := pageLogout
	switch {
	case x.loggedIn(s):
		p.Principal = s.Principal
	case s != nil: // it may come to life again (DeniedMoved), and what is kept beside it goes by the button alone
	case x.r.Method != http.MethodPost: // of a form of another site's, browsers bring no session
		x.showLoggedOut(pageNotLoggedIn, nil)
		return
	}
	p.Form = &site.Form{Action: x.origin.url(x.path, ""), Button: "Log out", AnyTarget: x.cfg.LogoutAtWLS}
	if x.secret != "" {
		if token, err := x.origin.logout.Seal(logoutField, x.now.Add(logoutPageLife), []byte(x.secret.Binding())); err == nil {
			p.Form.Hidden = map[string]string{logoutField: token}
		}
	}
	x.cfg.Site.Show(x.w, x.r, p)
}

// logOutHere ends the session. The browser gets a new secret: tokens and sessions of
// the old one are dead, replies still on their way included.
func (x *exchange) logOutHere() {
	old, _, err := x.evaluate()
	loggedIn := x.loggedIn(old)
	if err == nil {
		err = x.a.s.store.drop(x.w, x.r, x.origin)
	}
	x.origin.cookies.setSecret(x.w, webauth.NewBrowserSecret())
	x.markTried()
	clearLoops(x.w, x.r, x.origin)
	x.forgetTargets()
	if x.cfg.Session.Inactivity != 0 {
		x.origin.cookies.clear(x.w, x.origin.cookies.seen)
	}
	x.w.Header().Set("Clear-Site-Data", `"cache"`)
	if old != nil { // or ended by itself: what the application keeps goes all the same
		x.log(site.Event{Name: EventLogout, Principal: old.Principal})
		x.personChanges(old.Identity, Identity{})
	}
	if err != nil {
		x.storeFails(err, pageLoggedOutHere)
		return
	}
	there := x.logoutThere(old)
	switch {
	case x.cfg.LogoutAtWLS && there != "":
		respond.Redirect(x.w, x.r, there)
	case x.cfg.AfterLogout != "":
		respond.Redirect(x.w, x.r, x.origin.base+x.cfg.AfterLogout)
	case loggedIn:
		x.showLoggedOut(pageLoggedOut, old)
	default:
		x.showLoggedOut(pageNotLoggedIn, old)
	}
}

// showLoggedOut shows a page to somebody who is not logged in here any more, or was not.
func (x *exchange) showLoggedOut(p site.Page, old *session) {
	if there := x.logoutThere(old); there != "" {
		p.Links = append(p.Links, site.Link{Text: "Log out of the login service", Href: there})
	}
	p.Links = append(p.Links, site.Link{Text: "Back to the site", Href: x.origin.home()})
	x.cfg.Site.Show(x.w, x.r, p)
}

// logoutThere returns where the person logs out of the service that logged them in.
func (x *exchange) logoutThere(old *session) string {
	w := x.origin.ways[0]
	if old != nil {
		w = old.way
	}
	back := ""
	if x.cfg.AfterLogout != "" {
		back = x.origin.base + x.cfg.AfterLogout
	}
	return w.End(back)
}
