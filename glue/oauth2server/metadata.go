package oauth2server

import (
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// metadata describes the server to clients (RFC 8414 section 2).
type metadata struct {
	Issuer                string   `json:"issuer"`
	Authorization         string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	Revocation            string   `json:"revocation_endpoint"`
	Introspection         string   `json:"introspection_endpoint"`
	Scopes                []string `json:"scopes_supported,omitempty"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	TokenAuth             []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	AuthorizationNamesIss bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207
}

// MetadataPath returns where Metadata belongs (RFC 8414 section 3.1): below the origin of
// the issuer, whose own path, if it has one, comes last.
func (s *Server) MetadataPath() string {
	origin, _ := webauth.Origin(s.cfg.Issuer) // New has checked it
	return "/.well-known/oauth-authorization-server" + strings.TrimPrefix(s.cfg.Issuer, origin)
}

// Metadata returns a handler that describes the server to clients, pages of any origin
// among them; mount it at [Server.MetadataPath].
func (s *Server) Metadata() http.Handler {
	secret := []string{"client_secret_basic", "client_secret_post"}
	all := append(secret[:len(secret):len(secret)], "none")
	m := &metadata{
		Issuer:        s.cfg.Issuer,
		Authorization: s.url(pathAuthorize), Token: s.url(pathToken),
		Revocation: s.url(pathRevoke), Introspection: s.url(pathIntrospect),
		Scopes:        s.scopes.offered().names(),
		ResponseTypes: []string{responseCode}, ResponseModes: []string{"query"},
		GrantTypes: []string{grantTypeCode, grantTypeRefresh},
		TokenAuth:  all, RevocationAuth: all, IntrospectionAuth: secret,
		ChallengeMethods: []string{challengeS256}, AuthorizationNamesIss: true,
	}
	if len(s.cfg.ClientScopes) > 0 {
		m.GrantTypes = append(m.GrantTypes, grantTypeClient)
	}
	if s.cfg.InsecureAllowImplicit {
		m.ResponseTypes, m.ResponseModes = append(m.ResponseTypes, responseToken), append(m.ResponseModes, "fragment")
		m.GrantTypes = append(m.GrantTypes, "implicit")
	}
	if s.cfg.InsecureAllowPassword {
		m.GrantTypes = append(m.GrantTypes, grantTypePassword)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noStore(w)
		if isPreflight(r) {
			allowPreflight(w, "*", "GET, HEAD")
			return
		}
		allowOrigin(w.Header(), "*")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		respond.JSON(w, http.StatusOK, m)
	})
}
