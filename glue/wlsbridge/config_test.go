package wlsbridge_test

import (
	"crypto/rand"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// goodConfig is a service that is not on loopback.
func goodConfig(t *testing.T, edit ...func(c *site.Config)) wlsbridge.Config {
	t.Helper()
	sc := site.Config{BaseURL: "https://login.example", Secret: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)}
	for _, f := range edit {
		f(&sc)
	}
	home, err := site.New(sc)
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: home, Service: webauth.Raven()})
	require.NoError(t, err)
	return wlsbridge.Config{
		Auth: auth, Keys: []wlsbridge.Key{{Kid: "700", Private: signingKey()}},
		Sites: []wlsbridge.Site{{URLPrefix: "https://soc.example/"}},
	}
}

func TestConfigsThatAreWrong(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	_, published := webauthtest.New(t).Key()
	broken := *signingKey()
	broken.Precomputed, broken.D = rsa.PrecomputedValues{}, small.D
	site := func(edit func(s *wlsbridge.Site)) func(c *wlsbridge.Config) {
		return func(c *wlsbridge.Config) { edit(&c.Sites[0]) }
	}
	prefix := func(url string) func(c *wlsbridge.Config) {
		return site(func(s *wlsbridge.Site) { s.URLPrefix = url })
	}
	rows := []struct {
		name string
		edit func(c *wlsbridge.Config)
		want string
	}{
		{"no Auth", func(c *wlsbridge.Config) { c.Auth = nil }, "wlsbridge: Config.Auth is missing: make it with glue.New"},
		{"no keys", func(c *wlsbridge.Config) { c.Keys = nil }, "Config.Keys is missing"},
		{"a key without its private half", func(c *wlsbridge.Config) { c.Keys = []wlsbridge.Key{{Kid: "1"}} }, "Config.Keys[0].Private is missing"},
		{"a bad kid", func(c *wlsbridge.Config) { c.Keys[0].Kid = "07" }, "Config.Keys[0]: "},
		{"a kid twice", func(c *wlsbridge.Config) { c.Keys = append(c.Keys, c.Keys[0]) }, "Config.Keys[1].Kid is 700, as another key's is"},
		{"a small key", func(c *wlsbridge.Config) { c.Keys[0].Private = small }, "has 1024 bits, want at least 2048"},
		{"a key that anybody has", func(c *wlsbridge.Config) { c.Keys[0].Private = published }, "anybody can sign with it"},
		{"a key that does not work", func(c *wlsbridge.Config) { c.Keys[0].Private = &broken }, "Config.Keys[0].Private: does not work"},
		{"an unknown Confirm", func(c *wlsbridge.Config) { c.Confirm = "always" }, `Config.Confirm is "always", want "", "first" or "never"`},
		{"a negative skew", func(c *wlsbridge.Config) { c.Skew = -1 }, "Config.Skew is negative"},
		{"a path that is none", func(c *wlsbridge.Config) { c.Path = "auth" }, `Config.Path: "auth" is not a path of this site`},
		{"a path with a query", func(c *wlsbridge.Config) { c.LogoutPath = "/x?y" }, `must not have a query`},
		{"one path for both", func(c *wlsbridge.Config) { c.Path, c.LogoutPath = "/x", "/x" }, `Config.LogoutPath is "/x", as Path is`},
		{"a ptag from nothing", func(c *wlsbridge.Config) { c.Ptags = map[string]string{"": "current"} }, "Config.Ptags"},
		{"a ptag with a comma", func(c *wlsbridge.Config) { c.Ptags = map[string]string{"g": "a,current"} }, "Config.Ptags"},
		{"a type with a blank", func(c *wlsbridge.Config) { c.AAuth = map[string]string{"g": "p wd", "": "pwd"} }, "Config.AAuth"},
		{"types that no site accepts", func(c *wlsbridge.Config) { c.AAuth = map[string]string{"mfa": "x-mfa"} }, "nobody could log in to the site"},
		{"no sites", func(c *wlsbridge.Config) { c.Sites = nil }, "Config.Sites is missing"},
		{"a site without its address", prefix(""), "Config.Sites[0].URLPrefix"},
		{"a site by its name", prefix("soc.example"), "not an absolute http or https URL"},
		{"a site with a wildcard", prefix("https://*.example/"), "host"},
		{"a site with a query", prefix("https://soc.example/?a"), "must not have a query"},
		{"a site with dots", prefix("https://soc.example/a/../b"), "dot segment"},
		{"a site with encoded dots", prefix("https://soc.example/..%2fb"), "dot segment"},
		{"a site with an empty segment", prefix("https://soc.example//b"), "empty segment"},
		{"a site with a final dot in its host", prefix("https://soc.example./"), "neither a plain name nor an address"},
		{"a site with an odd number for a host", prefix("https://0x7f.1/"), "neither a plain name nor an address"},
		{"a site with an odd hexadecimal number", prefix("https://127.0x1/"), "neither a plain name nor an address"},
		{"a site with another form of an address", prefix("https://[2001:db8:0::1]/"), "2001:db8::1"},
		{"a site on http", prefix("http://soc.example/"), "is http: whoever is on the way"},
		{"a site twice", func(c *wlsbridge.Config) {
			c.Sites = append(c.Sites, wlsbridge.Site{URLPrefix: "https://SOC.example"})
		}, "is another site's already"},
		{"a ptag that is none", site(func(s *wlsbridge.Site) { s.Ptags = []string{"a b"} }), "is not a ptag"},
		{"no types", site(func(s *wlsbridge.Site) { s.AAuth = []string{} }), "holds 0 types"},
		{"a type that is none", site(func(s *wlsbridge.Site) { s.AAuth = []string{"a b"} }), "is not an authentication type"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := goodConfig(t)
			row.edit(&c)
			_, err := wlsbridge.New(c)
			require.ErrorContains(t, err, row.want)
		})
	}
	_, err = wlsbridge.New(goodConfig(t))
	require.NoError(t, err)
}

func TestPublishedKeyOnLoopback(t *testing.T) {
	c := goodConfig(t, func(c *site.Config) { c.BaseURL = "http://localhost:8080" })
	_, c.Keys[0].Private = webauthtest.New(t).Key()
	_, err := wlsbridge.New(c)
	require.ErrorContains(t, err, "loopback", "a site is elsewhere")
	c.Sites[0].URLPrefix = "http://127.0.0.1:8081"
	_, err = wlsbridge.New(c)
	require.NoError(t, err)
}

// TestPublicKeys: what is published are files as sites read them, of all keys, and no others.
func TestPublicKeys(t *testing.T) {
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	w := start(t, setup{config: func(c *wlsbridge.Config) { c.Keys = append(c.Keys, wlsbridge.Key{Kid: "701", Private: next}) }})
	p := w.person("test0001")
	dir := t.TempDir()
	for _, kid := range []string{"700", "701"} {
		a := p.open(w.url + "/auth/pubkey" + kid)
		require.Equal(t, http.StatusOK, a.StatusCode)
		assert.Contains(t, a.body, "-----BEGIN RSA PUBLIC KEY-----")
		assert.NotContains(t, a.body, "PRIVATE")
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pubkey"+kid), []byte(a.body), 0o600))
	}
	for _, path := range []string{"/auth/pubkey702", "/auth/pubkey0700", "/auth/pubkey", "/auth/pubkey700/", "/auth/", "/auth/x"} {
		assert.Equal(t, http.StatusNotFound, p.open(w.url+path).StatusCode, path)
	}
	set, err := keys.LoadDir(dir)
	require.NoError(t, err)
	old, _ := set.Lookup("700")
	assert.True(t, old.Public().Equal(&signingKey().PublicKey))
	r, _ := p.response(p.visit(asks()))
	assert.Equal(t, "700", r.Kid(), "the first signs")
}

// TestAtOtherPaths: below a path of its own, and where a front server takes that away.
func TestAtOtherPaths(t *testing.T) {
	for _, stripped := range []bool{false, true} {
		c := goodConfig(t, func(c *site.Config) { c.BaseURL, c.PrefixStripped = "https://login.example/wls", stripped })
		c.Path = "/wls/authenticate"
		b, err := wlsbridge.New(c)
		require.NoError(t, err)
		s := b.Service("ours")
		assert.Equal(t, "https://login.example/wls/authenticate", s.AuthURL)
		assert.Equal(t, "https://login.example/wls/auth/logout.html", s.LogoutURL)
		require.NoError(t, s.Check())
		path := map[bool]string{false: "/wls/authenticate", true: "/authenticate"}[stripped]
		rec := serve(c.Auth.Site().Handler(b.Handler()), path+"?"+asks().Encode())
		require.Equal(t, http.StatusSeeOther, rec.Code)
		assert.Contains(t, rec.Header().Get("Location"), "https://login.example/wls/authenticate?ver=3&")
		cookie := rec.Result().Cookies()[0]
		assert.Equal(t, "__Host-wls-bridge.wls", cookie.Name)
		assert.True(t, cookie.Secure && cookie.HttpOnly && cookie.SameSite == http.SameSiteLaxMode && cookie.Path == "/" && cookie.MaxAge == 0)
		assert.Equal(t, http.StatusOK, serve(c.Auth.Site().Handler(b.Handler()), map[bool]string{false: "/wls", true: ""}[stripped]+"/pubkey700").Code)
	}
}

// TestSecretThatIsReplaced: marks of the old secret are as good as the secret.
func TestSecretThatIsReplaced(t *testing.T) {
	old, fresh := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	var home *glue.Auth
	w := start(t, setup{site: func(c *site.Config) { c.Secret = old }, config: func(c *wlsbridge.Config) { home = c.Auth }})
	p := w.person("test0001")
	for i, row := range []struct {
		secret string
		typed  int
	}{{fresh + "\n" + old, 1}, {rand.Text() + rand.Text(), 1}} {
		marked := p.begun(asks(yes))
		secret, err := site.ParseSecret(row.secret)
		require.NoError(t, err)
		require.NoError(t, home.Site().SetSecret(secret))
		before := w.typed()
		p.success(p.open(marked), webauth.IActYes)
		assert.Equal(t, row.typed, w.typed()-before, "%d", i)
		w.fake.Advance(2 * time.Minute)
	}
}
