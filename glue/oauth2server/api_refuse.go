package oauth2server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// refusal is an answer to a request to the API that is not let through.
type refusal struct {
	status int
	code   string // of RFC 6750 section 3.1, or our own where that has none
	reason string // for the log; empty for what is not worth a line
	text   string // fixed, in what may stand between quotation marks in a header

	principal, clientID, tokenID string // for the log
}

// The refusals.
var (
	refusalAnonymous = refusal{status: http.StatusUnauthorized, code: "login_required",
		text: "Send a bearer token, or log in with a browser."}
	refusalMalformed = refusal{status: http.StatusBadRequest, code: "invalid_request", reason: "malformed",
		text: "Want one Authorization header with Bearer, one blank, and the token."}
	refusalQuery = refusal{status: http.StatusBadRequest, code: "invalid_request", reason: "token-in-query",
		text: "A token belongs in the Authorization header. This one has been in a URL, so revoke it."}
	refusalBody = refusal{status: http.StatusBadRequest, code: "invalid_request", reason: "token-in-form",
		text: "A token belongs in the Authorization header, not in the form."}
	refusalTwo = refusal{status: http.StatusBadRequest, code: "invalid_request", reason: "session-and-client",
		text: "A session of a person and a token of an application came at once."}
	refusalForm = refusal{status: http.StatusUnauthorized, code: "invalid_token", reason: "token-malformed",
		text: "This is no bearer token of this site."}
	refusalToken = refusal{status: http.StatusUnauthorized, code: "invalid_token", reason: "token-unknown",
		text: "The token has expired or was revoked, or it never was."}
	refusalInactive = refusal{status: http.StatusUnauthorized, code: "invalid_token", reason: "inactive",
		text: "The person behind the token may not use this site any more."}
	refusalNoPerson = refusal{status: http.StatusForbidden, code: "insufficient_scope", reason: "no-person",
		text: "This needs the token of a person, not of an application alone."}
	refusalScope = refusal{status: http.StatusForbidden, code: "insufficient_scope", reason: "scope",
		text: "The token does not allow this."}
	refusalSession = refusal{status: http.StatusForbidden, code: "insufficient_scope", reason: "session-scope",
		text: "This is not for people with a browser: it needs the token of an application."}
	refusalBroken = refusal{status: http.StatusInternalServerError, code: "server_error", reason: "misconfigured",
		text: "This resource is set up wrongly, so nobody can be let in."}
	refusalUnavailable = refusal{status: http.StatusServiceUnavailable, code: "temporarily_unavailable",
		text: "Tokens cannot be checked just now."}
)

// about gives a copy whose log line names the token.
func (f refusal) about(t store.Token) refusal {
	f.principal, f.clientID, f.tokenID = t.Principal, t.ClientID, t.ID
	return f
}

// refuse answers a request that is not let through.
func (g gate) refuse(w http.ResponseWriter, r *http.Request, f refusal) {
	if f.reason != "" {
		g.s.event(r, event{Name: EventRefused, Reason: f.reason, Principal: f.principal, ClientID: f.clientID, TokenID: f.tokenID})
	}
	if f.status < http.StatusInternalServerError {
		w.Header().Set("WWW-Authenticate", g.challenge(f))
	}
	f.write(w)
}

// unavailable answers while the database, or Config.Active, cannot say. Nobody gets in
// meanwhile.
func (g gate) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // or the client has gone, which is nobody's fault
		g.s.event(r, event{Name: EventStoreError, Reason: "token", Err: err})
	}
	w.Header().Set("Retry-After", "5")
	refusalUnavailable.write(w)
}

// challenge is the WWW-Authenticate header (RFC 6750 section 3). A request that brought
// nothing is told no error.
func (g gate) challenge(f refusal) string {
	parts := []string{fmt.Sprintf(`realm="%s"`, g.s.cfg.Issuer)}
	if f.code != refusalAnonymous.code {
		parts = append(parts, fmt.Sprintf(`error="%s", error_description="%s"`, f.code, f.text))
	}
	if len(g.scopes) > 0 && f.status != http.StatusBadRequest {
		parts = append(parts, fmt.Sprintf(`scope="%s"`, scopelist.Join(g.scopes)))
	}
	return "Bearer " + strings.Join(parts, ", ")
}

func (f refusal) write(w http.ResponseWriter) {
	respond.JSON(w, f.status, map[string]string{"error": f.code, "error_description": f.text})
}
