package oauth2server

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// csrf sends a single-page application of the site's own the token that API calls with
// the browser session must send, as {"token":"..."}. Other sites can ask for it, but
// browsers do not let them see the answer.
func (s *Server) csrf() http.Handler {
	g := gate{s: s}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, ok := s.withSession(w, r)
		if !ok {
			return
		}
		_, person := glue.IdentityFrom(r.Context())
		token, err := s.cfg.Guard.Token(r)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			respond.JSON(w, http.StatusMethodNotAllowed, map[string]string{"error": "invalid_request", "error_description": "Use GET."})
		case !person || err != nil:
			g.refuse(w, r, errAnonymous, event{})
		default:
			respond.JSON(w, http.StatusOK, map[string]string{"token": token})
		}
	})
}
