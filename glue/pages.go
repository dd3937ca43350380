package glue

import (
	"errors"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The pages, but for what depends on the request. Each says first what to do, and then what
// went wrong, in words for people who know neither the protocol nor the site's insides.
var (
	pageMisdirected = site.Page{Kind: "misdirected", Status: http.StatusMisdirectedRequest, Title: "Wrong address",
		Text: []string{"Follow the link to the right address: this site is not at the one that you asked for."}}
	pageMisconfigured = site.Page{Kind: "misconfigured", Status: http.StatusInternalServerError, Title: "This page is out of order",
		Text: []string{"Please tell the site’s webmaster, and quote the reference below. The site’s login is set up wrongly for this page, so nobody can be let in."}}
	pageStoreDown = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up who is logged in just now. Nothing is wrong with your account."}}
	pageLoggedOutHere = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "You are logged out in this browser",
		Text: []string{"If somebody else may have used or copied what is in this browser, ask the site’s webmaster to end your login everywhere at once, and quote the reference below.",
			"The site could not end it in its own records just now. It no longer works in this browser, and ends elsewhere by itself."}}
	pageForbidden = site.Page{Kind: "forbidden", Status: http.StatusForbidden, Title: "You may not see this page"}
	pageLoop      = site.Page{Kind: "loop", Status: http.StatusForbidden, Title: "Logging in does not help",
		Text: []string{"Wait a minute, and then try again. If your browser blocks cookies, allow them for this site first.",
			"You have just logged in several times, and this page still asked for it, so we stopped instead of going round in circles."}}
	pageBadAddress = site.Page{Kind: "address", Status: http.StatusBadRequest, Title: "This address is too long or malformed",
		Text: []string{"Please start from the site’s front page. Nobody can be logged in for exactly this address."}}
	pageBadNext = site.Page{Kind: "next", Status: http.StatusBadRequest, Title: "This link is broken",
		Text: []string{"Please start from the site’s front page. The link that brought you here does not lead to a page of this site."}}
	pageNoCookies = site.Page{Kind: "cookies", Status: http.StatusForbidden, Title: "Please allow cookies, and try again",
		Text: []string{"Allow cookies for this site in your browser’s settings. Logging in needs one, which the site set when it sent you to log in, and which did not come back.",
			"This also happens when you begin to log in with one browser and go on with another: begin again in this one."}}
	pageMalformed = site.Page{Kind: "malformed", Status: http.StatusBadRequest, Title: "The login did not arrive in one piece",
		Text: []string{"Please try again. What the login service sent was incomplete or altered."}}
	pageRefused = site.Page{Kind: "refused", Status: http.StatusForbidden, Title: "This login could not be accepted",
		Text: []string{"Please try again. The login was not for this browser and this page, or it was used before."}}
	pageStale = site.Page{Kind: "stale", Status: http.StatusForbidden, Title: "This login is too old",
		Text: []string{"Please try again: a login must be used at once. If it keeps happening, tell the site’s webmaster that a clock may be wrong, and quote the reference below."}}
	pageForgotten = site.Page{Kind: "forgotten", Status: http.StatusForbidden, Title: "Please log in once more",
		Text: []string{"You are not logged in, and nothing is wrong with your account. The site was restarted while you were logging in, and no longer knows whether this login was used."}}
	pageStrength = site.Page{Kind: "strength", Status: http.StatusForbidden, Title: "This page needs a different kind of login",
		Text: []string{"Please try again, and type your password if you are asked for it. If it keeps happening, tell the site’s webmaster, and quote the reference below.",
			"The login service let you in, but not in the way that this page asks for, such as by typing your password just now."}}
	pageCancelled = site.Page{Kind: "cancelled", Status: http.StatusOK, Title: "You cancelled the login",
		Text: []string{"You are not logged in to this site. You can close this page, or log in after all."}}
	pageDeclined = site.Page{Kind: "declined", Status: http.StatusForbidden, Title: "The login service did not let you in",
		Text: []string{"You can try again; if it keeps happening, tell the site’s webmaster, and quote the reference below. You are not logged in to this site."}}
	pageIdentity = site.Page{Kind: "identity", Status: http.StatusForbidden, Title: "The site cannot tell who you are",
		Text: []string{"Please tell the site’s webmaster, and quote the reference below. The login service let you in, but what it says of your account is not what this site needs to know you by."}}
	pageServiceDown = site.Page{Kind: "login-down", Status: http.StatusServiceUnavailable, Title: "Logging in does not work just now",
		Text: []string{"Please try again in a moment. The site cannot reach the login service, or got no answer that makes sense. Nothing is wrong with your account."}}
	pageServiceRefuses = site.Page{Kind: "login-setup", Status: http.StatusServiceUnavailable, Title: "Logging in is out of order",
		Text: []string{"Please tell the site’s webmaster, and quote the reference below. The login service and this site do not agree on how to log people in. Nothing is wrong with your account."}}
	pageLogout = site.Page{Kind: "logout", Status: http.StatusOK, Title: "Log out?",
		Text: []string{"To see what this site shows to you alone you will have to log in again."}}
	pageLoggedOut = site.Page{Kind: "logged-out", Status: http.StatusOK, Title: "You are logged out of this site",
		Text: []string{"On a shared computer, close the browser as well: you may still be logged in to the login service and to other sites."}}
	pageNotLoggedIn = site.Page{Kind: "not-logged-in", Status: http.StatusOK, Title: "You are not logged in to this site",
		Text: []string{"On a shared computer, close the browser: you may be logged in to the login service and to other sites."}}
	pageLoginAgain = site.Page{Kind: "login-again", Status: http.StatusUnauthorized, Title: "Please log in again"}
	pageFormKept   = site.Page{Kind: "form-kept", Status: http.StatusUnauthorized, Title: "Please log in again; your form is kept",
		Text: []string{"Keep this page open and log in again, in a new tab. Then come back to this one and press Continue.",
			"What you filled in has not been stored yet, but this page keeps it for an hour. " + loginOver}}
	pageGoBack = site.Page{Kind: "go-back", Status: http.StatusOK, Title: "You are logged in",
		Text: []string{"Close this tab, go back to the one with your form, and press Continue there."}}
	pageNotYours = site.Page{Kind: "not-yours", Status: http.StatusForbidden, Title: "This form is somebody else’s",
		Text: []string{"If it should be sent, ask the person who filled it in to do so again. That was before you logged in here, and it has not been stored."}}
	pageFormForgotten = site.Page{Kind: "form-forgotten", Status: http.StatusForbidden, Title: "This form may have been sent already",
		Text: []string{"Check what the site holds before you fill it in anew. It has not been stored now: the site was restarted since you filled it in, and no longer knows whether it was sent already."}}
	pageFormGone = site.Page{Kind: "form-gone", Status: http.StatusForbidden, Title: "This form cannot be sent any more",
		Text: []string{"Check what the site holds before you fill it in anew. It has not been stored again: it was sent already, or it was kept for too long."}}
)

// loginOver says why somebody must log in who has just been at work.
const loginOver = "Your login has ended, or this page asks for your password once more."

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
		return pageDeclined
	default:
		return pageRefused
	}
}

// fail logs the event and shows the page with the same reference. Unless the page
// knows better, its links are those of [exchange.nextSteps].
func (x *exchange) fail(e site.Event, p site.Page) {
	e.Ref = respond.Ref()
	p.Ref = e.Ref
	x.log(e)
	if p.Links == nil && x.origin != nil {
		p.Links = x.nextSteps(p.Kind, x.here())
	}
	x.cfg.Site.Show(x.w, x.r, p)
}

// hopeless are the kinds of pages for which trying again changes nothing.
var hopeless = map[string]bool{
	pageMisconfigured.Kind: true, pageForbidden.Kind: true, pageBadAddress.Kind: true, pageBadNext.Kind: true,
	pageIdentity.Kind: true, pageServiceRefuses.Kind: true,
}

// nextSteps returns the links of a page about something that went wrong: to try again what
// the person wanted, and to the site's start, so that no page leads to itself alone.
func (x *exchange) nextSteps(kind, wanted string) []site.Link {
	home := x.origin.home()
	if wanted != home && (hopeless[kind] || x.r.Method == http.MethodPost) { // a link would not send the form again
		return []site.Link{{Text: "Front page", Href: home}}
	}
	return x.orHome(site.Link{Text: "Try again", Href: wanted})
}

// orHome returns a link and, unless it leads there itself, one to the site's start.
func (x *exchange) orHome(first site.Link) []site.Link {
	home := x.origin.home()
	if first.Href == home {
		return []site.Link{first}
	}
	return []site.Link{first, {Text: "Front page", Href: home}}
}

// again are those of a page about a login that was refused: to what was asked for, whole even
// if the service dropped the query. Nil where that is not known.
func (x *exchange) again(own, kind string) []site.Link {
	if own == "" {
		return nil
	}
	return x.nextSteps(kind, x.wanted(own).url)
}

// forbid answers a person who is known and may not come in.
func (x *exchange) forbid(s *session, denial Denial) {
	p := pageForbidden
	p.Principal = s.Principal
	p.Text = x.a.policy.missing(denial, &s.way.info)
	if x.cfg.LogoutPath != "" {
		p.Links = []site.Link{{Text: "Log out", Href: x.origin.base + x.cfg.LogoutPath}}
		if home := x.origin.home(); home != x.here() {
			p.Links = append([]site.Link{{Text: "Front page", Href: home}}, p.Links...)
		}
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
