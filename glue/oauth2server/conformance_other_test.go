package oauth2server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// resourceChecks are about what tokens are good for.
func resourceChecks() []check {
	const section = "RFC 6750 section 3.1"
	return []check{
		{"RFC 6750 section 2.1", "an access token opens the API", func(t *testing.T, p *party) {
			assert.Equal(t, "oauth "+p.person+" records:read", p.api("/api/records", p.tokens(p.app).Access).body)
		}},
		{section, "an access token expires", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			p.fake.Advance(time.Hour - time.Second)
			assert.True(t, p.works(got.Access))
			p.fake.Advance(time.Second)
			assert.False(t, p.works(got.Access))
		}},
		{section, "a refresh token is no bearer token", func(t *testing.T, p *party) {
			assert.False(t, p.works(p.tokens(p.app).Refresh))
		}},
		{section, "a code is no bearer token", func(t *testing.T, p *party) {
			assert.False(t, p.works(p.code(p.ask(p.app))))
		}},
		{section, "a client secret is no bearer token", func(t *testing.T, p *party) {
			assert.False(t, p.works(p.app.secret))
		}},
		{section, "a token without the scope", func(t *testing.T, p *party) {
			a := p.api("/api/change", p.tokens(p.app).Access)
			assert.Equal(t, http.StatusForbidden, a.StatusCode)
			assert.Contains(t, a.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
			assert.Contains(t, a.Header.Get("WWW-Authenticate"), `scope="records:write"`)
		}},
		{section, "a bad token is told from none", func(t *testing.T, p *party) {
			assert.Contains(t, p.api("/api/records", "x").Header.Get("WWW-Authenticate"), `error="invalid_token"`)
			none := p.api("/api/records", "")
			assert.Equal(t, http.StatusUnauthorized, none.StatusCode)
			assert.NotContains(t, none.Header.Get("WWW-Authenticate"), "error=")
		}},
		{"RFC 9700 section 4.3.2", "a token in the query is refused", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			assert.Equal(t, http.StatusBadRequest, p.api("/api/records?access_token="+got.Access, "").StatusCode)
			assert.Equal(t, http.StatusBadRequest, p.api("/api/records?access_token="+got.Access, got.Access).StatusCode)
		}},
		{section, "a deactivated person's token ends at once", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			require.True(t, p.works(got.Access))
			p.deactivate(p.person)
			assert.False(t, p.works(got.Access))
		}},
	}
}

func tokenOf(token string) url.Values { return url.Values{"token": {token}} }

// revocationChecks are about tokens that applications give up.
func revocationChecks() []check {
	const section = "RFC 7009 section 2.1"
	// revoked wants an empty 200.
	revoked := func(p *party, a app, form url.Values) {
		p.t.Helper()
		got := p.call("/revoke", a, form)
		require.Equal(p.t, http.StatusOK, got.StatusCode, got.body)
		require.Equal(p.t, "no-store", got.Header.Get("Cache-Control"))
		require.Empty(p.t, got.body)
	}
	// kept wants a token not to be revoked.
	kept := func(name string, status int, code string, send func(p *party, token string) reply) check {
		return check{section, "revocation: " + name, func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			p.requireRefused(send(p, got.Access), status, code)
			p.requireRefused(send(p, got.Refresh), status, code)
			assert.True(t, p.works(got.Access))
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(got.Refresh)).StatusCode)
		}}
	}
	return []check{
		{section, "revocation: an access token alone", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			revoked(p, p.app, tokenOf(got.Access))
			assert.False(t, p.works(got.Access))
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(got.Refresh)).StatusCode)
		}},
		{section, "revocation: a refresh token with its grant", func(t *testing.T, p *party) {
			apart, got := p.tokens(p.app), p.tokens(p.app)
			revoked(p, p.app, tokenOf(got.Refresh))
			assert.False(t, p.works(got.Access))
			p.requireRefused(p.call("/token", p.app, refreshForm(got.Refresh)), http.StatusBadRequest, "invalid_grant")
			assert.True(t, p.works(apart.Access))
		}},
		{section, "revocation: a rotated refresh token with its grant", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			newer := p.call("/token", p.app, refreshForm(got.Refresh))
			revoked(p, p.app, tokenOf(got.Refresh))
			assert.False(t, p.works(newer.Access))
		}},
		{section, "revocation: by a public client", func(t *testing.T, p *party) {
			got := p.tokens(p.public)
			revoked(p, p.public, tokenOf(got.Refresh))
			assert.False(t, p.works(got.Access))
		}},
		{section, "revocation: a token of the client itself", func(t *testing.T, p *party) {
			got := p.call("/token", p.app, url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}})
			revoked(p, p.app, tokenOf(got.Access))
			assert.Equal(t, http.StatusUnauthorized, p.api("/api/profile", got.Access).StatusCode)
		}},
		{section, "revocation: any hint", func(t *testing.T, p *party) {
			for _, hint := range []string{"access_token", "refresh_token", "something"} {
				got := p.tokens(p.app)
				form := tokenOf(got.Access)
				form.Set("token_type_hint", hint)
				revoked(p, p.app, form)
				assert.False(t, p.works(got.Access), hint)
			}
		}},
		{"RFC 7009 section 2.2", "revocation: twice is as good as once", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			revoked(p, p.app, tokenOf(got.Refresh))
			revoked(p, p.app, tokenOf(got.Refresh))
			revoked(p, p.app, tokenOf(got.Access))
		}},
		{"RFC 7009 section 2.2", "revocation: what never was", func(_ *testing.T, p *party) {
			text, _ := credential.Mint(credential.Access)
			for _, token := range []string{text, "x", "wlsa_", "\x00\xff"} {
				revoked(p, p.app, tokenOf(token))
			}
		}},
		kept("another's token", http.StatusBadRequest, "invalid_grant", func(p *party, token string) reply { return p.call("/revoke", p.other, tokenOf(token)) }),
		kept("another's token, by a public client", http.StatusBadRequest, "invalid_grant", func(p *party, token string) reply { return p.call("/revoke", p.public, tokenOf(token)) }),
		kept("without the secret", http.StatusUnauthorized, "invalid_client", func(p *party, token string) reply {
			return p.call("/revoke", app{id: p.app.id}, tokenOf(token))
		}),
		kept("without a client", http.StatusUnauthorized, "invalid_client", func(p *party, token string) reply { return p.call("/revoke", app{}, tokenOf(token)) }),
		kept("token missing", http.StatusBadRequest, "invalid_request", func(p *party, _ string) reply { return p.call("/revoke", p.app, url.Values{}) }),
		kept("token twice", http.StatusBadRequest, "invalid_request", func(p *party, token string) reply {
			return p.call("/revoke", p.app, url.Values{"token": {token, token}})
		}),
		kept("by GET", http.StatusMethodNotAllowed, "invalid_request", func(p *party, token string) reply {
			return p.call("/revoke", p.app, tokenOf(token), func(r *http.Request, _ url.Values) { r.Method = http.MethodGet })
		}),
		kept("in the address", http.StatusBadRequest, "invalid_request", func(p *party, token string) reply {
			return p.call("/revoke", p.app, url.Values{}, func(r *http.Request, _ url.Values) { r.URL.RawQuery = tokenOf(token).Encode() })
		}),
		{section, "revocation: a personal token is no application's", func(t *testing.T, p *party) {
			_, text, err := p.store.CreatePersonal(t.Context(), store.Token{Principal: p.person, Name: "x", Scopes: []string{"records:read"}})
			require.NoError(t, err)
			revoked(p, p.app, tokenOf(text))
			assert.True(t, p.works(text))
		}},
	}
}

// introspectionChecks are about what an application is told of a token.
func introspectionChecks() []check {
	const section = "RFC 7662 section 2.2"
	// unknown wants nothing but that the token is not active.
	unknown := func(p *party, a app, token string) {
		p.t.Helper()
		got := p.call("/introspect", a, tokenOf(token))
		require.Equal(p.t, http.StatusOK, got.StatusCode, got.body)
		require.JSONEq(p.t, `{"active":false}`, got.body)
	}
	return []check{
		{section, "introspection: an access token", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			a := p.call("/introspect", p.app, tokenOf(got.Access))
			now := p.fake.Now().Unix()
			var told map[string]any
			require.NoError(t, json.Unmarshal([]byte(a.body), &told))
			assert.Equal(t, map[string]any{
				"active": true, "scope": "records:read", "client_id": p.app.id, "token_type": "Bearer", "sub": p.person, "username": p.person,
				"exp": float64(now + 3600), "iat": float64(now), "iss": p.metadata().Issuer,
			}, told)
			assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		}},
		{section, "introspection: a refresh token", func(t *testing.T, p *party) {
			a := p.call("/introspect", p.app, tokenOf(p.tokens(p.app).Refresh))
			assert.True(t, a.Active)
			assert.Empty(t, a.Type, "it is no bearer token")
		}},
		{section, "introspection: a token of the client itself", func(t *testing.T, p *party) {
			got := p.call("/token", p.app, url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}})
			a := p.call("/introspect", p.app, tokenOf(got.Access))
			assert.True(t, a.Active)
			assert.Equal(t, p.app.id, a.Subject)
			assert.NotContains(t, a.body, "username")
			p.deactivate(p.ownerOf(t, p.app))
			unknown(p, p.app, got.Access)
		}},
		{"RFC 7662 section 4", "introspection: another's tokens", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			unknown(p, p.other, got.Access)
			unknown(p, p.other, got.Refresh)
		}},
		{section, "introspection: a rotated refresh token", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			p.call("/token", p.app, refreshForm(got.Refresh))
			unknown(p, p.app, got.Refresh)
		}},
		{section, "introspection: expired", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			p.fake.Advance(time.Hour)
			unknown(p, p.app, got.Access)
		}},
		{section, "introspection: revoked", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			p.call("/revoke", p.app, tokenOf(got.Refresh))
			unknown(p, p.app, got.Access)
			unknown(p, p.app, got.Refresh)
		}},
		{section, "introspection: of a deactivated person", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			p.deactivate(p.person)
			unknown(p, p.app, got.Access)
			unknown(p, p.app, got.Refresh)
		}},
		{section, "introspection: while it is unknown who is active", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			p.breakActive(errTest)
			a := p.call("/introspect", p.app, tokenOf(got.Access))
			p.breakActive(nil)
			p.requireRefused(a, http.StatusServiceUnavailable, "temporarily_unavailable")
		}},
		{section, "introspection: what is no token of an application", func(t *testing.T, p *party) {
			_, text, err := p.store.CreatePersonal(t.Context(), store.Token{Principal: p.person, Name: "x", Scopes: []string{"profile"}})
			require.NoError(t, err)
			never, _ := credential.Mint(credential.Access)
			for _, token := range []string{text, never, "x", p.app.secret, p.code(p.ask(p.app))} {
				unknown(p, p.app, token)
			}
		}},
		{"RFC 7662 section 2.1", "introspection: by a public client", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/introspect", p.public, tokenOf(p.tokens(p.public).Access)), http.StatusUnauthorized, "invalid_client")
		}},
		{"RFC 7662 section 2.1", "introspection: without the secret", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/introspect", app{id: p.app.id}, tokenOf(p.tokens(p.app).Access)), http.StatusUnauthorized, "invalid_client")
		}},
		{"RFC 7662 section 2.1", "introspection: by a bearer token", func(_ *testing.T, p *party) {
			got := p.tokens(p.app)
			a := p.call("/introspect", app{}, tokenOf(got.Access), func(r *http.Request, _ url.Values) {
				r.Header.Set("Authorization", "Bearer "+got.Access)
			})
			p.requireRefused(a, http.StatusUnauthorized, "invalid_client")
		}},
		{"RFC 7662 section 2.1", "introspection: token missing", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/introspect", p.app, url.Values{}), http.StatusBadRequest, "invalid_request")
		}},
		{"RFC 7662 section 2.1", "introspection: by GET", func(_ *testing.T, p *party) {
			got := p.call("/introspect", p.app, url.Values{}, func(r *http.Request, _ url.Values) { r.Method = http.MethodGet })
			p.requireRefused(got, http.StatusMethodNotAllowed, "invalid_request")
		}},
	}
}

// serverMetadata is what clients are told of the server.
type serverMetadata struct {
	Issuer            string   `json:"issuer"`
	Authorization     string   `json:"authorization_endpoint"`
	Token             string   `json:"token_endpoint"`
	Revocation        string   `json:"revocation_endpoint"`
	Introspection     string   `json:"introspection_endpoint"`
	Scopes            []string `json:"scopes_supported"`
	ResponseTypes     []string `json:"response_types_supported"`
	ResponseModes     []string `json:"response_modes_supported"`
	GrantTypes        []string `json:"grant_types_supported"`
	TokenAuth         []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported"`
	ChallengeMethods  []string `json:"code_challenge_methods_supported"`
	NamesIssuer       bool     `json:"authorization_response_iss_parameter_supported"`
}

func (p *party) metadata() (m serverMetadata) {
	p.t.Helper()
	a := p.api("/.well-known/oauth-authorization-server", "")
	require.Equal(p.t, http.StatusOK, a.StatusCode)
	require.Equal(p.t, "application/json", a.Header.Get("Content-Type"))
	require.NoError(p.t, json.Unmarshal([]byte(a.body), &m))
	return m
}

// metadataChecks are about what clients can find out for themselves.
func metadataChecks() []check {
	return []check{
		{"RFC 8414 section 3.3", "metadata: the issuer is where they were found", func(t *testing.T, p *party) {
			assert.Equal(t, p.url, p.metadata().Issuer)
		}},
		{"RFC 8414 section 2", "metadata: the endpoints", func(t *testing.T, p *party) {
			m := p.metadata()
			assert.Equal(t, p.url+"/oauth/authorize", m.Authorization)
			assert.Equal(t, p.url+"/oauth/token", m.Token)
			assert.Equal(t, p.url+"/oauth/revoke", m.Revocation)
			assert.Equal(t, p.url+"/oauth/introspect", m.Introspection)
		}},
		{"RFC 8414 section 2", "metadata: what is supported", func(t *testing.T, p *party) {
			m := p.metadata()
			assert.Equal(t, []string{"code"}, m.ResponseTypes)
			assert.Equal(t, []string{"query"}, m.ResponseModes)
			assert.Equal(t, []string{"authorization_code", "refresh_token", "client_credentials"}, m.GrantTypes)
			assert.Equal(t, []string{"client_secret_basic", "client_secret_post", "none"}, m.TokenAuth)
			assert.Equal(t, m.TokenAuth, m.RevocationAuth)
			assert.Equal(t, []string{"client_secret_basic", "client_secret_post"}, m.IntrospectionAuth)
		}},
		{"RFC 8414 section 2", "metadata: internal scopes are not named", func(t *testing.T, p *party) {
			assert.Equal(t, []string{"records:read", "records:write", "profile"}, p.metadata().Scopes)
		}},
		{"RFC 7636 section 4.2", "metadata: S256 alone", func(t *testing.T, p *party) {
			assert.Equal(t, []string{"S256"}, p.metadata().ChallengeMethods)
		}},
		{"RFC 9207 section 3", "metadata: the issuer is named in answers", func(t *testing.T, p *party) {
			assert.True(t, p.metadata().NamesIssuer)
		}},
		{"RFC 8414 section 3.1", "metadata: other methods", func(t *testing.T, p *party) {
			r, err := http.NewRequest(http.MethodPost, p.url+"/.well-known/oauth-authorization-server", http.NoBody)
			require.NoError(t, err)
			assert.Equal(t, http.StatusMethodNotAllowed, p.do(http.DefaultClient, r).StatusCode)
		}},
	}
}
