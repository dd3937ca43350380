package glue_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func adminRoute(mux *http.ServeMux, auth *glue.Auth) {
	with(mux, auth, "/admin", func(p *glue.Policy) { p.Fresh = 5 * time.Minute })
}

func TestTwoTabsAtOnce(t *testing.T) { eachKind(t, testTwoTabsAtOnce) }

func testTwoTabsAtOnce(t *testing.T, kind kind) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			paths := []string{"/private/a", "/private/b"}
			locations := []string{b.begin(paths[0]), b.begin(paths[1])}
			var ids []string
			for _, i := range order {
				a := b.get(s.respond(locations[i], "test0001"))
				ids = append(ids, a.requireEcho("test0001").Identity.SessionID)
				assert.Equal(t, s.url+paths[i], a.Request.URL.String())
			}
			assert.NotEqual(t, ids[0], ids[1], "each login by password has a session of its own")
			for _, path := range paths {
				b.get(path).requireEcho("test0001")
			}
		})
	}
}

func TestTabThatStepsUpMeanwhile(t *testing.T) { eachKind(t, testTabThatStepsUpMeanwhile) }

func testTabThatStepsUpMeanwhile(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		stepUp  int // when the tab with /admin comes back
		session bool
	}{
		{"before the other tab comes back", 0, false},
		{"after the other tab came back", 1, false},
		{"before, from an ended session", 0, true},
		{"after, from an ended session", 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, routes: adminRoute})
			b := s.browser("test0001")
			if tt.session {
				b.get("/private/").requireEcho("test0001")
				s.advance(3 * time.Hour)
			}
			page, admin := b.begin("/private/page"), b.begin("/admin")
			var typed glue.Identity
			for turn := range 2 {
				if turn == tt.stepUp {
					typed = b.get(s.respond(admin, "test0001")).requireEcho("test0001").Identity
				} else {
					b.get(s.respond(page, "test0001", webauthtest.SignedOn)).requireEcho("test0001")
				}
			}
			id := b.once("/admin").requireEcho("test0001").Identity // without a new login
			assert.Equal(t, typed, id)
			assert.Equal(t, "pwd", id.Auth)
			b.once("/private/page").requireEcho("test0001")
		})
	}
}

// The stronger session stays only where it is good enough for the route, and only for
// the same person.
func TestTabWhoseLoginReplacesTheSession(t *testing.T) {
	eachKind(t, testTabWhoseLoginReplacesTheSession)
}

func testTabWhoseLoginReplacesTheSession(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		with(mux, auth, "/sso", func(p *glue.Policy) { p.IAct = "no" })
	}})
	t.Run("another person", func(t *testing.T) {
		s.in(t)
		b := s.browser("test0001")
		location := b.begin("/private/page")
		b.get("/private/").requireEcho("test0001")
		b.get(s.respond(location, "test0002", webauthtest.SignedOn)).requireEcho("test0002")
	})
	t.Run("a route that wants no password", func(t *testing.T) {
		s.in(t)
		b := s.loggedIn("test0001")
		id := b.get(s.respond(b.begin("/sso"), "test0001", webauthtest.SignedOn)).requireEcho("test0001").Identity
		assert.Empty(t, id.Auth)
		assert.Zero(t, id.Password)
	})
	t.Run("an ended session", func(t *testing.T) {
		s.in(t)
		b := s.loggedIn("test0001")
		s.advance(3 * time.Hour)
		id := b.get(s.respond(b.begin("/private/page"), "test0001", webauthtest.SignedOn)).requireEcho("test0001").Identity
		assert.Empty(t, id.Auth)
	})
}

// A browser that starts with five tabs and no cookies sends five requests at once. Each
// answer brings a secret, and the last one wins.
func TestFiveTabsRestoredWithoutCookies(t *testing.T) {
	eachKind(t, testFiveTabsRestoredWithoutCookies)
}

func testFiveTabsRestoredWithoutCookies(t *testing.T, kind kind) {
	for first := range 5 {
		t.Run(fmt.Sprintf("tab %d comes back first", first), func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			var locations [5]string
			for i := range locations {
				b.dropCookies("login") // not there yet when this tab's request was sent
				locations[i] = b.begin(fmt.Sprintf("/private/%d", i))
			}
			doing, pages := webauthtest.Types, 0
			for turn := range locations {
				i := (first + turn) % 5
				a := b.get(s.respond(locations[i], "test0001", doing))
				doing = webauthtest.SignedOn
				if a.kind() != "" {
					pages++
					a.requirePage(http.StatusForbidden, "refused")
					require.NotEmpty(t, a.links())
					a = b.get(a.links()[0])
				}
				a.requireEcho("test0001")
				assert.Equal(t, fmt.Sprintf("%s/private/%d", s.url, i), a.Request.URL.String())
			}
			if kind.name == byOIDC.name {
				assert.Equal(t, 4, pages, "nobody can say who the others are about")
				return
			}
			// Once somebody is logged in, the other tabs just go on.
			assert.Equal(t, first != 4, pages == 1)
			assert.LessOrEqual(t, pages, 1)
		})
	}
}

// The same with real concurrency, and with whatever order comes of it.
func TestManyTabsAtOnce(t *testing.T) { eachKind(t, testManyTabsAtOnce) }

func testManyTabsAtOnce(t *testing.T, kind kind) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprintf("browser known: %v", known), func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			if known {
				b.begin("/private/")
			}
			const tabs = 20
			bodies := make([]string, tabs)
			var wait sync.WaitGroup
			for i := range tabs {
				wait.Go(func() {
					a, err := b.try(http.MethodGet, fmt.Sprintf("%s/private/%d", s.url, i), nil, nil)
					if assert.NoError(t, err) {
						bodies[i] = a.kind()
						assert.True(t, a.kind() == "refused" && len(a.links()) > 0 || a.kind() == "" && a.StatusCode == 200, "page %q", a.kind())
					}
				})
			}
			wait.Wait()
			if known {
				assert.Equal(t, make([]string, tabs), bodies, "all logged in")
			}
			b.get("/private/").requireEcho("test0001")
			assert.False(t, slices.Contains(s.eventNames(), glue.EventLoop))
		})
	}
}

func TestManyAbortedLogins(t *testing.T) { eachKind(t, testManyAbortedLogins) }

func testManyAbortedLogins(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	b.begin("/private/0")
	secret := b.cookie("login").Value
	for i := range 1000 {
		a := b.once(fmt.Sprintf("/private/%d", i%7))
		require.Equal(t, http.StatusSeeOther, a.StatusCode)
		require.Empty(t, a.Cookies(), "the secret is written once")
	}
	require.Len(t, b.cookies(), 1)
	assert.Equal(t, secret, b.cookie("login").Value)
	b.get("/private/").requireEcho("test0001")
	assert.Equal(t, secret, b.cookie("login").Value)
}

// The back button, or a page that is reloaded before its redirect is through.
func TestResponseThatComesTwice(t *testing.T) { eachKind(t, testResponseThatComesTwice) }

func testResponseThatComesTwice(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	back := s.respond(b.begin("/private/page?n=1"), "test0001")
	b.get(back).requireEcho("test0001")
	session := b.cookie("session").Value
	for _, later := range []time.Duration{0, 20 * time.Second, time.Minute, 30 * time.Minute} {
		s.advance(later)
		a := b.get(back)
		a.requireEcho("test0001")
		assert.Equal(t, s.url+"/private/page?n=1", a.Request.URL.String())
		assert.Equal(t, session, b.cookie("session").Value)
	}
	assert.Equal(t, []string{"login", "repeated", "repeated", "repeated", "repeated"}, s.eventNames())

	t.Run("with another person's session", func(t *testing.T) {
		s.in(t)
		s.browser("test0002").get(back).requirePage(http.StatusForbidden, kind.stranger)
		other := s.loggedIn("test0002")
		other.get(back).requirePage(http.StatusForbidden, kind.late)
		other.get("/private/").requireEcho("test0002")
	})
	t.Run("with an ended session", func(t *testing.T) {
		s.in(t)
		s.advance(2 * time.Hour)
		b.get(back).requirePage(http.StatusForbidden, kind.late)
	})
}
