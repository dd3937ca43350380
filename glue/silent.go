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
func (v *exchange) trySilently() bool {
	if !isNavigation(v.r) || len(v.r.CookiesNamed(v.origin.cookies.tried)) > 0 {
		return false
	}
	if v.secret == "" {
		if secret, isNew := v.secretToBe(); isNew {
			v.origin.cookies.setSecret(v.w, secret)
			v.handSecret(secret)
		}
		v.w.Header().Set("Cache-Control", "private, no-cache")
		return false
	}
	if err := v.outside(); err != nil {
		v.log(outsideEvent(err))
		return false
	}
	if _, stop := v.loopStep(); stop {
		return false // the page is for everybody, and is not refused for that
	}
	req := v.strength(DeniedSession)
	req.IAct, req.Fail, req.Note = webauth.IActNo, false, noteSilent
	location, err := v.loginURL(v.secret, req) // from here on the target may be parked
	if err != nil {
		return false
	}
	v.markTried()
	v.log(site.Event{Name: EventRedirect})
	respond.Redirect(v.w, v.r, location)
	return true
}

// markTried keeps silent sign-in from starting until the browser is closed.
func (v *exchange) markTried() {
	v.origin.cookies.set(v.w, v.origin.cookies.tried, "1")
}

// handedSecret is the secret that an outer handler gives the browser with the same answer:
// a second one would take its place, and what was signed for the first be lost.
type handedSecret struct {
	cookie, origin string
	secret         webauth.BrowserSecret
}

type handedKey struct{}

// handSecret tells inner handlers of a secret that the answer sets.
func (v *exchange) handSecret(secret webauth.BrowserSecret) {
	v.r = v.r.WithContext(context.WithValue(v.r.Context(), handedKey{}, handedSecret{v.origin.cookies.login, v.origin.base, secret}))
}

// secretToBe is the browser's secret: what it brought, what an outer handler gives it, or
// a new one, for the caller to set.
func (v *exchange) secretToBe() (secret webauth.BrowserSecret, isNew bool) {
	if v.secret != "" {
		return v.secret, false
	}
	h, ok := v.r.Context().Value(handedKey{}).(handedSecret)
	if ok && h.cookie == v.origin.cookies.login && h.origin == v.origin.base {
		return h.secret, false
	}
	return webauth.NewBrowserSecret(), true
}
