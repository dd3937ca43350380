package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func TestRun_wrong(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	taken := busy.Addr().String()
	empty := t.TempDir()
	placeholder := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(placeholder, []byte("change me\n"), 0o600))
	filled := clientSecret(t)
	keyDir := writeKey(t, webauthtest.New(t))
	ended, cancel := context.WithCancel(t.Context())
	cancel() // should it start, against expectation, it stops at once

	for name, c := range map[string]struct {
		flags  string
		code   int
		stderr string // part of it
	}{
		"no such flag":                   {"-nonsense", 2, "there is no option -nonsense"},
		"an argument":                    {"raven", 2, `unexpected argument "raven"`},
		"a flag without its value":       {"-wls", 2, "flag needs an argument: -wls"},
		"no such service":                {"-wls shibboleth", 2, `-wls "shibboleth" is none of fake, raven, raven-demo, nevar, goose`},
		"Nevar without keys":             {"-wls nevar", 2, "-wls nevar needs -keys: its operators hand out the public key"},
		"Goose without keys":             {"-wls goose", 2, "-wls goose needs -keys"},
		"another service without keys":   {"-auth-url https://wls.example/auth", 2, "-auth-url needs -keys: a directory with the service's public keys"},
		"keys for the fake":              {"-keys " + keyDir, 2, "-keys and -logout-url are for a real login service"},
		"logout URL for the fake":        {"-logout-url http://127.0.0.1/", 2, "-keys and -logout-url are for a real login service"},
		"no such directory":              {"-wls nevar -keys /nonexistent", 1, "/nonexistent"},
		"a directory without keys":       {"-wls nevar -keys " + empty, 1, empty},
		"no such kind of login":          {"-login saml", 2, `-login "saml" is none of wls, oidc`},
		"a provider for the WLS":         {"-issuer https://login.example", 2, "give -login oidc, too"},
		"user names for the WLS":         {"-crsid", 2, "give -login oidc, too"},
		"a WLS for a provider":           {"-login oidc -wls raven", 2, "are for Ucam-WebAuth"},
		"a client at the fake provider":  {"-login oidc -client-id soc", 2, "give its -issuer, too"},
		"a provider without a client":    {"-login oidc -issuer https://login.example", 2, "-issuer needs -client-id and -client-secret-file"},
		"a provider without a secret":    {"-login oidc -issuer https://login.example -client-id soc -client-secret-file /nonexistent", 1, "/nonexistent"},
		"a provider over plain http":     {"-login oidc -issuer http://login.example -client-id soc -client-secret-file " + filled, 1, "https"},
		"a tenant that is everybody's":   {"-login oidc -issuer https://login.microsoftonline.com/common/v2.0 -client-id soc -client-secret-file " + filled, 1, "common"},
		"an address as the principal":    {"-login oidc -issuer https://login.example -principal-claim email -client-id soc -client-secret-file " + filled, 1, "email"},
		"a page as the login's path":     {"-login oidc -login-path /private", 2, `-login-path "/private": want a path of its own`},
		"a pattern as the login's path":  {"-login oidc -login-path /{a}", 2, "want a path of its own"},
		"no path as the login's path":    {"-login oidc -login-path login", 2, "want a path of its own"},
		"a service over plain http":      {"-auth-url http://wls.example/auth -keys " + keyDir, 1, "https"},
		"a fake's key, a real site":      {"-base-url https://soc.example", 1, "soc.example"},
		"a site over plain http":         {"-wls raven -base-url http://soc.example", 1, "use https, or http://localhost"},
		"a service without ptags":        {"-wls goose -ptags current -keys " + keyDir, 1, "sets no ptags"},
		"a secret that is a placeholder": {"-secret " + placeholder, 1, placeholder},
		"no such address":                {"-addr localhost", 1, "missing port in address"},
		"no such address for the fake":   {"-wls-addr nonsense", 1, "missing port in address"},
		"the site's address is taken":    {"-addr " + taken, 1, "address already in use"},
		"the fake's address is taken":    {"-wls-addr " + taken, 1, "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(ended, append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0"}, strings.Fields(c.flags)...))
			assert.Equal(t, c.code, code)
			assert.Contains(t, stderr, c.stderr)
			assert.Empty(t, stdout)
		})
	}
}

func TestRun_help(t *testing.T) {
	code, stdout, stderr := run(t.Context(), []string{"-h"})
	assert.Equal(t, 0, code)
	assert.Empty(t, stderr)
	for _, name := range strings.Fields("addr wls-addr base-url wls auth-url logout-url keys desc ptags secret check login issuer client-id client-secret-file principal-claim crsid login-path") {
		assert.Contains(t, stdout, "\n  -"+name)
	}
}

func TestRun_check(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	for name, c := range map[string]struct {
		flags string
		code  int
		want  []string // lines of the output
	}{
		"as it comes": {"", 0, []string{
			"warning: Service: fake signs with a key whose private half is public: for trying things out on loopback only",
			"note: BaseURL: http: cookies have neither Secure nor __Host-, so other programs on this machine can set them",
		}},
		"Raven, with a secret that is not there yet": {"-wls raven -base-url https://soc.example -ptags any -secret " + secret, 0, []string{
			"note: SecretFile: " + secret + " is not there yet; it will be made with mode 0600",
			"note: Service: key 2 of raven has 1024 bits",
			"note: Policy.AnyPtags: people who are no longer members",
		}},
		"the fake provider": {"-login oidc", 0, []string{
			"note: Service: fake knows no ptag \"current\" and no life",
		}},
		"a provider, and anybody": {"-login oidc -issuer https://login.example -client-id soc -client-secret-file " + clientSecret(t) + " -base-url https://soc.example", 0, []string{
			"note: Policy.AnyPtags: people who are no longer members",
		}},
		"Entra ID": {"-login oidc -issuer https://login.microsoftonline.com/49a50445-bdfa-4b79-ade3-547b4f3986e9/v2.0 -client-id soc -client-secret-file " + clientSecret(t) + " -principal-claim upn -crsid", 0, []string{
			"note: Service: a user name (upn) can be another person's later",
		}},
		"something that does not work": {"-wls raven -base-url http://soc.example", 1, []string{
			"error: BaseURL: origin http://soc.example is http",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t.Context(), append(strings.Fields(c.flags), "-check"))
			assert.Equal(t, c.code, code, stderr)
			for _, line := range c.want {
				assert.Contains(t, "\n"+stdout, "\n"+line)
			}
			assert.Equal(t, c.code == 1, strings.Contains(stderr, "this configuration does not work"))
			assert.NoFileExists(t, secret)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		busy, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer busy.Close()
		code, _, stderr := run(t.Context(), []string{"-check", "-addr", busy.Addr().String()})
		assert.Equal(t, 0, code, stderr)
	})
}

// The program as people start it: no flag but for the ports and the kind of login, nothing
// set up before and nothing left behind.
func TestRun(t *testing.T) {
	for _, login := range logins {
		t.Run(login, func(t *testing.T) { leavesNothing(t, login) })
	}
}

func leavesNothing(t *testing.T, login string) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("TMPDIR", dir)
	p := start(t, "-login", login)
	assert.Contains(t, p.Stdout.String(), "test0001 to test0010, password: test")
	requirePage(t, p.person("test0003").get("/private"), http.StatusOK, "private", "test0003")

	p.End()
	assert.NotContains(t, p.Stderr.String(), "quickstart:")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = http.Get(p.url)
	assert.Error(t, err, "nobody listens any more")
}

// Browsers open connections that they may never use; they must not hold up the end.
func TestRun_spareConnection(t *testing.T) {
	p := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	p.person("").get("/")
	p.End()
}

func TestRun_secret(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	p := start(t, "-secret", secret)
	who := p.person("test0001")
	requirePage(t, who.get("/private"), http.StatusOK, "private", "test0001")
	info, err := os.Stat(secret)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	p.End()

	again := start(t, "-secret", secret, "-addr", strings.TrimPrefix(p.url, "http://"), "-wls-addr", strings.TrimPrefix(p.wls, "http://"))
	nobody := again.person("") // is there to type a password
	nobody.client.Jar = who.client.Jar
	requirePage(t, nobody.get("/private"), http.StatusOK, "private", "test0001")
}

// Another login service, of which the program knows only what its flags say.
func TestRun_otherService(t *testing.T) {
	fake := webauthtest.New(t)
	p := start(t, "-auth-url", fake.Service().AuthURL, "-logout-url", fake.Service().LogoutURL, "-keys", writeKey(t, fake), "-desc", "a café & bar")
	fake.SetNow(testNow)
	assert.Empty(t, p.wls)
	assert.Contains(t, p.Stdout.String(), "People log in at "+fake.Service().AuthURL)
	assert.NotContains(t, p.Stdout.String(), "test0001")
	who := &person{t: t, site: p.url, client: fake.Client("test0002")}
	requirePage(t, who.get("/private"), http.StatusOK, "private", "test0002")
	require.NotEmpty(t, fake.Requests())
	assert.Equal(t, "a caf&#233; &#38; bar", fake.Requests()[0].Request.Desc)
	assert.Contains(t, who.post("/logout").Body, fake.Service().LogoutURL)

	fake.RotateKey(false) // to one that is not in the directory
	who = &person{t: t, site: p.url, client: fake.Client("test0002")}
	requirePage(t, who.get("/private"), http.StatusForbidden, "refused", "")
	assert.Contains(t, p.Stderr.String(), "reason=unknown-key")
}

func TestRun_ptags(t *testing.T) {
	for flags, statuses := range map[string][2]int{ // of test0001, who is current, and test0010, who is not
		"":                           {200, 403},
		"-ptags any":                 {200, 200},
		"-ptags current":             {200, 403},
		"-ptags past,x":              {403, 403},
		"-login oidc":                {200, 403},
		"-login oidc -ptags any":     {200, 200},
		"-login oidc -ptags current": {200, 403},
		"-login oidc -ptags past,x":  {403, 403},
	} {
		p := start(t, strings.Fields(flags)...)
		assert.Equal(t, statuses[0], p.person("test0001").get("/private").StatusCode, flags)
		assert.Equal(t, statuses[1], p.person("test0010").get("/private").StatusCode, flags)
	}
}

// writeKey puts the fake's public key into a directory, as operators hand keys out.
func writeKey(t testing.TB, fake *webauthtest.WLS) (dir string) {
	t.Helper()
	dir = t.TempDir()
	kid, key := fake.Key()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key.Public().(*rsa.PublicKey))})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pubkey"+kid), text, 0o600))
	return dir
}

// fakeKey is a fake with the key that the quickstart's own has, too.
func fakeKey(t testing.TB) *webauthtest.WLS {
	t.Helper()
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: "http://127.0.0.1"})
	require.NoError(t, err)
	return fake
}
