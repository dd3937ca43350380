package glue

import "net/http"

// What follows is for packages that extend a site's login, such as glue/xsrf, so that
// they share its origins, keys, clock, log and pages.

// Unmarked gives the request as it was before its address was marked as that of a kept
// form. It is for those who ask what may be done with a request that goes elsewhere:
// the pages of a kept form are not what its address has there.
func Unmarked(r *http.Request) *http.Request {
	if !hasKeptMark(r.URL.RawQuery) {
		return r
	}
	return withoutMark(r)
}
