package certified_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// TestProvider is against a provider that is certified and knows nothing of us.
func TestProvider(t *testing.T) {
	p := startProvider(t)
	for _, row := range []struct {
		name string
		test func(*testing.T, *provider)
	}{
		{"log in", logIn},
		{"two tabs", tabs},
		{"back button", backButton},
		{"silent", silent},
		{"Fresh", fresh},
		{"second factor", strong},
		{"cancel", cancel},
		{"rotation", rotation},
		{"private_key_jwt", privateKeyJWT},
		{"down", down},
		{"secret expires", secret},
		{"log out there", logOutThere},
		{"log out here", logOutHere},
		{"log out by the back channel", logOutByBackChannel},
	} {
		t.Run(row.name, func(t *testing.T) {
			p.t = t
			p.asked()
			row.test(t, p)
		})
	}
}

func logIn(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := s.p.Client("spqr1")
	shown := s.get(me, "/private/a?b=c")
	assert.Equal(t, http.StatusOK, shown.status)
	assert.Contains(t, shown.body, ">spqr1 sees /private/a: committee<", "and no ptag that the site does not know")
	assert.Equal(t, s.url+"/private/a?b=c", shown.url.String())
	asked := s.p.asked()
	assert.Equal(t, map[string]int{
		"GET /.well-known/openid-configuration": 1, "GET /auth": 1, "GET /interaction": 1, "POST /interaction": 1, "GET /auth/resumed": 1,
		"POST /token": 1, "GET /jwks": 1,
	}, asked)
	assert.Equal(t, []string{"login"}, s.noted())

	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	s.sees(s.get(me, "/committee"), "/committee", "spqr1")
	assert.Empty(t, s.p.asked(), "the session is the site's alone")
	s.sees(s.get(s.p.Client("abc2"), "/private/"), "/private/", "abc2")
	asked = s.p.asked()
	assert.Zero(t, asked["GET /.well-known/openid-configuration"]+asked["GET /jwks"], "they are known")
	assert.Equal(t, http.StatusForbidden, s.get(s.p.Client("abc2"), "/committee").status)
}

// tabs: tabs that log in at once end where each began, whichever is first.
func tabs(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := s.p.Client("spqr1")
	first := s.until(me, s.url+"/private/first", s.atProvider)
	second := s.until(me, s.url+"/private/second", s.atProvider)
	s.sees(s.get(me, second), "/private/second", "spqr1")
	s.sees(s.get(me, first), "/private/first", "spqr1")
	assert.Equal(t, []string{"login"}, s.noted(), "the second proves no more")
}

// backButton: the address of an answer leads on while the person is logged in, and
// logs in nobody else; the provider is not asked again.
func backButton(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := s.p.Client("spqr1")
	answer := s.until(me, s.url+"/private/a", s.back)
	s.sees(s.get(me, answer), "/private/a", "spqr1")
	s.p.asked()
	s.sees(s.get(me, answer), "/private/a", "spqr1")
	assert.Equal(t, http.StatusForbidden, s.get(s.p.Client("abc2"), answer).status)
	assert.Empty(t, s.p.asked(), "nobody asked for another login either")
	s.post(me, "/logout")
	assert.Equal(t, http.StatusForbidden, s.get(me, answer).status, "after logout")
	assert.Zero(t, s.p.asked()["POST /token"])
}

func silent(t *testing.T, p *provider) {
	s, other := newSite(t, p, nil), newSite(t, p, nil)
	s.get(p.Client("abc2"), "/private/") // has it ask the provider how it works: a silent login does not wait for that
	p.asked()
	s.noted()
	stranger := p.Client("spqr1")
	s.get(stranger, "/silent") // cookies first
	s.sees(s.get(stranger, "/silent"), "/silent", "")
	asked := p.asked()
	assert.Equal(t, 1, asked["GET /auth"])
	assert.Zero(t, asked["GET /interaction"], "nobody is troubled")
	assert.Equal(t, []string{"silent-declined status"}, s.noted())
	s.sees(s.get(stranger, "/silent"), "/silent", "")
	assert.Empty(t, p.asked(), "once is enough")

	known := p.Client("spqr1")
	other.sees(other.get(known, "/private/"), "/private/", "spqr1")
	p.asked()
	s.get(known, "/silent")
	s.sees(s.get(known, "/silent"), "/silent", "spqr1")
	assert.Zero(t, p.asked()["GET /interaction"])
}

// fresh: the password is typed again when it was too long ago, and not before.
func fresh(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := s.p.Client("spqr1")
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	s.p.asked()
	s.sees(s.get(me, "/admin"), "/admin", "spqr1")
	assert.Equal(t, 1, s.p.asked()["POST /interaction"])
	s.p.advance(time.Minute) // and as long as this takes on a busy machine
	s.sees(s.get(me, "/admin"), "/admin", "spqr1")
	assert.Empty(t, s.p.asked())
	s.p.advance(5 * time.Minute)
	s.sees(s.get(me, "/admin"), "/admin", "spqr1")
	assert.Equal(t, 1, s.p.asked()["POST /interaction"])
}

// strong: a second factor is asked for where a route wants it, and a login without
// one does not do.
func strong(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	s.sees(s.get(s.p.Client("spqr1"), "/strong"), "/strong", "spqr1")
	weak := s.p.Client("abc2")
	s.sees(s.get(weak, "/private/"), "/private/", "abc2")
	assert.Equal(t, http.StatusForbidden, s.get(weak, "/strong").status, "this provider does not raise a session that it has")
}

func cancel(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	shown := s.get(s.p.Client(""), "/private/")
	assert.Equal(t, http.StatusOK, shown.status)
	assert.Contains(t, shown.body, "You cancelled the login")
	assert.NotContains(t, shown.body, "pressed Cancel", "the provider's own words are for logs")
	assert.Equal(t, []string{"refused status"}, s.noted())
	assert.Zero(t, s.p.asked()["POST /token"])
}

// rotation: the site learns new keys while it runs, with and without an overlap.
func rotation(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	logIn := func() {
		t.Helper()
		s.sees(s.get(s.p.Client("spqr1"), "/private/"), "/private/", "spqr1")
	}
	logIn()
	for _, keep := range []bool{true, false} {
		require.NoError(t, s.p.Rotate(keep))
		s.p.advance(2 * time.Minute) // keys are fetched at a limited rate
		s.p.asked()
		logIn()
		assert.Equal(t, 1, s.p.asked()["GET /jwks"])
		logIn()
		assert.Zero(t, s.p.asked()["GET /jwks"])
	}
}

func privateKeyJWT(t *testing.T, p *provider) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	for _, row := range []struct {
		name, kid string
		status    int
	}{
		{"the key that is registered", "one", http.StatusOK},
		{"a key of another name", "two", http.StatusServiceUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t, p, func(c *enginetest.OIDCClient, o *oidclogin.Provider, _ *site.Config, _ *glue.Config) {
				c.Secret, c.PublicKey, c.KeyID = "", &key.PublicKey, "one"
				o.ClientSecretFile, o.PrivateKeyFile, o.KeyID = "", file, row.kid
			})
			assert.Equal(t, row.status, s.get(s.p.Client("spqr1"), "/private/").status)
		})
	}
}

// down: while the provider is down, nobody new comes in, and whoever is in stays; the
// site starts without it.
func down(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := p.Client("spqr1")
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	late := p.Client("abc2")
	answer := s.until(late, s.url+"/private/late", s.back)
	s.noted()
	p.Kill()

	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	shown := s.get(late, answer)
	assert.Equal(t, http.StatusServiceUnavailable, shown.status)
	assert.Contains(t, shown.body, s.url+"/private/late", "to try again")
	assert.Equal(t, []string{"service-error provider"}, s.noted())
	s.sees(s.get(s.p.Client("abc2"), "/silent"), "/silent", "")
	other := newSite(t, p, nil)
	shown = other.get(p.Client("spqr1"), "/private/")
	assert.Equal(t, http.StatusServiceUnavailable, shown.status)
	assert.Contains(t, shown.body, "Logging in does not work just now")
	assert.Equal(t, []string{"service-error provider"}, other.noted())

	require.NoError(t, p.Restart())
	require.NoError(t, p.Register(other.client))
	p.advance(time.Minute) // a failure is remembered for a moment
	other.sees(other.get(p.Client("spqr1"), "/private/"), "/private/", "spqr1")
	assert.Equal(t, http.StatusForbidden, s.get(late, answer).status, "what was tried is spent")
	s.sees(s.get(late, "/private/late"), "/private/late", "abc2")
}

// secret: a secret that expired is the site's fault, which is loud; a new one in the
// file mends it while the site runs.
func secret(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	s.client.Secret = "the new secret of the client"
	require.NoError(t, s.p.Register(s.client))
	shown := s.get(s.p.Client("spqr1"), "/private/")
	assert.Equal(t, http.StatusServiceUnavailable, shown.status)
	assert.Equal(t, []string{"service-error setup"}, s.noted())
	require.NoError(t, os.WriteFile(s.secretFile, []byte(s.client.Secret+"\n"), 0o600))
	s.sees(s.get(s.p.Client("spqr1"), "/private/"), "/private/", "spqr1")
}

// logOutThere: who logs out of the site and the provider comes back to the site, and
// must log in anew.
func logOutThere(t *testing.T, p *provider) {
	s := newSite(t, p, func(_ *enginetest.OIDCClient, _ *oidclogin.Provider, _ *site.Config, cfg *glue.Config) {
		cfg.LogoutAtWLS, cfg.AfterLogout = true, "/optional"
	})
	me := s.p.Client("spqr1")
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	s.p.asked()
	s.sees(s.post(me, "/logout"), "/optional", "")
	assert.Equal(t, map[string]int{"GET /session/end": 1, "POST /session/end/confirm": 1}, s.p.asked())
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	assert.Equal(t, 1, s.p.asked()["POST /interaction"], "the password is typed again")
}

// logOutHere: who logs out of the site alone is logged in at the provider still.
func logOutHere(t *testing.T, p *provider) {
	s := newSite(t, p, nil)
	me := s.p.Client("spqr1")
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	out := s.post(me, "/logout")
	assert.Contains(t, out.body, s.p.Issuer+"/session/end")
	s.sees(s.get(me, "/optional"), "/optional", "")
	s.p.asked()
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	assert.Zero(t, s.p.asked()["POST /interaction"])
}

// logOutByBackChannel: who logs out of the provider at one site is logged out of another, which
// keeps its sessions in Redis, and of no other browser.
func logOutByBackChannel(t *testing.T, p *provider) {
	redis, err := enginetest.StartRedis()
	enginetest.Require(t, err)
	t.Cleanup(redis.Close)
	store, err := redisstore.New(redisstore.Config{URL: "redis://" + redis.Addr, Site: "soc", Timeout: 10 * time.Second, Now: p.Now, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	require.NoError(t, store.Check(t.Context()))
	p.advance(10 * time.Second) // a memory vouches only for what is younger
	s := newSite(t, p, func(c *enginetest.OIDCClient, _ *oidclogin.Provider, soc *site.Config, cfg *glue.Config) {
		c.BackChannelLogout = strings.Replace(c.Redirect[0], "/login", "/backchannel", 1)
		soc.OneUse, cfg.Session.Store = store, store
	})
	other := newSite(t, p, func(_ *enginetest.OIDCClient, _ *oidclogin.Provider, _ *site.Config, cfg *glue.Config) {
		cfg.LogoutAtWLS, cfg.AfterLogout = true, "/optional"
	})
	me, phone, somebody := p.Client("spqr1"), p.Client("spqr1"), p.Client("abc2")
	for browser, principal := range map[*http.Client]string{me: "spqr1", phone: "spqr1", somebody: "abc2"} {
		s.sees(s.get(browser, "/private/"), "/private/", principal)
	}
	other.sees(other.get(me, "/private/"), "/private/", "spqr1")
	late := s.until(me, s.url+"/admin", s.back) // an answer that has not arrived yet
	s.noted()

	other.sees(other.post(me, "/logout"), "/optional", "")
	assert.Equal(t, []string{"logout back-channel"}, s.noted())
	s.sees(s.get(me, "/optional"), "/optional", "")
	s.sees(s.get(phone, "/optional"), "/optional", "spqr1")
	s.sees(s.get(somebody, "/optional"), "/optional", "abc2")
	assert.NotEqual(t, http.StatusOK, s.get(me, late).status, "it is of before the logout")
	s.sees(s.get(me, "/optional"), "/optional", "")
	p.advance(time.Minute)
	s.sees(s.get(me, "/private/"), "/private/", "spqr1")
	assert.Equal(t, 1, p.asked()["POST /session/end/confirm"])
}
