package site_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// good is a configuration that nothing can be said against.
func good() site.Config {
	return site.Config{
		BaseURL: base, Redirect: site.RedirectCanonical,
		Proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded},
		Headers: site.Headers{CSP: "default-src 'self'; object-src 'none'", HSTS: site.HSTS{MaxAge: 365 * 24 * time.Hour}},
	}
}

func TestCheck(t *testing.T) {
	type edit = func(*site.Config)
	tests := []struct {
		name  string
		edit  edit
		want  string // "severity: field: " of the only finding; empty: none
		about string
	}{
		{"good", func(*site.Config) {}, "", ""},
		{"loopback", func(c *site.Config) {
			*c = site.Config{BaseURL: "http://localhost:8080", Headers: site.Headers{CSP: "default-src 'self'"}}
		}, "", ""},
		{"wrong", func(c *site.Config) { c.BaseURL = "" }, "error: BaseURL is missing", "missing"},
		{"http", func(c *site.Config) {
			*c = site.Config{BaseURL: "http://soc.example", InsecureAllowHTTP: true, Headers: site.Headers{CSP: "default-src 'self'"}}
		}, "warning: InsecureAllowHTTP: ", "on the way"},
		{"no redirect", func(c *site.Config) { c.Redirect = site.RedirectNone }, "warning: Redirect: ", "answered by http"},
		{"redirect without proxies", func(c *site.Config) { c.Proxies = site.Proxies{} }, "note: Redirect: ", "for ever"},
		{"no HSTS", func(c *site.Config) { c.Headers.HSTS = site.HSTS{} }, "note: Headers.HSTS: ", "off"},
		{"short HSTS", func(c *site.Config) { c.Headers.HSTS.MaxAge = time.Hour }, "note: Headers.HSTS: ", "1 hour"},
		{"suffix", func(c *site.Config) { c.Hosts = []string{".soc.example"} }, "note: Hosts: ", ".soc.example"},
		{"top-level domain", func(c *site.Config) { c.Hosts = []string{".example"} }, "warning: Hosts: ", "top-level"},
		{"localhosts", func(c *site.Config) { c.Hosts = []string{".localhost"} }, "note: Hosts: ", ".localhost"},
		{"aliases", func(c *site.Config) { c.Hosts, c.Redirect = []string{"www.soc.example"}, site.RedirectHTTPS }, "note: Hosts: ", "several addresses"},
		{"aliases redirected", func(c *site.Config) { c.Hosts = []string{"www.soc.example"} }, "", ""},
		{"count", func(c *site.Config) { c.Proxies = site.Proxies{Count: 1, Header: site.Forwarded} }, "warning: Proxies.Count: ", "set Ranges"},
		{"forwarded host", func(c *site.Config) { c.Proxies.Host = true }, "note: Proxies.Host: ", "replace or remove"},
		{"any frame", func(c *site.Config) { c.Headers.FrameAncestors = site.Omit }, "warning: Headers.FrameAncestors: ", "any site"},
		{"any frame, by name", func(c *site.Config) { c.Headers.FrameAncestors = "'self' HTTPS:" }, "warning: Headers.FrameAncestors: ", "any site"},
		{"referrer", func(c *site.Config) { c.Headers.ReferrerPolicy = "unsafe-url" }, "warning: Headers.ReferrerPolicy: ", "with its query"},
		{"default of old browsers", func(c *site.Config) { c.Headers.ReferrerPolicy = site.Omit }, "note: Headers.ReferrerPolicy: ", "old browsers"},
		{"opener", func(c *site.Config) { c.Headers.OpenerPolicy = "unsafe-none" }, "note: Headers.OpenerPolicy: ", "window"},
		{"no CSP", func(c *site.Config) { c.Headers.CSP = site.Omit }, "warning: Headers.CSP: ", "none"},
		{"standard CSP", func(c *site.Config) { c.Headers.CSP = "" }, "note: Headers.CSP: ", "script-src 'self' {nonce}"},
		{"unsafe-inline", func(c *site.Config) { c.Headers.CSP = "default-src 'self' 'Unsafe-Inline'" }, "warning: Headers.CSP: ", "'unsafe-inline'"},
		{"unsafe-inline for styles", func(c *site.Config) { c.Headers.CSP = "script-src 'self'; default-src 'unsafe-inline'" }, "", ""},
		{"unsafe-inline for old browsers", func(c *site.Config) { c.Headers.CSP = "script-src 'unsafe-inline' {nonce}" }, "", ""},
		{"unsafe-eval", func(c *site.Config) { c.Headers.CSP = "script-src 'unsafe-eval'" }, "warning: Headers.CSP: ", "text as code"},
		{"scripts from anywhere", func(c *site.Config) { c.Headers.CSP = "script-src https:" }, "warning: Headers.CSP: ", "anywhere"},
		{"scripts from anywhere for old browsers", func(c *site.Config) { c.Headers.CSP = "script-src https: {nonce} 'strict-dynamic'" }, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := good()
			tt.edit(&cfg)
			found := site.Check(cfg)
			if tt.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.True(t, strings.HasPrefix(found[0].String(), tt.want), found[0].String())
			assert.Contains(t, found[0].Text, tt.about)
		})
	}
}

func TestCheckTheWorstFirst(t *testing.T) {
	cfg := good()
	cfg.Headers.OpenerPolicy = "unsafe-none"
	cfg.Headers.CSP = site.Omit
	cfg.Hosts = []string{".soc.example", ".example"}
	var severities []site.Severity
	for _, f := range site.Check(cfg) {
		severities = append(severities, f.Severity)
	}
	assert.Equal(t, []site.Severity{"warning", "warning", "note", "note"}, severities)

	cfg.Proxies.Count, cfg.Redirect = -1, "x"
	cfg.Headers.CSP = ","
	found := site.Check(cfg)
	require.Len(t, found, 3)
	for _, f := range found {
		assert.Equal(t, site.SeverityError, f.Severity)
		assert.Contains(t, []string{"Redirect", "Proxies.Count", "Headers.CSP"}, f.Key)
	}
}
