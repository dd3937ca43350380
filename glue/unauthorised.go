package glue

import (
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/internal/sender"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// What lacks a login and is no navigation gets 401: no redirect, which scripts would follow
// in vain and login services let nobody frame, and no cookie. A frame and htmx are told
// where a person can log in: at a page of ours, opened in the whole window. Whether that is
// a navigation is judged again there, so no request is made for the login service here.

var (
	pageInFrame = site.Page{Kind: "login-framed", Status: http.StatusUnauthorized, Title: "Please log in",
		Text: []string{"The login opens in the whole window. You are not logged in, or this part of the page asks for your password once more."}, Framed: true}

	// Office tells its programs apart by no status: it follows redirects, reports errors
	// or asks for a password of its own, and only what it takes for the page does it open in
	// the browser, by the address in the document.
	pageOffice = site.Page{Kind: "office", Status: http.StatusOK, Title: "Please open this page in your browser",
		Text: []string{"It is for people who log in there."}}
)

// unauthorised answers what is no navigation. s is the session that is not good enough, nil
// for none.
func (x *exchange) unauthorised(s *session, denial Denial) {
	x.challenge()
	if sender.IsFrame(x.r) {
		p := pageInFrame
		p.Links = []site.Link{{Text: "Log in", Href: x.loginInWindow(s)}}
		x.cfg.Site.Show(x.w, x.r, p)
		return
	}
	if sender.IsHTMX(x.r.Header) {
		x.w.Header().Set("HX-Redirect", x.loginInWindow(s)) // looked at before the status
	}
	respond.Brief(x.w, x.r, http.StatusUnauthorized, "login_required", string(denial), "Log in first: open this site in a browser.")
}

// challenge names the scheme of the service for new logins, for an answer with status 401.
func (x *exchange) challenge() {
	x.w.Header().Set("WWW-Authenticate", x.origin.ways[0].info.Challenge)
}

// loginInWindow returns the URL to open in the whole window for a request of a part of a page.
// From the login a person goes on to that page. Where a session is not good enough, only
// the address itself knows what is missing; so it does if there is no LoginPath.
func (x *exchange) loginInWindow(s *session) string {
	page, named := x.pageAround()
	switch alive := x.loggedIn(s); {
	case named && x.cfg.LoginPath != "" && !alive:
		return x.loginThenURL(page)
	case named && sender.IsHTMX(x.r.Header): // the address itself may be none to open
		if alive { // the page may want less than what was asked of it
			return x.loginBetterURL(page)
		}
		return x.origin.base + page
	}
	return x.here()
}

// loginBetterURL returns where a person logs in as this route wants, to go on to a page.
func (x *exchange) loginBetterURL(page string) string {
	mark := markOf(x.asks(), &x.cfg.Policy)
	if x.cfg.LoginPath == "" {
		return x.origin.base + markPath(page, mark)
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(x.loginThenURL(page), x.origin.base), "?")
	return x.origin.base + path + "?" + withMark(query, mark)
}

// pageAround returns the page of ours that a request is for, or comes from, as far as the
// browser tells.
func (x *exchange) pageAround() (local string, named bool) {
	h := x.r.Header
	switch {
	case !sender.IsHTMX(h):
		return x.localOf(x.r.Referer())
	case h.Get("HX-Boosted") == "true" && x.r.Method == http.MethodGet: // a link to a page
		return x.localOf(x.here())
	}
	page, _, _ := strings.Cut(h.Get("HX-Current-URL"), "#")
	if local, named = x.localOf(page); !named {
		return x.origin.prefix + "/", true
	}
	return local, true
}

// pageForOffice is what a program of Microsoft Office gets that looks at a link. It would
// follow a redirect by itself, without the browser's cookies, and have the browser open where
// that ends: a login that was begun for nobody's cookie.
func (x *exchange) pageForOffice() site.Page {
	p := pageOffice
	p.Links = []site.Link{{Text: "Open the page", Href: x.here()}}
	return p
}
