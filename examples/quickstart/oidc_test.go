package main

import (
	"html"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// clientSecret is a file with the secret of oidctest's client.
func clientSecret(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "client-secret")
	require.NoError(t, os.WriteFile(file, []byte(oidctest.ClientSecret+"\n"), 0o600))
	return file
}

// Another provider, of which the program knows only what its flags say.
func TestRun_otherProvider(t *testing.T) {
	fake := oidctest.New(t)
	fake.SetNow(testNow)
	p := start(t, "-login", "oidc", "-issuer", fake.Issuer(), "-client-id", oidctest.ClientID, "-client-secret-file", clientSecret(t), "-login-path", "/sso/return")
	assert.Empty(t, p.wls)
	assert.Contains(t, p.Stdout.String(), "People log in at "+fake.Issuer())
	assert.Contains(t, p.Stdout.String(), p.url+"/sso/return as a redirect URI")
	assert.Contains(t, p.Stdout.String(), "Whoever can log in there comes in")
	assert.NotContains(t, p.Stdout.String(), "test0001")
	who := &person{t: t, site: p.url, client: fake.Client("test0010")}
	requirePage(t, who.get("/private"), http.StatusOK, "private", "test0010")
	assert.Equal(t, p.url+"/sso/return", fake.Requests()[1].Params.Get("redirect_uri"))
	who = &person{t: t, site: p.url, client: fake.Client("test0002")}
	next := demotest.Match(`<a href="(/login[^"]*)">Log in</a>`, who.get("/optional").Body)
	requirePage(t, who.get(html.UnescapeString(next)), http.StatusOK, "optional", "test0002")
}

// Which claim is the principal is said by flags.
func TestRun_principal(t *testing.T) {
	fake := oidctest.New(t, oidctest.WithUsers(
		oidctest.User{ID: "test0001", Groups: []string{"committee"}},
		oidctest.User{ID: "guest", Claims: map[string]any{"upn": "guest@elsewhere.example"}},
	))
	fake.SetNow(testNow)
	for _, row := range []struct {
		name, user string
		flags      []string
		principal  string
	}{
		{"sub", "test0001", nil, "test0001"},
		{"upn", "test0001", []string{"-principal-claim", "upn"}, "test0001@cam.ac.uk"},
		{"CRSid", "test0001", []string{"-principal-claim", "upn", "-crsid"}, "test0001"},
		{"another domain", "guest", []string{"-principal-claim", "upn", "-crsid"}, "guest@elsewhere.example"},
		{"group", "test0001", []string{"-ptags", "committee"}, "test0001"},
	} {
		t.Run(row.name, func(t *testing.T) {
			flags := []string{"-login", "oidc", "-issuer", fake.Issuer(), "-client-id", oidctest.ClientID, "-client-secret-file", clientSecret(t)}
			p := start(t, append(flags, row.flags...)...)
			who := &person{t: t, site: p.url, client: fake.Client(row.user)}
			requirePage(t, who.get("/private"), http.StatusOK, "private", row.principal)
		})
	}
	p := start(t, "-login", "oidc", "-issuer", fake.Issuer(), "-client-id", oidctest.ClientID, "-client-secret-file", clientSecret(t), "-ptags", "committee")
	who := &person{t: t, site: p.url, client: fake.Client("guest")}
	requirePage(t, who.get("/private"), http.StatusForbidden, "forbidden", "")
}

// A provider that is certified, and not ours.
func TestRun_certifiedProvider(t *testing.T) {
	provider, err := enginetest.StartOIDCProvider(enginetest.OIDCOptions{})
	enginetest.Require(t, err)
	t.Cleanup(provider.Close)
	p := startAt(t, time.Now(), "-login", "oidc", "-issuer", provider.Issuer, "-client-id", "soc", "-client-secret-file", clientSecret(t), "-principal-claim", "upn", "-crsid")
	require.NoError(t, provider.Register(enginetest.OIDCClient{ID: "soc", Secret: oidctest.ClientSecret, Redirect: []string{p.url + "/login"}}))
	require.NoError(t, provider.Ahead(-5*time.Minute)) // the program's clock stands still, this one goes
	who := &person{t: t, site: p.url, client: provider.Client("spqr1")}
	requirePage(t, who.get("/private?a=b"), http.StatusOK, "private", "spqr1")
	requirePage(t, who.get("/optional"), http.StatusOK, "optional", "spqr1")
	a := who.post("/logout")
	assert.Contains(t, a.Body, provider.Issuer+"/session/end")
	requirePage(t, who.get("/optional"), http.StatusOK, "optional", "")
	a = (&person{t: t, site: p.url, client: provider.Client("")}).get("/private")
	requirePage(t, a, http.StatusOK, "cancelled", "")
}
