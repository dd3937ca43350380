package oauth2server

import (
	"cmp"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// protocolError is an error that clients are told of. It tells them nothing that they do
// not know.
type protocolError struct {
	code        string // of RFC 6749 sections 4.1.2.1 and 5.2, or RFC 6750 section 3.1; our own where those have none
	description string // for developers, in what may stand between quotation marks in a header: printable ASCII without '"' and '\'
	status      int    // at the endpoints for programs and the API; zero means 400
	reason      string // of the log line
}

func (e *protocolError) Error() string { return e.code + ": " + e.description }

func (e *protocolError) write(w http.ResponseWriter) {
	respond.JSON(w, cmp.Or(e.status, http.StatusBadRequest), map[string]string{"error": e.code, "error_description": e.description})
}

// Errors of the authorization endpoint.
var (
	errRepeated        = &protocolError{code: "invalid_request", description: "a parameter is there twice"}
	errNoResponseType  = &protocolError{code: "invalid_request", description: "response_type is missing"}
	errResponseType    = &protocolError{code: "unsupported_response_type", description: "this response_type is not supported"}
	errResponseMode    = &protocolError{code: "invalid_request", description: "this response_mode is not supported"}
	errNoChallenge     = &protocolError{code: "invalid_request", description: "code_challenge is missing (PKCE is required)"}
	errChallengeMethod = &protocolError{code: "invalid_request", description: "code_challenge_method must be S256"}
	errChallenge       = &protocolError{code: "invalid_request", description: "code_challenge is no SHA-256 in base64url"}
	errPrompt          = &protocolError{code: "invalid_request", description: "this prompt is not supported"}
	errScopeMissing    = &protocolError{code: "invalid_scope", description: "scope is missing or malformed"}
	errScopeUnknown    = &protocolError{code: "invalid_scope", description: "scope names something that cannot be given"}
	errAccessDenied    = &protocolError{code: "access_denied", description: "the person declined"}
	// OpenID Connect Core 1.0 section 3.1.2.6 names what prompt=none can meet.
	errLoginRequired   = &protocolError{code: "login_required", description: "nobody is logged in"}
	errConsentRequired = &protocolError{code: "consent_required", description: "the person must be asked"}
)

// Errors of the endpoints for programs.
var (
	errMethod       = &protocolError{code: "invalid_request", description: "use POST", status: http.StatusMethodNotAllowed}
	errInURL        = &protocolError{code: "invalid_request", description: "parameters belong into the body, not into the address"}
	errContentType  = &protocolError{code: "invalid_request", description: "the body must be application/x-www-form-urlencoded"}
	errBody         = &protocolError{code: "invalid_request", description: "the body is malformed or too long"}
	errTwoWays      = &protocolError{code: "invalid_request", description: "the client authenticates in two ways"}
	errClient       = &protocolError{code: "invalid_client", description: "client authentication failed", status: http.StatusUnauthorized}
	errNotForPublic = &protocolError{code: "unauthorized_client", description: "this is for confidential clients"}
	errMissing      = &protocolError{code: "invalid_request", description: "a parameter is missing"}
	errGrantType    = &protocolError{code: "unsupported_grant_type", description: "this grant_type is not supported"}
	errGrant        = &protocolError{code: "invalid_grant", description: "it is not valid, not valid any more, or not this client's"}
	errOrigin       = &protocolError{code: "invalid_request", description: "pages of this origin cannot call this: an application that runs in browsers is registered as public, with a redirect URI on its own origin", status: http.StatusForbidden, reason: "cross-origin"}
	errUnavailable  = &protocolError{code: "temporarily_unavailable", description: "try again in a moment", status: http.StatusServiceUnavailable}
)

// Errors of the API, which answers with them to requests that are not let through.
var (
	errAnonymous = &protocolError{status: http.StatusUnauthorized, code: "login_required",
		description: "Send a bearer token, or log in with a browser."}
	errBearer = &protocolError{code: "invalid_request", reason: "malformed",
		description: "Want one Authorization header with Bearer, one blank, and the token."}
	errTokenInQuery = &protocolError{code: "invalid_request", reason: "token-in-query",
		description: "A token belongs in the Authorization header. This one has been in a URL, so revoke it."}
	errTokenInForm = &protocolError{code: "invalid_request", reason: "token-in-form",
		description: "A token belongs in the Authorization header, not in the form."}
	errTwoSubjects = &protocolError{code: "invalid_request", reason: "session-and-client",
		description: "A session of a person and a token of an application came at once."}
	errTokenForm = &protocolError{status: http.StatusUnauthorized, code: "invalid_token", reason: "token-malformed",
		description: "This is no bearer token of this site."}
	errBasic = &protocolError{status: http.StatusUnauthorized, code: "invalid_token", reason: "basic-password",
		description: "The password must be a personal token of this site. The user name can be anything."}
	errToken = &protocolError{status: http.StatusUnauthorized, code: "invalid_token", reason: "token-unknown",
		description: "The token has expired or was revoked, or it never was."}
	errInactive = &protocolError{status: http.StatusUnauthorized, code: "invalid_token", reason: "inactive",
		description: "The person behind the token may not use this site any more."}
	errNoPerson = &protocolError{status: http.StatusForbidden, code: "insufficient_scope", reason: "no-person",
		description: "This needs the token of a person, not of an application alone."}
	errScope = &protocolError{status: http.StatusForbidden, code: "insufficient_scope", reason: "scope",
		description: "The token does not allow this."}
	errSession = &protocolError{status: http.StatusForbidden, code: "insufficient_scope", reason: "session-scope",
		description: "This is not for people with a browser: it needs the token of an application."}
	errBroken = &protocolError{status: http.StatusInternalServerError, code: "server_error", reason: "misconfigured",
		description: "This resource is set up wrongly, so nobody can be let in."}
	errNoTokens = &protocolError{status: http.StatusServiceUnavailable, code: "temporarily_unavailable",
		description: "Tokens cannot be checked just now."}
)
