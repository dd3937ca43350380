package glue

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// isNavigation reports whether a person opens a page: only they may be sent to log in.
// HEAD is never one.
func isNavigation(r *http.Request) bool {
	return r.Method == http.MethodGet && site.WantsPage(r)
}

// isFormPost reports whether a request is a form that a person sent, with a page to show
// the answer on.
func isFormPost(r *http.Request) bool {
	return r.Method == http.MethodPost && site.WantsPage(r)
}

// fromOtherOrigin reports whether a page of another origin sent a person here, or had a
// hand in it by a redirect, as far as the browser tells.
func fromOtherOrigin(r *http.Request) bool {
	from := r.Header.Get("Sec-Fetch-Site")
	return from == "cross-site" || from == "same-site"
}
