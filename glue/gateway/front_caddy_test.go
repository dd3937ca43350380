package gateway

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startCaddy starts Caddy in a directory of its own, with the README's configuration.
func startCaddy(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	program, dir := frontProgram(t, "caddy", "caddy"), t.TempDir()
	_, port, _ := strings.Cut(addr, ":")
	config := "{\n\tadmin off\n\tauto_https off\n}\n" + snippet(t, "Caddyfile",
		"soc.example {", "http://localhost:"+port+" {\n\tbind 127.0.0.1",
		"127.0.0.1:8000", strings.TrimPrefix(app, "http://"),
		"127.0.0.1:8090", strings.TrimPrefix(gateway, "http://"))
	file := filepath.Join(dir, "Caddyfile")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	cmd := exec.Command(program, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return startProgram(t, addr, cmd)
}

func TestCaddy(t *testing.T) { testFront(t, startCaddy) }

// What the gateway says about caching reaches the browser, beside what the application
// says; what is between the two does not reach the application.
func TestCaddyPassesOnWhatMatters(t *testing.T) {
	w := frontWorldOf(t, startCaddy, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			echoSocket(w, r)
			return
		}
		if r.URL.RawQuery != "" {
			w.Header().Set("Cache-Control", r.URL.RawQuery)
		}
	})
	assert.Empty(t, w.visitor("").get("/public/a").Header.Values("Cache-Control"))
	assert.Equal(t, []string{"max-age=60"}, w.visitor("").get("/public/a?max-age=60", header("X-Wls-Cache", "private")).Header.Values("Cache-Control"))
	v := w.loggedIn("test0001")
	assert.Equal(t, []string{"private, no-cache"}, v.get("/private/a").Header.Values("Cache-Control"))
	assert.ElementsMatch(t, []string{"private, no-cache", "public"}, v.get("/private/a?public", header("X-Wls-Cache", "")).Header.Values("Cache-Control"))
	for _, got := range w.backend.take() {
		assert.NotContains(t, got.Header, "X-Wls-Cache")
	}
	frontConnection(t, w, v)
	t.Run("WebSocket", func(t *testing.T) { caddyWebSocket(t, w, v.cookieHeader()) })
}

func caddyWebSocket(t *testing.T, w *world, cookies string) {
	for _, row := range []struct {
		name, lines string
		status      int
	}{
		{"as browsers ask", "Connection: keep-alive, Upgrade\nUpgrade: websocket", 101},
		{"in capitals", "Connection: UPGRADE\nUpgrade: WebSocket", 101},
		{"with what is to be forgotten", "Connection: Upgrade, Remote-User\nUpgrade: websocket", 101},
		{"without Connection", "Upgrade: websocket", 101},
		{"from another site", "Connection: Upgrade\nUpgrade: websocket\nOrigin: http://evil.example", 403},
		{"from another site without Connection", "Upgrade: WebSocket\nOrigin: http://evil.example", 403},
		{"beside something else", "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nUpgrade: websocket", 101},
		{"something else", "Connection: Upgrade, Remote-User\nUpgrade: h2c", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.backend.reset()
			status := w.raw("GET /private/a HTTP/1.1\nHost: " + w.host + "\nCookie: " + cookies +
				"\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n" + row.lines + "\n\n")
			require.Equal(t, row.status, status)
			if status == http.StatusForbidden {
				assert.Empty(t, w.backend.take())
				return
			}
			assert.Equal(t, "test0001", w.backend.one(t).user())
		})
	}
	conn, _, err := websocket.Dial(t.Context(), "ws://"+w.host+"/private/a", &websocket.DialOptions{
		HTTPHeader: http.Header{"Cookie": {cookies}, "Origin": {w.url}},
	})
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("hello")))
	_, text, err := conn.Read(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "test0001:hello", string(text))
}
