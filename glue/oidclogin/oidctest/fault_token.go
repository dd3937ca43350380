package oidctest

import (
	"net/http"
	"net/url"
)

// Faults of the token endpoint.
const (
	// These are as those of the keys, see FaultKeysDown. FaultTokenRedirect is status 307,
	// which repeats the request with the code, the verifier and the secret.
	FaultTokenDown     Fault = "token-down"
	FaultTokenClosed   Fault = "token-closed"
	FaultTokenSlow     Fault = "token-slow"
	FaultTokenHTML     Fault = "token-html"
	FaultTokenGarbage  Fault = "token-garbage"
	FaultTokenHuge     Fault = "token-huge"
	FaultTokenRedirect Fault = "token-redirect"
	// FaultTokenRedirect302 is a redirect that repeats nothing.
	FaultTokenRedirect302 Fault = "token-redirect-302"
	// FaultTokenTooMany answers status 429.
	FaultTokenTooMany Fault = "token-too-many"

	// FaultTokenInvalidClient and those after it are errors.
	FaultTokenInvalidClient      Fault = "token-invalid-client"
	FaultTokenInvalidGrant       Fault = "token-invalid-grant"
	FaultTokenInvalidRequest     Fault = "token-invalid-request"
	FaultTokenUnauthorizedClient Fault = "token-unauthorized-client"
	FaultTokenServerError        Fault = "token-server-error"
	FaultTokenErrorUnknown       Fault = "token-error-unknown"
	// FaultTokenError200 is an error with status 200, beside an ID token.
	FaultTokenError200 Fault = "token-error-200"
	// FaultTokenErrorHostile has a description with markup, control characters and 4 KiB.
	FaultTokenErrorHostile Fault = "token-error-hostile"

	FaultTokenNoIDToken Fault = "token-no-id-token"
	// FaultTokenIDTokenList has the ID token in a list; FaultTokenIDTokenTwice another first.
	FaultTokenIDTokenList  Fault = "token-id-token-list"
	FaultTokenIDTokenEmpty Fault = "token-id-token-empty"
	FaultTokenIDTokenTwice Fault = "token-id-token-twice"
	// FaultTokenTrailing has another JSON text behind the answer, FaultTokenIncomplete lacks
	// its last brace.
	FaultTokenTrailing      Fault = "token-trailing"
	FaultTokenIncomplete    Fault = "token-incomplete"
	FaultTokenNoAccessToken Fault = "token-no-access-token"
	FaultTokenTypeMissing   Fault = "token-type-missing"
	FaultTokenTypeOther     Fault = "token-type-other"
	// FaultTokenTypeCase writes the type "bearer", as providers may.
	FaultTokenTypeCase Fault = "token-type-case"
	// FaultTokenPlain says that the answer is text/plain; FaultTokenForm sends it as a form.
	FaultTokenPlain Fault = "token-plain"
	FaultTokenForm  Fault = "token-form"
	// FaultTokenLogout sends a logout token for an ID token.
	FaultTokenLogout Fault = "token-logout"
)

var tokenFaults = append(
	outages(EndpointToken, FaultTokenDown, FaultTokenClosed, FaultTokenSlow, FaultTokenHTML, FaultTokenGarbage, FaultTokenHuge, FaultTokenRedirect),
	named{FaultTokenRedirect302, sent(EndpointToken, func(p *Provider, rw http.ResponseWriter, r *http.Request, _ []byte) {
		http.Redirect(rw, r, p.issuer+"/", http.StatusFound)
	})},
	named{FaultTokenTooMany, tokenError(http.StatusTooManyRequests, "slow_down", "")},
	named{FaultTokenInvalidClient, tokenError(http.StatusUnauthorized, "invalid_client", "the secret has expired")},
	named{FaultTokenInvalidGrant, tokenError(http.StatusBadRequest, "invalid_grant", "the code is wrong")},
	named{FaultTokenInvalidRequest, tokenError(http.StatusBadRequest, "invalid_request", "a parameter is missing")},
	named{FaultTokenUnauthorizedClient, tokenError(http.StatusBadRequest, "unauthorized_client", "not for this client")},
	named{FaultTokenServerError, tokenError(http.StatusInternalServerError, "server_error", "")},
	named{FaultTokenErrorUnknown, tokenError(http.StatusBadRequest, "unheard_of", "")},
	named{FaultTokenError200, field(EndpointToken, "error", "invalid_grant")},
	named{FaultTokenErrorHostile, tokenError(http.StatusBadRequest, "invalid_grant", hostile)},
	named{FaultTokenNoIDToken, field(EndpointToken, "id_token", nil)},
	named{FaultTokenIDTokenList, tokenDocument(func(_ *Provider, d map[string]any) { d["id_token"] = []any{d["id_token"]} })},
	named{FaultTokenIDTokenEmpty, field(EndpointToken, "id_token", "")},
	named{FaultTokenIDTokenTwice, effect{at: EndpointToken, body: func(b []byte) []byte { return append([]byte(`{"id_token":"x.y.z",`), b[1:]...) }}},
	named{FaultTokenTrailing, effect{at: EndpointToken, body: func(b []byte) []byte { return append(b, "{}"...) }}},
	named{FaultTokenIncomplete, effect{at: EndpointToken, body: func(b []byte) []byte { return b[:len(b)-1] }}},
	named{FaultTokenNoAccessToken, field(EndpointToken, "access_token", nil)},
	named{FaultTokenTypeMissing, field(EndpointToken, "token_type", nil)},
	named{FaultTokenTypeOther, field(EndpointToken, "token_type", "mac")},
	named{FaultTokenTypeCase, field(EndpointToken, "token_type", "bearer")},
	named{FaultTokenPlain, sent(EndpointToken, func(_ *Provider, rw http.ResponseWriter, _ *http.Request, body []byte) {
		rw.Header().Set("Content-Type", "text/plain")
		_, _ = rw.Write(body)
	})},
	named{FaultTokenForm, func() effect {
		var form url.Values
		return effect{at: EndpointToken, document: func(_ *Provider, d map[string]any) {
			form = url.Values{"access_token": {d["access_token"].(string)}, "token_type": {"Bearer"}, "id_token": {d["id_token"].(string)}}
		}, serve: func(_ *Provider, rw http.ResponseWriter, _ *http.Request, _ []byte) {
			rw.Header().Set("Content-Type", "application/x-www-form-urlencoded")
			_, _ = rw.Write([]byte(form.Encode()))
		}}
	}()},
	named{FaultTokenLogout, tokenDocument(func(p *Provider, d map[string]any) {
		d["id_token"] = p.Sign(map[string]any{"typ": logoutType}, p.logoutClaims(ClientID, session{user: "test0001"}))
	})},
)

func tokenDocument(edit func(*Provider, map[string]any)) effect {
	return effect{at: EndpointToken, document: edit}
}

// tokenError answers an error in place of the tokens.
func tokenError(status int, code, description string) effect {
	return effect{
		at: EndpointToken,
		document: func(_ *Provider, d map[string]any) {
			clear(d)
			d["error"] = code
			if description != "" {
				d["error_description"] = description
			}
		},
		serve: func(_ *Provider, rw http.ResponseWriter, _ *http.Request, body []byte) {
			rw.WriteHeader(status)
			_, _ = rw.Write(body)
		},
	}
}
