package oauth2server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// refuse answers a request that is not let through. about is whom and what it is about,
// for the log.
func (g gate) refuse(w http.ResponseWriter, r *http.Request, e *protocolError, about event) {
	if e != errAnonymous { // who brings nothing is not worth a line
		about.Name, about.Reason = EventRefused, e.reason
		g.s.event(r, about)
	}
	if e.status < http.StatusInternalServerError {
		w.Header().Set("WWW-Authenticate", g.challenge(e))
	}
	if basic := g.s.basicChallenge(r); basic != "" && e.status == http.StatusUnauthorized {
		w.Header().Add("WWW-Authenticate", basic)
	}
	e.write(w)
}

// unavailable answers while the database, or Config.Active, cannot say. Nobody gets in
// meanwhile.
func (g gate) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // or the client has gone, which is nobody's fault
		g.s.event(r, event{Name: EventStoreError, Reason: "token", Err: err})
	}
	w.Header().Set("Retry-After", "5")
	errNoTokens.write(w)
}

// challenge returns the WWW-Authenticate header (RFC 6750 section 3). A request that brought
// nothing is told no error.
func (g gate) challenge(e *protocolError) string {
	parts := []string{fmt.Sprintf(`realm="%s"`, g.s.cfg.Issuer)}
	if e != errAnonymous {
		parts = append(parts, fmt.Sprintf(`error="%s", error_description="%s"`, e.code, e.description))
	}
	if len(g.scopes) > 0 && e.code != errBearer.code {
		parts = append(parts, fmt.Sprintf(`scope="%s"`, scopelist.Join(g.scopes)))
	}
	return "Bearer " + strings.Join(parts, ", ")
}
