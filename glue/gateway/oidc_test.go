package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// oidcWorld is a world whose people log in by OpenID Connect.
type oidcWorld struct {
	*world
	provider *oidctest.Provider
	accesses string // the access log
}

// newOIDCWorld starts all of it; rules may be nil.
func newOIDCWorld(t testing.TB, k kit) *oidcWorld {
	t.Helper()
	o := &oidcWorld{provider: oidctest.New(t), accesses: filepath.Join(t.TempDir(), "access.log")}
	o.provider.SetNow(testNow)
	if k.rules == nil {
		k.rules = saidRules(t)
	}
	edit := k.config
	k.config = func(cfg *Config) {
		cfg.Service, cfg.OIDC = nil, o.client(t)
		cfg.Log.Access = o.accesses
		if edit != nil {
			edit(cfg)
		}
	}
	o.world = newWorld(t, k)
	return o
}

// client is the site as the provider knows it.
func (o *oidcWorld) client(t testing.TB) OIDC {
	return OIDC{Name: "college-id", Title: "your college account", Issuer: o.provider.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: o.provider.SecretFile(t)}
}

// saidRules is everyAccess where each rule says who may come in.
func saidRules(t testing.TB) []Rule {
	rules := everyAccess(t)
	for i := range rules {
		r := &rules[i]
		r.AnyPtags = r.Principals == nil && (r.Access == Login || r.Access == Optional)
	}
	return rules
}

// person is somebody who logs in at the provider.
func (o *oidcWorld) person(user string) *visitor {
	return &visitor{w: o.world, client: o.provider.Client(user)}
}

// comeBackFrom starts a login at a path and returns the target that the provider sends the
// browser back to, and the cookies that it would bring.
func (o *oidcWorld) comeBackFrom(t *testing.T, path string) (target, cookie string) {
	t.Helper()
	v := o.person("")
	v.client.CheckRedirect = o.provider.StopAtLogin
	answer := v.get(path)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode, answer.body)
	back, err := o.provider.Respond(answer.Header.Get("Location"), "test0001")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(back, o.url+serve.LoginPath+"?"), back)
	return strings.TrimPrefix(back, o.url), v.cookieHeader()
}

// logged returns what is in the access log, and in the gateway's own.
func (o *oidcWorld) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(o.accesses)
	require.NoError(t, err)
	return string(text) + o.log.String()
}

var navigation = []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"}

func TestOIDC(t *testing.T) {
	w := newOIDCWorld(t, kit{})
	v := w.person("test0001")
	require.Equal(t, http.StatusOK, v.get("/private/a?b=c").StatusCode)
	assert.Equal(t, "test0001", w.backend.one(t).user())
	assert.Equal(t, http.StatusOK, v.get("/optional").StatusCode)
	assert.Equal(t, "test0001", w.backend.one(t).user())
	assert.Equal(t, http.StatusForbidden, v.get("/named").StatusCode)
	assert.Contains(t, v.get("/.wls/whoami").body, `"principal":"test0001"`)
	assert.Equal(t, http.StatusNotFound, v.get("/nothing").StatusCode)

	script := w.person("").get("/private", header("Sec-Fetch-Mode", "cors"))
	assert.Equal(t, http.StatusUnauthorized, script.StatusCode)
	assert.Equal(t, "OpenID-Connect", script.Header.Get("WWW-Authenticate"))

	logged := w.logged(t)
	assert.Contains(t, logged, "GET /.wls/login HTTP", "the answer, without what it is")
	for _, name := range []string{"code=", "state=", "iss="} {
		assert.NotContains(t, logged, name)
	}
}

// TestOIDCAnswerReachesNobody: whatever brings an answer of the provider, no backend sees it, no
// log shows it, and it is spent.
func TestOIDCAnswerReachesNobody(t *testing.T) {
	w := newOIDCWorld(t, kit{rules: append(saidRules(t), Rule{Path: "/", Access: Public})})
	for _, row := range []struct {
		name    string
		line    func(query string) string
		more    []string
		unspent bool // it is for no path of the gateway, so that nobody takes it for an answer
	}{
		{name: "POST", line: func(q string) string { return "POST /.wls/login?" + q + " HTTP/1.1" }, more: []string{"Content-Length: 0"}},
		{name: "HEAD", line: func(q string) string { return "HEAD /.wls/login?" + q + " HTTP/1.1" }},
		{name: "TRACE", line: func(q string) string { return "TRACE /.wls/login?" + q + " HTTP/1.1" }},
		{name: "script", line: func(q string) string { return "GET /.wls/login?" + q + " HTTP/1.1" }, more: []string{"Sec-Fetch-Mode: cors"}},
		{name: "two answers", line: func(q string) string { return "GET /.wls/login?" + q + "&code=another HTTP/1.1" }, more: navigation},
		{name: "and an error", line: func(q string) string { return "GET /.wls/login?" + q + "&error=access_denied HTTP/1.1" }, more: navigation},
		{name: "another host", line: func(q string) string { return "GET http://evil.example/.wls/login?" + q + " HTTP/1.1" }, more: navigation},
		{name: "a dot segment", line: func(q string) string { return "POST /.wls/./login?" + q + " HTTP/1.1" }, more: []string{"Content-Length: 0"}},
		{name: "an encoded letter", line: func(q string) string { return "POST /.wls/%6cogin?" + q + " HTTP/1.1" }, more: []string{"Content-Length: 0"}},
		{name: "an encoded dot", line: func(q string) string { return "POST /%2ewls/login?" + q + " HTTP/1.1" }, more: []string{"Content-Length: 0"}},
		{name: "in capitals", line: func(q string) string { return "GET /.WLS/login?" + q + " HTTP/1.1" }, more: navigation, unspent: true},
		{name: "semicolon", line: func(q string) string { return "GET /.wls/login;x?" + q + " HTTP/1.1" }, more: navigation, unspent: true},
		{name: "encoded slash", line: func(q string) string { return "GET /.wls%2flogin?" + q + " HTTP/1.1" }, more: navigation, unspent: true},
		{name: "encoded parameters", line: func(q string) string {
			return "POST /.wls/login?" + strings.NewReplacer("code=", "c%6fde=", "state=", "%73tate=").Replace(q) + " HTTP/1.1"
		}, more: []string{"Content-Length: 0"}},
		{name: "logout", line: func(q string) string { return "GET /.wls/logout?" + q + " HTTP/1.1" }, more: navigation, unspent: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			target, cookie := w.comeBackFrom(t, "/private/x")
			_, query, _ := strings.Cut(target, "?")
			values, err := url.ParseQuery(query)
			require.NoError(t, err)
			before := w.wire(w.request(row.line(query), append(row.more, "Cookie: "+cookie)...))
			assert.NotContains(t, before, "wls-session")
			assert.Empty(t, w.backend.take())
			for _, secret := range []string{values.Get("code"), values.Get("state")} {
				require.NotEmpty(t, secret)
				assert.NotContains(t, w.logged(t), secret)
			}
			answer := w.wire(w.request("GET "+target+" HTTP/1.1", append(navigation, "Cookie: "+cookie)...))
			assert.Equal(t, row.unspent, strings.Contains(answer, "wls-session"))
			assert.Empty(t, w.backend.take())
		})
	}
	t.Run("in Referer", func(t *testing.T) {
		target, _ := w.comeBackFrom(t, "/private/x")
		_ = w.wire(w.request("GET /public?code=its-own HTTP/1.1", "Referer: "+w.url+target))
		got := w.backend.one(t)
		assert.Equal(t, w.url+serve.LoginPath, got.Header.Get("Referer"))
		assert.Equal(t, "/public?code=its-own", got.Target)
		assert.NotContains(t, w.logged(t), target)
	})
}

// TestOIDCElsewhere: an answer is good at the origin that asked, and nowhere else.
func TestOIDCElsewhere(t *testing.T) {
	other := ""
	w := newOIDCWorld(t, kit{config: func(cfg *Config) {
		other = strings.Replace(cfg.BaseURL, "localhost", "127.0.0.1", 1)
		cfg.Origins = []string{other}
	}})
	target, cookie := w.comeBackFrom(t, "/private/x")
	lines := append(navigation, "Cookie: "+cookie)
	answer := w.wire("GET " + target + " HTTP/1.1\r\nHost: " + serve.HostOf(other) + "\r\n" + strings.Join(lines, "\r\n") + "\r\nConnection: close\r\n\r\n")
	assert.NotContains(t, answer, "wls-session")
	assert.Empty(t, w.provider.Requests(oidctest.EndpointToken), "the code was not redeemed")
}

// TestOIDCProviderDown: who is logged in goes on, and everybody else learns whose fault it is.
func TestOIDCProviderDown(t *testing.T) {
	w := newOIDCWorld(t, kit{})
	v := w.person("test0001")
	require.Equal(t, http.StatusOK, v.get("/private").StatusCode)
	cfg := w.cfg
	cfg.OIDC.Issuer = "http://127.0.0.1:9" // nobody is there
	require.NoError(t, w.gateway.Reload(cfg), "a gateway starts without its provider")
	answer := w.person("test0002").get("/private")
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	assert.NotEmpty(t, answer.Header.Get("Retry-After"))
	assert.Equal(t, http.StatusOK, w.person("").get("/optional").StatusCode)

	require.NoError(t, w.gateway.Reload(w.cfg))
	w.provider.Close()
	assert.Equal(t, http.StatusOK, v.get("/private").StatusCode, "sessions need no provider")
}

// TestOIDCMove: a reload moves a gateway to OpenID Connect, and nobody is logged out by it.
func TestOIDCMove(t *testing.T) {
	w := newOIDCWorld(t, kit{})
	service, dir := w.fake.Service(), t.TempDir()
	public, err := x509.MarshalPKIXPublicKey(&wlsKey().PublicKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pubkey7"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600))
	both := w.cfg
	both.WLS, both.KeyDir, both.CustomWLS = "custom", dir, CustomWLS{Name: service.Name, AuthURL: service.AuthURL, LogoutURL: service.LogoutURL}
	w.cfg = both
	w.cfg.OIDC = OIDC{}
	w.cfg.Rules = everyAccess(t)
	for i := range w.cfg.Rules {
		w.cfg.Rules[i].To = both.Rules[0].To
	}
	require.NoError(t, w.gateway.Reload(w.cfg))
	old := w.loggedIn("test0001")

	require.NoError(t, w.gateway.Reload(both))
	assert.Equal(t, http.StatusOK, old.get("/private").StatusCode)
	fresh := w.person("test0002")
	assert.Equal(t, http.StatusOK, fresh.get("/private").StatusCode, "new logins are at the provider")

	for _, row := range []struct{ login, title string }{{"choose", "How would you like to log in?"}, {"wls", ""}} {
		both.Login = row.login
		require.NoError(t, w.gateway.Reload(both))
		assert.Equal(t, http.StatusOK, old.get("/private").StatusCode, row.login)
		assert.Equal(t, http.StatusOK, fresh.get("/private").StatusCode, row.login)
		v := w.visitor("test0003")
		answer := v.get("/private")
		if row.title == "" {
			assert.Equal(t, http.StatusOK, answer.StatusCode)
			assert.Equal(t, w.host, answer.Request.URL.Host)
			continue
		}
		assert.Contains(t, answer.body, row.title)
		assert.Contains(t, answer.body, "your college account")
	}

	both.Login, both.WLS, both.KeyDir, both.CustomWLS = "", "", "", CustomWLS{}
	require.NoError(t, w.gateway.Reload(both))
	assert.Equal(t, http.StatusOK, fresh.get("/private").StatusCode)
	old.client.CheckRedirect = w.provider.StopAtLogin
	assert.Equal(t, http.StatusSeeOther, old.get("/private").StatusCode, "the move is over")
}

// TestOIDCBackChannel: whom the provider logs out is out here, whatever the rules say.
func TestOIDCBackChannel(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	w := newOIDCWorld(t, kit{config: func(cfg *Config) { cfg.RedisURL = "redis://" + mini.Addr() }})
	w.provider.SetApp(oidctest.App{ID: oidctest.ClientID, Secret: oidctest.ClientSecret, BackChannelLogoutURI: w.url + backChannelPath})
	_ = w.gateway.core.Load().store.Once(t.Context(), webauth.Item{ID: "first", Issued: testNow, Expires: testNow.Add(time.Minute)})
	w.fake.Advance(time.Minute) // since Redis began to remember
	w.provider.Advance(time.Minute)
	mini.SetTime(w.fake.Now())
	out, in := w.person("test0001"), w.person("test0002")
	require.Equal(t, http.StatusOK, out.get("/private").StatusCode, w.log)
	require.Equal(t, http.StatusOK, in.get("/private").StatusCode)
	require.NoError(t, w.provider.LogOut(t.Context(), "test0001"))
	out.client.CheckRedirect = w.provider.StopAtLogin
	assert.Equal(t, http.StatusSeeOther, out.get("/private").StatusCode)
	assert.Equal(t, http.StatusOK, in.get("/private").StatusCode)

	say := func() string {
		return w.wire(w.request("POST "+backChannelPath+" HTTP/1.1", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 14") + "logout_token=x")
	}
	assert.Equal(t, http.StatusBadRequest, statusOf(t, say()))
	for range logoutsAtOnce {
		w.gateway.logouts.Pass("127.0.0.1/32", w.fake.Now())
	}
	assert.Equal(t, http.StatusServiceUnavailable, statusOf(t, say()))

	w.cfg.RedisURL = ""
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Equal(t, http.StatusNotFound, statusOf(t, say()), "sessions in cookies cannot be ended from here")
}
