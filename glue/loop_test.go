package glue_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// forgetful is a cookie jar that keeps no cookie whose name holds one of drops.
type forgetful struct {
	http.CookieJar
	drops []string
}

func (j forgetful) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		keep := true
		for _, part := range j.drops {
			keep = keep && !strings.Contains(c.Name, part)
		}
		if keep {
			j.CookieJar.SetCookies(u, []*http.Cookie{c})
		}
	}
}

// forgetting makes the browser drop cookies whose names hold one of these, the fake's
// not.
func (b *browser) forgetting(drops ...string) *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(b.site.t, err)
	b.client.Jar = forgetful{jar, drops}
	return b
}

// endless keeps nothing, but says that it did.
type endless struct{}

func (endless) Get(r *http.Request, name string) (*sessions.Session, error) {
	return endless{}.New(r, name)
}

func (st endless) New(_ *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(st, name)
	s.IsNew = true
	return s, nil
}

func (endless) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	http.SetCookie(w, sessions.NewCookie(s.Name(), "an id that the store has forgotten", s.Options))
	return nil
}

// Whatever goes wrong, the chain of redirects ends at a page, after as many requests to
// the site as said here. A browser gives up after 20 redirects.
func TestChainsEnd(t *testing.T) { eachKind(t, testChainsEnd) }

func testChainsEnd(t *testing.T, kind kind) {
	fresh := func(c *config) { c.Policy.Fresh = time.Minute }
	for _, tt := range []struct {
		name     string
		config   func(c *config)
		outcome  webauthtest.Outcome
		drops    []string
		page     string
		requests int
	}{
		{name: "a browser without cookies", drops: []string{"wls-"}, page: "cookies", requests: 2},
		{name: "the session's cookie is dropped", drops: []string{"wls-session"}, page: "loop", requests: 7},
		{
			name: "a store that keeps nothing", page: "loop", requests: 7,
			config: func(c *config) { c.Session.Store, c.SingleMachine = endless{}, true },
		},
		{
			name: "a session's cookie for another path", page: "loop", requests: 7,
			config: func(c *config) { c.Session.CookiePath = "/elsewhere" },
		},
		{name: "life 0", outcome: webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkLifeZero}}, requests: 3},
		{name: "negative life", outcome: webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkLifeNegative}}, requests: 3},
		{name: "Fresh at a WLS that ignores iact", config: fresh, outcome: webauthtest.Outcome{Fault: webauthtest.FaultIgnoreIAct}, page: "strength", requests: 2},
		{
			name: "aauth that the WLS does not have", page: kind.unknownType, requests: 2,
			config: func(c *config) { c.Policy.AAuth = []string{"x-otp"} },
		},
		{
			name: "iact no where somebody must type", page: "declined", requests: 2,
			config: func(c *config) { c.Policy.IAct = webauth.IActNo },
		},
		{name: "stale", outcome: webauthtest.Outcome{Fault: webauthtest.FaultStale}, page: "stale", requests: 2},
		{name: "replayed", outcome: webauthtest.Outcome{Fault: webauthtest.FaultReplay}, requests: 3},
		{name: "no ptag", outcome: webauthtest.Outcome{Quirks: []webauthtest.Quirk{webauthtest.QuirkNoPtags}}, page: "forbidden", requests: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, config: tt.config})
			s.fake.Always(tt.outcome)
			b := s.browser("test0001")
			if tt.drops != nil {
				b.forgetting(tt.drops...)
			}
			a := b.get("/private/")
			assert.EqualValues(t, tt.requests, s.served.Load())
			if tt.page == "" {
				a.requireEcho("test0001")
				return
			}
			require.Equal(t, tt.page, a.kind())
			assert.Equal(t, http.StatusForbidden, a.StatusCode)
			// Nor does it begin again if the person tries what the page offers.
			require.NotEmpty(t, a.links())
			b.get(a.links()[0])
			assert.LessOrEqual(t, s.served.Load(), int64(2*tt.requests))
		})
	}
}

func TestLoopIsForgottenAfterAMinute(t *testing.T) { eachKind(t, testLoopIsForgottenAfterAMinute) }

func testLoopIsForgottenAfterAMinute(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001").forgetting("wls-session")
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	assert.Equal(t, glue.EventLoop, s.lastEvent(glue.EventLoop).Name)
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	s.advance(59 * time.Second)
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	s.advance(time.Second)
	begun := s.served.Load()
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	assert.Equal(t, begun+7, s.served.Load(), "counted anew")
}

func TestLoopIsCountedForEachPath(t *testing.T) { eachKind(t, testLoopIsCountedForEachPath) }

func testLoopIsCountedForEachPath(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001").forgetting("wls-session")
	b.get("/private/a").requirePage(http.StatusForbidden, "loop")
	before := s.served.Load()
	b.get("/private/b?"+"n=1").requirePage(http.StatusForbidden, "loop")
	assert.Equal(t, before+7, s.served.Load())
	b.once("/private/b?n=2").requirePage(http.StatusForbidden, "loop") // the query makes no difference
	b.once("/private/a").requirePage(http.StatusForbidden, "loop")
}

// A later login elsewhere does not prolong what is remembered of a path.
func TestLoopForgetsEachPathInItsTime(t *testing.T) { eachKind(t, testLoopForgetsEachPathInItsTime) }

func testLoopForgetsEachPathInItsTime(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001").forgetting("wls-session")
	b.get("/private/a").requirePage(http.StatusForbidden, "loop")
	s.advance(30 * time.Second)
	b.get(s.respond(b.begin("/private/b"), "test0001", webauthtest.SignedOn))
	b.once("/private/a").requirePage(http.StatusForbidden, "loop")
	s.advance(30 * time.Second)
	b.begin("/private/a")
}

// The cookie stays small however many pages a person logs in for.
func TestLoopCookieIsBounded(t *testing.T) { eachKind(t, testLoopCookieIsBounded) }

func testLoopCookieIsBounded(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001").forgetting("wls-session")
	for i := range 20 {
		b.get(s.respond(b.begin(fmt.Sprintf("/private/%d", i)), "test0001", webauthtest.SignedOn))
	}
	assert.Less(t, len(b.cookie("loop").Value), 300)
}

// On http other programs can put a second cookie of the same name beside ours, to blind
// us.
func TestLoopWithHiddenMarks(t *testing.T) { eachKind(t, testLoopWithHiddenMarks) }

func testLoopWithHiddenMarks(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	name := strings.Replace(cookieName(s, "session"), "session", "loop", 1)
	for _, n := range []string{name, cookieName(s, "session")} {
		u, err := url.Parse(s.url + "/private/")
		require.NoError(t, err)
		b.client.Jar.SetCookies(u, []*http.Cookie{{Name: n, Value: "x", Path: "/private"}})
	}
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	assert.LessOrEqual(t, s.served.Load(), int64(7))
}

// cookieName is the full name of one of our cookies at a site on http.
func cookieName(s *testSite, part string) string {
	return "wls-" + part + "-" + s.url[strings.LastIndexByte(s.url, ':')+1:]
}

func TestUnreadableLoopMarksAreReplaced(t *testing.T) {
	eachKind(t, testUnreadableLoopMarksAreReplaced)
}

func testUnreadableLoopMarksAreReplaced(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001").forgetting("wls-session")
	b.setCookie(cookieName(s, "loop"), "nonsense")
	b.get("/private/").requirePage(http.StatusForbidden, "loop")
	assert.EqualValues(t, 7, s.served.Load())
}

func TestWhatIsNoLoop(t *testing.T) { eachKind(t, testWhatIsNoLoop) }

func testWhatIsNoLoop(t *testing.T, kind kind) {
	t.Run("logging out and in again", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		for range 10 {
			b.get("/private/").requireEcho("test0001")
			b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
		}
	})
	t.Run("many tabs", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		var locations [10]string
		for i := range locations {
			locations[i] = b.begin("/private/")
		}
		for _, location := range locations {
			b.get(s.respond(location, "test0001")).requireEcho("test0001")
		}
		assert.NotContains(t, s.eventNames(), glue.EventLoop)
	})
	t.Run("cancelling", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		s.fake.Always(webauthtest.Outcome{Status: 410})
		b := s.browser("test0001")
		for range 10 {
			b.get("/private/").requirePage(http.StatusOK, "cancelled")
		}
		s.fake.Always(webauthtest.Outcome{})
		b.get("/private/").requireEcho("test0001")
	})
	t.Run("a password asked for by several routes", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
			with(mux, auth, "/typed/", func(p *glue.Policy) { p.IAct = webauth.IActYes })
			with(mux, auth, "/silent/", func(p *glue.Policy) { p.IAct = webauth.IActNo })
		}})
		b := s.loggedIn("test0001")
		for i := range 5 {
			b.get(fmt.Sprintf("/silent/%d", i)).requireEcho("test0001")
			b.get(fmt.Sprintf("/typed/%d", i)).requireEcho("test0001")
		}
	})
}
