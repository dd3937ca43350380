package gateway

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readmeBlock is the configuration of a language that the README shows, with other values in
// it.
func readmeBlock(t testing.TB, language string, replace ...string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(string(readme))
	require.NotEmpty(t, blocks)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, blocks[1], replace[i])
	}
	return strings.NewReplacer(replace...).Replace(blocks[1])
}

// behindApache is a site on https behind Apache as the README has it, which the gateway
// trusts, with other values in its configuration.
func behindApache(t *testing.T, replace ...string) *world {
	t.Helper()
	s := &serving{t: t, program: frontProgram(t, "apache2", "apache2", "/usr/sbin/apache2"), addr: freeAddr(t), dir: sharedDir(t)}
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
	site := readmeBlock(t, "apache", append([]string{
		"*:443", "*:{port}", "soc.example\n", "localhost\n", "/var/log/apache2/soc.access.log", "{dir}/access.log", "127.0.0.1:8080", w.addr,
		"# and SSLEngine, SSLCertificateFile, SSLCertificateKeyFile", "SSLEngine on\n    SSLCertificateFile {dir}/cert.pem\n    SSLCertificateKeyFile {dir}/key.pem",
	}, replace...)...)
	config := s.write("httpd.conf", apacheConfig("proxy:mod_proxy", "proxy_http:mod_proxy_http", "headers:mod_headers", "socache_shmcb:mod_socache_shmcb", "ssl:mod_ssl")+site)
	require.True(t, startProgram(t, s.addr, s.apache(config)), "apache does not start")
	w.url, w.host, w.addr = w.cfg.BaseURL, net.JoinHostPort("localhost", port), s.addr
	return w
}

// TestApache: people log in behind Apache as the README configures it.
func TestApache(t *testing.T) {
	w := behindApache(t)
	v := w.visitor("test0001")
	answer := v.get("/private/a?b=c")
	require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
	got := w.backend.one(t)
	assert.Equal(t, "test0001", got.Header.Get("Remote-User"))
	assert.Equal(t, "https", got.Header.Get("X-Forwarded-Proto"))
	assert.NotContains(t, w.log.String(), "front server")

	// What clients say of the scheme, Apache replaces.
	answer = v.get("/private/a", header("X-Forwarded-Proto", "http"))
	assert.Equal(t, http.StatusOK, answer.StatusCode)
}

// TestApacheWithoutScheme: with that line forgotten, people get a page and the log says which
// line it is; there is no redirect without an end, and none that stays in a cache when the line
// is there.
func TestApacheWithoutScheme(t *testing.T) {
	w := behindApache(t, "    RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}\n", "")
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
