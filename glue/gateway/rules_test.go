package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// TestRuleFor looks rules up as they are configured.
func TestRuleFor(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/api", Access: Public}, {Path: "/api/admin/"}, {Path: "/", Access: Optional}, {Path: "/café", Access: Public},
		{Path: "/wiki", Access: Public}, {Path: "/wiki", Host: "127.0.0.2"}, {Path: "/wiki/deep", Access: Optional},
	}, config: func(cfg *Config) { cfg.Origins = []string{"http://127.0.0.2"} }})
	c := w.gateway.core.Load()
	for _, tt := range []struct{ host, path, want string }{
		{w.host, "/api", "/api"}, {w.host, "/api/", "/api"}, {w.host, "/api/x", "/api"}, {w.host, "/apix", "/"}, {w.host, "/API", "/"},
		{w.host, "/api/admin", "/api/admin/"}, {w.host, "/api/admin/x", "/api/admin/"}, {w.host, "/api/administrator", "/api"},
		{w.host, "/", "/"}, {w.host, "/caf%C3%A9/x", "/café"},
		{w.host, "/wiki/x", "/wiki"}, {"127.0.0.2", "/wiki/x", "127.0.0.2/wiki"}, {"127.0.0.2", "/wiki/deep/x", "/wiki/deep"},
		{"nobody.example", "/api", "none"},
		{w.host, "/api%3F", "none"}, {w.host, "/api/admin.", "none"}, {w.host, "/wiki/what%3F", "/wiki"}, {w.host, "/wiki/Inc.", "/wiki"},
	} {
		assert.Equal(t, tt.want, c.ruleFor(tt.host, tt.path).label, "%s%s", tt.host, tt.path)
	}
	assert.Same(t, c.ambiguous, c.ruleFor(w.host, "/api%3F"))
}

// TestIgnoreCase: paths are alike that differ in letter case, and what may or may not be
// alike is refused.
func TestIgnoreCase(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{{Path: "/Private"}, {Path: "/", Access: Public}}, config: func(cfg *Config) { cfg.IgnoreCase = true }})
	for path, status := range map[string]int{
		"/PRIVATE/x": 401, "/private": 401, "/pRiVaTe": 401, "/priv%C4%B1te": 400, "/%C5%BFtatic": 400, "/private.": 400, "/private%20/x": 400, "/other": 200,
		"/private::$INDEX_ALLOCATION/x": 400, "/private:/x": 400, "/private.:x": 400, "/x/..:a/private": 400, "/other::$DATA": 200, "/x:y/z": 200,
		"/CAF%C3%89": 200, "/.WLS/x": 404,
	} {
		answer := w.visitor("").get(path, header("Sec-Fetch-Mode", "cors"))
		assert.Equal(t, status, answer.StatusCode, path)
	}
}

// TestBackends are the ways to say where requests go.
func TestBackends(t *testing.T) {
	backend := &recorder{}
	secure := httptest.NewUnstartedServer(backend)
	secure.Config.ErrorLog = nil
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600))
	socket := filepath.Join(t.TempDir(), "app.sock")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	local := httptest.NewUnstartedServer(backend)
	local.Listener = listener
	local.Start()
	t.Cleanup(local.Close)

	w := newWorld(t, kit{rules: []Rule{
		{Path: "/https", Access: Public, To: secure.URL, BackendCA: ca},
		{Path: "/unverified", Access: Public, To: secure.URL},
		{Path: "/unix", Access: Public, To: "unix:" + socket},
		{Path: "/unix/named", Access: Public, To: "unix:" + socket, BackendHost: hostBackend},
		{Path: "/stripped/caf%C3%A9", Access: Public, To: "unix:" + socket, StripPath: true},
		{Path: "/theirs", Access: Public, To: secure.URL, BackendCA: ca, BackendHost: hostBackend},
	}})
	for _, tt := range []struct {
		path            string
		status          int
		target, host    string
		forwardedPrefix string
	}{
		{"/https/x?a=b", 200, "/https/x?a=b", w.host, ""},
		{"/unverified", 502, "", "", ""},
		{"/unix/x", 200, "/unix/x", w.host, ""},
		{"/unix/named", 200, "/unix/named", "localhost", ""},
		{"/stripped/caf%C3%A9/x%20y?a=b", 200, "/x%20y?a=b", w.host, "/stripped/caf%C3%A9"},
		{"/stripped/café", 200, "/", w.host, "/stripped/caf%C3%A9"},
		{"/stripped/caf%c3%a9/", 200, "/", w.host, "/stripped/caf%C3%A9"},
		{"/theirs", 200, "/theirs", secure.Listener.Addr().String(), ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			answer := w.visitor("").get(tt.path)
			require.Equal(t, tt.status, answer.StatusCode, answer.body)
			if tt.status != 200 {
				assert.Empty(t, backend.take())
				return
			}
			got := backend.one(t)
			assert.Equal(t, tt.target, got.Target)
			assert.Equal(t, tt.host, got.Host)
			assert.Equal(t, tt.forwardedPrefix, got.Header.Get("X-Forwarded-Prefix"))
		})
	}
	_, err = x509.ParseCertificate(secure.Certificate().Raw)
	require.NoError(t, err)
}

// TestNextBackend: a rule without a backend has that of the rule that would be next.
func TestNextBackend(t *testing.T) {
	one, two := &recorder{}, &recorder{}
	first, second := httptest.NewServer(one), httptest.NewServer(two)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.Rules = []Rule{{Path: "/", To: first.URL, Access: Public}, {Path: "/a", To: second.URL, Access: Public},
			{Path: "/a/b", Access: Optional}, {Path: "/b", Access: Optional}, {Path: "/a/b/c", Access: Public}}
	}})
	for path, want := range map[string]*recorder{"/a/b/x": two, "/b/x": one, "/a/b/c": two, "/": one} {
		require.Equal(t, 200, w.visitor("").get(path).StatusCode)
		assert.Equal(t, path, want.one(t).Target)
	}
}

// TestNextBackendsWay: a rule that has another's backend speaks to it as that one does.
func TestNextBackendsWay(t *testing.T) {
	backend := &recorder{}
	server := httptest.NewTLSServer(backend)
	t.Cleanup(server.Close)
	ca := writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.Rules = []Rule{
			{Path: "/app", To: server.URL, Access: Public, StripPath: true, BackendHost: hostBackend, BackendCA: ca, ResponseTimeout: Duration(time.Minute)},
			{Path: "/app/admin", Access: Optional},
			{Path: "/app/admin/slow", Access: Public, ResponseTimeout: Duration(time.Hour)},
			{Path: "/app/own", Access: Public, To: server.URL, BackendCA: ca},
		}
	}})
	for _, row := range []struct {
		path, target, host, prefix string
		timeout                    time.Duration
	}{
		{"/app/x", "/x", server.Listener.Addr().String(), "/app", time.Minute},
		{"/app/admin", "/admin", server.Listener.Addr().String(), "/app", time.Minute},
		{"/app/admin/x?a", "/admin/x?a", server.Listener.Addr().String(), "/app", time.Minute},
		{"/app/admin/slow/", "/admin/slow/", server.Listener.Addr().String(), "/app", time.Hour},
		{"/app/own/x", "/app/own/x", w.host, "", time.Minute},
	} {
		t.Run(row.path, func(t *testing.T) {
			require.Equal(t, 200, w.visitor("").get(row.path).StatusCode)
			got := backend.one(t)
			assert.Equal(t, row.target, got.Target)
			assert.Equal(t, row.host, got.Host)
			assert.Equal(t, row.prefix, got.Header.Get("X-Forwarded-Prefix"))
			path, _, _ := strings.Cut(row.path, "?")
			assert.Equal(t, row.timeout, w.gateway.core.Load().ruleFor(w.host, path).backend.key.response)
		})
	}
}

// TestAllowFrom lets clients of some addresses through without a login.
func TestAllowFrom(t *testing.T) {
	for name, tt := range map[string]struct {
		ranges []netip.Prefix
		status int
	}{
		"inside":  {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 200},
		"outside": {[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{rules: []Rule{{Path: "/private", AllowFrom: tt.ranges}}})
			answer := w.visitor("").get("/private", header("Sec-Fetch-Mode", "cors"), header("X-Forwarded-For", "192.0.2.1"), header("X-Forwarded-For", "127.0.0.1"))
			assert.Equal(t, tt.status, answer.StatusCode)
			w.backend.reset()
			_ = w.visitor("test0001").get("/private")
			if tt.status == 401 {
				assert.Equal(t, "test0001", w.backend.one(t).user())
			} else {
				assert.Empty(t, w.backend.one(t).user())
			}
		})
	}
}

// TestGroupsOrPrincipals: either lets a person in.
func TestGroupsOrPrincipals(t *testing.T) {
	file := writeFile(t, "groups", "editors: test0002 test0003\n")
	w := newWorld(t, kit{rules: []Rule{{Path: "/private"}, {Path: "/edit", Principals: []string{"test0001"}, Groups: []string{"editors"}, GroupFile: file}}})
	for user, status := range map[string]int{"test0001": 200, "test0002": 200, "test0003": 200, "test0004": 403} {
		assert.Equal(t, status, w.visitor(user).get("/edit").StatusCode, user)
	}
	assert.Contains(t, w.log.String(), "event=forbidden reason=group principal=test0004")
}

// connect has the gateway keep a connection to the backend of a path, which it answers at
// once: a time limit that a test waits for may be too short for a new one, on a busy machine.
func (w *world) connect(path string) {
	w.t.Helper()
	for range 1000 {
		if w.visitor("").get(path).StatusCode == http.StatusOK {
			w.backend.reset()
			return
		}
	}
	require.FailNow(w.t, "the gateway does not reach the backend")
}

// TestBackendTrouble: what people are told, and that nobody waits for ever.
func TestBackendTrouble(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, kit{
		rules: []Rule{{Path: "/slow", Access: Public, ResponseTimeout: Duration(30 * time.Millisecond)}, {Path: "/busy", Access: Public}, {Path: "/broken", Access: Public}, {Path: "/warm", Access: Public}},
		config: func(cfg *Config) {
			cfg.Limits.Connections, cfg.Limits.DialTimeout = 1, Duration(30*time.Millisecond)
		},
		handler: func(rw http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/warm":
				return
			case "/broken":
				panic(http.ErrAbortHandler)
			case "/busy":
				rw.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(rw).Flush()
			}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		},
	})
	v := w.visitor("")
	w.connect("/warm")
	assert.Equal(t, 504, v.get("/slow").StatusCode)
	w.connect("/warm")
	broken := v.do(http.MethodPost, "/broken", nil)
	assert.Equal(t, 502, broken.StatusCode)
	assert.Contains(t, broken.body, `data-page="backend-down"`)
	w.connect("/warm")
	first, err := v.client.Get(w.url + "/busy")
	require.NoError(t, err)
	require.Equal(t, 200, first.StatusCode)
	busy := v.get("/busy")
	assert.Equal(t, 503, busy.StatusCode)
	assert.Equal(t, "5", busy.Header.Get("Retry-After"))
	close(release)
	require.NoError(t, first.Body.Close())
	assert.Equal(t, 404, v.get("/.wls/x").StatusCode)
}

// TestNewRefuses: files that a configuration names must be there and good.
func TestNewRefuses(t *testing.T) {
	good := newWorld(t, kit{}).cfg
	for name, tt := range map[string]struct {
		edit func(c *Config)
		want string
	}{
		"group file": {func(c *Config) {
			c.Rules[0] = Rule{Path: "/x", To: "http://127.0.0.1:1", Groups: []string{"a"}, GroupFile: "/nowhere"}
		}, "rule[1].group-file"},
		"unknown group": {func(c *Config) {
			c.Rules[0] = Rule{Path: "/x", To: "http://127.0.0.1:1", Groups: []string{"a"}, GroupFile: writeFile(t, "g", "b: c\n")}
		}, "rule[1].groups"},
		"htpasswd": {func(c *Config) {
			c.Rules[0] = Rule{Path: "/x", To: "http://127.0.0.1:1", Access: Basic, Htpasswd: "/nowhere"}
		}, "rule[1].htpasswd"},
		"CA": {func(c *Config) {
			c.Rules[0] = Rule{Path: "/x", To: "https://127.0.0.1:1", BackendCA: writeFile(t, "ca", "none")}
		}, "rule[1]"},
		"HMAC key": {func(c *Config) {
			c.Identity = Identity{Send: []string{"x-aa"}, HMACKeyFile: writeFile(t, "k", "\n")}
		}, "identity.hmac-key-file"},
		"template":      {func(c *Config) { c.PageTemplate = writeFile(t, "t", "{{.Nonsense}}") }, "page-template"},
		"poor template": {func(c *Config) { c.PageTemplate = writeFile(t, "t", "{{.Title}}") }, "page-template"},
		"strip":         {func(c *Config) { c.Identity.Strip = []string{"Cookie"} }, "identity.strip"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			cfg.Rules = append([]Rule(nil), good.Rules...)
			tt.edit(&cfg)
			_, err := New(cfg)
			require.ErrorContains(t, err, tt.want)
			var problems *site.ConfigError
			assert.True(t, errors.As(err, &problems))
		})
	}
}
