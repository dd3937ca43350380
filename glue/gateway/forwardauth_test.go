package gateway

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// askingWorld is a gateway that trusts these front servers, and the test is one of them.
func askingWorld(t *testing.T, proxies ...netip.Prefix) *world {
	t.Helper()
	return newWorld(t, kit{rules: frontRules(t), config: func(cfg *Config) {
		cfg.ForwardAuth = true
		cfg.Front.Proxies = proxies
		cfg.Identity.Send = []string{"remote-user", "x-forwarded-user", "x-aa"}
		cfg.Rules = append(cfg.Rules,
			Rule{Path: "/here", Access: Login, AllowFrom: []netip.Prefix{loopback}})
		for i := range cfg.Rules {
			cfg.Rules[i].To = ""
		}
	}})
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// about says what a front server asks about.
func about(method, uri string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-Original-Uri", uri)
		r.Header.Set("X-Original-Method", method)
	}
}

// login logs in at the gateway's own login, as a front server leads there.
func (v *visitor) login(t *testing.T) {
	t.Helper()
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/optional" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	require.Equal(t, http.StatusSeeOther, v.get(serve.LoginPath+"?next=/optional").StatusCode)
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

func TestForwardAuthAnswers(t *testing.T) {
	w := askingWorld(t, loopback)
	nobody, person := w.visitor(""), w.visitor("test0001")
	nobody.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	person.login(t)
	for _, row := range []struct {
		name        string
		v           *visitor
		method, uri string
		edit        func(*http.Request)
		plain       int // of /.wls/auth
		orLogin     int // of /.wls/auth-or-login
		user        string
	}{
		{"public", nobody, "GET", "/public", nil, 200, 200, ""},
		{"optional", nobody, "GET", "/optional?a", nil, 200, 200, ""},
		{"a login, from an address that needs none", nobody, "GET", "/here", nil, 200, 200, ""},
		{"a login, from an address that needs none, logged in", person, "GET", "/here", nil, 200, 200, "test0001"},
		{"more than one reading", person, "GET", "/public/deep%3Fx", nil, 403, 400, ""},
		{"more than one reading, by nobody", nobody, "GET", "/private%3Fx", nil, 403, 400, ""},
		{"optional, logged in", person, "GET", "/optional", nil, 200, 200, "test0001"},
		{"private", nobody, "GET", "/private/a?b=c", nil, 401, 303, ""},
		{"private, logged in", person, "GET", "/private/a?b=c", nil, 200, 200, "test0001"},
		{"private, by a script", nobody, "GET", "/private/a", scripted, 401, 401, ""},
		{"private, HEAD", nobody, "HEAD", "/private/a", nil, 401, 401, ""},
		{"private, a form", nobody, "POST", "/private/a", header("Content-Type", "application/x-www-form-urlencoded"), 401, 401, ""},
		{"private, a form, logged in", person, "POST", "/private/a", nil, 200, 200, "test0001"},
		{"a form from elsewhere", person, "POST", "/private/a", foreign, 403, 403, ""},
		{"for others", person, "GET", "/named", nil, 403, 403, ""},
		{"no rule", nobody, "GET", "/", nil, 401, 303, ""},
		{"a response of the login service", person, "GET", "/private/a?WLS-Response=3!200", nil, 401, 400, ""},
		{"a response at a public page", nobody, "GET", "/public?WLS-Response=3!200", nil, 401, 400, ""},
		{"the login itself", nobody, "GET", "/.wls/login?next=/private", nil, 403, 403, ""},
		{"our own question", nobody, "GET", "/.wls/auth-or-login", nil, 403, 403, ""},
		{"the login in another spelling", nobody, "GET", "/%2EWLS/x/../login", nil, 403, 403, ""},
		{"dot segments", person, "GET", "/private/../public", nil, 403, 403, ""},
		{"encoded dot segments", person, "GET", "/private/%2e%2e/public", nil, 403, 403, ""},
		{"slashes in a row", person, "GET", "//private/", nil, 403, 403, ""},
		{"the mark of a kept form", person, "GET", "/private/a?b=c&wls-kept=1", nil, 200, 200, "test0001"},
		{"the mark of a kept form alone", person, "PUT", "/private/a?wls-kept=1", nil, 200, 200, "test0001"},
		{"the mark of a kept form twice", person, "DELETE", "/private/a?wls-kept=1&wls-kept=1", nil, 200, 200, "test0001"},
		{"the mark of a kept form, by a form", person, "POST", "/private/a?wls-kept=1", nil, 200, 200, "test0001"},
		{"encoded letters", person, "GET", "/%70rivate/", nil, 200, 200, "test0001"},
		{"encoded letters of a rule for others", person, "GET", "/%6eamed/", nil, 403, 403, ""},
		{"encoded slash", person, "GET", "/public%2fdeep", nil, 403, 403, ""},
		{"absolute form", person, "GET", "http://localhost/public", nil, 403, 403, ""},
		{"no path", person, "GET", "*", nil, 403, 403, ""},
		{"empty", person, "GET", "", nil, 403, 403, ""},
		{"CONNECT", person, "CONNECT", "/public", nil, 403, 403, ""},
		{"TRACE", person, "TRACE", "/public", nil, 403, 403, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.edit == nil {
				row.edit = func(*http.Request) {}
			}
			plain := row.v.get(authPath, about(row.method, row.uri), row.edit)
			assert.Equal(t, row.plain, plain.StatusCode, plain.body)
			orLogin := row.v.get(orLoginPath, about(row.method, row.uri), row.edit)
			assert.Equal(t, row.orLogin, orLogin.StatusCode, orLogin.body)
			for _, answer := range []reply{plain, orLogin} {
				if row.method == http.MethodPost {
					assert.NotContains(t, answer.body, "<form", "there is no form here that a page could keep")
				}
				if answer.StatusCode != http.StatusOK {
					assert.NotContains(t, answer.Header, "Remote-User")
					assert.Empty(t, answer.Header["Set-Cookie"])
					continue
				}
				for _, name := range []string{"Remote-User", "X-Forwarded-User", "X-AAPrincipal"} {
					assert.Equal(t, []string{row.user}, answer.Header.Values(name), name)
				}
				assert.Len(t, answer.Header.Values("X-AALife"), 1)
				assert.Equal(t, row.name != "public", slices.Contains(answer.Header["Vary"], "Cookie"), "another person gets another answer")
			}
			if row.orLogin == http.StatusSeeOther {
				to, err := url.Parse(orLogin.Header.Get("Location"))
				require.NoError(t, err)
				assert.Equal(t, w.url+serve.LoginPath, to.Scheme+"://"+to.Host+to.Path)
				assert.Equal(t, url.Values{"next": {row.uri}}, to.Query())
			}
		})
	}
	assert.Empty(t, w.backend.take(), "nothing is ever passed on")
}

func TestForwardAuthTrust(t *testing.T) {
	for _, row := range []struct {
		name    string
		proxies []netip.Prefix
		edit    func(*http.Request)
		status  int
		log     string
	}{
		{"a front server", []netip.Prefix{loopback}, about("GET", "/public"), 200, ""},
		{"somebody else", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, about("GET", "/public"), 403, errNotFront.Error()},
		{"no headers", []netip.Prefix{loopback}, func(*http.Request) {}, 403, errNotAsked.Error()},
		{"two URIs", []netip.Prefix{loopback}, func(r *http.Request) {
			about("GET", "/public")(r)
			r.Header.Add("X-Original-Uri", "/private")
		}, 403, "and once"},
		{"two families", []netip.Prefix{loopback}, func(r *http.Request) {
			about("GET", "/public")(r)
			r.Header.Set("X-Forwarded-Uri", "/public")
			r.Header.Set("X-Forwarded-Method", "GET")
		}, 403, errTwoWays.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := askingWorld(t, row.proxies...)
			for _, path := range []string{authPath, orLoginPath} {
				answer := w.visitor("").get(path, row.edit)
				assert.Equal(t, row.status, answer.StatusCode, answer.body)
			}
			assert.Contains(t, w.log.String(), row.log)
		})
	}
}

// What is neither yes nor "log in first" is no, for front servers that know only these.
func TestForwardAuthHasThreeVerdicts(t *testing.T) {
	w := askingWorld(t, loopback)
	ask := func(path string) int {
		return w.visitor("").get(path, about("GET", "/basic"), withPassword("bob", "wrong")).StatusCode
	}
	for range userBurst {
		require.Equal(t, http.StatusUnauthorized, ask(authPath))
	}
	assert.Equal(t, http.StatusForbidden, ask(authPath))
	assert.Equal(t, http.StatusTooManyRequests, ask(orLoginPath))
}

// A rule for another path that keeps a request out says itself how to be let in.
func TestForwardAuthAsksForAPasswordElsewhere(t *testing.T) {
	w := askingWorld(t, loopback)
	for _, path := range []string{authPath, orLoginPath} {
		answer := w.visitor("").get(path, about("COPY", "/optional/x"), header("Destination", w.url+"/basic/y"))
		assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		assert.Contains(t, answer.Header.Get("WWW-Authenticate"), "Basic ", path)
	}
	assert.Equal(t, 2, strings.Count(w.log.String(), "reason=destination"))
}

// While sessions cannot be looked up, nobody is let in, and nobody sent to log in.
func TestForwardAuthWhileTheStoreIsAway(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	w := newWorld(t, kit{rules: frontRules(t), config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.RedisURL = true, []netip.Prefix{loopback}, "redis://"+mini.Addr()
	}})
	// Redis remembers what was used from the first that it is asked about.
	_ = w.gateway.core.Load().store.Once(t.Context(), webauth.Item{ID: "first", Issued: testNow, Expires: testNow.Add(time.Minute)})
	w.fake.SetNow(testNow.Add(2 * time.Minute))
	mini.SetTime(testNow.Add(2 * time.Minute))
	v := w.loggedIn("test0001")
	for path, want := range map[string]int{"/public": 200, "/optional": 503, "/private/": 503} {
		mini.SetError("")
		require.Equal(t, http.StatusOK, v.get(orLoginPath, about("GET", path)).StatusCode, path)
		mini.SetError("gone")
		assert.Equal(t, want, v.get(orLoginPath, about("GET", path)).StatusCode, path)
		assert.Equal(t, min(want, http.StatusForbidden), v.get(authPath, about("GET", path)).StatusCode, path)
	}
}

func TestForwardAuthIsOffByDefault(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.Front.Proxies = []netip.Prefix{loopback} }})
	for _, path := range []string{authPath, orLoginPath} {
		answer := w.visitor("").get(path, about("GET", "/public"))
		assert.Equal(t, http.StatusNotFound, answer.StatusCode)
	}
}

// The login asks the login service for what the page asks for.
func TestLoginAsksForWhatNextAsks(t *testing.T) {
	w := askingWorld(t, loopback)
	for _, row := range []struct {
		name, next, user string
		iact             string // asked for
		status           int    // in the end
	}{
		{"ordinary", "/private/a?b", "test0001", "", 303},
		{"a password just now", "/strict", "test0001", "yes", 303},
		{"a password just now, encoded", "/%73trict/../strict/", "test0001", "yes", 303},
		{"for current members", "/private", "test0010", "", 403},
		{"for former members too", "/old", "test0010", "", 303},
		{"public", "/public", "test0010", "", 303},
		{"by password", "/basic", "test0010", "", 303},
		{"none", "", "test0010", "", 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := w.visitor(row.user)
			v.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
				if len(via) > 1 && "http://"+r.URL.Host == w.url && r.URL.Path != serve.LoginPath {
					return http.ErrUseLastResponse
				}
				return nil
			}
			before := len(w.fake.Requests())
			answer := v.get(serve.LoginPath + "?next=" + url.QueryEscape(row.next))
			assert.Equal(t, row.status, answer.StatusCode, answer.body)
			asked := w.fake.Requests()[before:]
			require.NotEmpty(t, asked)
			assert.Equal(t, row.iact, string(asked[0].Request.IAct))
			if row.status == http.StatusSeeOther {
				assert.Equal(t, w.url+row.next, answer.Header.Get("Location"))
			}
		})
	}
	for _, next := range []string{"//evil.example/", "https://evil.example/", "/a&next=/b", "/\\evil.example"} {
		answer := w.visitor("test0001").get(serve.LoginPath + "?next=" + next)
		assert.Equal(t, http.StatusBadRequest, answer.StatusCode, next)
	}
}

// Whatever a backend may be told, a front server is told, if only that there is nothing.
func TestIdentityNamesAreAll(t *testing.T) {
	id := newIdentity([]string{sendRemoteUser, sendXForwardedUser, sendXAA})
	id.now = time.Now
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: "spqr1"}))
	h := http.Header{}
	require.NoError(t, id.set(h, r, &rule{cfg: &Rule{Access: Login}}))
	assert.ElementsMatch(t, slices.Collect(maps.Keys(h)), id.names)
	assert.Empty(t, newIdentity(nil).names)
}
