package glue_test

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// recorder watches what passes between a browser and the site: it collects what must
// never be logged, and holds every answer against the rules that none may break.
type recorder struct {
	next http.RoundTripper
	site *testSite
}

func (rec *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := rec.next.RoundTrip(r)
	if err != nil || !strings.HasPrefix(r.URL.String(), rec.site.url+"/") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	rec.collect(r, resp, string(body))
	rec.judge(r, resp, string(body))
	return resp, nil
}

// confirms reports whether a request comes from the button of the page that asks whether a
// login is the person's.
func confirms(r *http.Request) bool { return r.URL.Query().Has("wls-confirm") }

// collect notes everything secret that the answer holds.
func (rec *recorder) collect(r *http.Request, resp *http.Response, body string) {
	s := rec.site
	for _, c := range resp.Cookies() {
		s.hide(c.Value)
	}
	for _, m := range pageHidden.FindAllStringSubmatch(body, -1) {
		s.hide(unescape(m[2]))
	}
	if u, err := resp.Location(); err == nil {
		s.hide(s.fake.secrets(u)...)
	}
	if confirms(r) {
		s.hide(r.URL.Query().Get("wls-confirm"))
	}
	s.hide(s.fake.secrets(r.URL)...)
}

// judge checks what holds for every answer of every site.
func (rec *recorder) judge(r *http.Request, resp *http.Response, body string) {
	t, h, where := rec.site.t, resp.Header, r.Method+" "+r.URL.Path
	location := h.Get("Location")
	answers := slices.ContainsFunc(kinds, func(k kind) bool { return k.answers(r.URL) }) // also while a site moves
	ofTheFlow := answers || confirms(r) || pageKind.MatchString(body) ||
		strings.HasPrefix(location, rec.site.fake.page()) || h.Get("WWW-Authenticate") != ""
	if ofTheFlow {
		assert.Equal(t, "no-store", h.Get("Cache-Control"), where)
		referrer := "no-referrer"
		if strings.Contains(body, "<form") { // else old browsers would not say that it is ours
			referrer = "same-origin"
		}
		assert.Equal(t, referrer, h.Get("Referrer-Policy"), where)
		assert.Contains(t, h.Values("Vary"), "Cookie", where)
		assert.NotContains(t, body, webauth.ResponseParam, where)
	}
	if u, err := url.Parse(location); assert.NoError(t, err, where) {
		assert.False(t, !strings.HasPrefix(location, rec.site.fake.page()) && rec.site.fake.answers(u), "%s sends a response on", where)
		assert.False(t, u.Query().Has("wls-confirm"), "%s sends a confirmed login on", where)
	}
	known := strings.Contains(body, `"Known":true`)
	if known {
		assert.Equal(t, "private, no-cache", h.Get("Cache-Control"), where)
	}
	if known || r.URL.Path == "/optional" {
		assert.Contains(t, h.Values("Vary"), "Cookie", where)
	}
	seen := map[string]bool{}
	for _, c := range resp.Cookies() {
		assert.False(t, seen[c.Name], "%s sets %s twice", where, c.Name)
		seen[c.Name] = true
		assert.True(t, c.HttpOnly, "%s: %s", where, c.Name)
		assert.Equal(t, http.SameSiteLaxMode, c.SameSite, "%s: %s", where, c.Name)
		assert.Equal(t, rec.site.tls, c.Secure, "%s: %s", where, c.Name)
		assert.Equal(t, rec.site.tls, strings.HasPrefix(c.Name, "__"), "%s: %s", where, c.Name)
		if strings.Contains(c.Name, "wls-session") && c.MaxAge >= 0 {
			assert.True(t, answers || confirms(r), "%s sets a session although nobody logged in", where)
		}
	}
}

// minSecret is how long a text must be to count as secret: shorter ones, such as the
// mark "1" of silent sign-in, are in every log line.
const minSecret = 16

// hide notes texts that must not turn up in a log.
func (s *testSite) hide(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if len(text) >= minSecret {
			s.secret = append(s.secret, text)
		}
	}
}

// assertNothingLeaked looks for every secret of a test in all that the site logged and
// told OnEvent.
func (s *testSite) assertNothingLeaked() {
	logged := s.log.String()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Err != nil {
			logged += "\n" + e.Err.Error()
		}
	}
	for _, secret := range s.secret {
		escaped, _ := json.Marshal(secret)
		for _, form := range []string{secret, url.QueryEscape(secret), strings.Trim(string(escaped), `"`)} {
			if strings.Contains(logged, form) {
				assert.Fail(s.t, "a secret was logged", "%q", form)
				return
			}
		}
	}
}

// logLines gives what was logged, one object a line.
func (s *testSite) logLines() []map[string]any {
	var lines []map[string]any
	for line := range strings.Lines(s.log.String()) {
		var m map[string]any
		if assert.NoError(s.t, json.Unmarshal([]byte(line), &m)) {
			lines = append(lines, m)
		}
	}
	return lines
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func unescape(s string) string { return html.UnescapeString(s) }
