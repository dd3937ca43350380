package oidctest

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// metadata is what discovery says (OpenID Connect Discovery 1.0, section 3).
func (p *Provider) metadata() map[string]any {
	return map[string]any{
		"issuer":                 p.issuer,
		"authorization_endpoint": p.issuer + authPath,
		"token_endpoint":         p.issuer + tokenPath,
		"userinfo_endpoint":      p.issuer + userinfoPath,
		"jwks_uri":               p.issuer + keysPath,
		"end_session_endpoint":   p.issuer + logoutPath,

		"scopes_supported":                                 []string{"openid", "profile", "email"},
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            []string{"authorization_code"},
		"subject_types_supported":                          []string{"public"},
		"id_token_signing_alg_values_supported":            []string{"RS256"},
		"token_endpoint_auth_methods_supported":            []string{"client_secret_basic", "client_secret_post", "private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"prompt_values_supported":                          []string{"none", "login", "select_account"},
		"authorization_response_iss_parameter_supported":   true,
		"backchannel_logout_supported":                     true,
		"backchannel_logout_session_supported":             true,
	}
}

func (p *Provider) discovery(rw http.ResponseWriter, r *http.Request) {
	e := Exchange{At: p.Now(), Endpoint: EndpointDiscovery, Fault: p.script.standing()}
	p.serveJSON(rw, r, e, p.metadata())
}

// keys serves the JWKS.
func (p *Provider) keys(rw http.ResponseWriter, r *http.Request) {
	e := Exchange{At: p.Now(), Endpoint: EndpointKeys, Fault: p.script.standing()}
	p.serveJSON(rw, r, e, map[string]any{"keys": p.signer.jwks()})
}

// serveJSON answers what a site itself asks, as the fault has it, and logs that.
func (p *Provider) serveJSON(rw http.ResponseWriter, r *http.Request, e Exchange, document map[string]any) {
	e.Reply, e.Status = ReplyJSON, cmp.Or(e.Status, http.StatusOK)
	ef := e.Fault.effect()
	if ef.at != e.Endpoint {
		ef = effect{}
	}
	if ef.document != nil {
		ef.document(p, document)
	}
	body, err := json.Marshal(document)
	must(err) // not reached: these are maps, lists, texts and numbers
	if ef.body != nil {
		body = ef.body(body)
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	p.journal.add(e)
	if ef.serve != nil {
		ef.serve(p, rw, r, body)
		return
	}
	rw.WriteHeader(e.Status)
	_, _ = rw.Write(body)
}
