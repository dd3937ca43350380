package glue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// sendBare sends a request with these headers and no others that tell what it is for.
func (b *browser) sendBare(method, target string, headers ...string) answer {
	b.site.t.Helper()
	follow := b.client.CheckRedirect
	defer func() { b.client.CheckRedirect = follow }()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b.do(method, target, nil, func(r *http.Request) {
		r.Header["Sec-Fetch-Mode"] = nil // no defaults from the client
		for _, h := range headers {
			name, value, ok := strings.Cut(h, ": ")
			require.True(b.site.t, ok, h)
			r.Header.Set(name, value)
		}
	})
}

const (
	wantsHTML = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	mode      = "Sec-Fetch-Mode: "
	dest      = "Sec-Fetch-Dest: "
	fromSite  = "Sec-Fetch-Site: "
	upgrade   = "Upgrade-Insecure-Requests: 1"
)

func TestNavigation(t *testing.T) { eachKind(t, testNavigation) }

func testNavigation(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	for _, tt := range []struct {
		name    string
		method  string
		headers []string
		login   bool
	}{
		{"address typed", "GET", []string{mode + "navigate", dest + "document", fromSite + "none", wantsHTML}, true},
		{"link followed from another site", "GET", []string{mode + "navigate", dest + "document", fromSite + "cross-site", wantsHTML}, true},
		{"navigation that accepts anything", "GET", []string{mode + "navigate", dest + "document", "Accept: */*"}, true},
		{"old browser", "GET", []string{wantsHTML}, true},
		{"old browser, capitals", "GET", []string{"Accept: TEXT/HTML"}, true},
		{"old browser, html last", "GET", []string{"Accept: application/xml, text/html;q=0.5"}, true},

		{"Chromium's service worker passes on a page", "GET", []string{mode + "navigate", dest + "empty", fromSite + "cross-site", upgrade, wantsHTML}, true},
		{"Firefox's does, or one that alters what it passes on", "GET", []string{mode + "same-origin", dest + "empty", fromSite + "same-origin", upgrade, wantsHTML}, true},
		{"navigation preload", "GET", []string{"Service-Worker-Navigation-Preload: true", mode + "navigate", dest + "document", fromSite + "none", upgrade, wantsHTML}, true},
		{"old browser within an application on Android", "GET", []string{"X-Requested-With: com.example.app", wantsHTML}, true},

		{"a worker fetches the address itself", "GET", []string{mode + "cors", dest + "empty", fromSite + "same-origin", "Accept: */*"}, false},
		{"a worker passes on a script's fetch", "GET", []string{mode + "cors", dest + "empty", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"a worker passes on an image", "GET", []string{mode + "no-cors", dest + "empty", fromSite + "same-origin", "Accept: image/avif,*/*"}, false},
		{"Firefox's worker passes on a prefetch, and does not say so", "GET", []string{mode + "no-cors", dest + "empty", fromSite + "same-origin", wantsHTML}, false},
		{"Chromium's worker passes on a prefetch", "GET", []string{"Sec-Purpose: prefetch", mode + "navigate", dest + "empty", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"a worker's frame with preload", "GET", []string{mode + "navigate", dest + "iframe", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"a script's fetch from its own origin", "GET", []string{mode + "same-origin", dest + "empty", fromSite + "same-origin", "Accept: text/html"}, false},
		{"another site's fetch, which may say what it accepts", "GET", []string{mode + "no-cors", dest + "empty", fromSite + "cross-site", wantsHTML}, false},
		{"another site's fetch to a site that allows it more", "GET", []string{mode + "cors", dest + "empty", fromSite + "cross-site", upgrade, wantsHTML}, false},
		{"a worker without the header of navigations", "GET", []string{mode + "navigate", dest + "empty", fromSite + "same-origin", wantsHTML}, false},
		{"a worker that wants JSON", "GET", []string{mode + "navigate", dest + "empty", fromSite + "same-origin", upgrade, "Accept: application/json"}, false},
		{"no dest beside a worker's mode", "GET", []string{mode + "same-origin", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"a document by another mode", "GET", []string{mode + "same-origin", dest + "document", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"XMLHttpRequest of an old browser", "GET", []string{"X-Requested-With: XMLHttpRequest", wantsHTML}, false},
		{"htmx in an old browser", "GET", []string{"HX-Request: true", "Accept: text/html, */*"}, false},
		{"htmx that does all that a worker does", "GET", []string{"HX-Request: true", mode + "same-origin", dest + "empty", fromSite + "same-origin", upgrade, wantsHTML}, false},

		{"fetch", "GET", []string{mode + "cors", dest + "empty", fromSite + "same-origin", "Accept: */*"}, false},
		{"fetch that asks for html", "GET", []string{mode + "cors", dest + "empty", fromSite + "same-origin", wantsHTML}, false},
		{"image", "GET", []string{mode + "no-cors", dest + "image", fromSite + "same-origin", wantsHTML}, false},
		{"frame", "GET", []string{mode + "navigate", dest + "iframe", fromSite + "cross-site", wantsHTML}, false},
		{"object", "GET", []string{mode + "navigate", dest + "object", fromSite + "same-origin", wantsHTML}, false},
		{"mode alone", "GET", []string{mode + "navigate", wantsHTML}, false},
		{"dest alone", "GET", []string{dest + "document", wantsHTML}, false},
		{"site alone", "GET", []string{fromSite + "none", wantsHTML}, false},
		{"capitals are another mode", "GET", []string{mode + "Navigate", dest + "document", wantsHTML}, false},
		{"websocket", "GET", []string{mode + "websocket", dest + "websocket", fromSite + "same-origin"}, false},
		{"prefetch", "GET", []string{"Sec-Purpose: prefetch", mode + "navigate", dest + "document", fromSite + "none", wantsHTML}, false},
		{"prerender", "GET", []string{"Sec-Purpose: prefetch;prerender", mode + "navigate", dest + "document", wantsHTML}, false},
		{"prefetch of an old browser", "GET", []string{"Purpose: prefetch", wantsHTML}, false},
		{"curl", "GET", []string{"Accept: */*"}, false},
		{"nothing said", "GET", nil, false},
		{"json", "GET", []string{"Accept: application/json"}, false},
		{"no type at all", "GET", []string{"Accept: , ;, text/htmlx, x-text/html"}, false},

		{"HEAD of a navigation", "HEAD", []string{mode + "navigate", dest + "document", wantsHTML}, false},
		{"HEAD of an old browser", "HEAD", []string{wantsHTML}, false},
		{"HEAD that a worker passes on", "HEAD", []string{mode + "navigate", dest + "empty", fromSite + "same-origin", upgrade, wantsHTML}, false},
		{"form", "POST", []string{mode + "navigate", dest + "document", fromSite + "same-origin", wantsHTML}, false},
		{"put", "PUT", []string{mode + "cors", dest + "empty"}, false},
		{"delete", "DELETE", []string{wantsHTML}, false},
		{"options", "OPTIONS", []string{mode + "cors", dest + "empty"}, false},
		{"a method nobody knows", "NAVIGATE", []string{mode + "navigate", dest + "document", wantsHTML}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.browser("test0001")
			a := b.sendBare(tt.method, "/private/", tt.headers...)
			if tt.login {
				assert.Equal(t, http.StatusSeeOther, a.StatusCode)
				assert.NotNil(t, b.cookie("login"))
				return
			}
			assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
			assert.Equal(t, s.fake.service().Info().Challenge, a.Header.Get("WWW-Authenticate"))
			assert.Empty(t, a.Header.Get("Location"))
			assert.Empty(t, a.Cookies())
		})
	}
}

func TestUnauthorisedSaysWhy(t *testing.T) { eachKind(t, testUnauthorisedSaysWhy) }

func testUnauthorisedSaysWhy(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	a := b.sendBare("GET", "/private/", "Accept: application/json")
	assert.Equal(t, "application/json", a.Header.Get("Content-Type"))
	assert.JSONEq(t, `{"error":"login_required","reason":"session"}`, a.Body)
	a = b.sendBare("GET", "/private/")
	assert.Equal(t, "text/plain; charset=utf-8", a.Header.Get("Content-Type"))
	assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "Log in first: open this site in a browser.\n", a.Body)
	assert.Empty(t, b.sendBare("HEAD", "/private/").Body)

	b = s.loggedIn("test0001")
	s.advance(3 * 3600e9)
	assert.JSONEq(t, `{"error":"login_required","reason":"expired"}`, b.fetch("/private/").Body)
}

func TestEveryMethodPassesWithASession(t *testing.T) { eachKind(t, testEveryMethodPassesWithASession) }

func testEveryMethodPassesWithASession(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		a := b.sendBare(method, "/private/")
		assert.Equal(t, http.StatusOK, a.StatusCode, method)
	}
}

// A response that comes with something else than a navigation logs nobody in, but is
// used up: whoever reads it in a log finds it worthless.
func TestResponseThatIsNotNavigatedTo(t *testing.T) { eachKind(t, testResponseThatIsNotNavigatedTo) }

func testResponseThatIsNotNavigatedTo(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	for _, tt := range []struct{ name, method, header string }{
		{"fetch", "GET", mode + "cors"},
		{"head", "HEAD", wantsHTML},
		{"post", "POST", wantsHTML},
		{"prefetch", "GET", "Sec-Purpose: prefetch"},
		{"a worker's request without what navigations send", "GET", dest + "empty"},
		{"htmx", "GET", "HX-Request: true"},
		{"Office", "GET", "User-Agent: Mozilla/4.0 (compatible; ms-office; MSOffice 16)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.browser("test0001")
			back := s.respond(b.begin("/private/"), "test0001", webauthtest.SignedOn)
			a := b.sendBare(tt.method, back, tt.header)
			assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
			assert.Empty(t, a.Cookies())
			assert.EqualValues(t, "not-navigation", s.lastEvent("refused").Reason)
			b.get(back).requirePage(http.StatusForbidden, "refused")
			assert.EqualValues(t, "replay", s.lastEvent("refused").Reason)
			assert.Nil(t, b.cookie("session"))
		})
	}
}
