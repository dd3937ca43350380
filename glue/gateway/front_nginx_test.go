package gateway

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frontProgram finds a front server, or has the test skipped: but in CI it must be there.
func frontProgram(t testing.TB, pkg string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		require.FailNow(t, "no "+names[0], "install it: apt-get install "+pkg)
	}
	t.Skip("no " + names[0] + "; to run this test install it: apt-get install " + pkg)
	return ""
}

// startNginx starts nginx in a directory of its own, with the README's configuration.
func startNginx(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	return startNginxFor(t, addr, app, gateway, "localhost")
}

// startNginxFor is startNginx with a server of its own for each host.
func startNginxFor(t testing.TB, addr, app, gateway string, hosts ...string) bool {
	t.Helper()
	dir := t.TempDir()
	server := snippet(t, "nginx.conf",
		"listen 443 ssl;", "listen "+addr+";",
		"$host;", "$host:$server_port;",
		"\tssl_certificate     /etc/ssl/soc.example.pem;\n", "",
		"\tssl_certificate_key /etc/ssl/soc.example.key;\n", "",
		"http://127.0.0.1:8000", app,
		"127.0.0.1:8090", strings.TrimPrefix(gateway, "http://"))
	upstream, block, found := strings.Cut(server, "\nserver {")
	require.True(t, found)
	server = upstream
	for _, host := range hosts {
		server += "\nserver {" + strings.Replace(block, "server_name soc.example;", "server_name "+host+";", 1)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "wlsgateway.conf"), []byte(snippet(t, "wlsgateway.conf", "$host;", "$host:$server_port;")), 0o600))
	return startProgram(t, addr, nginx(t, dir, server))
}

// nginx is the command that runs nginx in a directory of its own, with what its configuration
// has in http.
func nginx(t testing.TB, dir, http string) *exec.Cmd {
	t.Helper()
	config := `daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
` + http + `}
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(config), 0o600))
	program := frontProgram(t, "nginx-light", "nginx", "/usr/sbin/nginx") // Debian has it where only root looks
	return exec.Command(program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr")
}

func TestNginx(t *testing.T) { testFront(t, startNginx) }

// What the gateway says about caching and last use reaches the browser.
func TestNginxPassesOnWhatMatters(t *testing.T) {
	w := frontWorld(t, startNginx, func(cfg *Config) { cfg.Session.Inactivity = Duration(5 * time.Minute) })
	assert.Empty(t, w.visitor("").get("/public/a").Header.Values("Cache-Control"))
	v := w.loggedIn("test0001")
	asked := len(w.fake.Requests())
	for range 4 {
		w.fake.Advance(3 * time.Minute)
		answer := v.get("/private/a")
		require.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, []string{"private, no-cache"}, answer.Header.Values("Cache-Control"))
	}
	assert.Len(t, w.fake.Requests(), asked, "the session went on")
	frontConnection(t, w, v)
	w.fake.Advance(6 * time.Minute)
	require.Equal(t, http.StatusOK, v.get("/private/a").StatusCode)
	assert.Greater(t, len(w.fake.Requests()), asked, "and ended")
}

// TestNginxHosts: what nginx finds a server by is what the gateway judges, whatever Host says
// of a request that names its host twice.
func TestNginxHosts(t *testing.T) {
	start := func(t testing.TB, addr, app, gateway string) bool {
		return startNginxFor(t, addr, app, gateway, "localhost", "127.0.0.1")
	}
	other := ""
	w := frontWorld(t, start, func(cfg *Config) {
		other = strings.Replace(cfg.BaseURL, "localhost", "127.0.0.1", 1)
		cfg.Origins = []string{other}
		cfg.Rules = append(cfg.Rules, Rule{Host: "127.0.0.1", Path: "/private", Access: Login, Principals: []string{"test0002"}})
	})
	cookies := w.loggedIn("test0001").cookieHeader()
	for target, reached := range map[string]bool{"/private/": true, w.url + "/private/": true, other + "/private/": false} {
		w.backend.reset()
		w.raw("GET " + target + " HTTP/1.1\nHost: " + w.host + "\nSec-Fetch-Mode: cors\nConnection: close\nCookie: " + cookies + "\n\n")
		assert.Equal(t, reached, len(w.backend.take()) == 1, target)
	}
}
