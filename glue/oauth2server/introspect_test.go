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
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// resourceServer is a party whose site names one of the applications as a resource server.
type resourceServer struct {
	*party
	api app
}

func newResourceServer(t *testing.T, db *dbtest.Database, scopes ...string) *resourceServer {
	t.Helper()
	served := map[string][]string{}
	p := newWorld(t, db, func(c *Config) { c.ResourceServers = served }).party(t)
	r := &resourceServer{p, p.register(t, true)}
	p.cfg.ResourceServers[r.api.id] = scopes // which New would have read: its ID is new
	return r
}

// told is what an application learns of a token.
func (r *resourceServer) told(a app, token string) map[string]any {
	r.t.Helper()
	got := r.call("/introspect", a, url.Values{"token": {token}})
	require.Equal(r.t, http.StatusOK, got.StatusCode, got.body)
	var fields map[string]any
	require.NoError(r.t, json.Unmarshal([]byte(got.body), &fields))
	return fields
}

var nothing = map[string]any{"active": false}

// personal has the person make a token.
func (r *resourceServer) personal(scopes ...string) string {
	r.t.Helper()
	_, text, err := r.store.CreatePersonal(r.t.Context(), store.Token{Principal: r.person, Name: "x", Scopes: scopes})
	require.NoError(r.t, err)
	r.hide(text)
	return text
}

// A resource server learns of the tokens that it serves what it needs to know, and nothing
// of its business but that.
func TestResourceServer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		r := newResourceServer(t, db, "records:read", "harvest")
		now := float64(r.fake.Now().Unix())

		both := r.tokens(r.app, set("scope", "records:read profile"))
		assert.Equal(t, map[string]any{
			"active": true, "scope": "records:read", "client_id": r.app.id, "token_type": "Bearer",
			"sub": r.person, "username": r.person, "exp": now + 3600, "iss": r.url,
		}, r.told(r.api, both.Access))
		assert.Equal(t, map[string]any{
			"active": true, "scope": "records:read", "token_type": "Bearer", "sub": r.person, "username": r.person, "iss": r.url,
		}, r.told(r.api, r.personal("records:read", "records:write")), "a personal token that does not expire")
		alone := r.call("/token", r.app, url.Values{"grant_type": {"client_credentials"}, "scope": {"harvest"}})
		assert.Equal(t, map[string]any{
			"active": true, "scope": "harvest", "client_id": r.app.id, "token_type": "Bearer", "sub": r.app.id, "exp": now + 3600, "iss": r.url,
		}, r.told(r.api, alone.Access), "nobody's name")

		assert.Equal(t, nothing, r.told(r.api, both.Refresh), "a refresh token is none of its business")
		assert.Equal(t, nothing, r.told(r.api, r.tokens(r.app, set("scope", "profile")).Access), "of another scope")
		assert.Equal(t, nothing, r.told(r.api, r.personal("profile")))
		never, _ := credential.Mint(credential.Access)
		for _, text := range []string{never, "x", r.app.secret, r.code(r.ask(r.app))} {
			assert.Equal(t, nothing, r.told(r.api, text), text)
		}
		for name, other := range map[string]app{"another application": r.other, "the token's own, about a personal one": r.app} {
			assert.Equal(t, nothing, r.told(other, r.personal("records:read")), name)
		}
		assert.Equal(t, nothing, r.told(r.other, both.Access))

		own := r.told(r.app, both.Access)
		assert.Equal(t, "profile records:read", own["scope"], "its own client still learns everything")
		ownOfServer := r.tokens(r.api, set("scope", "profile"))
		assert.Equal(t, "profile", r.told(r.api, ownOfServer.Access)["scope"], "as a client it has tokens of its own")

		r.deactivate(r.ownerOf(t, r.app))
		assert.Equal(t, nothing, r.told(r.api, alone.Access), "its owner has left")
		r.deactivate(r.person)
		assert.Equal(t, nothing, r.told(r.api, both.Access))
		r.reactivate(r.person)
		r.breakActive(errTest)
		r.requireRefused(r.call("/introspect", r.api, tokenOf(both.Access)), http.StatusServiceUnavailable, "temporarily_unavailable")
		r.breakActive(nil)
		r.call("/revoke", r.app, tokenOf(both.Access))
		assert.Equal(t, nothing, r.told(r.api, both.Access), "revoked")
		r.fake.Advance(time.Hour)
		assert.Equal(t, nothing, r.told(r.api, alone.Access), "expired")
		r.assertNothingLeaked()
	})
}

// What it asks about, people see as a use of their token.
func TestResourceServer_use(t *testing.T) {
	r := newResourceServer(t, dbtest.SQLite(t), "records:read")
	text := r.personal("records:read")
	r.told(r.other, text)
	made, err := r.store.PersonalTokens(t.Context(), r.person, store.Place{})
	require.NoError(t, err)
	require.Len(t, made, 1)
	assert.Zero(t, made[0].LastUsed, "whoever else asks does not use it")
	r.told(r.api, text)
	made, err = r.store.PersonalTokens(t.Context(), r.person, store.Place{})
	require.NoError(t, err)
	assert.Equal(t, r.fake.Now().UTC(), made[0].LastUsed)
}

// Who can register applications does not become a resource server by that.
func TestResourceServer_impostors(t *testing.T) {
	r := newResourceServer(t, dbtest.SQLite(t), "records:read")
	token := r.tokens(r.app).Access
	r.cfg.ResourceServers[r.public.id] = []string{"records:read"} // by mistake: it has no secret
	for name, a := range map[string]app{"by name alone": {id: r.api.id}, "with another's secret": {id: r.api.id, secret: r.other.secret}, "public": r.public, "nobody": {}} {
		got := r.call("/introspect", a, tokenOf(token))
		assert.Equal(t, http.StatusUnauthorized, got.StatusCode, name)
		assert.NotContains(t, got.body, "active", name)
	}
}

func TestResourceServersAreLookedFor(t *testing.T) {
	db := dbtest.SQLite(t)
	first := newServer(t, db)
	good := first.client(t, "test0001")
	public, _, err := first.store.CreateClient(t.Context(), store.Client{Owner: "test0001", Name: "Public"})
	require.NoError(t, err)
	scopes := []string{"profile"}
	s := newServer(t, db, func(c *Config) {
		c.ResourceServers = map[string][]string{good.ID: scopes, public.ID: scopes, "gone": scopes}
	})
	scopes[0] = "x"
	assert.Equal(t, []string{"profile"}, s.cfg.ResourceServers[good.ID], "the configuration is copied")
	assert.Contains(t, s.log.String(), `is not registered: register it, and put its client ID there","client_id":"gone"`)
	assert.Contains(t, s.log.String(), `register a confidential one","client_id":"`+public.ID)
	assert.NotContains(t, s.log.String(), good.ID)
}
