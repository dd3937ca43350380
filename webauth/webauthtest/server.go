package webauthtest

import (
	"crypto/rsa"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Option changes the Config that New begins with. A function literal will do where
// there is no ready-made one.
type Option func(*Config)

// WithKey signs with key under kid in place of RFC 9500's testRSA2048.
func WithKey(kid string, key *rsa.PrivateKey) Option {
	return func(c *Config) { c.Kid, c.Key = kid, key }
}

// WithUsers replaces the default users.
func WithUsers(users ...User) Option { return func(c *Config) { c.Users = users } }

// WithNow sets the clock, say to the one that the site under test has.
func WithNow(now func() time.Time) Option { return func(c *Config) { c.Now = now } }

// WithQuirks gives every answer these quirks.
func WithQuirks(all ...Quirk) Option { return func(c *Config) { c.Quirks = all } }

// WithFaults makes faults come with these probabilities, the same ones for the same
// seed as long as logins come one after the other.
func WithFaults(seed uint64, probabilities map[Fault]float64) Option {
	return func(c *Config) { c.Seed, c.Faults = seed, probabilities }
}

// New starts a fake on a loopback address, http://127.0.0.1:PORT, until the test ends. It
// fails the test if the options cannot work.
func New(t testing.TB, options ...Option) *WLS {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	cfg := Config{BaseURL: "http://" + server.Listener.Addr().String()}
	for _, option := range options {
		option(&cfg)
	}
	w, err := NewWLS(cfg)
	if err != nil {
		_ = server.Listener.Close()
		t.Fatal(err)
	}
	server.Config.Handler = w
	server.Start()
	t.Cleanup(func() {
		w.Close()
		server.Close()
	})
	return w
}

// Site serves the site under test at http://localhost:PORT until the test ends. build
// gets that URL, because a site has to know its own. Browsers take localhost and the
// fake's 127.0.0.1 for different sites, as a real site and a real service are.
func Site(t testing.TB, build func(baseURL string) http.Handler) *httptest.Server {
	t.Helper()
	return site(t, "http", (*httptest.Server).Start, build)
}

// SiteTLS is Site at https://localhost:PORT, for what works on https only, such as
// cookies with the prefix __Host-. WLS.Client and the server's own Client trust its
// certificate.
func SiteTLS(t testing.TB, build func(baseURL string) http.Handler) *httptest.Server {
	t.Helper()
	return site(t, "https", (*httptest.Server).StartTLS, build)
}

func site(t testing.TB, scheme string, start func(*httptest.Server), build func(string) http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	baseURL := scheme + "://localhost:" + port
	server.Config.Handler = build(baseURL)
	if scheme == "https" {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{fakelogin.LocalhostCertificate()}}
	}
	start(server)
	server.URL = baseURL // httptest has set the one with 127.0.0.1
	t.Cleanup(server.Close)
	return server
}
