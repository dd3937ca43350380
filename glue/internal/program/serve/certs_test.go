package serve

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/programtest"
)

// writeCertificate is [programtest.WriteCertificate].
func writeCertificate(t testing.TB, dir, name string, from, until time.Time, hosts ...string) Certificate {
	t.Helper()
	cert, key := programtest.WriteCertificate(t, dir, name, from, until, hosts...)
	return Certificate{Cert: cert, Key: key}
}

// testNow is the time in tests.
var testNow = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// certWorld is a set of certificates with a clock.
type certWorld struct {
	t       *testing.T
	now     time.Time
	log     bytes.Buffer
	expires map[string]time.Time
	certs   *certificates
}

func newCertWorld(t *testing.T, files ...Certificate) *certWorld {
	w := &certWorld{t: t, now: testNow, expires: map[string]time.Time{}}
	cfg := &Config{Now: func() time.Time { return w.now }, Logger: slog.New(slog.NewTextHandler(&w.log, nil))}
	w.certs = newCertificates(cfg, func(file string, at time.Time) { w.expires[filepath.Base(file)] = at.UTC() })
	cfg.Listen.Certificates = files
	pairs, err := loadKeyPairs(cfg)
	require.NoError(t, err)
	w.certs.use(pairs)
	return w
}

// served is the name of the certificate that a client gets which asks for a host.
func (w *certWorld) served(host string) string {
	w.t.Helper()
	got, err := w.certs.get(&tls.ClientHelloInfo{
		ServerName: host, SupportedVersions: []uint16{tls.VersionTLS13}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}, SupportedCurves: []tls.CurveID{tls.X25519},
	})
	require.NoError(w.t, err)
	return got.Leaf.Subject.CommonName + " until " + got.Leaf.NotAfter.UTC().Format(time.DateOnly)
}

func TestCertificates_choice(t *testing.T) {
	dir, until := t.TempDir(), testNow.AddDate(0, 1, 0)
	w := newCertWorld(t,
		writeCertificate(t, dir, "soc", testNow, until, "soc.example"),
		writeCertificate(t, dir, "wiki", testNow, until, "wiki.soc.example", "*.wiki.soc.example"))
	for host, want := range map[string]string{
		"soc.example": "soc", "wiki.soc.example": "wiki", "de.wiki.soc.example": "wiki", "": "soc", "other.example": "soc",
	} {
		assert.Equal(t, want+" until 2026-03-03", w.served(host), host)
	}
	assert.Equal(t, map[string]time.Time{"soc.pem": until, "wiki.pem": until}, w.expires)
}

func TestCertificates_renewal(t *testing.T) {
	dir := t.TempDir()
	first := writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 1, 0), "soc.example")
	w := newCertWorld(t, first)
	require.Equal(t, "soc until 2026-03-03", w.served("soc.example"))

	writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 2, 0), "soc.example")
	assert.Equal(t, "soc until 2026-03-03", w.served("soc.example"), "files are not looked at with every handshake")
	w.now = w.now.Add(certificateInterval)
	assert.Equal(t, "soc until 2026-04-03", w.served("soc.example"))
	assert.Equal(t, testNow.AddDate(0, 2, 0), w.expires["soc.pem"])
	assert.Contains(t, w.log.String(), "certificate renewed")
}

// TestCertificates_badRenewal: whatever is wrong with the new files, the old certificate
// stays, the log says so once, and the next good one is taken.
func TestCertificates_badRenewal(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(t *testing.T, c Certificate)
	}{
		{"no PEM", func(t *testing.T, c Certificate) { require.NoError(t, os.WriteFile(c.Cert, []byte("soon"), 0o600)) }},
		{"empty", func(t *testing.T, c Certificate) { require.NoError(t, os.Truncate(c.Cert, 0)) }},
		{"gone", func(t *testing.T, c Certificate) { require.NoError(t, os.Remove(c.Key)) }},
		{"another key", func(t *testing.T, c Certificate) {
			other := writeCertificate(t, t.TempDir(), "soc", testNow, testNow, "soc.example")
			key, err := os.ReadFile(other.Key)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(c.Key, key, 0o600))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			files := writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 1, 0), "soc.example")
			wiki := writeCertificate(t, dir, "wiki", testNow, testNow.AddDate(0, 1, 0), "wiki.soc.example")
			w := newCertWorld(t, files, wiki)
			row.spoil(t, files)
			writeCertificate(t, dir, "wiki", testNow, testNow.AddDate(0, 2, 0), "wiki.soc.example")
			for range 3 {
				w.now = w.now.Add(certificateInterval)
				assert.Equal(t, "soc until 2026-03-03", w.served("soc.example"))
				assert.Equal(t, "wiki until 2026-04-03", w.served("wiki.soc.example"), "one bad file does not hold up another")
			}
			assert.Equal(t, 1, strings.Count(w.log.String(), "the old one stays"), "%s", w.log.String())
			assert.NotContains(t, w.log.String(), "PRIVATE KEY")

			writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 3, 0), "soc.example")
			w.now = w.now.Add(certificateInterval)
			assert.Equal(t, "soc until 2026-05-03", w.served("soc.example"))
		})
	}
}

func TestLoadKeyPairs_reportsAll(t *testing.T) {
	dir := t.TempDir()
	good := writeCertificate(t, dir, "soc", testNow, testNow, "soc.example")
	none := Certificate{Cert: filepath.Join(dir, "none.pem"), Key: good.Key}
	_, err := loadKeyPairs(&Config{Listen: Listen{Certificates: []Certificate{none, good, {Cert: good.Key, Key: good.Key}}}})
	require.ErrorContains(t, err, "listen.certificate[1]: open "+none.Cert+": no such file or directory: put the certificate")
	require.ErrorContains(t, err, "listen.certificate[3]: "+good.Key+" with ")
	require.NotContains(t, err.Error(), "certificate[2]")
}

// TestCertificates_narrowed: a new key that others can read is refused, and used as soon as
// somebody has narrowed that, which no time of the file shows.
func TestCertificates_narrowed(t *testing.T) {
	dir, err := os.MkdirTemp("", "serve") // below t.TempDir everything is private
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	c := writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 1, 0), "soc.example")
	w := newCertWorld(t, c)
	writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 2, 0), "soc.example")
	require.NoError(t, os.Chmod(c.Key, 0o644))
	for range 3 {
		w.now = w.now.Add(certificateInterval)
		assert.Equal(t, "soc until 2026-03-03", w.served("soc.example"))
	}
	assert.Equal(t, 1, strings.Count(w.log.String(), "the old one stays"), w.log.String())
	assert.Contains(t, w.log.String(), c.Key+": everybody can read it (mode 0644)")
	require.NoError(t, os.Chmod(c.Key, 0o640))
	w.now = w.now.Add(certificateInterval)
	assert.Equal(t, "soc until 2026-04-03", w.served("soc.example"))
}
