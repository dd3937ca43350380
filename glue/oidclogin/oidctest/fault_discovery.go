package oidctest

// Faults of discovery, and of userinfo, which a site that takes identity from ID tokens
// does not ask. They are of no one login: use Always.
const (
	// These are as those of the keys, see FaultKeysDown.
	FaultDiscoveryDown     Fault = "discovery-down"
	FaultDiscoveryClosed   Fault = "discovery-closed"
	FaultDiscoverySlow     Fault = "discovery-slow"
	FaultDiscoveryHTML     Fault = "discovery-html"
	FaultDiscoveryGarbage  Fault = "discovery-garbage"
	FaultDiscoveryHuge     Fault = "discovery-huge"
	FaultDiscoveryRedirect Fault = "discovery-redirect"
	// FaultDiscoveryUnknown has members that no specification names, as providers may.
	FaultDiscoveryUnknown Fault = "discovery-unknown"
	// FaultDiscoveryNoRS256 says that ID tokens are signed in other ways, none among them.
	FaultDiscoveryNoRS256 Fault = "discovery-no-rs256"
	// FaultDiscoveryNoCode offers other flows than that with a code.
	FaultDiscoveryNoCode Fault = "discovery-no-code"
	FaultDiscoveryList   Fault = "discovery-list"

	// FaultIssuerOther is another provider's metadata; FaultIssuerSlash is nearly right.
	FaultIssuerOther   Fault = "issuer-other"
	FaultIssuerSlash   Fault = "issuer-slash"
	FaultIssuerMissing Fault = "issuer-missing"

	FaultAuthEndpointMissing Fault = "auth-endpoint-missing"
	FaultAuthEndpointHTTP    Fault = "auth-endpoint-http"
	FaultAuthEndpointScript  Fault = "auth-endpoint-script"
	// FaultAuthEndpointQuery has parameters of its own, as providers may.
	FaultAuthEndpointQuery    Fault = "auth-endpoint-query"
	FaultTokenEndpointMissing Fault = "token-endpoint-missing"
	FaultTokenEndpointHTTP    Fault = "token-endpoint-http"
	FaultTokenEndpointNumber  Fault = "token-endpoint-number"
	FaultJWKSURIMissing       Fault = "jwks-uri-missing"
	FaultJWKSURIHTTP          Fault = "jwks-uri-http"
	FaultJWKSURIFile          Fault = "jwks-uri-file"
	FaultEndSessionMissing    Fault = "end-session-missing"
	FaultEndSessionHTTP       Fault = "end-session-http"
	FaultEndSessionScript     Fault = "end-session-script"

	// FaultUserinfoOther answers about somebody else.
	FaultUserinfoOther Fault = "userinfo-other"
)

var discoveryFaults = append(
	outages(EndpointDiscovery, FaultDiscoveryDown, FaultDiscoveryClosed, FaultDiscoverySlow, FaultDiscoveryHTML, FaultDiscoveryGarbage, FaultDiscoveryHuge, FaultDiscoveryRedirect),
	named{FaultDiscoveryUnknown, metadata("unheard_of", map[string]any{"a": []any{1, nil}})},
	named{FaultDiscoveryNoRS256, metadata("id_token_signing_alg_values_supported", []string{"none", "HS256", "ES256"})},
	named{FaultDiscoveryNoCode, metadata("response_types_supported", []string{"id_token"})},
	named{FaultDiscoveryList, effect{at: EndpointDiscovery, body: func(b []byte) []byte { return append(append([]byte("["), b...), ']') }}},
	named{FaultIssuerOther, metadata("issuer", "https://provider.example")},
	named{FaultIssuerSlash, effect{at: EndpointDiscovery, document: func(p *Provider, m map[string]any) { m["issuer"] = p.issuer + "/" }}},
	named{FaultIssuerMissing, metadata("issuer", nil)},
	named{FaultAuthEndpointMissing, metadata("authorization_endpoint", nil)},
	named{FaultAuthEndpointHTTP, metadata("authorization_endpoint", "http://provider.example/authorize")},
	named{FaultAuthEndpointScript, metadata("authorization_endpoint", "javascript:alert(1)")},
	named{FaultAuthEndpointQuery, effect{at: EndpointDiscovery, document: func(p *Provider, m map[string]any) {
		m["authorization_endpoint"] = p.issuer + authPath + "?p=policy"
	}}},
	named{FaultTokenEndpointMissing, metadata("token_endpoint", nil)},
	named{FaultTokenEndpointHTTP, metadata("token_endpoint", "http://provider.example/token")},
	named{FaultTokenEndpointNumber, metadata("token_endpoint", 17)},
	named{FaultJWKSURIMissing, metadata("jwks_uri", nil)},
	named{FaultJWKSURIHTTP, metadata("jwks_uri", "http://provider.example/keys")},
	named{FaultJWKSURIFile, metadata("jwks_uri", "file:///etc/passwd")},
	named{FaultEndSessionMissing, metadata("end_session_endpoint", nil)},
	named{FaultEndSessionHTTP, metadata("end_session_endpoint", "http://provider.example/logout")},
	named{FaultEndSessionScript, metadata("end_session_endpoint", "javascript:alert(1)")},
	named{FaultUserinfoOther, effect{at: EndpointUserinfo, document: func(_ *Provider, c map[string]any) { c["sub"], c["upn"] = "test0002", "test0002@cam.ac.uk" }}},
)

// metadata sets a member of what discovery says; nil takes it away.
func metadata(name string, value any) effect { return field(EndpointDiscovery, name, value) }
