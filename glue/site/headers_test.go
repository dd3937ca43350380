package site_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Names of all headers that Headers can send.
const (
	csp         = "Content-Security-Policy"
	frame       = "X-Frame-Options"
	hsts        = "Strict-Transport-Security"
	nosniff     = "X-Content-Type-Options"
	referrer    = "Referrer-Policy"
	permissions = "Permissions-Policy"
	opener      = "Cross-Origin-Opener-Policy"
)

var standard = map[string]string{
	csp:         "base-uri 'self'; object-src 'none'; frame-ancestors 'self'",
	frame:       "SAMEORIGIN",
	nosniff:     "nosniff",
	referrer:    "same-origin",
	permissions: "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	opener:      "same-origin",
}

func TestHeaders(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name    string
		headers site.Headers
		http    bool
		changed map[string]string // from the standard; empty: not sent
	}{
		{"standard", site.Headers{}, false, nil},
		{"standard by http", site.Headers{}, true, nil},
		{"CSP", site.Headers{CSP: "default-src 'self'"}, false, map[string]string{csp: "default-src 'self'; frame-ancestors 'self'"}},
		{"CSP with a semicolon at its end", site.Headers{CSP: "default-src 'self';"}, false, map[string]string{csp: "default-src 'self'; frame-ancestors 'self'"}},
		{"no CSP", site.Headers{CSP: site.Omit}, false, map[string]string{csp: "frame-ancestors 'self'"}},
		{"no frames", site.Headers{FrameAncestors: "'none'"}, false, map[string]string{csp: "base-uri 'self'; object-src 'none'; frame-ancestors 'none'", frame: "DENY"}},
		{"frames of others", site.Headers{FrameAncestors: "'self' https://www.soc.example"}, false, map[string]string{csp: "base-uri 'self'; object-src 'none'; frame-ancestors 'self' https://www.soc.example", frame: ""}},
		{"all frames", site.Headers{FrameAncestors: site.Omit}, false, map[string]string{csp: "base-uri 'self'; object-src 'none'", frame: ""}},
		{"neither", site.Headers{CSP: site.Omit, FrameAncestors: site.Omit}, false, map[string]string{csp: "", frame: ""}},
		{"others", site.Headers{ReferrerPolicy: "no-referrer, strict-origin", PermissionsPolicy: `geolocation=(self "https://maps.example"), camera=*`, OpenerPolicy: "same-origin-allow-popups"}, false,
			map[string]string{referrer: "no-referrer, strict-origin", permissions: `geolocation=(self "https://maps.example"), camera=*`, opener: "same-origin-allow-popups"}},
		{"no others", site.Headers{ReferrerPolicy: site.Omit, PermissionsPolicy: site.Omit, OpenerPolicy: site.Omit}, false, map[string]string{referrer: "", permissions: "", opener: ""}},
		{"HSTS", site.Headers{HSTS: site.HSTS{MaxAge: time.Hour}}, false, map[string]string{hsts: "max-age=3600"}},
		{"HSTS by http", site.Headers{HSTS: site.HSTS{MaxAge: time.Hour}}, true, nil},
		{"HSTS with sub-domains", site.Headers{HSTS: site.HSTS{MaxAge: time.Hour, IncludeSubDomains: true}}, false, map[string]string{hsts: "max-age=3600; includeSubDomains"}},
		{"HSTS, preloaded", site.Headers{HSTS: site.HSTS{MaxAge: 365 * day, IncludeSubDomains: true, Preload: true}}, false, map[string]string{hsts: "max-age=31536000; includeSubDomains; preload"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := get("192.0.2.9:1")
			if !tt.http {
				r.TLS = &tls.ConnectionState{}
			}
			_, res := send(t, site.Config{BaseURL: base, Headers: tt.headers}, r)
			assertHeaders(t, res.Header, tt.changed)
		})
	}
}

// assertHeaders checks that there are the standard headers, but for what is changed,
// and no others.
func assertHeaders(t *testing.T, got http.Header, changed map[string]string) {
	t.Helper()
	want := http.Header{}
	for name, value := range standard {
		want.Set(name, value)
	}
	for name, value := range changed {
		want.Set(name, value)
		if value == "" {
			want.Del(name)
		}
	}
	assert.Equal(t, want, got)
}

func TestHeadersMistakes(t *testing.T) {
	tests := []struct {
		name    string
		baseURL string
		headers site.Headers
		want    string
	}{
		{"HSTS without an age", base, site.Headers{HSTS: site.HSTS{IncludeSubDomains: true}}, "HSTS: MaxAge"},
		{"HSTS with a negative age", base, site.Headers{HSTS: site.HSTS{MaxAge: -time.Hour}}, "HSTS: MaxAge"},
		{"HSTS with half a second", base, site.Headers{HSTS: site.HSTS{MaxAge: 1500 * time.Millisecond}}, "whole number of seconds"},
		{"HSTS by http", "http://localhost:8080", site.Headers{HSTS: site.HSTS{MaxAge: time.Hour}}, "https sites only"},
		{"HSTS on loopback", "https://localhost:8443", site.Headers{HSTS: site.HSTS{MaxAge: time.Hour}}, "leave it out on loopback"},
		{"HSTS, preloaded for a month", base, site.Headers{HSTS: site.HSTS{MaxAge: 720 * time.Hour, IncludeSubDomains: true, Preload: true}}, "at least a year"},
		{"HSTS, preloaded alone", base, site.Headers{HSTS: site.HSTS{MaxAge: 8760 * time.Hour, Preload: true}}, "IncludeSubDomains"},
		{"CSP with a line break", base, site.Headers{CSP: "default-src\r\n'self'"}, "CSP: byte 0x0d at position 11"},
		{"CSP in other scripts", base, site.Headers{CSP: "default-src é"}, "printable ASCII"},
		{"CSP with blanks", base, site.Headers{CSP: " default-src 'self'"}, "begins or ends with a blank"},
		{"CSP with a comma", base, site.Headers{CSP: "default-src 'self', img-src *"}, "separate directives by semicolons"},
		{"CSP of nothing", base, site.Headers{CSP: ";;"}, "site.Omit"},
		{"CSP with frame-ancestors", base, site.Headers{CSP: "Frame-Ancestors 'none'"}, "set FrameAncestors"},
		{"CSP with a directive twice", base, site.Headers{CSP: "img-src 'self'; IMG-SRC *"}, "comes twice"},
		{"CSP with an odd directive", base, site.Headers{CSP: "default-src: 'self'"}, `"default-src:" is not the name`},
		{"CSP with a quoted placeholder", base, site.Headers{CSP: "script-src '{nonce}'"}, "without quotes"},
		{"CSP with half a nonce", base, site.Headers{CSP: "script-src 'nonce-{nonce}'"}, "without quotes"},
		{"CSP with a fixed nonce", base, site.Headers{CSP: "script-src 'nonce-abc'"}, "always the same"},
		{"CSP without quotes", base, site.Headers{CSP: "script-src self"}, "write 'self' with quotes"},
		{"CSP, unsafe without quotes", base, site.Headers{CSP: "script-src unsafe-inline"}, "write 'unsafe-inline' with quotes"},
		{"frames with a semicolon", base, site.Headers{FrameAncestors: "'self'; img-src *"}, "FrameAncestors: write sources with blanks"},
		{"frames with a comma", base, site.Headers{FrameAncestors: "'self', https://a.example"}, "blanks between"},
		{"frames without quotes", base, site.Headers{FrameAncestors: "none"}, "write 'none' with quotes"},
		{"frames with a nonce", base, site.Headers{FrameAncestors: "{nonce}"}, "name its origin"},
		{"referrer", base, site.Headers{ReferrerPolicy: "never"}, `ReferrerPolicy: "never" is none of`},
		{"no referrer", base, site.Headers{ReferrerPolicy: "no-referrer,"}, `"" is none of`},
		{"permissions as of old", base, site.Headers{PermissionsPolicy: "camera 'none'; microphone 'none'"}, "PermissionsPolicy"},
		{"permissions with semicolons", base, site.Headers{PermissionsPolicy: "camera=(); microphone=()"}, "separated by commas"},
		{"permissions with a blank", base, site.Headers{PermissionsPolicy: "camera =()"}, "separated by commas"},
		{"permissions with quotes", base, site.Headers{PermissionsPolicy: "camera='none'"}, "separated by commas"},
		{"permissions without a list", base, site.Headers{PermissionsPolicy: "camera="}, "separated by commas"},
		{"opener", base, site.Headers{OpenerPolicy: "none"}, "OpenerPolicy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := site.New(site.Config{BaseURL: tt.baseURL, Headers: tt.headers})
			require.ErrorContains(t, err, "site: Config.Headers.")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestNonce(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: base, Headers: site.Headers{CSP: "script-src 'self' {nonce}; style-src {nonce}"}})
	seen := map[string]bool{}
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := site.Nonce(r.Context())
		assert.Regexp(t, regexp.MustCompile(`^[A-Z2-7]{26}$`), nonce)
		assert.Equal(t, nonce, site.Nonce(r.Context()))
		assert.Equal(t, "script-src 'self' 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'; frame-ancestors 'self'", w.Header().Get(csp))
		assert.False(t, seen[nonce], "a nonce came twice")
		seen[nonce] = true
	}))
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), get("192.0.2.9:1"))
	}
	assert.Len(t, seen, 3)
	assert.Empty(t, site.Nonce(context.Background()))
}

func TestHandlerReplacesHeaders(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: base})
	h := s.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(csp, "default-src 'none'")
		w.Header().Add(referrer, "no-referrer")
		w.Header().Del(opener)
	}))
	for range 2 { // the first must not have changed what the second gets
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get("192.0.2.9:1"))
		assert.Equal(t, []string{"default-src 'none'"}, w.Header()[csp])
		assert.Equal(t, []string{"same-origin", "no-referrer"}, w.Header()[referrer])
		assert.Equal(t, []string{standard[permissions]}, w.Header()[permissions], "the one set after it")
		assert.Empty(t, w.Header()[opener])
		assert.Equal(t, []string{"SAMEORIGIN"}, w.Header()[frame])
	}
}

func TestWith(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: base, Headers: site.Headers{ReferrerPolicy: "no-referrer", HSTS: site.HSTS{MaxAge: time.Hour}}})
	widget := s.With(func(h *site.Headers) {
		assert.Equal(t, "no-referrer", h.ReferrerPolicy)
		h.CSP += "; script-src {nonce}" // after the standard one
		h.FrameAncestors = "https://www.soc.example"
		h.OpenerPolicy = site.Omit
		h.PermissionsPolicy = ""
	})
	require.NoError(t, widget.Err())
	var nonce string
	mux := http.NewServeMux()
	mux.Handle("/widget", widget.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { nonce = site.Nonce(r.Context()) })))
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	ask := func(path string) http.Header {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host, r.TLS = "soc.example", &tls.ConnectionState{}
		w := httptest.NewRecorder()
		s.Handler(mux).ServeHTTP(w, r)
		return w.Header()
	}
	got := ask("/widget")
	require.NotEmpty(t, nonce)
	assertHeaders(t, got, map[string]string{
		csp:   "base-uri 'self'; object-src 'none'; script-src 'nonce-" + nonce + "'; frame-ancestors https://www.soc.example",
		frame: "", opener: "", referrer: "no-referrer", hsts: "max-age=3600",
	})
	assertHeaders(t, ask("/"), map[string]string{referrer: "no-referrer", hsts: "max-age=3600"})
	assert.Empty(t, log.String())
}

func TestWithMistakes(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: base})
	var seen recorder

	rt := s.With(func(h *site.Headers) { h.CSP += ", img-src *" })
	require.ErrorContains(t, rt.Err(), "site: With: Headers.CSP: a comma")
	assert.Contains(t, log.String(), "a comma")
	w := httptest.NewRecorder()
	s.Handler(rt.Handler(&seen)).ServeHTTP(w, get("192.0.2.9:1"))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.False(t, strings.Contains(w.Body.String(), "comma"), "details are for the log")
	assert.Equal(t, standard[csp], w.Header().Get(csp))

	rt = s.With(func(*site.Headers) {})
	require.NoError(t, rt.Err())
	log.Reset()
	w = httptest.NewRecorder()
	rt.Handler(&seen).ServeHTTP(w, get("192.0.2.9:1"))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Contains(t, log.String(), "not inside of Site.Handler")
	assert.Nil(t, seen.r)
}
