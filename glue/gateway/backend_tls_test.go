package gateway

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	of := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

// issue writes a certificate for a name, and its key.
func (a *authority) issue(t *testing.T, dir, name string) (certFile, keyFile string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	of := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, of, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return certFile, keyFile
}

// TestBackendCertificate: a backend that asks for a certificate gets the one that the rule
// names, and so do the rules that have its backend; what changes in the files is read again.
func TestBackendCertificate(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	serverCert, serverKey := a.issue(t, dir, "app.internal")
	pair, err := tls.LoadX509KeyPair(serverCert, serverKey)
	require.NoError(t, err)
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName+" for "+r.TLS.ServerName+" by "+r.Proto)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert}
	server.EnableHTTP2, server.Config.ErrorLog = true, nil
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := caFile(t, a.cert.Raw)
	cert, key := a.issue(t, dir, "gateway")
	good := Rule{Path: "/", Access: Public, To: server.URL, BackendCA: ca, BackendCert: cert, BackendKey: key, BackendServerName: "app.internal"}
	rule := func(path string, edit func(*Rule)) Rule {
		r := good
		r.Path = path
		edit(&r)
		return r
	}
	rules := []Rule{
		good,
		{Path: "/inherits", Access: Public},
		rule("/without", func(r *Rule) { r.BackendCert, r.BackendKey = "", "" }),
		rule("/address", func(r *Rule) { r.BackendServerName = "" }),
		rule("/another", func(r *Rule) { r.BackendServerName = "other.internal" }),
	}
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.Rules = rules }})
	for range 2 {
		assert.Equal(t, "gateway for app.internal by HTTP/2.0", w.visitor("").get("/").body)
	}
	assert.Equal(t, "gateway for app.internal by HTTP/2.0", w.visitor("").get("/inherits").body)
	for _, path := range []string{"/without", "/address", "/another"} {
		assert.Equal(t, http.StatusBadGateway, w.visitor("").get(path).StatusCode, path)
	}
	assert.Contains(t, w.log.String(), "certificate is valid for app.internal, not other.internal")

	old := w.gateway.core.Load().ruleFor(w.host, "/").backend
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Same(t, old, w.gateway.core.Load().ruleFor(w.host, "/").backend, "nothing has changed")
	renewed, renewedKey := a.issue(t, dir, "renewed")
	require.NoError(t, os.Rename(renewed, cert))
	assert.ErrorContains(t, w.gateway.Reload(w.cfg), ".backend-cert: "+cert+" with "+key+": tls: private key does not match public key")
	assert.Equal(t, "gateway for app.internal by HTTP/2.0", w.visitor("").get("/").body, "the old one stays")
	require.NoError(t, os.Rename(renewedKey, key))
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Equal(t, "renewed for app.internal by HTTP/2.0", w.visitor("").get("/").body)
	assert.Len(t, w.gateway.backends, 4, "what nothing uses is given up")
}

// TestBackendCertificate_wrong names the rule, the field and the file.
func TestBackendCertificate_wrong(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.issue(t, dir, "gateway")
	none, open := filepath.Join(dir, "none"), filepath.Join(dir, "open")
	require.NoError(t, os.WriteFile(open, nil, 0o600))
	require.NoError(t, os.Chmod(open, 0o666))
	for name, tt := range map[string]struct {
		rule Rule
		want string
	}{
		"no certificate": {Rule{BackendCert: none, BackendKey: key}, "rule[2].backend-cert: open " + none},
		"no key":         {Rule{BackendCert: cert, BackendKey: none}, "rule[2].backend-key: " + none + ": no such file"},
		"key for all":    {Rule{BackendCert: cert, BackendKey: open}, "rule[2].backend-key: " + open + ": "},
		"swapped":        {Rule{BackendCert: key, BackendKey: cert}, "rule[2].backend-cert: " + key + " with " + cert + ": tls: "},
		"no authority":   {Rule{BackendCA: none}, "rule[2].backend-ca: open " + none},
		"empty":          {Rule{BackendCA: key}, "rule[2].backend-ca: there is no certificate in " + key},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{rules: []Rule{{Path: "/", To: "https://127.0.0.1:1"}}})
			cfg := w.cfg
			tt.rule.Path, tt.rule.To = "/app", "https://127.0.0.1:1"
			cfg.Rules = append(cfg.Rules[:1:1], tt.rule, Rule{Path: "/app/too"})
			_, err := New(cfg)
			require.ErrorContains(t, err, tt.want)
			found := Check(cfg)
			require.NotEmpty(t, found)
			assert.Contains(t, found[0].String(), tt.want)
		})
	}
}

// TestBackendCertificate_check: what is weak about it, or will be soon, is found.
func TestBackendCertificate_check(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.issue(t, dir, "gateway")
	w := newWorld(t, kit{rules: []Rule{{Path: "/", To: "https://127.0.0.1:1", BackendCert: cert, BackendKey: key}}})
	found := func(now time.Time) string {
		cfg := w.cfg
		cfg.Now = func() time.Time { return now }
		var text strings.Builder
		for _, f := range Check(cfg) {
			text.WriteString(f.String() + "\n")
		}
		return text.String()
	}
	before := time.Now().Add(-30 * 24 * time.Hour)
	assert.NotContains(t, found(before), "backend-cert", "an honest one")
	assert.Contains(t, found(time.Now()), "rule[1].backend-cert: "+cert+" expires on ")
	assert.Contains(t, found(time.Now().Add(48*time.Hour)), "rule[1].backend-cert: "+cert+" expired on ")
	require.NoError(t, os.Chmod(key, 0o644))
	assert.Contains(t, found(before), "rule[1].backend-cert: "+key+" may be read by everybody")
}
