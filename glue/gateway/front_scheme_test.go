package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// httpsFront is a site on https which the gateway serves behind a front server that it trusts,
// whose own address and certificate are there for its configuration.
func httpsFront(t *testing.T, program string) (*world, *serving) {
	t.Helper()
	s := &serving{t: t, program: program, addr: freeAddr(t), dir: sharedDir(t)}
	_, port := s.hostPort()
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.BaseURL = "https://localhost:" + port
		cfg.Front.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}})
	cert := localhostCertificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return w, s
}

// startFront starts the front server of httpsFront, and has people come by it.
func startFront(t *testing.T, w *world, s *serving, cmd *exec.Cmd) (*world, *serving) {
	t.Helper()
	require.True(t, startProgram(t, s.addr, cmd), "%s does not start", s.program)
	_, port := s.hostPort()
	w.url, w.host, w.addr = w.cfg.BaseURL, net.JoinHostPort("localhost", port), s.addr
	return w, s
}

// behindApache is httpsFront behind Apache as a README has it, with other values in its
// configuration.
func behindApache(t *testing.T, replace ...string) (*world, *serving) {
	t.Helper()
	w, s := httpsFront(t, frontProgram(t, "apache2", "apache2", "/usr/sbin/apache2"))
	site := snippet(t, "site-apache.conf", append([]string{
		"*:443", "*:{port}", "soc.example\n", "localhost\n", "/var/log/apache2/soc.access.log", "{dir}/access.log", "127.0.0.1:8080", w.addr,
		"# and SSLEngine, SSLCertificateFile, SSLCertificateKeyFile", "SSLEngine on\n    SSLCertificateFile {dir}/cert.pem\n    SSLCertificateKeyFile {dir}/key.pem",
	}, replace...)...)
	config := s.write("httpd.conf", apacheConfig("proxy:mod_proxy", "proxy_http:mod_proxy_http", "headers:mod_headers", "socache_shmcb:mod_socache_shmcb", "ssl:mod_ssl")+site)
	return startFront(t, w, s, s.apache(config))
}

// behindNginx is behindApache with nginx.
func behindNginx(t *testing.T, replace ...string) (*world, *serving) {
	t.Helper()
	w, s := httpsFront(t, frontProgram(t, "nginx-light", "nginx", "/usr/sbin/nginx"))
	site := snippet(t, "site-nginx.conf", append([]string{
		"listen 443 ssl;", "listen " + s.addr + " ssl;\n    ssl_certificate cert.pem;\n    ssl_certificate_key key.pem;",
		"server_name soc.example; ", "server_name localhost; ", "Host $host; ", "Host $host:$server_port; ",
		"/var/log/nginx/soc.access.log", "access.log", "/var/log/nginx/soc.error.log", "error.log", "127.0.0.1:8080", w.addr,
	}, replace...)...)
	return startFront(t, w, s, nginx(t, s.dir, site))
}

// TestHTTPSFronts: people log in behind Apache and nginx as a README configures them, and no log
// has the query.
func TestHTTPSFronts(t *testing.T) {
	for name, behind := range map[string]func(*testing.T, ...string) (*world, *serving){"Apache": behindApache, "nginx": behindNginx} {
		t.Run(name, func(t *testing.T) {
			w, s := behind(t)
			testHTTPSFront(t, w)
			log, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
			require.NoError(t, err)
			assert.Contains(t, string(log), `"GET /private/a HTTP/1.1" 303 `)
			assert.NotContains(t, string(log), "?")
		})
	}
}

func testHTTPSFront(t *testing.T, w *world) {
	v := w.visitor("test0001")
	answer := v.get("/private/a?b=c")
	require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
	got := w.backend.one(t)
	assert.Equal(t, "test0001", got.Header.Get("Remote-User"))
	assert.Equal(t, "https", got.Header.Get("X-Forwarded-Proto"))
	assert.NotContains(t, w.log.String(), "front server")

	// What clients say of the scheme, the front server replaces.
	answer = v.get("/private/a", header("X-Forwarded-Proto", "http"))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
}

// TestApacheWithoutScheme: with that line forgotten, people get a page and the log says which
// line it is; there is no redirect without an end, and none that stays in a cache when the line
// is there.
func TestApacheWithoutScheme(t *testing.T) {
	w, _ := behindApache(t, "    RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}\n", "")
	v := w.visitor("test0001")
	for range 2 {
		answer := v.get("/private/a")
		assert.Equal(t, http.StatusInternalServerError, answer.StatusCode)
		assert.Equal(t, "/private/a", answer.Request.URL.Path)
		assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
		assert.Contains(t, answer.body, "This page is out of order")
	}
	log := w.log.String()
	assert.Equal(t, 1, strings.Count(log, "in Apache: RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}"), log)
	assert.Equal(t, 2, strings.Count(log, "level=ERROR msg=\"site front-server\" event=front-server reason=front-scheme"), log)
	assert.Empty(t, w.backend.take())
}
