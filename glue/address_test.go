package glue_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// Ordinary addresses, as browsers and programs write them, are signed, and lead back to
// where they say. How a real browser reads them is TestChromiumAsksForWhatIsSigned.
func TestOrdinaryAddressesAreSigned(t *testing.T) {
	s := startSite(t, setup{})
	auth, err := newAuth(s.config("https://soc.example"))
	require.NoError(t, err)
	for _, tt := range []struct{ name, target, back string }{
		{"words", "/private/minutes/2026-11-30.html?page=2&sort=-date", ""},
		{"blanks", "/private/a%20b+c?q=a+b%20c", ""},
		{"what subdelimiters are for", "/private/x;v=1,2/!$&'()*=@:?q=a;b,c:d@e/f?g", ""},
		{"a home page", "/~alice/", ""},
		{"a wiki page", "/private/wiki/Talk:Main_Page/Archive.1?oldid=3", ""},
		{"a file that begins with a dot", "/private/.well-known/x/..a/...", ""},
		{"lists, as PHP has them", "/private?a[]=1&a[]=2", ""},
		{"braces and bars", "/private/{id}?f={a|b}", "/private/%7Bid%7D?f={a|b}"},
		{"quotes", `/private/"a"?q="a"&r='b'`, "/private/%22a%22?q=%22a%22&r=%27b%27"},
		{"UTF-8", "/private/café?q=日本", "/private/caf%C3%A9?q=%E6%97%A5%E6%9C%AC"},
		{"UTF-8, encoded", "/private/caf%c3%a9?q=%E6%97%A5", ""},
		{"another encoding", "/private/caf\xe9?q=\xe9", "/private/caf%E9?q=%E9"},
		{"a path on Windows in the query", `/private?f=C:\x\..\y`, "/private?f=C:%5Cx%5C..%5Cy"},
		{"a URL in the query", "/private?next=https://soc.example/../x%2F..", ""},
		{"slashes in a row", "/private//x///", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RequestURI, r.Host = tt.target, "soc.example"
			r.Header.Set("Accept", "text/html")
			w := httptest.NewRecorder()
			auth.Require(echo).ServeHTTP(w, r)
			require.Equal(t, http.StatusSeeOther, w.Code)
			want := tt.back
			if want == "" {
				want = tt.target
			}
			assert.Equal(t, "https://soc.example"+want, fields(t, w.Header().Get("Location")).Get("url"))
		})
	}
}

// What would lead a browser elsewhere is refused, whoever asks, before anything is signed,
// kept or set; other requests go on as ever.
func TestAddressesThatBrowsersChange(t *testing.T) {
	s := startSite(t, setup{})
	auth, err := newAuth(s.config("https://soc.example"))
	require.NoError(t, err)
	silent := auth.With(func(p *glue.Policy) { p.Silent = true })
	for _, target := range []string{"/private/%2e%2e/public", "/private/../public", "/private/.", `/private\x`, "/private#x", "/private\tx", "/private?a#b", "*"} {
		t.Run(target, func(t *testing.T) {
			s.in(t)
			ask := func(h http.Handler, edit func(r *http.Request)) *http.Response {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.RequestURI, r.Host = target, "soc.example"
				if target == "*" {
					r.URL = &url.URL{Path: "*"}
				}
				r.Header.Set("Accept", "text/html")
				edit(r)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w.Result()
			}
			nothing := func(t *testing.T, resp *http.Response) {
				t.Helper()
				assert.Empty(t, resp.Header.Get("Location"))
				assert.Empty(t, resp.Cookies())
			}
			page := ask(auth.Require(echo), func(*http.Request) {})
			nothing(t, page)
			a := readAnswer(t, page)
			a.requirePage(http.StatusBadRequest, "address")
			assert.Equal(t, []string{"https://soc.example/"}, a.links(), "no link to where nobody can go")
			assert.NotEmpty(t, s.lastEvent(glue.EventRefused).Err)

			back := ask(auth.Require(echo), func(r *http.Request) { r.RequestURI += "?WLS-Response=x" })
			nothing(t, back)
			assert.Equal(t, []string{"https://soc.example/"}, readAnswer(t, back).links(), "nor from any other page")

			form := ask(auth.Require(echo), func(r *http.Request) {
				r.Method = http.MethodPost
				r.Header.Set("Content-Type", urlType)
				r.Header.Set("Origin", "https://soc.example")
			})
			nothing(t, form)
			readAnswer(t, form).requirePage(http.StatusBadRequest, "address")

			script := ask(auth.Require(echo), func(r *http.Request) { r.Header.Set("Accept", "application/json") })
			nothing(t, script)
			assert.Equal(t, http.StatusUnauthorized, script.StatusCode)

			secret := &http.Cookie{Name: "__Host-wls-login", Value: strings.Repeat("A", 22)}
			optional := ask(silent.Optional(echo), func(r *http.Request) { r.AddCookie(secret) })
			nothing(t, optional)
			assert.Equal(t, http.StatusOK, optional.StatusCode, "a page for everybody stays one")
		})
	}
}

func readAnswer(t *testing.T, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	resp.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	return answer{resp, t, string(text)}
}

// Requests outside BaseURL's path are never sent to the login service: their browsers would
// come back to what is somebody else's, or nobody's.
func TestOutsideBaseURL(t *testing.T) {
	const secret = "AAAAAAAAAAAAAAAAAAAAAA"
	for _, tt := range []struct {
		base, path string
		inside     bool
	}{
		{"https://soc.example/wiki", "/wiki", true},
		{"https://soc.example/wiki", "/wiki/", true},
		{"https://soc.example/wiki/", "/wiki/private?n=1", true},
		{"https://soc.example/wiki", "/wiki?n=1", true},
		{"https://soc.example/wiki", "/%77iki/private", true},
		{"https://soc.example/wiki", "/wiki//private", true},
		{"https://soc.example/~soc", "/%7Esoc/private", true},
		{"https://soc.example/%7Esoc", "/~soc/private", true},
		{"https://soc.example/my%20app", "/my app/private", true},
		{"https://soc.example/a/b", "/a/b/c", true},
		{"https://soc.example", "/anything", true},
		{"https://soc.example/", "//anything", true},

		{"https://soc.example/wiki", "/", false},
		{"https://soc.example/wiki", "/private", false},
		{"https://soc.example/wiki", "/wikix", false},
		{"https://soc.example/wiki", "/wik", false},
		{"https://soc.example/wiki", "/Wiki/private", false},
		{"https://soc.example/wiki", "//wiki/private", false},
		{"https://soc.example/wiki", "/x/wiki", false},
		{"https://soc.example/wiki", "/wiki%2fprivate", false},
		{"https://soc.example/wiki", "/wiki;x/private", false},
		{"https://soc.example/wiki", "/?/wiki/", false},
		{"https://soc.example/wiki", "/%zz/private", false},
		{"https://soc.example/a/b", "/a/", false},
		{"https://soc.example/a/b", "/a%2Fb/c", false},
		{"https://soc.example/a/b", "/a//b/c", false},
	} {
		t.Run(tt.base+" "+tt.path, func(t *testing.T) {
			s := startSite(t, setup{})
			cfg := s.config(tt.base)
			cfg.LogoutPath = ""
			auth, err := newAuth(cfg)
			require.NoError(t, err)
			ask := func(h http.Handler, edit func(r *http.Request)) answer {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.RequestURI, r.Host = tt.path, "soc.example"
				r.Header.Set("Accept", "text/html")
				edit(r)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return readAnswer(t, w.Result())
			}
			withSecret := func(r *http.Request) {
				suffix := ""
				if !strings.HasSuffix(tt.base, "soc.example") && !strings.HasSuffix(tt.base, "soc.example/") {
					suffix = cookieSuffixOf(t, auth)
				}
				r.AddCookie(&http.Cookie{Name: "__Host-wls-login" + suffix, Value: secret})
			}
			silent := auth.With(func(p *glue.Policy) { p.Silent = true }).Optional(echo)
			script := func(r *http.Request) { r.Header.Set("Accept", "application/json") }

			page := ask(auth.Require(echo), func(*http.Request) {})
			if tt.inside {
				assert.Equal(t, http.StatusSeeOther, page.StatusCode)
				assert.Equal(t, http.StatusSeeOther, ask(silent, withSecret).StatusCode)
				assert.Equal(t, http.StatusUnauthorized, ask(auth.Require(echo), script).StatusCode)
				return
			}
			page.requirePage(http.StatusInternalServerError, "misconfigured")
			assert.Empty(t, page.Header.Get("Location"))
			assert.Empty(t, page.Cookies())
			e := s.lastEvent(glue.EventRefused)
			assert.EqualValues(t, "base-url", e.Reason)
			assert.ErrorContains(t, e.Err, "PrefixStripped")
			line := s.logLines()[0]
			assert.Equal(t, "WARN", line["level"])
			assert.Contains(t, line["error"], "PrefixStripped", "the log names the cure")

			form := ask(auth.Require(echo), func(r *http.Request) { r.Method = http.MethodPost })
			form.requirePage(http.StatusInternalServerError, "misconfigured")
			short := ask(auth.Require(echo), script)
			assert.Equal(t, http.StatusInternalServerError, short.StatusCode)
			assert.JSONEq(t, `{"error": "misconfigured", "reason": "base-url"}`, short.Body)

			before := len(s.eventNames())
			open := ask(silent, withSecret)
			open.requireEcho("")
			assert.Empty(t, open.Cookies(), "no try at a silent login")
			assert.Len(t, s.eventNames(), before+1, "but a word to the operators")
		})
	}
}

func cookieSuffixOf(t *testing.T, auth *glue.Auth) string {
	t.Helper()
	for _, suffix := range []string{".wiki", ".~7esoc", ".~257Esoc", ".my~2520app", ".a.b"} {
		if auth.Site().OwnCookie("__Host-wls-login" + suffix) {
			return suffix
		}
	}
	require.Fail(t, "no such cookie")
	return ""
}

// With PrefixStripped all requests are below BaseURL: that is what it says.
func TestPrefixStrippedIsNeverOutside(t *testing.T) {
	s := startSite(t, setup{})
	cfg := s.config("https://soc.example/wiki")
	cfg.PrefixStripped, cfg.LogoutPath = true, "/wiki/logout"
	auth, err := newAuth(cfg)
	require.NoError(t, err)
	for path, back := range map[string]string{"/": "/wiki/", "/private?n=1": "/wiki/private?n=1", "//x": "/wiki//x", "/wiki/x": "/wiki/wiki/x"} {
		resp := roundTrip(auth.Require(echo), "soc.example", path)
		require.Equal(t, http.StatusSeeOther, resp.StatusCode, path)
		assert.Equal(t, "https://soc.example"+back, fields(t, resp.Header.Get("Location")).Get("url"))
	}
	resp := roundTrip(auth.Require(echo), "soc.example", "/%2e%2e/x")
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "it would lead out")
}

func TestPathsOfTheConfigurationAreBelowBaseURL(t *testing.T) {
	s := startSite(t, setup{})
	for _, tt := range []struct {
		name, base string
		stripped   bool
		path, want string
	}{
		{"below", "https://soc.example/wiki", false, "/wiki/out", ""},
		{"below, with a query", "https://soc.example/wiki", false, "/wiki/out?a=/../b", ""},
		{"the site itself", "https://soc.example/wiki", false, "/wiki", ""},
		{"below, where the front server removes it", "https://soc.example/wiki", true, "/wiki/out", ""},
		{"anywhere, without a path", "https://soc.example", false, "/out", ""},
		{"beside", "https://soc.example/wiki", false, "/out", `"/out" is not below "/wiki", the path of BaseURL: write it as browsers see it, such as "/wiki/out"`},
		{"beside, where the front server removes it", "https://soc.example/wiki", true, "/out", `such as "/wiki/out"`},
		{"a longer name", "https://soc.example/wiki", false, "/wikiout", "is not below"},
		{"out again", "https://soc.example/wiki", false, "/wiki/%2e%2e/out", "dot segment"},
		{"dots without a path", "https://soc.example", false, "/a/../out", "dot segment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for field, edit := range map[string]func(c *config){
				"LogoutPath":  func(c *config) { c.LogoutPath = tt.path },
				"AfterLogout": func(c *config) { c.AfterLogout = tt.path },
			} {
				cfg := s.config(tt.base)
				cfg.LogoutPath, cfg.PrefixStripped = "", tt.stripped
				edit(&cfg)
				_, err := newAuth(cfg)
				found := fmt.Sprint(check(cfg))
				if tt.want == "" {
					require.NoError(t, err)
					assert.NotContains(t, found, field)
					continue
				}
				require.ErrorContains(t, err, "Config."+field)
				assert.ErrorContains(t, err, tt.want)
				assert.Contains(t, found, "error: "+field)
			}
		})
	}
}

func TestBaseURLThatBrowsersChange(t *testing.T) {
	s := startSite(t, setup{})
	for base, want := range map[string]string{
		"https://soc.example/a/../b":   "dot segment",
		"https://soc.example/a/%2e/b":  "dot segment",
		"https://soc.example/a//b":     "empty segment",
		"https://soc.example//a":       "empty segment",
		"https://soc.example/a%2e%2e/": "",
	} {
		cfg := s.config(base)
		cfg.LogoutPath = ""
		_, err := newAuth(cfg)
		if want == "" {
			assert.NoError(t, err, base)
		} else {
			assert.ErrorContains(t, err, want, base)
		}
	}
}

// Sites that share a host share its cookies, so no two of them may use the same names.
func TestCookieNamesAreOfOneSite(t *testing.T) {
	token := regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") // RFC 6265 section 4.1.1
	s := startSite(t, setup{})
	paths := []string{
		"", "/a/b", "/a-b", "/a.b", "/a_b", "/a~b", "/a~2fb", "/a%2Fb", "/a%2fb", "/ab", "/A/b", "/a/B", "/app", "/app-8080", "/app/8080", "/-8080", "/8080",
		"/a/b-8080", "/a~2db", "/~a", "/%7Ea", "/%41", "/A", "/a%20b", "/a+b", "/a;b", "/.a", "/~2ea", "/a/b/c", "/a-b/c", "/a/b-c", "/a-b-c",
	}
	whose := map[string]string{}
	for _, port := range []string{"", ":80", ":8080", ":8", ":18080"} {
		for _, path := range paths {
			base := "https://soc.example" + port + path
			cfg := s.config(base)
			cfg.LogoutPath = ""
			auth, err := newAuth(cfg)
			require.NoError(t, err, base)
			resp := roundTrip(auth.Require(echo), "soc.example"+port, path+"/x")
			require.Equal(t, http.StatusSeeOther, resp.StatusCode, base)
			require.Len(t, resp.Cookies(), 1)
			name := resp.Cookies()[0].Name
			assert.Regexp(t, token, name)
			assert.Empty(t, whose[name], "%s is also that of %s", name, base)
			whose[name] = base
		}
	}
}
