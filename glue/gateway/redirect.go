package gateway

import (
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// redirectTo sends everything on to the same path at an origin that is configured. It
// does not look at the Host header, which is whatever a client likes.
func redirectTo(w http.ResponseWriter, r *http.Request, origin string) {
	w.Header().Set("Connection", "close") // nothing more is to be had here
	target := r.URL.EscapedPath()
	if r.Method == http.MethodConnect || !strings.HasPrefix(target, "/") {
		respond.Text(w, http.StatusBadRequest, "This is no request for a page.")
		return
	}
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", origin+target)
	w.Header().Set("Cache-Control", "max-age=3600") // should the site ever move
	status := http.StatusMovedPermanently
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		status = http.StatusPermanentRedirect // a form stays a POST
	}
	w.WriteHeader(status)
}
