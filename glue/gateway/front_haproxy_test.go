package gateway

import (
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startHAProxy starts HAProxy with the README's configuration.
func startHAProxy(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	return startHAProxyAsking(t, addr, app, gateway)
}

// startHAProxyAsking is startHAProxy for a gateway that need not be there.
func startHAProxyAsking(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	program, dir := frontProgram(t, "haproxy", "haproxy", "/usr/sbin/haproxy"), t.TempDir()
	script, config := filepath.Join(dir, "wlsgateway.lua"), filepath.Join(dir, "haproxy.cfg")
	require.NoError(t, os.WriteFile(script, []byte(snippet(t, "wlsgateway.lua", "http://127.0.0.1:8090", gateway)), 0o600))
	require.NoError(t, os.WriteFile(config, []byte(snippet(t, "haproxy.cfg",
		"/etc/haproxy/wlsgateway.lua", script,
		"bind :443 ssl crt /etc/haproxy/soc.example.pem", "bind "+addr,
		"127.0.0.1:8000", app[len("http://"):], "127.0.0.1:8090", cmp.Or(strings.TrimPrefix(gateway, "nonsense"), "http://127.0.0.1:9")[len("http://"):])), 0o600))
	return startProgram(t, addr, exec.Command(program, "-db", "-f", config))
}

// TestHAProxyFailsClosed: where the gateway is away, or the script has a fault, nothing is
// passed on.
func TestHAProxyFailsClosed(t *testing.T) {
	for name, broken := range map[string]string{"away": "http://127.0.0.1:9", "faulty": "nonsense"} {
		t.Run(name, func(t *testing.T) {
			start := func(t testing.TB, addr, app, _ string) bool { return startHAProxyAsking(t, addr, app, broken) }
			w := frontWorld(t, start)
			assert.GreaterOrEqual(t, w.visitor("").get("/public/a").StatusCode, 500)
			assert.Empty(t, w.backend.take())
		})
	}
}

func TestHAProxy(t *testing.T) { testFront(t, startHAProxy) }

// TestHAProxyPassesOnWhatMatters: what the gateway says about caching reaches the browser,
// and no client has who it is forgotten on the way.
func TestHAProxyPassesOnWhatMatters(t *testing.T) {
	w := frontWorld(t, startHAProxy)
	assert.Empty(t, w.visitor("").get("/public/a").Header.Values("Cache-Control"))
	v := w.loggedIn("test0001")
	answer := v.get("/private/a")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, []string{"private, no-cache"}, answer.Header.Values("Cache-Control"))
	w.backend.reset()
	request := "GET /private/a HTTP/1.1\nHost: " + w.host + "\nCookie: " + v.cookieHeader() + "\nConnection: "
	assert.Equal(t, http.StatusOK, w.raw(request+"keep-alive\n\n"))
	assert.Equal(t, "test0001", w.backend.one(t).user())
	for _, forgotten := range []string{"Remote-User", "keep-alive, remote-user", "close\nConnection: Remote-User"} {
		assert.Equal(t, http.StatusBadRequest, w.raw(request+forgotten+"\n\n"), forgotten)
		assert.Empty(t, w.backend.take())
	}
}
