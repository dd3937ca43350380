package glue

import (
	"github.com/ucam-webauth/go-webauth/webauth"
)

// trySilently asks the WLS, without troubling the person, whether they are logged in
// there. It starts only once the browser has returned a cookie of ours, and marks
// that it tried before it redirects, so it cannot go round in circles. It reports
// whether it answered the request.
func (v *visit) trySilently() bool {
	if !isNavigation(v.r) || len(v.r.CookiesNamed(v.place.cookies.tried)) > 0 {
		return false
	}
	if v.secret == "" {
		v.place.cookies.setSecret(v.w, webauth.NewBrowserSecret())
		v.w.Header().Set("Cache-Control", "private, no-cache")
		return false
	}
	if err := v.outside(); err != nil {
		v.log(outsideEvent(err))
		return false
	}
	req := v.strength(lackSession)
	req.IAct, req.Fail = webauth.IActNo, false
	location, err := v.loginURL(v.secret, req)
	if err != nil || v.loopStep() {
		return false // the page is for everybody, and is not refused for that
	}
	v.markTried()
	v.log(Event{Name: EventRedirect})
	v.redirect(location)
	return true
}

// markTried keeps silent sign-in from starting until the browser is closed.
func (v *visit) markTried() {
	v.place.cookies.set(v.w, v.place.cookies.tried, "1")
}
