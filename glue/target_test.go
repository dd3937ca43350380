package glue_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// longQueries are queries of 8 KiB as sites have them.
func longQueries() map[string]string {
	random := make([]byte, 8<<10)
	_, _ = rand.Read(random)
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*,=:@/?"
	anything := make([]byte, 8<<10) // of which compression saves little
	for i := range anything {
		anything[i] = all[int(random[i])%len(all)]
	}
	kibana := "_g=(filters:!(),refreshInterval:(pause:!t,value:0),time:(from:now-15m,to:now))&_a=(columns:!(message,host.name),query:(language:kuery,query:%27status%20%3E=%20500%27))&"
	return map[string]string{
		"random base64url":     "state=" + base64.RawURLEncoding.EncodeToString(random)[:8<<10-6],
		"percent-encoded text": "q=" + strings.Repeat(url.QueryEscape("Gödel–Łukasiewicz 数学"), 200)[:8<<10-5],
		"a dashboard":          strings.Repeat(kibana, 60)[:8<<10],
		"percent signs":        strings.Repeat("%25", 8<<10/3),
		"ampersands":           strings.Repeat("&", 8<<10),
		"a bit of everything":  string(anything),
	}
}

// longTarget is a target of 3 KB, which many sites have.
func longTarget(path string) string { return path + "?q=" + strings.Repeat("0123456789", 300) }

// A long address comes back whole from a login, and leaves nothing behind.
func TestLongTarget(t *testing.T) { eachKind(t, testLongTarget) }

func testLongTarget(t *testing.T, kind kind) {
	for name, query := range longQueries() {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, https: %v", name, tls), func(t *testing.T) {
				s := startSite(t, setup{kind: kind, tls: tls})
				b := s.browser("test0001")
				target := "/private/page?" + query
				a := b.stopped(s.fake.StopAtLogin, target)
				require.LessOrEqual(t, len(a.location()), 2048)
				for _, c := range a.Cookies() {
					assert.LessOrEqual(t, len(c.Name)+len(c.Value), 4096, "browsers keep no more")
					assert.Equal(t, !strings.Contains(c.Name, "wls-login"), c.MaxAge == 3660, c.Name)
					if strings.Contains(c.Name, "wls-target") {
						assert.Equal(t, s.fake.arrives("/private/page"), c.Path, "no other request is longer for it")
						assert.Equal(t, tls, strings.HasPrefix(c.Name, "__Secure-"))
					}
					assert.True(t, s.auth.Site().OwnCookie(c.Name))
				}
				if kind.name == byWLS.name {
					signed := fields(t, a.location()).Get("url")
					require.True(t, strings.HasPrefix(signed, s.url+"/private/page?wls-target="), signed)
				}
				back := b.get(s.respond(a.location(), "test0001"))
				assert.Equal(t, target, back.requireEcho("test0001").RequestURI)
				assert.Empty(t, b.parked(s.fake.arrives("/private/page")))
			})
		}
	}
}

// Services rewrite the query, or drop it: what they signed counts.
func TestLongTargetOfOddServices(t *testing.T) { eachKind(t, testLongTargetOfOddServices) }

func testLongTargetOfOddServices(t *testing.T, kind kind) {
	for _, quirk := range []webauthtest.Quirk{webauthtest.QuirkRewriteQuery, webauthtest.QuirkResponseFirst, webauthtest.QuirkPlus} {
		t.Run(string(quirk), func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			s.fake.SetQuirks(quirk)
			assert.Equal(t, longTarget("/private/page"), s.browser("test0001").get(longTarget("/private/page")).requireEcho("test0001").RequestURI)
		})
	}
	t.Run("without the query", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		back, err := url.Parse(s.respond(b.begin(longTarget("/private/page")), "test0001"))
		require.NoError(t, err)
		query := back.Query()
		query.Del("wls-target")
		back.RawQuery = query.Encode()
		assert.Equal(t, longTarget("/private/page"), b.get(back.String()).requireEcho("test0001").RequestURI)
	})
}

// parked are the cookies of long targets that a browser sends with a request for a path.
func (b *browser) parked(path string) (names []string) {
	u, err := url.Parse(b.site.url + path)
	require.NoError(b.site.t, err)
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.Contains(c.Name, "wls-target") || strings.Contains(c.Name, "wls-parked") {
			names = append(names, c.Name)
		}
	}
	return names
}

// unpark has a browser lose the cookies of long targets for a path.
func (b *browser) unpark(path string) {
	for _, name := range b.parked(path) {
		b.setParked(path, name, "")
	}
}

func (b *browser) setParked(path, name, value string) {
	u, err := url.Parse(b.site.url)
	require.NoError(b.site.t, err)
	c := &http.Cookie{Name: name, Value: value, Path: path, Secure: b.site.tls, MaxAge: 100}
	if value == "" {
		c.MaxAge = -1
	}
	if strings.Contains(name, "wls-parked") {
		c.Path = "/"
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{c})
}

func (b *browser) cookiesAt(path string) []*http.Cookie {
	u, err := url.Parse(b.site.url + path)
	require.NoError(b.site.t, err)
	return b.client.Jar.Cookies(u)
}

// Five tabs begin to log in before any of them comes back: four addresses wait, the
// oldest had to go, and its person is told.
func TestLongTargetsInFiveTabs(t *testing.T) { eachKind(t, testLongTargetsInFiveTabs) }

func testLongTargetsInFiveTabs(t *testing.T, kind kind) {
	query := longQueries()["random base64url"]
	for _, paths := range [][]string{
		{"/private/a", "/private/a", "/private/a", "/private/a", "/private/a"},
		{"/private/a", "/private/b", "/private/c", "/private/d", "/private/e"},
	} {
		for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}} {
			t.Run(fmt.Sprint(paths[4], order), func(t *testing.T) {
				s := startSite(t, setup{kind: kind})
				b := s.browser("test0001")
				var locations [5]string
				for i, path := range paths {
					locations[i] = b.begin(fmt.Sprintf("%s?tab=%d&%s", path, i, query))
				}
				for _, i := range order {
					a := b.get(s.respond(locations[i], "test0001"))
					if i == 0 {
						a.requirePage(http.StatusOK, "target-lost")
						assert.Equal(t, []string{s.url + paths[i]}, a.links())
						continue
					}
					assert.Equal(t, fmt.Sprintf("%s?tab=%d&%s", paths[i], i, query), a.requireEcho("test0001").RequestURI)
				}
				for _, path := range append(paths, "/login") {
					assert.Empty(t, b.parked(path))
				}
			})
		}
	}
}

// The same with real concurrency: tabs that begin at the same moment do not know of one
// another, and none is mixed up with another.
func TestLongTargetsAtTheSameMoment(t *testing.T) { eachKind(t, testLongTargetsAtTheSameMoment) }

func testLongTargetsAtTheSameMoment(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	b.begin("/private/") // the browser is known
	const tabs = 5
	var seen [tabs]string
	var wait sync.WaitGroup
	for i := range tabs {
		wait.Go(func() {
			a, err := b.try(http.MethodGet, fmt.Sprintf("%s%s&tab=%d", s.url, longTarget("/private/a"), i), nil, nil)
			if assert.NoError(t, err) && a.kind() == "" {
				seen[i] = a.requireEcho("test0001").RequestURI
			} else {
				assert.Equal(t, "target-lost", a.kind())
			}
		})
	}
	wait.Wait()
	for i, got := range seen {
		if got != "" {
			assert.Equal(t, fmt.Sprintf("%s&tab=%d", longTarget("/private/a"), i), got)
		}
	}
}

func TestLongTargetOfLogin(t *testing.T) { eachKind(t, testLongTargetOfLogin) }

func testLongTargetOfLogin(t *testing.T, kind kind) {
	for name, query := range longQueries() {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			next := "/private/page?" + query
			login := "/login?next=" + url.QueryEscape(next)
			location := b.begin(login)
			assert.Equal(t, next, b.get(s.respond(location, "test0001")).requireEcho("test0001").RequestURI)
			assert.Equal(t, s.url+next, b.once(login).location(), "logged in")

			b = s.browser("test0001")
			location = b.begin(login)
			b.unpark("/login")
			a := b.get(s.respond(location, "test0001")).requirePage(http.StatusOK, "target-lost")
			assert.Equal(t, "/private/page", b.get(a.links()[0]).requireEcho("test0001").RequestURI, "the page without its query")
		})
	}
	s := startSite(t, setup{kind: kind})
	s.browser("").get("/login?next=/private/?"+strings.Repeat("x", 10<<10)).requirePage(http.StatusBadRequest, "next")
}

// An application that sends people to Login itself is stopped from going round with them,
// however long the address is that they want.
func TestLongTargetOfLoginInALoop(t *testing.T) { eachKind(t, testLongTargetOfLoginInALoop) }

func testLongTargetOfLoginInALoop(t *testing.T, kind kind) {
	for _, target := range []string{"/app?n=1", longTarget("/app"), longTarget("/app/{id}|x")} {
		s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.Handle("/app/", auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/login?next="+url.QueryEscape(r.RequestURI), http.StatusSeeOther)
			})))
			mux.Handle("/app", http.RedirectHandler("/login?next="+url.QueryEscape(target), http.StatusSeeOther))
		}})
		s.browser("test0001").forgetting("wls-session").get(target).requirePage(http.StatusForbidden, "loop")
	}
}

// Where even the path is too long, people come back by LoginPath.
func TestLongPath(t *testing.T) {
	target := "/private/" + strings.Repeat("deep/", 800) + "?a=b"
	t.Run("with LoginPath", func(t *testing.T) {
		s := startSite(t, setup{config: func(c *config) { c.LoginPath = "/login" }})
		b := s.browser("test0001")
		location := b.begin(target)
		assert.True(t, strings.HasPrefix(fields(t, location).Get("url"), s.url+"/login?wls-target="))
		back := s.respond(location, "test0001")
		assert.Equal(t, target, b.get(back).requireEcho("test0001").RequestURI)
		assert.Empty(t, b.parked("/login"))

		b = s.browser("test0001")
		location = b.begin(target)
		b.unpark("/login")
		a := b.get(s.respond(location, "test0001")).requirePage(http.StatusOK, "target-lost")
		assert.Equal(t, s.url+"/", b.get(a.links()[0]).Request.URL.String())
	})
	t.Run("with LoginPath, in a loop", func(t *testing.T) {
		s := startSite(t, setup{config: func(c *config) { c.LoginPath = "/login" }})
		s.browser("test0001").forgetting("wls-session").get(target).requirePage(http.StatusForbidden, "loop")
	})
	t.Run("without", func(t *testing.T) {
		s := startSite(t, setup{})
		b := s.browser("test0001")
		b.get(target).requirePage(http.StatusBadRequest, "address")
		assert.Empty(t, b.cookies())
	})
}

func TestLoginPathIsAPath(t *testing.T) { eachKind(t, testLoginPathIsAPath) }

func testLoginPathIsAPath(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	cfg := s.config(s.url)
	cfg.LoginPath = "https://evil.example/login"
	_, err := newAuth(cfg)
	require.ErrorContains(t, err, "Config.LoginPath")
}

// Whatever sends people to log in brings them back to the whole address.
func TestLongTargetElsewhere(t *testing.T) { eachKind(t, testLongTargetElsewhere) }

func testLongTargetElsewhere(t *testing.T, kind kind) {
	t.Run("silent sign-in", func(t *testing.T) {
		s := silentSite(t, kind)
		b := s.browser("test0001")
		b.get("/silent")
		s.fake.Always(webauthtest.Outcome{Status: 540})
		assert.Equal(t, longTarget("/silent"), b.get(longTarget("/silent")).requireEcho("").RequestURI)
		assert.Equal(t, []string{glue.EventSilent}, s.eventNames())
		assert.Empty(t, b.parked(s.fake.arrives("/silent")))
	})
	t.Run("a kept form", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.loggedIn("test0001")
		s.advance(3 * time.Hour)
		page := b.post(longTarget("/private/form"), url.Values{"a": {"b"}}).requirePage(http.StatusUnauthorized, "form-kept")
		b.get(page.links()[0]).requirePage(http.StatusOK, "go-back")
		action, hidden := page.form()
		assert.Equal(t, longTarget("/private/form"), b.post(action, hidden).requireEcho("test0001").RequestURI)
	})
	t.Run("another secret", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.begin(longTarget("/private/page"))
		require.NoError(t, s.auth.Site().SetSecret(newSecret(t)))
		b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "refused")
		assert.Equal(t, longTarget("/private/page"), b.get(longTarget("/private/page")).requireEcho("test0001").RequestURI)
	})
}

// Logging out forgets what waits.
func TestLongTargetsAndLogout(t *testing.T) { eachKind(t, testLongTargetsAndLogout) }

func testLongTargetsAndLogout(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	s.advance(3 * time.Hour)
	b.begin(longTarget("/private/a"))
	b.begin(longTarget("/private/b/c"))
	require.NotEmpty(t, b.parked(s.fake.arrives("/private/b/c")))
	b.post("/logout", nil).requirePage(http.StatusOK, "not-logged-in")
	for _, path := range []string{"/", "/login", "/private/a", "/private/b/c"} {
		assert.Empty(t, b.parked(path), path)
	}
}

// An address is held to the same rules, however long it is.
func TestLongTargetThatIsRefused(t *testing.T) {
	s := startSite(t, setup{})
	long := strings.Repeat("x", 3000)
	for _, query := range []string{"q=WLS%2DResponse&" + long, long + ";WLS-Response=x", "x=" + strings.Repeat("y", 10<<10)} {
		b := s.browser("test0001")
		b.get("/private/?"+query).requirePage(http.StatusBadRequest, "address")
		assert.Empty(t, b.cookies())
	}
}

// Begun logins do not pile up in a browser, wherever they were begun.
func TestLongTargetsDoNotPileUp(t *testing.T) {
	s := startSite(t, setup{})
	b := s.browser("test0001")
	var all []string
	for i := range 10 {
		b.begin(longTarget(fmt.Sprintf("/private/%d", i)))
	}
	for i := range 10 {
		all = append(all, slices.DeleteFunc(b.parked(fmt.Sprintf("/private/%d", i)), func(name string) bool { return !strings.Contains(name, "wls-target") })...)
	}
	assert.Len(t, all, 4)
}

// There is no length at which an address is neither signed nor waits.
func TestTargetOfEveryLength(t *testing.T) { eachKind(t, testTargetOfEveryLength) }

func testTargetOfEveryLength(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	for _, unit := range []string{"a", "%7B%22", "a=b&", "%C3%A9", "&"} {
		for n := 100; n <= 8<<10; n += 149 {
			target := "/private/?q=" + strings.Repeat(unit, n/len(unit))
			b := s.browser("test0001")
			location := b.begin(target)
			require.LessOrEqual(t, len(location), 2048)
			require.Equal(t, s.url+target, b.once(s.respond(location, "test0001")).location(), "%s %d", unit, n)
		}
	}
}
