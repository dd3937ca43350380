package oidctest

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Option changes the Config that New begins with. A function literal will do where
// there is no ready-made one.
type Option func(*Config)

// WithUsers replaces the default users.
func WithUsers(users ...User) Option { return func(c *Config) { c.Users = users } }

// WithApps replaces the default app.
func WithApps(apps ...App) Option { return func(c *Config) { c.Apps = apps } }

// WithNow sets the clock, say to the one that the site under test has.
func WithNow(now func() time.Time) Option { return func(c *Config) { c.Now = now } }

// New starts a provider on a loopback address, http://127.0.0.1:PORT, until the test ends.
// It fails the test if the options cannot work.
func New(t testing.TB, options ...Option) *Provider {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	cfg := Config{BaseURL: "http://" + server.Listener.Addr().String()}
	for _, option := range options {
		option(&cfg)
	}
	p, err := NewProvider(cfg)
	if err != nil {
		_ = server.Listener.Close()
		t.Fatal(err)
	}
	server.Config.Handler = p
	server.Start()
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	return p
}

// SecretFile writes the client secret of the default app to a file of the test's own, and
// returns its name.
func (p *Provider) SecretFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client-secret")
	if err := os.WriteFile(path, []byte(ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
