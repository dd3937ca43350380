package glue_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
)

var (
	htmx  = []string{"HX-Request: true", "Accept: text/html, */*", mode + "cors", dest + "empty", fromSite + "same-origin"}
	frame = []string{mode + "navigate", dest + "iframe", fromSite + "same-origin", wantsHTML, upgrade}
)

// htmx looks at one header before it looks at the status. Nothing that another origin could
// say leads to anywhere but here, and nothing is made for the login service.
func TestHTMXIsSentToLogIn(t *testing.T) {
	with := func(path string) func(c *config) { return func(c *config) { c.LoginPath = path } }
	plain, withLogin := startSite(t, setup{}), startSite(t, setup{config: with("/login")})
	for _, tt := range []struct {
		name    string
		current string // URL of the page, SITE standing for our own origin
		headers []string
		want    string // path, without LoginPath
	}{
		{"from a page", "SITE/private/list?q=a%26b", nil, "/private/list?q=a%26b"},
		{"from a place in a page", "SITE/private/list?q=1#part", nil, "/private/list?q=1"},
		{"from the start", "SITE/", nil, "/"},
		{"from nowhere", "", nil, "/"},
		{"from another origin", "https://evil.example/private/", nil, "/"},
		{"from another origin that begins like ours", "SITE.evil.example/", nil, "/"},
		{"from a user at another host", "SITE@evil.example/", nil, "/"},
		{"from an address that a browser would read as another", "SITE//evil.example/", nil, "/"},
		{"from a backslash", `SITE/\evil.example/`, nil, "/"},
		{"from a path alone", "/private/list", nil, "/"},
		{"from a script", "javascript:alert(1)", nil, "/"},
		{"from a page with a response in its address", "SITE/private/list?a=1&WLS-Response=3!200", nil, "/private/list?a=1"},
		{"a link that htmx follows", "SITE/optional", []string{"HX-Boosted: true"}, "/private/?a=1"},
	} {
		for _, s := range []*testSite{plain, withLogin} {
			want := s.url + tt.want
			if s == withLogin {
				want = s.url + "/login?next=" + url.QueryEscape(tt.want)
			}
			for method, where := range map[string]string{"GET": want, "POST": want} {
				t.Run(tt.name+", "+method, func(t *testing.T) {
					if method == "POST" && len(tt.headers) > 0 {
						t.Skip("a form that htmx sends has no page of its own")
					}
					s.in(t)
					current := tt.current
					if rest, ours := strings.CutPrefix(current, "SITE"); ours {
						current = s.url + rest
					}
					headers := append(append([]string{"HX-Current-URL: " + current}, htmx...), tt.headers...)
					a := s.browser("test0001").sendBare(method, "/private/?a=1", headers...)
					assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
					assert.Equal(t, where, a.Header.Get("HX-Redirect"))
					assert.Empty(t, a.Cookies(), "no login is begun")
					assert.Empty(t, a.Header.Get("Location"))
					assert.NotContains(t, where, s.fake.page())
				})
			}
		}
	}
}

// A session that is not good enough for a part of a page is good enough for LoginPath, which
// would send the person back at once.
func TestPartsOfAPageThatWantMore(t *testing.T) { eachKind(t, testPartsOfAPageThatWantMore) }

func testPartsOfAPageThatWantMore(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind,
		config: func(c *config) { c.LoginPath = "/login" },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.Handle("/fresh", auth.With(func(p *glue.Policy) { p.Fresh = 5 * time.Minute }).Require(echo))
		},
	})
	b := s.loggedIn("test0001")
	s.advance(10 * time.Minute)
	from := []string{"HX-Current-URL: " + s.url + "/fresh?page", "Referer: " + s.url + "/private/"}
	a := b.sendBare("POST", "/fresh", append(from, htmx...)...)
	assert.Equal(t, s.url+"/login?next=%2Ffresh%3Fpage&wls-kept=300y", a.Header.Get("HX-Redirect"))
	a = b.sendBare("GET", "/fresh?frame", append(from, frame...)...)
	assert.Equal(t, []string{s.url + "/fresh?frame"}, a.requirePage(http.StatusUnauthorized, "login-framed").links())
}

// A frame gets a page of its own, for a frame of ours alone.
func TestFrameIsToldWhereToLogIn(t *testing.T) {
	plain, withLogin := startSite(t, setup{}), startSite(t, setup{config: func(c *config) { c.LoginPath = "/login" }})
	for _, tt := range []struct {
		name    string
		from    string // Referer, SITE standing for our own origin
		headers []string
		want    string // where LoginPath goes on to; empty where the address itself is what to open
	}{
		{"a page of ours", "SITE/private/around?a=1", frame, "/private/around?a=1"},
		{"a page that does not say", "", frame, ""},
		{"a page of another origin", "https://evil.example/", frame, ""},
		{"an object", "SITE/around", []string{mode + "navigate", dest + "object", fromSite + "same-origin", "Accept: */*"}, "/around"},
		{"an old frame", "SITE/around", []string{mode + "navigate", dest + "frame", fromSite + "same-origin"}, "/around"},
	} {
		for _, s := range []*testSite{plain, withLogin} {
			t.Run(tt.name, func(t *testing.T) {
				s.in(t)
				from := tt.from
				if rest, ours := strings.CutPrefix(from, "SITE"); ours {
					from = s.url + rest
				}
				a := s.browser("test0001").sendBare("GET", "/private/?in=frame", append([]string{"Referer: " + from}, tt.headers...)...)
				a.requirePage(http.StatusUnauthorized, "login-framed")
				want := s.url + "/private/?in=frame"
				if s == withLogin && tt.want != "" {
					want = s.url + "/login?next=" + url.QueryEscape(tt.want)
				}
				assert.Equal(t, []string{want}, a.links())
				assert.Contains(t, a.Body, `target="_top"`)
				assert.Contains(t, a.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'")
				assert.Equal(t, "SAMEORIGIN", a.Header.Get("X-Frame-Options"))
				assert.Empty(t, a.Cookies())
			})
		}
	}
	t.Run("a frame that is fetched ahead", func(t *testing.T) {
		plain.in(t)
		a := plain.browser("test0001").sendBare("GET", "/private/", append([]string{"Sec-Purpose: prefetch"}, frame...)...)
		assert.Empty(t, a.kind())
	})
}

// A program of Office that looks at a link is led nowhere: it would hand over to the browser
// wherever it was led, with a login in it that is no browser's.
func TestOfficeLooksAtALink(t *testing.T) { eachKind(t, testOfficeLooksAtALink) }

func testOfficeLooksAtALink(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/silent", auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(echo))
	}})
	for _, tt := range []struct {
		name, agent string
		headers     []string
		is          bool
	}{
		{"Word", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)", nil, true},
		{"Word by Internet Explorer's library", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; .NET4.0C; ms-office; MSOffice 16)", nil, true},
		{"what asks whether there is anything", "Microsoft Office Existence Discovery", nil, true},
		{"what asks whether documents can be changed", "Microsoft Office Protocol Discovery", nil, true},
		{"Excel", "Microsoft Office Excel 2014", nil, true},
		{"a newer Word", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Word 16.0.17328; Pro)", nil, true},
		{"Outlook, which opens links in the browser", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; ms-office; Microsoft Outlook 16.0)", nil, false},
		{"a browser", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", nil, false},
		{"a page within Office", "Mozilla/5.0 (Windows NT 10.0) MSOffice 16 Edg/150.0", []string{mode + "navigate", dest + "document", fromSite + "none"}, false},
	} {
		for _, method := range []string{"OPTIONS", "HEAD", "GET"} {
			t.Run(tt.name+", "+method, func(t *testing.T) {
				s.in(t)
				b := s.browser("test0001")
				a := b.sendBare(method, "/private/?a=1", append([]string{"User-Agent: " + tt.agent, "Accept: text/html, application/xhtml+xml, */*"}, tt.headers...)...)
				if !tt.is {
					assert.NotEqual(t, http.StatusOK, a.StatusCode)
					assert.Equal(t, method == "GET", a.StatusCode == http.StatusSeeOther)
					return
				}
				assert.Equal(t, http.StatusOK, a.StatusCode)
				assert.Empty(t, a.location())
				assert.Empty(t, a.Cookies())
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
				if method != "HEAD" {
					assert.Equal(t, []string{s.url + "/private/?a=1"}, a.requirePage(http.StatusOK, "office").links())
				}
			})
		}
	}

	office := "User-Agent: Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
	for _, method := range []string{"POST", "PUT", "PROPFIND"} {
		a := s.browser("test0001").sendBare(method, "/private/", office, wantsHTML)
		assert.Equal(t, http.StatusUnauthorized, a.StatusCode, method)
	}
	b := s.loggedIn("test0001")
	b.sendBare("GET", "/private/", office, wantsHTML).requireEcho("test0001")
	b.dropCookies("session", "tried")
	b.sendBare("GET", "/silent", office, wantsHTML).requireEcho("")
}

// A button of htmx may want more than its page does. The person logs in for the button, and
// is on the page again.
func TestHTMXButtonThatWantsMoreThanItsPage(t *testing.T) {
	eachKind(t, testHTMXButtonThatWantsMoreThanItsPage)
}

func testHTMXButtonThatWantsMoreThanItsPage(t *testing.T, kind kind) {
	for _, loginPath := range []string{"", "/login"} {
		s := startSite(t, setup{kind: kind,
			config: func(c *config) { c.LoginPath = loginPath },
			routes: func(mux *http.ServeMux, auth *glue.Auth) {
				mux.Handle("POST /fresh", auth.With(func(p *glue.Policy) { p.Fresh = 5 * time.Minute }).Require(echo))
			},
		})
		b := s.loggedIn("test0001")
		s.advance(10 * time.Minute)
		press := func() answer {
			return b.sendBare("POST", "/fresh", append([]string{"HX-Current-URL: " + s.url + "/private/list?a=1"}, htmx...)...)
		}
		a := press()
		assert.Equal(t, http.StatusUnauthorized, a.StatusCode)
		at := b.get(a.Header.Get("HX-Redirect"))
		if loginPath != "" {
			at.requireEcho("test0001")
			assert.Equal(t, "/private/list?a=1", at.Request.URL.RequestURI())
		}
		press().requireEcho("test0001")
	}
}
