package glue

import (
	"errors"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The pages, but for what depends on the request.
var (
	pageMisdirected = site.Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
		Text: []string{"This site is not at the address that you asked for. The link leads to the right one."}}
	pageMisconfigured = site.Page{Kind: "misconfigured", Status: http.StatusInternalServerError, Title: "This page is out of order",
		Text: []string{"The site’s login is set up wrongly for this page, so nobody can be let in. Please tell the site’s webmaster."}}
	pageStoreDown = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up logins just now. Nothing is wrong with your account."}}
	pageLoggedOutHere = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "You are logged out in this browser",
		Text: []string{"The site could not end your login in its own records just now. It no longer works in this browser, and ends there by itself.",
			"If somebody may have copied this browser’s cookies, ask the site’s webmaster to end it now."}}
	pageForbidden = site.Page{Kind: "forbidden", Status: http.StatusForbidden, Title: "You may not see this page"}
	pageLoop      = site.Page{Kind: "loop", Status: http.StatusForbidden, Title: "Logging in does not help",
		Text: []string{"You have just logged in several times, and this page still asks for it, so we stop here instead of going round in circles.",
			"Wait a minute and try again. If your browser restricts cookies, allow them for this site."}}
	pageBadAddress = site.Page{Kind: "address", Status: http.StatusBadRequest, Title: "This address is too long or malformed",
		Text: []string{"You cannot be logged in for exactly this address. Please start from the site’s front page."}}
	pageBadNext = site.Page{Kind: "next", Status: http.StatusBadRequest, Title: "This link is broken",
		Text: []string{"The link that brought you here does not lead to a page of this site. Please start from the front page."}}
	pageNoCookies = site.Page{Kind: "cookies", Status: http.StatusForbidden, Title: "Your browser did not return our cookie",
		Text: []string{"Logging in needs a cookie, which this site set when it sent you to log in, and which did not come back. Allow cookies for this site and try again.",
			"This also happens when you open, in one browser, a login link from another."}}
	pageMalformed = site.Page{Kind: "malformed", Status: http.StatusBadRequest, Title: "The login did not arrive in one piece",
		Text: []string{"What the login service sent was incomplete or altered. Please try again."}}
	pageRefused = site.Page{Kind: "refused", Status: http.StatusForbidden, Title: "This login could not be accepted",
		Text: []string{"The login was not for this browser and this page, or it was used before. Please try again."}}
	pageStale = site.Page{Kind: "stale", Status: http.StatusForbidden, Title: "This login is too old",
		Text: []string{"A login must be used at once. Please try again; if it keeps happening, tell the site’s webmaster that a clock may be wrong."}}
	pageForgotten = site.Page{Kind: "forgotten", Status: http.StatusForbidden, Title: "Please log in once more",
		Text: []string{"The site was restarted while you were logging in, and no longer knows whether this login was used. You are not logged in. Nothing is wrong with your account: please try again."}}
	pageStrength = site.Page{Kind: "strength", Status: http.StatusForbidden, Title: "This page needs a different kind of login",
		Text: []string{"The login service let you in, but not in the way that this page asks for, such as typing your password just now. Please try again; if it keeps happening, tell the site’s webmaster."}}
	pageCancelled = site.Page{Kind: "cancelled", Status: http.StatusForbidden, Title: "You cancelled the login",
		Text: []string{"You are not logged in to this site. You can close this page, or try again."}}
	pageDeclined = site.Page{Kind: "declined", Status: http.StatusForbidden, Title: "The login service did not let you in",
		Text: []string{"You are not logged in to this site. You can try again; if it keeps happening, tell the site’s webmaster."}}
	pageIdentity = site.Page{Kind: "identity", Status: http.StatusForbidden, Title: "The site cannot tell who you are",
		Text: []string{"The login service let you in, but what it says of your account is not what this site needs to know you by. Please tell the site’s webmaster."}}
	pageServiceDown = site.Page{Kind: "login-down", Status: http.StatusServiceUnavailable, Title: "Logging in does not work just now",
		Text: []string{"The site cannot reach the login service, or got no answer that makes sense. Nothing is wrong with your account. Please try again in a moment."}}
	pageServiceRefuses = site.Page{Kind: "login-setup", Status: http.StatusServiceUnavailable, Title: "Logging in is out of order",
		Text: []string{"The login service and this site do not agree on how to log people in. Nothing is wrong with your account. Please tell the site’s webmaster."}}
	pageLogout = site.Page{Kind: "logout", Status: http.StatusOK, Title: "Log out?",
		Text: []string{"This ends your session on this site."}}
	pageLoggedOut = site.Page{Kind: "logged-out", Status: http.StatusOK, Title: "You are logged out of this site",
		Text: []string{"You may still be logged in to the login service and to other sites. On a shared computer, close the browser as well."}}
	pageLoginAgain = site.Page{Kind: "login-again", Status: http.StatusUnauthorized, Title: "Please log in again",
		Text: []string{"Your session has ended, or this page wants your password once more."}}
	pageFormKept = site.Page{Kind: "form-kept", Status: http.StatusUnauthorized, Title: "Please log in again; your form is kept",
		Text: []string{"Your session has ended, or this page wants your password once more. What you filled in has not been stored yet, but this page keeps it for an hour.",
			"First log in again, in a new tab. Then come back to this tab and press Continue."}}
	pageGoBack = site.Page{Kind: "go-back", Status: http.StatusOK, Title: "You are logged in",
		Text: []string{"Close this tab, go back to the one with your form, and press Continue there."}}
	pageNotYours = site.Page{Kind: "not-yours", Status: http.StatusForbidden, Title: "This form is somebody else’s",
		Text: []string{"Another person filled it in, before you logged in here. It has not been stored."}}
	pageFormForgotten = site.Page{Kind: "form-forgotten", Status: http.StatusForbidden, Title: "This form may have been sent already",
		Text: []string{"The site was restarted since you filled it in, and no longer knows whether it was sent already. It has not been stored now. Check what the site holds before you fill it in anew."}}
	pageFormGone = site.Page{Kind: "form-gone", Status: http.StatusForbidden, Title: "This form cannot be sent any more",
		Text: []string{"It was sent already, or it was kept for too long. It has not been stored again. Check what the site holds before you fill it in anew."}}
)

// pageFor chooses the page for a refused response.
func pageFor(e *webauth.Error) site.Page {
	switch e.Reason {
	case webauth.ReasonMalformed:
		return pageMalformed
	case webauth.ReasonStale, webauth.ReasonFuture:
		return pageStale
	case webauth.ReasonForgotten:
		return pageForgotten
	case webauth.ReasonInteract, webauth.ReasonAuthType:
		return pageStrength
	case webauth.ReasonIdentity:
		return pageIdentity
	case webauth.ReasonStatus:
		if e.Status == 410 {
			return pageCancelled
		}
		return pageDeclined
	default:
		return pageRefused
	}
}

// fail logs the event and shows the page with the same reference. Unless the page
// knows better, its link leads to the page that the person wanted.
func (x *exchange) fail(e site.Event, p site.Page) {
	e.Ref = respond.Ref()
	p.Ref = e.Ref
	x.log(e)
	if p.Links == nil && x.origin != nil {
		p.Links = []site.Link{{Text: "Try again", Href: x.here()}}
		switch p.Kind {
		case pageBadAddress.Kind, pageBadNext.Kind, pageForbidden.Kind:
			p.Links = []site.Link{{Text: "Front page", Href: x.origin.home()}}
		}
		if x.r.Method == http.MethodPost { // a link would not send the form again
			p.Links = []site.Link{{Text: "Front page", Href: x.origin.home()}}
		}
	}
	x.cfg.Site.Show(x.w, x.r, p)
}

// forbid answers a person who is known and may not come in.
func (x *exchange) forbid(s *session, denial Denial) {
	p := pageForbidden
	p.Principal = s.Principal
	p.Text = []string{x.a.policy.missing(denial, &s.way.info), "If you think that you should see it, ask the site’s webmaster."}
	if x.cfg.LogoutPath != "" {
		p.Links = []site.Link{{Text: "Front page", Href: x.origin.home()}, {Text: "Log out", Href: x.origin.base + x.cfg.LogoutPath}}
	}
	e := site.Event{Name: EventForbidden, Reason: string(denial), Principal: s.Principal}
	if denial == DeniedPrincipal {
		e.Err = x.a.policy.nearly(s.Principal)
	}
	x.fail(e, p)
}

// storeDown answers while sessions or one-use marks are unavailable. Nobody is
// logged in by accident meanwhile.
func (x *exchange) storeDown(err error) { x.storeFails(err, pageStoreDown) }

func (x *exchange) storeFails(err error, p site.Page) {
	switch {
	case errors.Is(err, errSessionTooLarge):
		x.fail(site.Event{Name: EventStoreError, Reason: "session-too-large", Err: err}, pageMisconfigured)
	case x.r.Context().Err() != nil:
		x.w.WriteHeader(http.StatusServiceUnavailable) // the client has gone: no fault of the store
	default:
		x.w.Header().Set("Retry-After", "5")
		x.fail(site.Event{Name: EventStoreError, Reason: string(webauth.ReasonStore), Err: err}, p)
	}
}

// misdirected answers a request for a host that is not ours. The page links to the
// configured address, never to what the request says.
func (x *exchange) misdirected() {
	_ = x.spend() // nobody is let in either way
	p := pageMisdirected
	home := x.cfg.Site.Origins()[0]
	p.Links = []site.Link{{Text: home, Href: home + x.cfg.Site.Path()}}
	x.fail(site.Event{Name: EventMisdirected, Reason: "host"}, p)
}
