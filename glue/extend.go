package glue

import (
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// What follows is for packages that extend a site's login, such as glue/xsrf, so that
// they share its origins, keys, clock, log and pages.

// Refuse answers a request that must not go on, in the site's manner: the event is
// logged with a reference, and a person gets the page with the same reference, a
// script a short text or JSON with the event's reason.
func (a *Auth) Refuse(w http.ResponseWriter, r *http.Request, e Event, p Page) {
	v := exchange{request: request{a: a, r: r}, w: w}
	switch {
	case !v.begin(): // answered
	case isNavigation(r) || isFormPost(r):
		v.fail(e, p)
	default:
		v.log(e)
		text := http.StatusText(p.Status)
		respond.Brief(v.w, v.r, p.Status, strings.ToLower(text), string(e.Reason), text+": "+string(e.Reason)+". "+strings.Join(p.Text, " "))
	}
}

// Unmarked gives the request as it was before its address was marked as that of a kept
// form. It is for those who ask what may be done with a request that goes elsewhere:
// the pages of a kept form are not what its address has there.
func Unmarked(r *http.Request) *http.Request {
	if !hasKeptMark(r.URL.RawQuery) {
		return r
	}
	return withoutMark(r)
}
