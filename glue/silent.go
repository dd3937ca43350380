package glue

import (
	"context"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// noteSilent is the note of the token of a request that silent sign-in made: whichever
// handler sees its failure, the person goes back to the page.
const noteSilent = "silent"

// trySilently asks the WLS, without troubling the person, whether they are logged in
// there. It starts only once the browser has returned a cookie of ours, and marks
// that it tried before it redirects, so it cannot go round in circles. It reports
// whether it answered the request.
func (x *exchange) trySilently() bool {
	if !isNavigation(x.r) || len(x.r.CookiesNamed(x.origin.cookies.tried)) > 0 {
		return false
	}
	if x.secret == "" {
		if secret, isNew := x.secretToBe(); isNew {
			x.origin.cookies.setSecret(x.w, secret)
			x.handSecret(secret)
		}
		x.w.Header().Set("Cache-Control", "private, no-cache")
		return false
	}
	if err := x.outside(); err != nil {
		x.log(outsideEvent(err))
		return false
	}
	if _, stop := x.loopStep(); stop {
		return false // the page is for everybody, and is not refused for that
	}
	req := x.strength(DeniedSession)
	req.IAct, req.Fail, req.Note = webauth.IActNo, false, noteSilent
	location, err := x.loginURL(x.origin.ways[0], x.secret, req) // from here on the target may be parked
	if err != nil {
		if reason := webauth.ReasonOf(err); reason != "" {
			x.log(site.Event{Name: EventServiceError, Reason: string(reason), Err: err})
		}
		return false
	}
	x.markTried()
	x.log(site.Event{Name: EventRedirect})
	respond.Redirect(x.w, x.r, location)
	return true
}

// markTried keeps silent sign-in from starting until the browser is closed.
func (x *exchange) markTried() {
	x.origin.cookies.set(x.w, x.origin.cookies.tried, "1")
}

// handedSecret is the secret that an outer handler gives the browser with the same answer:
// a second one would take its place, and what was signed for the first be lost.
type handedSecret struct {
	cookie, origin string
	secret         webauth.BrowserSecret
}

type handedKey struct{}

// handSecret tells inner handlers of a secret that the answer sets.
func (x *exchange) handSecret(secret webauth.BrowserSecret) {
	x.r = x.r.WithContext(context.WithValue(x.r.Context(), handedKey{}, handedSecret{x.origin.cookies.login, x.origin.base, secret}))
}

// secretToBe is the browser's secret: what it brought, what an outer handler gives it, or
// a new one, for the caller to set.
func (x *exchange) secretToBe() (secret webauth.BrowserSecret, isNew bool) {
	if x.secret != "" {
		return x.secret, false
	}
	h, ok := x.r.Context().Value(handedKey{}).(handedSecret)
	if ok && h.cookie == x.origin.cookies.login && h.origin == x.origin.base {
		return h.secret, false
	}
	return webauth.NewBrowserSecret(), true
}
