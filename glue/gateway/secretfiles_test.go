package gateway

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// publicDir is a directory that anybody may enter, as no directory of t.TempDir is.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gateway-test")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// everySecret is a configuration file with each file that must stay secret.
const everySecret = `base-url = "https://soc.example"
wls = "raven"
secret-file = "secret"
redis-url-file = "redis"
log.access = "off"
headers.hsts = "8760h"
[identity]
send = ["x-aa"]
hmac-key-file = "hmac"
[[listen.certificate]]
cert = "cert.pem"
key = "key.pem"
[[rule]]
path = "/"
to = "unix:app.sock"
`

// secretKeys are the keys of everySecret, by the name of the file.
var secretKeys = map[string]string{
	"secret": "secret-file", "redis": "redis-url-file", "hmac": "identity.hmac-key-file", "key.pem": "listen.certificate[1]",
}

// writeSecrets makes the files of everySecret in a directory.
func writeSecrets(t *testing.T, dir string) {
	t.Helper()
	c := writeCertificate(t, dir, "soc", testNow, testNow.AddDate(0, 1, 0), "soc.example")
	require.NoError(t, os.Rename(c.Cert, filepath.Join(dir, "cert.pem")))
	require.NoError(t, os.Rename(c.Key, filepath.Join(dir, "key.pem")))
	redis := miniredis.RunT(t)
	redis.RequireAuth("hunter2")
	for name, text := range map[string]string{
		"secret": "0f1e2d3c4b5a69788796a5b4c3d2e1f00123456789abcdeffedcba9876543210\n",
		"redis":  "redis://:hunter2@" + redis.Addr() + "\n",
		"hmac":   "an HMAC key that is long enough\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

// loadSecrets loads everySecret, from a directory of its own.
func loadSecrets(t *testing.T, dir string) (*Config, *bytes.Buffer) {
	t.Helper()
	file := filepath.Join(dir, "gateway.toml")
	require.NoError(t, os.WriteFile(file, []byte(everySecret), 0o600))
	cfg, err := Load(file)
	require.NoError(t, err)
	var log bytes.Buffer
	cfg.Now, cfg.Logger = func() time.Time { return testNow }, slog.New(slog.NewTextHandler(&log, nil))
	return cfg, &log
}

// start makes a gateway and a server of it, and ends both.
func start(t *testing.T, cfg *Config) error {
	t.Helper()
	cfg.Listen.HTTPS, cfg.Listen.Redirect = []string{"127.0.0.1:0"}, []string{}
	g, err := New(*cfg)
	if err != nil {
		return err
	}
	defer func() { assert.NoError(t, g.Close()) }()
	s, err := NewServer(g, *cfg, nil)
	if err != nil {
		return err
	}
	return s.Close()
}

// TestSecretFiles: one rule holds for all of them, for New as for Check, and none of them is
// shown.
func TestSecretFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes there")
	}
	for name, key := range secretKeys {
		t.Run(name, func(t *testing.T) {
			private, public := t.TempDir(), publicDir(t)
			writeSecrets(t, private)
			writeSecrets(t, public)
			for mode, refused := range map[os.FileMode]bool{0o440: false, 0o444: true, 0o644: true} {
				require.NoError(t, os.Chmod(filepath.Join(public, name), mode))
				cfg, _ := loadSecrets(t, public)
				err := start(t, cfg)
				found := saidOf(Check(*cfg), key, site.SeverityError)
				if !refused {
					require.NoError(t, err)
					assert.Empty(t, found)
					continue
				}
				require.Error(t, err)
				for _, text := range []string{err.Error(), found} {
					assert.Contains(t, text, filepath.Join(public, name)+": everybody can read it ("+fmt.Sprintf("mode %04o", mode)+"): run: chmod 600 ")
					assert.Contains(t, text, "LoadCredential")
				}
			}
			require.NoError(t, os.Chmod(filepath.Join(private, name), 0o444))
			cfg, log := loadSecrets(t, private)
			require.NoError(t, start(t, cfg))
			for _, text := range []string{log.String(), saidOf(Check(*cfg), key, site.SeverityWarning)} {
				assert.Contains(t, text, filepath.Join(private, name)+" may be read by everybody (mode 0444), and only "+filepath.Dir(private)+" keeps")
			}
			for _, line := range []string{"0f1e2d3c", "hunter2", "an HMAC key", "PRIVATE KEY"} {
				assert.NotContains(t, log.String(), line)
			}
		})
	}
}

// saidOf joins the texts of findings about a key, of a severity.
func saidOf(found []site.Finding, key string, severity site.Severity) string {
	var texts []string
	for _, f := range found {
		if f.Key == key && f.Severity == severity {
			texts = append(texts, f.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// TestCredentials: relative names are those of systemd's credentials where there is such a one,
// and else as ever.
func TestCredentials(t *testing.T) {
	credentials, dir := t.TempDir(), t.TempDir()
	writeSecrets(t, credentials)
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	cfg, _ := loadSecrets(t, dir)
	for name, path := range map[string]string{
		"secret": cfg.SecretFile, "redis": cfg.RedisURLFile, "hmac": cfg.Identity.HMACKeyFile,
		"cert.pem": cfg.Listen.Certificates[0].Cert, "key.pem": cfg.Listen.Certificates[0].Key,
	} {
		assert.Equal(t, filepath.Join(credentials, name), path)
	}
	require.NoError(t, start(t, cfg))

	cfg.Listen.Certificates = nil
	assert.Equal(t, []Certificate{{Cert: filepath.Join(credentials, "cert.pem"), Key: filepath.Join(credentials, "key.pem")}}, cfg.common().Listening(false).Certificates)

	require.NoError(t, os.Remove(filepath.Join(credentials, "secret")))
	cfg, _ = loadSecrets(t, dir)
	assert.Equal(t, filepath.Join(dir, "secret"), cfg.SecretFile)
	assert.Equal(t, filepath.Join(credentials, "redis"), cfg.RedisURLFile)

	// A unit gives what is missing so, for systemd does not start it without.
	require.NoError(t, os.WriteFile(filepath.Join(credentials, "secret"), []byte("\n"), 0o600))
	cfg, _ = loadSecrets(t, dir)
	assert.Equal(t, filepath.Join(dir, "secret"), cfg.SecretFile)
}

// TestRedisURLFile: the file is read again on reload, and what is wrong about it shows nothing
// of it.
func TestRedisURLFile(t *testing.T) {
	dir := t.TempDir()
	writeSecrets(t, dir)
	cfg, log := loadSecrets(t, dir)
	g, err := New(*cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	first := g.core.Load().store
	require.NotNil(t, first)
	require.NoError(t, g.Reload(*cfg))
	assert.Same(t, first, g.core.Load().store)

	other := miniredis.RunT(t)
	other.RequireUserAuth("soc", "hunter3")
	file := filepath.Join(dir, "redis")
	require.NoError(t, os.WriteFile(file, []byte("redis://soc:hunter3@"+other.Addr()), 0o600))
	require.NoError(t, g.Reload(*cfg))
	assert.NotSame(t, first, g.core.Load().store)

	for _, text := range []string{"", "hunter4", "http://soc:hunter4@redis", "redis://soc:hunter4/x@redis"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		err := g.Reload(*cfg)
		require.ErrorContains(t, err, "redis-url-file: this is no address of Redis: write it such as")
		assert.NotContains(t, err.Error(), "hunter4")
		assert.Contains(t, saidOf(Check(*cfg), "redis-url-file", site.SeverityError), "this is no address of Redis")
	}
	var shown strings.Builder
	require.NoError(t, cfg.Show(&shown))
	assert.Contains(t, shown.String(), "redis-url-file = '"+file+"'")
	assert.NotContains(t, shown.String()+log.String(), "hunter")

	cfg.RedisURL = "redis://127.0.0.1"
	_, err = New(*cfg)
	assert.ErrorContains(t, err, "redis-url-file: redis-url is there as well")
}

// TestRedisPassword: a password in a configuration file that others can read is found.
func TestRedisPassword(t *testing.T) {
	redis := miniredis.RunT(t)
	redis.RequireUserAuth("soc", "hunter2")
	for _, tt := range []struct {
		name, user string
		mode       os.FileMode
		warns      bool
	}{
		{"kept", "soc:hunter2@", 0o600, false}, {"for a group of ours", "soc:hunter2@", 0o640, false},
		{"open", "soc:hunter2@", 0o644, true}, {"open, no password", "", 0o644, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(publicDir(t), "gateway.toml")
			text := strings.Replace(smallest, "[[rule]]", "redis-url = \"redis://"+tt.user+redis.Addr()+"\"\n[[rule]]", 1)
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			require.NoError(t, os.Chmod(file, tt.mode))
			cfg, err := Load(file)
			require.NoError(t, err)
			said := saidOf(Check(*cfg), "redis-url", site.SeverityWarning)
			assert.Equal(t, tt.warns, said != "", said)
			assert.NotContains(t, said, "hunter2")
			if tt.warns {
				assert.Contains(t, said, "redis-url-file (everybody can read it (mode 0644)")
			}
		})
	}
}
