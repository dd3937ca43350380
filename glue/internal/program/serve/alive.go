package serve

import "net/http"

// alivePath is for probes: balancers and orchestrators ask by address, under a host that is
// not the site's, and in plain http.
const alivePath = ReservedPath + "/alive"

// AnswerAlive answers a probe with 204, which says that the program serves this listener and
// nothing else, and reports whether the request was one. With a query it is none: that may
// have a response of the login service in it, which must be spent.
func AnswerAlive(w http.ResponseWriter, r *http.Request) bool {
	if r.RequestURI != alivePath || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}
