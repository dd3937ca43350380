package glue_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// wrapping is one handler around another.
type wrapping struct {
	name     string
	optional bool
	edit     func(p *glue.Policy)
}

func (l wrapping) around(auth *glue.Auth, h http.Handler) http.Handler {
	if l.edit != nil {
		auth = auth.With(l.edit)
	}
	if l.optional {
		return auth.Optional(h)
	}
	return auth.Require(h)
}

var (
	plain    = wrapping{name: "Require"}
	optional = wrapping{name: "Optional", optional: true}
	typed    = wrapping{name: "IAct", edit: func(p *glue.Policy) { p.IAct = webauth.IActYes }}
	fresh    = wrapping{name: "Fresh 5m", edit: func(p *glue.Policy) { p.Fresh = 5 * time.Minute }}
	fresher  = wrapping{name: "Fresh 2m", edit: func(p *glue.Policy) { p.Fresh = 2 * time.Minute }}
	either   = wrapping{name: "either", edit: func(p *glue.Policy) { p.AAuth = []string{"x-card", "pwd"} }}
	choosy   = wrapping{name: "Optional Fresh", optional: true, edit: func(p *glue.Policy) { p.Fresh = 3 * time.Minute }}
)

// logins counts the sessions that began.
func (s *testSite) logins() int {
	return len(slices.DeleteFunc(s.eventNames(), func(name string) bool { return name != glue.EventLogin }))
}

// A form is kept at any depth, and served after one login in the new tab and one press
// of Continue for each handler that wants more at most, whatever stands around it.
func TestKeptFormInNestedHandlers(t *testing.T) { eachKind(t, testKeptFormInNestedHandlers) }

func testKeptFormInNestedHandlers(t *testing.T, kind kind) {
	layers := []wrapping{plain, optional, typed, fresh, fresher, either, choosy}
	var nests [][]wrapping
	for _, a := range layers {
		for _, b := range layers {
			nests = append(nests, []wrapping{a, b})
		}
	}
	nests = append(nests, []wrapping{plain, typed, fresh}, []wrapping{optional, plain, fresher}, []wrapping{fresher, optional, fresh, plain},
		[]wrapping{plain, fresh, fresher}, []wrapping{either, choosy, typed, fresher})
	for _, nest := range nests {
		for _, later := range []time.Duration{4 * time.Minute, 6 * time.Minute, 3 * time.Hour} {
			var names []string
			required := false
			for _, l := range nest {
				names = append(names, l.name)
				required = required || !l.optional
			}
			if !required {
				continue // everybody is welcome, and nothing kept
			}
			t.Run(fmt.Sprint(strings.Join(names, " in "), " after ", later), func(t *testing.T) {
				s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
					h := http.Handler(echo)
					for i := range nest {
						h = nest[len(nest)-1-i].around(auth, h)
					}
					mux.Handle("/nest", h)
				}})
				b := s.loggedIn("test0001")
				s.advance(later)
				a := b.send("/nest?n=1", urlType, formBody)
				rounds := 0
				for ; a.kind() == "form-kept"; rounds++ {
					require.Less(t, rounds, len(nest), "each handler asks once at most")
					a = b.press(b.press(a)) // too early costs nothing, as often as one likes
					logins := s.logins()
					b.get(a.links()[0]).requirePage(http.StatusOK, "go-back")
					assert.Equal(t, logins+1, s.logins())
					page := a
					a = b.press(page)
					b.press(page).requirePage(http.StatusForbidden, "form-gone")
				}
				if later < 3*time.Hour { // nobody had to ask before somebody inside could
					assert.LessOrEqual(t, rounds, 1+strings.Count(fmt.Sprint(names), "Fresh 5m Fresh 2m"))
				}
				var e echoed
				require.NoError(t, json.Unmarshal([]byte(a.Body), &e), "page %q", a.kind())
				assert.Equal(t, formBody, e.Body)
				assert.Equal(t, "/nest?n=1", e.RequestURI)
			})
		}
	}
}

// A handler inside may want more than was known when the form was kept: it keeps the
// form again, which goes on being what it was.
func TestKeptFormIsKeptAgain(t *testing.T) { eachKind(t, testKeptFormIsKeptAgain) }

func testKeptFormIsKeptAgain(t *testing.T, kind kind) {
	var kept glue.KeptForm
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/nest", auth.Require(fresh.around(auth, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept, _ = glue.KeptFormFrom(r.Context())
			echo.ServeHTTP(w, r)
		}))))
	}})
	for _, origin := range []string{s.url, ""} {
		t.Run("origin "+origin, func(t *testing.T) {
			s.in(t)
			b := s.loggedIn("test0001")
			session := b.get("/private/").requireEcho("test0001").Identity.SessionID
			s.advance(3 * time.Hour)
			at := s.fake.Now()
			page := b.send("/nest", urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
			b.get("/private/").requireEcho("test0001")
			s.advance(6 * time.Minute)
			action, hidden := page.form()
			again := b.send(action, urlType, hidden.Encode(), "Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Sec-Fetch-Dest", "", "Accept", "text/html", "Origin", origin)
			again.requirePage(http.StatusUnauthorized, "form-kept")
			b.press(page).requirePage(http.StatusForbidden, "form-gone") // the outer handler has sent it on
			b.get(again.links()[0]).requirePage(http.StatusOK, "go-back")
			assert.Equal(t, formBody, b.press(again).requireEcho("test0001").Body)
			assert.Equal(t, session, kept.SessionID)
			assert.True(t, kept.Ended)
			assert.Equal(t, at, kept.At)

			s.advance(55 * time.Minute)
			b.press(again).requirePage(http.StatusForbidden, "form-gone") // an hour in all, however often
		})
	}
}

// Under Optional, what only looks like a kept form goes on as it is.
func TestOptionalPassesOnWhatIsNoKeptForm(t *testing.T) {
	eachKind(t, testOptionalPassesOnWhatIsNoKeptForm)
}

func testOptionalPassesOnWhatIsNoKeptForm(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b, page := kept(s)
	_, hidden := page.form()
	sealed := hidden.Encode()
	for _, tt := range []struct{ name, target, body, uri string }{
		{"no kept form", "/optional?wls-kept=1", "wls-kept=x", "/optional?wls-kept=1"},
		{"of another page", "/optional?wls-kept=1", sealed, "/optional?wls-kept=1"},
		{"very long", "/optional?wls-kept=y", sealed + strings.Repeat("x", 150<<10), "/optional?wls-kept=y"},
		{"a form of the page's own", "/optional?n=1&wls-kept=1", "a=b", "/optional?n=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b.get("/private/").requireEcho("test0001")
			e := b.send(tt.target, urlType, tt.body).requireEcho("test0001")
			assert.Equal(t, tt.body, e.Body)
			assert.Equal(t, tt.uri, e.RequestURI)
			nobody := s.browser("")
			assert.Equal(t, tt.body, nobody.send(tt.target, urlType, tt.body).requireEcho("").Body)
		})
	}
}

// loginRoutes are routes of which some are no page.
func loginRoutes(mux *http.ServeMux, auth *glue.Auth) {
	admin := fresh.around(auth, echo)
	mux.Handle("POST /add", auth.Require(echo))
	mux.Handle("POST /admin/add", admin)
	mux.Handle("GET /page", auth.Require(echo))
	mux.Handle("POST /page", admin)
	mux.Handle("/doc", admin)
	mux.Handle("GET /doc", auth.Require(echo))
	mux.Handle("POST localhost/hosted", auth.Require(echo))
}

// "Log in again" leads to a page that is there, and logs in as the form's route wants.
func TestLinkOfAKeptForm(t *testing.T) {
	withLogin := func(c *config) { c.LoginPath = "/login" }
	for _, tt := range []struct {
		name, path, referer string
		config              func(c *config)
		link                string
		public              bool // nobody has to log in there
	}{
		{"POST alone", "/add", "", nil, "/?wls-kept=1", true},
		{"POST alone, from a page", "/add", "/private/form?n=1", nil, "/private/form?n=1&wls-kept=1", false},
		{"POST alone, from a page by a marked address", "/add", "/private/form?n=1&wls-kept=1", nil, "/private/form?n=1&wls-kept=1", false},
		{"POST alone, from a page that a response led to", "/add", "/private/?WLS-Response=x&a=1", nil, "/private/?a=1&wls-kept=1", false},
		{"POST alone, from elsewhere", "/add", "https://evil.example/private/", nil, "/?wls-kept=1", true},
		{"POST alone, from a host that begins as ours", "/add", "{site}.evil.example/", nil, "/?wls-kept=1", true},
		{"POST alone, from a user at our host", "/add", "{site}@evil.example/", nil, "/?wls-kept=1", true},
		{"POST alone, from a strange path", "/add", "{site}//evil.example", nil, "/?wls-kept=1", true},
		{"POST alone, from nonsense", "/add", "nonsense", nil, "/?wls-kept=1", true},
		{"POST alone, with a host", "/hosted", "/private/", nil, "/private/?wls-kept=1", false},
		{"POST alone and strict, from a lax page", "/admin/add", "/private/form", nil, "/private/form?wls-kept=300y", false},
		{"POST alone, LoginPath", "/add", "/private/form", withLogin, "/login?wls-kept=1", false},
		{"POST alone and strict, LoginPath", "/admin/add?n=1", "", withLogin, "/login?wls-kept=300y", false},
		{"LoginPath with a query", "/admin/add", "", func(c *config) { c.LoginPath = "/login?next=/optional" }, "/login?next=/optional&wls-kept=300y", false},
		{"a strict POST and a lax GET", "/page", "/page", nil, "/page?wls-kept=300y", false},
		{"any method, and a lax GET", "/doc?n=1", "", nil, "/doc?n=1&wls-kept=300y", false},
		{"any method", "/private/form", "", nil, "/private/form?wls-kept=1", false},
		{"any method, LoginPath", "/private/form", "", withLogin, "/login?wls-kept=1", false},
		{"a strict site", "/private/form", "", func(c *config) { c.Policy.Fresh = 5 * time.Minute }, "/private/form?wls-kept=1", false},
		{"a strict site, LoginPath", "/add", "", func(c *config) { withLogin(c); c.Policy.Fresh = 5 * time.Minute }, "/login?wls-kept=1", false},
	} {
		for _, later := range []time.Duration{6 * time.Minute, 3 * time.Hour} {
			t.Run(fmt.Sprint(tt.name, " after ", later), func(t *testing.T) {
				s := startSite(t, setup{config: tt.config, routes: loginRoutes})
				b := s.loggedIn("test0001")
				s.advance(later)
				referer := strings.Replace(tt.referer, "{site}", s.url, 1)
				if strings.HasPrefix(referer, "/") {
					referer = s.url + referer
				}
				page := b.send(tt.path, urlType, formBody, "Referer", referer, "Origin", s.url)
				if page.kind() == "" {
					page.requireEcho("test0001") // good enough as it was
					return
				}
				page.requirePage(http.StatusUnauthorized, "form-kept")
				require.Equal(t, []string{s.url + tt.link}, page.links())
				hint := s.lastEvent(glue.EventFormKept).Err
				if strings.HasPrefix(tt.name, "POST alone") && tt.config == nil {
					assert.ErrorContains(t, hint, "LoginPath")
				}
				there := b.get(page.links()[0])
				if tt.public {
					require.Equal(t, http.StatusOK, there.StatusCode)
					b.get("/private/").requireEcho("test0001")
				} else {
					there.requirePage(http.StatusOK, "go-back")
				}
				assert.Equal(t, formBody, b.press(page).requireEcho("test0001").Body)
			})
		}
	}
}

// A page that keeps no form links to one that is there, too.
func TestLinkWhereNoFormIsKept(t *testing.T) {
	for _, tt := range []struct{ name, login, path, referer, link string }{
		{"any method", "", "/private/form?n=1", "", "/private/form?n=1"},
		{"POST alone", "", "/add", "", "/"},
		{"POST alone, from a page", "", "/add", "/private/x?n=1", "/private/x?n=1"},
		{"POST alone, LoginPath", "/login", "/add", "/private/x?n=1", "/login?next=" + url.QueryEscape("/private/x?n=1")},
		{"POST alone, LoginPath, no page", "/login", "/add", "", "/login?next=%2F"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{routes: loginRoutes, config: func(c *config) { c.KeepForms, c.LoginPath = -1, tt.login }})
			b := s.loggedIn("test0001")
			s.advance(3 * time.Hour)
			referer := ""
			if tt.referer != "" {
				referer = s.url + tt.referer
			}
			page := b.send(tt.path, urlType, formBody, "Referer", referer).requirePage(http.StatusUnauthorized, "login-again")
			require.Equal(t, []string{s.url + tt.link}, page.links())
			assert.Equal(t, http.StatusOK, b.get(page.links()[0]).StatusCode)
		})
	}
}

func TestLoginPathMustBeOfThisSite(t *testing.T) { eachKind(t, testLoginPathMustBeOfThisSite) }

func testLoginPathMustBeOfThisSite(t *testing.T, kind kind) {
	for _, path := range []string{"login", "//evil.example", "https://evil.example/", `/\evil.example`, "/a#b"} {
		s := startSite(t, setup{kind: kind})
		cfg := s.config(s.url)
		cfg.LoginPath = path
		_, err := newAuth(cfg)
		assert.ErrorContains(t, err, "LoginPath", path)
	}
}

// Login knows a person whom its own policy would not let in: what they may do is for the
// form's route to say.
func TestLoginForAFormOfALaxerRoute(t *testing.T) { eachKind(t, testLoginForAFormOfALaxerRoute) }

func testLoginForAFormOfALaxerRoute(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind,
		config: func(c *config) { c.LoginPath = "/login" },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			with(mux, auth, "POST /anyone", func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true })
			with(mux, auth, "/anyone", func(p *glue.Policy) { p.Ptags, p.AnyPtags = nil, true })
		},
	})
	b := s.browser("test0010")
	b.get("/anyone").requireEcho("test0010")
	b.get("/login").requirePage(http.StatusForbidden, "forbidden")
	s.advance(3 * time.Hour)
	page := b.send("/anyone", urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
	back := b.get(page.links()[0]).requirePage(http.StatusOK, "go-back")
	assert.Equal(t, []string{s.url + "/"}, back.links())
	assert.Equal(t, formBody, b.press(page).requireEcho("test0010").Body)
}

// A mark that somebody made up adds to what a route wants, or is none at all. It never
// contradicts the route, and goes round in no circle.
func TestMadeUpMarks(t *testing.T) { eachKind(t, testMadeUpMarks) }

func testMadeUpMarks(t *testing.T, kind kind) {
	for _, tt := range []struct {
		mark, path string
		page       string // "" is the handler's own
		iact       string // asked of the WLS, where somebody is sent there
	}{
		{"1", "/private/", "go-back", "-"},
		{"a", "/private/", "go-back", "-"},
		{"a~pwd", "/private/", "go-back", "-"},
		{"a~pwd~x-card", "/private/", "go-back", "-"},
		{"y", "/private/", "go-back", "yes"},
		{"60y~pwd", "/private/", "go-back", "yes"},
		{"y~x-card", "/private/", "go-back", "-"},
		{"a~nonsense", "/private/", "go-back", "-"},
		{"n", "/private/", "go-back", "-"},
		{"n", "/typed", "go-back", "yes"},
		{"a", "/typed", "go-back", "yes"},
		{"1", "/typed", "go-back", "yes"},
		{"600y", "/fresh", "go-back", "yes"},
		{"1", "/staff", "forbidden", "-"},
		{"y", "/staff", "forbidden", "-"},
		{"y", "/login", "go-back", "yes"},
		{"a", "/login", "go-back", "-"},
		{"y", "/optional", "", "-"},
		{"y", "/", "", "-"},
		{"59y", "/private/", "", "-"},
		{"060y", "/private/", "", "-"},
		{"+60y", "/private/", "", "-"},
		{"60n", "/private/", "", "-"},
		{"60a", "/private/", "", "-"},
		{"60", "/private/", "", "-"},
		{"99999999999999999999y", "/private/", "", "-"},
		{"34560001y", "/private/", "", "-"},
		{"y~", "/private/", "", "-"},
		{"y~a~~b", "/private/", "", "-"},
		{"y~a,b", "/private/", "", "-"},
		{"y~a%2Cb", "/private/", "", "-"},
		{"y~" + strings.Repeat("x", 300), "/private/", "", "-"},
		{"Y", "/private/", "", "-"},
		{"yy", "/private/", "", "-"},
		{"", "/private/", "", "-"},
		{"2", "/private/", "", "-"},
	} {
		t.Run(tt.mark+" at "+tt.path, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
				mux.Handle("/typed", typed.around(auth, echo))
				mux.Handle("/fresh", fresh.around(auth, echo))
				with(mux, auth, "/staff", func(p *glue.Policy) { p.Principals = []string{"spqr1"} })
			}})
			b := s.browser("test0001")
			s.fake.Next(proof("", []string{"pwd"}))
			b.get("/private/").requireEcho("test0001")
			s.advance(2 * time.Minute)
			asked := len(s.fake.asked())
			a := b.get(tt.path + "?n=1&wls-kept=" + tt.mark)
			assert.Equal(t, tt.page, a.kind())
			requests := s.fake.asked()[asked:]
			if tt.iact == "-" {
				assert.Empty(t, requests)
				return
			}
			require.NotEmpty(t, requests)
			assert.EqualValues(t, tt.iact, requests[0])
		})
	}
}

// Another site cannot have a session by a password replaced by one without.
func TestMadeUpMarkOfAnotherSite(t *testing.T) { eachKind(t, testMadeUpMarkOfAnotherSite) }

func testMadeUpMarkOfAnotherSite(t *testing.T, kind kind) {
	for _, path := range []string{"/private/", "/login"} {
		for from, kept := range map[string]bool{"cross-site": true, "same-site": true, "same-origin": false} {
			for _, mark := range []string{"n", "n~pwd"} {
				t.Run(fmt.Sprint(path, from, mark), func(t *testing.T) {
					s := startSite(t, setup{kind: kind})
					b := s.loggedIn("test0001")
					b.do(http.MethodGet, path+"?wls-kept="+mark, nil, func(r *http.Request) {
						r.Header.Set("Sec-Fetch-Site", from)
						r.Header.Set("Sec-Fetch-Mode", "navigate")
						r.Header.Set("Sec-Fetch-Dest", "document")
					}).requirePage(http.StatusOK, "go-back")
					assert.Equal(t, kept, b.get("/private/").requireEcho("test0001").Identity.Auth == "pwd")
				})
			}
		}
	}
}
