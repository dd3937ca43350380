package oauth2server

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// refreshKept wants a refresh to be refused and the refresh token to be good all the
// same.
func refreshKept(section, name string, status int, code string, send func(p *party, refresh string) reply) check {
	return check{section, "refresh: " + name, func(t *testing.T, p *party) {
		first := p.tokens(p.app)
		p.requireRefused(send(p, first.Refresh), status, code)
		assert.True(t, p.works(first.Access))
		got := p.call("/token", p.app, refreshForm(first.Refresh))
		assert.Equal(t, http.StatusOK, got.StatusCode, "the refresh token was used up: %s", got.body)
	}}
}

// refreshChecks are about refresh tokens.
func refreshChecks() []check {
	const section, bad = "RFC 6749 section 6", http.StatusBadRequest
	return []check{
		{section, "refresh: new tokens of the same scope", func(t *testing.T, p *party) {
			first := p.tokens(p.app, set("scope", "records:read profile"))
			got := p.call("/token", p.app, refreshForm(first.Refresh))
			require.Equal(t, http.StatusOK, got.StatusCode, got.body)
			assert.Equal(t, "profile records:read", got.Scope)
			assert.NotEqual(t, first.Refresh, got.Refresh)
			assert.NotEqual(t, first.Access, got.Access)
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			assert.True(t, p.works(got.Access))
			assert.True(t, p.works(first.Access), "the older access token lives on")
		}},
		{section, "refresh: a public client", func(t *testing.T, p *party) {
			first := p.tokens(p.public)
			assert.Equal(t, http.StatusOK, p.call("/token", p.public, refreshForm(first.Refresh)).StatusCode)
		}},
		{section, "refresh: fewer scopes, for the access token only", func(t *testing.T, p *party) {
			first := p.tokens(p.app, set("scope", "records:read records:write"))
			narrow := p.call("/token", p.app, refreshForm(first.Refresh, "records:read"))
			require.Equal(t, http.StatusOK, narrow.StatusCode)
			assert.Equal(t, "records:read", narrow.Scope)
			assert.Equal(t, http.StatusForbidden, p.api("/api/change", narrow.Access).StatusCode)
			full := p.call("/token", p.app, refreshForm(narrow.Refresh))
			assert.Equal(t, "records:read records:write", full.Scope)
			assert.Equal(t, http.StatusOK, p.api("/api/change", full.Access).StatusCode)
		}},
		refreshKept(section, "more scopes", bad, "invalid_scope", func(p *party, refresh string) reply {
			return p.call("/token", p.app, refreshForm(refresh, "records:read", "records:write"))
		}),
		refreshKept(section, "other scopes", bad, "invalid_scope", func(p *party, refresh string) reply {
			return p.call("/token", p.app, refreshForm(refresh, "profile"))
		}),
		refreshKept(section, "internal scope", bad, "invalid_scope", func(p *party, refresh string) reply {
			return p.call("/token", p.app, refreshForm(refresh, "harvest"))
		}),
		refreshKept(section, "malformed scope", bad, "invalid_scope", func(p *party, refresh string) reply {
			return p.call("/token", p.app, refreshForm(refresh, `"`))
		}),
		{section, "refresh: more scopes although the person has allowed them since", func(_ *testing.T, p *party) {
			first := p.tokens(p.app)
			p.tokens(p.app, set("scope", "records:read records:write"))
			p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh, "records:write")), bad, "invalid_scope")
		}},
		refreshKept("RFC 9700 section 4.14.2", "another client", bad, "invalid_grant", func(p *party, refresh string) reply {
			return p.call("/token", p.other, refreshForm(refresh))
		}),
		refreshKept("RFC 9700 section 4.14.2", "another client, a public one", bad, "invalid_grant", func(p *party, refresh string) reply {
			return p.call("/token", p.public, refreshForm(refresh))
		}),
		refreshKept(section, "without the secret", http.StatusUnauthorized, "invalid_client", func(p *party, refresh string) reply {
			return p.call("/token", app{id: p.app.id}, refreshForm(refresh))
		}),
		refreshKept(section, "with another secret", http.StatusUnauthorized, "invalid_client", func(p *party, refresh string) reply {
			return p.call("/token", app{id: p.app.id, secret: p.other.secret}, refreshForm(refresh))
		}),
		refreshKept(section, "token missing", bad, "invalid_request", func(p *party, _ string) reply {
			return p.call("/token", p.app, refreshForm(""))
		}),
		refreshKept("RFC 6749 section 3.2", "token twice", bad, "invalid_request", func(p *party, refresh string) reply {
			form := refreshForm(refresh)
			form.Add("refresh_token", refresh)
			return p.call("/token", p.app, form)
		}),
		refreshKept(section, "token that nobody made", bad, "invalid_grant", func(p *party, _ string) reply {
			text, _ := credential.Mint(credential.Refresh)
			return p.call("/token", p.app, refreshForm(text))
		}),
		refreshKept(section, "token with another last letter", bad, "invalid_grant", func(p *party, refresh string) reply {
			return p.call("/token", p.app, refreshForm(refresh[:53]+"_"))
		}),
		{section, "refresh: an access token is no refresh token", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, refreshForm(p.tokens(p.app).Access)), bad, "invalid_grant")
		}},
		{section, "refresh: a code is no refresh token", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, refreshForm(p.code(p.ask(p.app)))), bad, "invalid_grant")
		}},
		{section, "refresh: a refresh token is no code", func(_ *testing.T, p *party) {
			q := p.ask(p.app)
			p.requireRefused(p.call("/token", p.app, codeForm(q, p.tokens(p.app).Refresh)), bad, "invalid_grant")
		}},
		{"RFC 9700 section 4.14.2", "refresh: a token that comes again ends everything of its grant", func(t *testing.T, p *party) {
			apart := p.tokens(p.app)
			first := p.tokens(p.app)
			second := p.call("/token", p.app, refreshForm(first.Refresh))
			third := p.call("/token", p.app, refreshForm(second.Refresh))
			p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh)), bad, "invalid_grant")
			for _, got := range []reply{first, second, third} {
				assert.False(t, p.works(got.Access))
				p.requireRefused(p.call("/token", p.app, refreshForm(got.Refresh)), bad, "invalid_grant")
			}
			assert.True(t, p.works(apart.Access), "and nothing of another grant")
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(apart.Refresh)).StatusCode)
		}},
		{"RFC 9700 section 4.14.2", "refresh: a used token in other hands ends nothing", func(t *testing.T, p *party) {
			first := p.tokens(p.app)
			second := p.call("/token", p.app, refreshForm(first.Refresh))
			p.requireRefused(p.call("/token", p.other, refreshForm(first.Refresh)), bad, "invalid_grant")
			p.requireRefused(p.call("/token", app{id: p.app.id, secret: p.other.secret}, refreshForm(first.Refresh)), http.StatusUnauthorized, "invalid_client")
			assert.True(t, p.works(second.Access))
		}},
		{section, "refresh: a deactivated person", func(t *testing.T, p *party) {
			first := p.tokens(p.app)
			p.deactivate(p.person)
			p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh)), bad, "invalid_grant")
			assert.False(t, p.works(first.Access))
		}},
		{section, "refresh: nothing is used up while it is unknown who is active", func(t *testing.T, p *party) {
			first := p.tokens(p.app)
			p.breakActive(errTest)
			got := p.call("/token", p.app, refreshForm(first.Refresh))
			p.breakActive(nil)
			p.requireRefused(got, http.StatusServiceUnavailable, "temporarily_unavailable")
			assert.NotEmpty(t, got.Header.Get("Retry-After"))
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(first.Refresh)).StatusCode)
		}},
		{section, "refresh: a consent that was taken back", func(t *testing.T, p *party) {
			first := p.tokens(p.app)
			require.NoError(t, p.store.RevokeAuthorisation(t.Context(), p.person, p.app.id))
			p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh)), bad, "invalid_grant")
			assert.False(t, p.works(first.Access))
		}},
		{"RFC 9700 section 4.14.2", "refresh: a token that is not used expires", func(_ *testing.T, p *party) {
			first := p.tokens(p.app)
			p.fake.Advance(90 * 24 * time.Hour)
			p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh)), bad, "invalid_grant")
		}},
	}
}

// clientCredentialChecks are about tokens that an application gets for itself.
func clientCredentialChecks() []check {
	const section, bad = "RFC 6749 section 4.4", http.StatusBadRequest
	form := func(scope string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	}
	return []check{
		{section, "client credentials: a token", func(t *testing.T, p *party) {
			got := p.call("/token", p.app, form("profile"))
			require.Equal(t, http.StatusOK, got.StatusCode, got.body)
			assert.Equal(t, "profile", got.Scope)
			assert.Equal(t, 3600, got.Expires)
			assert.Equal(t, "client  profile", p.api("/api/profile", got.Access).body)
		}},
		{"RFC 6749 section 4.4.3", "client credentials: no refresh token", func(t *testing.T, p *party) {
			assert.Empty(t, p.call("/token", p.app, form("profile")).Refresh)
		}},
		{section, "client credentials: an internal scope that is for clients", func(t *testing.T, p *party) {
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form("harvest")).StatusCode)
		}},
		{section, "client credentials: a scope that is not for clients", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, form("records:read")), bad, "invalid_scope")
		}},
		{section, "client credentials: scope unknown", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, form("profile everything")), bad, "invalid_scope")
		}},
		{"RFC 6749 section 3.3", "client credentials: scope missing", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, form("")), bad, "invalid_scope")
		}},
		{section, "client credentials: a public client", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.public, form("profile")), bad, "unauthorized_client")
		}},
		{section, "client credentials: a confidential client without its secret", func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", app{id: p.app.id}, form("profile")), http.StatusUnauthorized, "invalid_client")
		}},
		{section, "client credentials: the owner is deactivated", func(t *testing.T, p *party) {
			got := p.call("/token", p.app, form("profile"))
			p.deactivate(p.ownerOf(t, p.app))
			p.requireRefused(p.call("/token", p.app, form("profile")), bad, "invalid_grant")
			assert.Equal(t, http.StatusUnauthorized, p.api("/api/profile", got.Access).StatusCode)
		}},
		{section, "client credentials: the token stands for no person", func(t *testing.T, p *party) {
			got := p.call("/token", p.app, form("profile"))
			assert.Equal(t, http.StatusForbidden, p.api("/api/records", got.Access).StatusCode)
		}},
	}
}

// raceChecks are about many who want the same at once.
func raceChecks() []check {
	// atOnce sends a form 16 times and gives the replies that are a success.
	atOnce := func(p *party, form url.Values) (won []reply) {
		const n = 16
		replies, errs := make([]reply, n), make([]error, n)
		var start, done sync.WaitGroup
		start.Add(1)
		for i := range n {
			done.Go(func() {
				start.Wait()
				replies[i], errs[i] = p.tryCall("/token", p.app, form)
			})
		}
		start.Done()
		done.Wait()
		for i, got := range replies {
			require.NoError(p.t, errs[i])
			if got.StatusCode == http.StatusOK {
				won = append(won, got)
				continue
			}
			p.requireRefused(got, http.StatusBadRequest, "invalid_grant")
		}
		return won
	}
	return []check{
		{"RFC 6749 section 4.1.2", "a code redeemed 16 times at once works once", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			won := atOnce(p, codeForm(q, p.code(q)))
			require.Len(t, won, 1)
			assert.False(t, p.works(won[0].Access), "the others were replays, which revoke what it gave")
		}},
		{"RFC 9700 section 4.14.2", "a refresh token used 16 times at once works once", func(t *testing.T, p *party) {
			first := p.tokens(p.app)
			won := atOnce(p, refreshForm(first.Refresh))
			require.Len(t, won, 1)
			assert.False(t, p.works(won[0].Access), "the others were theft, which ends the grant")
			assert.False(t, p.works(first.Access))
		}},
	}
}
