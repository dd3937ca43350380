package glue_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// failed opens a page, has the login fail, and gives the request that the browser's Back
// returns to.
func (b *browser) failed(target string, o webauthtest.Outcome) (location string) {
	b.site.t.Helper()
	location = b.begin(target)
	if o.Status == 0 {
		o.Status = 410
	}
	b.site.fake.Next(o)
	status, kind := http.StatusForbidden, "declined"
	if o.Status == 410 {
		status, kind = http.StatusOK, "cancelled"
	}
	b.get(b.site.respond(location, "test0001", webauthtest.Cancels)).requirePage(status, kind)
	return location
}

// askedWho brings a login after a failure, and gives the page that asks.
func (b *browser) askedWho(location, user string) answer {
	b.site.t.Helper()
	a := b.get(b.site.respond(location, user)).requirePage(http.StatusOK, "confirm-login")
	require.Contains(b.site.t, a.Body, "<h1>Log in as "+user+"?</h1>")
	require.Len(b.site.t, a.links(), 2)
	return a
}

func quirks(q ...webauthtest.Quirk) webauthtest.Outcome { return webauthtest.Outcome{Quirks: q} }

// Cancel, the browser's Back, and the right password: logged in, at the whole URL.
func TestCancelBackLogIn(t *testing.T) { eachKind(t, testCancelBackLogIn) }

func testCancelBackLogIn(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		outcome webauthtest.Outcome
		target  string
	}{
		{"cancelled", webauthtest.Outcome{}, "/private/page?n=1&m=%41"},
		{"in version 1, which drops the query", quirks(webauthtest.QuirkV1Cancel), "/private/page?n=1&m=%41"},
		{"unsigned", quirks(webauthtest.QuirkUnsignedFailure), "/private/page?n=1"},
		{"declined", webauthtest.Outcome{Status: 570}, "/private/page?n=1"},
		{"a status that nobody knows", webauthtest.Outcome{Status: 599}, "/private/page?n=1"},
		{"a route that knows GET alone", webauthtest.Outcome{}, "/get-only?n=1"},
		{"a route inside others", webauthtest.Outcome{}, "/inside?n=1"},
		{"a route that wants a password", webauthtest.Outcome{}, "/typed?n=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, a *glue.Auth) {
				mux.Handle("GET /get-only", a.Require(echo))
				mux.Handle("/inside", nest(a, "silent", "require", "either"))
				mux.Handle("/typed", nest(a, "yes"))
			}})
			b := s.browser("test0001")
			location := b.failed(tt.target, tt.outcome)
			page := b.askedWho(location, "test0001")
			b.once("/optional").requireEcho("") // nobody is logged in by a page
			a := b.get(page.links()[0])
			id := a.requireEcho("test0001").Identity
			assert.Equal(t, s.url+tt.target, a.Request.URL.String())
			assert.Equal(t, "pwd", id.Auth)
			assert.Equal(t, testNow, id.Password)
			assert.Equal(t, []string{"refused", "confirm-login", "login"}, s.eventNames())
			assert.Equal(t, "test0001", s.lastEvent(glue.EventConfirm).Principal)
		})
	}
}

func TestCancelBackThroughLogin(t *testing.T) { eachKind(t, testCancelBackThroughLogin) }

func testCancelBackThroughLogin(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	location := b.failed("/login?next=%2Fprivate%2Fpage%3Fn%3D1", quirks(webauthtest.QuirkV1Cancel))
	a := b.get(b.askedWho(location, "test0001").links()[0])
	a.requireEcho("test0001")
	assert.Equal(t, s.url+"/private/page?n=1", a.Request.URL.String())
}

// Whatever else comes back for a request that failed.
func TestAfterAFailure(t *testing.T) { eachKind(t, testAfterAFailure) }

func testAfterAFailure(t *testing.T, kind kind) {
	cancel := quirks(webauthtest.QuirkV1Cancel)
	t.Run("cancelled again", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.failed("/private/page?n=1", cancel)
		for range 3 {
			s.fake.Next(cancel)
			a := b.get(s.respond(location, "test0001", webauthtest.Cancels)).requirePage(http.StatusOK, "cancelled")
			assert.Equal(t, s.url+"/private/page?n=1", a.links()[0])
		}
		b.get(b.askedWho(location, "test0001").links()[0]).requireEcho("test0001")
	})
	t.Run("the page of the failure reloaded, at once and later", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.begin("/private/page?n=1")
		back := s.respond(location, "test0001", webauthtest.Cancels)
		for _, later := range []time.Duration{0, 0, time.Minute} {
			s.advance(later)
			b.get(back).requirePage(http.StatusOK, "cancelled")
		}
		b.get(b.askedWho(location, "test0001").links()[0]).requireEcho("test0001")
	})
	t.Run("the page of a cancelled login in a tab that is restored days later", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		back := s.respond(b.begin("/private/page?n=1"), "test0001", webauthtest.Cancels)
		for range 2 {
			a := b.get(back).requirePage(http.StatusOK, "cancelled")
			assert.Equal(t, []string{s.url + "/private/page?n=1", s.url + "/"}, a.links())
			assert.Empty(t, a.ref())
			assert.Contains(t, a.Body, "You are not logged in to this site.")
			s.advance(30 * time.Hour)
			b.dropCookies("failed")
		}
		events := len(s.eventNames())
		a := s.loggedIn("test0002").get(back)
		assert.Contains(t, []string{"stale", "refused"}, a.kind(), "it was not their login")
		b.get("/private/").requireEcho("test0001")
		if a := b.get(back); a.kind() == "cancelled" {
			assert.Contains(t, a.Body, "Your login from before has not changed.")
			assert.Contains(t, a.Body, "<strong>test0001</strong>")
		} else {
			a.requireEcho("test0001")
		}
		assert.NotContains(t, s.eventNames()[events:], glue.EventConfirm)
	})
	t.Run("logged in twice", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.failed("/private/page?n=1", cancel)
		b.askedWho(location, "test0001")
		a := b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "refused")
		assert.Equal(t, s.url+"/private/page?n=1", a.links()[0])
		b.get(a.links()[0]).requireEcho("test0001")
	})
	t.Run("logged in meanwhile, as the same person", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.failed("/private/page?n=1", cancel)
		b.get("/private/").requireEcho("test0001")
		b.get(s.respond(location, "test0001")).requireEcho("test0001") // nobody need be asked
	})
	t.Run("logged in meanwhile, as another person", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.failed("/private/page?n=1", cancel)
		b.get("/private/").requireEcho("test0001")
		a := b.askedWho(location, "test0002")
		assert.Contains(t, a.Body, "You are logged in as <strong>test0001</strong>")
		b.get(a.links()[1])
		b.get("/private/").requireEcho("test0001")
		b.get(a.links()[0]).requireEcho("test0002")
		assert.Equal(t, "test0002", s.lastEvent(glue.EventPerson).Principal)
	})
	t.Run("with a session that has ended", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session.MaxLife = time.Minute }})
		b := s.loggedIn("test0001")
		s.advance(time.Minute)
		a := b.askedWho(b.failed("/private/page?n=1", cancel), "test0001")
		assert.NotContains(t, a.Body, "You are logged in")
	})
	t.Run("what is not strong enough is refused, not asked about", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, a *glue.Auth) { mux.Handle("/typed", nest(a, "yes")) }})
		b := s.browser("test0001")
		location := b.failed("/typed", cancel)
		s.fake.Next(proof("", []string{"pwd"}))
		b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "strength")
	})
	t.Run("after four others the first is forgotten", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		var locations []string
		for range 5 {
			locations = append(locations, b.failed("/private/page", cancel))
		}
		assert.Less(t, len(b.cookie("failed").Value), 250)
		b.get(s.respond(locations[0], "test0001")).requirePage(http.StatusForbidden, "refused")
		for _, location := range locations[1:] {
			b.askedWho(location, "test0001")
		}
	})
	t.Run("an hour later", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.failed("/private/page?n=1", cancel)
		s.advance(time.Hour + time.Second)
		a := b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "refused")
		assert.Equal(t, s.url+"/private/page?n=1", a.links()[0])
	})
	t.Run("cancelled after an hour, in version 1", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.begin("/private/page?n=1")
		s.advance(time.Hour + time.Second)
		s.fake.Next(quirks(webauthtest.QuirkV1Cancel))
		a := b.get(s.respond(location, "test0001", webauthtest.Cancels))
		assert.Equal(t, s.url+"/private/page?n=1", a.links()[0], "page %q", a.kind())
	})
	t.Run("by a script", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001")
		location := b.begin("/private/page")
		require.Equal(t, http.StatusUnauthorized, b.fetch(s.respond(location, "test0001", webauthtest.Cancels)).StatusCode)
		assert.Nil(t, b.cookie("failed"), "no new cookie")
		b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "refused")
	})
	t.Run("without the cookie", func(t *testing.T) {
		s := startSite(t, setup{kind: kind})
		b := s.browser("test0001").forgetting("wls-failed")
		b.get(s.respond(b.failed("/private/page", cancel), "test0001")).requirePage(http.StatusForbidden, "refused")
	})
	t.Run("a login costs no mark more than before", func(t *testing.T) {
		marks := &countedUse{OneUse: webauth.NewMemoryOneUse(0, func() time.Time { return testNow })}
		s := startSite(t, setup{kind: kind, config: func(c *config) { c.OneUse = marks }})
		s.loggedIn("test0001")
		assert.Equal(t, []string{"response", "token"}, marks.kinds)
	})
}

// countedUse notes what is marked.
type countedUse struct {
	webauth.OneUse
	kinds []string
}

func (c *countedUse) Once(ctx context.Context, item webauth.Item) error {
	kind, _, _ := strings.Cut(item.ID, ":")
	c.kinds = append(c.kinds, kind)
	return c.OneUse.Once(ctx, item)
}

// The button works once, in the browser that was asked, on that page, for a while.
func TestConfirmButton(t *testing.T) { eachKind(t, testConfirmButton) }

func testConfirmButton(t *testing.T, kind kind) {
	header := func(lines ...string) func(r *http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(lines); i += 2 {
				r.Header.Set(lines[i], lines[i+1])
			}
		}
	}
	navigates := []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	for _, tt := range []struct {
		name   string
		before func(s *testSite, b *browser) *browser // gives the browser that presses
		edit   func(r *http.Request)
		link   func(link string) string
		method string
		status int
		page   string
		spent  bool // the button works no more afterwards
	}{
		{name: "pressed", status: 200, spent: true},
		{name: "pressed on our page", edit: header(append(navigates, "Sec-Fetch-Site", "same-origin")...), status: 200, spent: true},
		{name: "opened from another site", edit: header(append(navigates, "Sec-Fetch-Site", "cross-site")...), status: 403, page: "refused"},
		{name: "opened from a sibling host", edit: header(append(navigates, "Sec-Fetch-Site", "same-site")...), status: 403, page: "refused"},
		{name: "opened by the person", edit: header(append(navigates, "Sec-Fetch-Site", "none")...), status: 200, spent: true},
		{name: "in a frame", edit: header("Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Site", "same-origin"), status: 401, page: "login-framed"},
		{name: "by a script", edit: header("Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Site", "same-origin"), status: 401},
		{name: "ahead of time", edit: header(append(navigates, "Sec-Fetch-Site", "same-origin", "Sec-Purpose", "prefetch")...), status: 401},
		{name: "by HEAD", method: http.MethodHead, status: 401},
		{name: "by POST", method: http.MethodPost, status: 401},
		{name: "in another browser", status: 403, page: "refused", before: func(s *testSite, _ *browser) *browser { return s.browser("test0002") }},
		{name: "in another browser that has been here", status: 403, page: "refused", before: func(s *testSite, _ *browser) *browser {
			other := s.browser("test0002")
			other.begin("/private/page")
			return other
		}},
		{name: "in the browser of somebody who is logged in", status: 403, page: "refused", before: func(s *testSite, _ *browser) *browser { return s.loggedIn("test0002") }},
		{name: "without cookies", status: 403, page: "refused", before: func(s *testSite, _ *browser) *browser { return s.browser("").forgetting("wls-") }},
		{name: "after logging out", status: 403, page: "refused", spent: true, before: func(_ *testSite, b *browser) *browser {
			b.post("/logout", nil).requirePage(http.StatusOK, "not-logged-in")
			return b
		}},
		{name: "ten minutes later", status: 200, spent: true, before: func(s *testSite, b *browser) *browser { s.advance(10*time.Minute - time.Second); return b }},
		{name: "later than that", status: 403, page: "refused", spent: true, before: func(s *testSite, b *browser) *browser { s.advance(10 * time.Minute); return b }},
		{name: "at another page", status: 403, page: "refused", link: func(l string) string {
			return strings.NewReplacer("/private/page", "/private/other", "/login", "/private/page").Replace(l)
		}},
		{name: "altered", status: 403, page: "refused", link: func(l string) string { return l[:len(l)-4] + "AAAA" }},
		{name: "empty", status: 403, page: "refused", link: func(l string) string { return l[:strings.Index(l, "=")+1] }},
		{name: "twice in one query", status: 403, page: "refused", link: func(l string) string { return l + "&wls-confirm=x" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{kind: kind})
			b := s.browser("test0001")
			link := b.askedWho(b.failed("/private/page?n=1", webauthtest.Outcome{}), "test0001").links()[0]
			s.hide(link[strings.Index(link, "=")+1:])
			presses := b
			if tt.before != nil {
				presses = tt.before(s, b)
			}
			method, target := http.MethodGet, link
			if tt.method != "" {
				method = tt.method
			}
			if tt.link != nil {
				target = tt.link(link)
			}
			a := presses.do(method, target, nil, tt.edit)
			require.Equal(t, tt.status, a.StatusCode, "page %q", a.kind())
			if tt.status == 200 {
				a.requireEcho("test0001")
				assert.Equal(t, s.url+"/private/page?n=1", a.Request.URL.String())
			}
			require.Equal(t, tt.page, a.kind())
			if tt.status == http.StatusForbidden {
				assert.NotContains(t, a.links()[0], "wls-confirm")
			}
			if tt.page == "refused" {
				assert.EqualValues(t, "confirm", s.lastEvent(glue.EventRefused).Reason)
			}
			if !tt.spent {
				b.get(link).requireEcho("test0001")
			} else if tt.status != 200 {
				b.get(link).requirePage(http.StatusForbidden, "refused")
			}
		})
	}
}

// Pressed again, by Back or by whoever reads the log.
func TestConfirmButtonPressedTwice(t *testing.T) { eachKind(t, testConfirmButtonPressedTwice) }

func testConfirmButtonPressedTwice(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	link := b.askedWho(b.failed("/private/page?n=1", webauthtest.Outcome{}), "test0001").links()[0]
	first := b.get(link).requireEcho("test0001").Identity
	a := b.get(link)
	assert.Equal(t, first.SessionID, a.requireEcho("test0001").Identity.SessionID)
	assert.Equal(t, s.url+"/private/page?n=1", a.Request.URL.String())
	assert.Equal(t, glue.EventRepeated, s.eventNames()[len(s.eventNames())-1])

	s.browser("test0002").get(link).requirePage(http.StatusForbidden, "refused")
	b.dropCookies("session")
	b.get(link).requirePage(http.StatusForbidden, "refused")
	b.get("/private/").requireEcho("test0001") // by a new login
	b.post("/logout", nil)
	b.get(link).requirePage(http.StatusForbidden, "refused")
}

// A password that was typed meanwhile is not taken away.
func TestConfirmButtonKeepsAStrongerSession(t *testing.T) {
	eachKind(t, testConfirmButtonKeepsAStrongerSession)
}

func testConfirmButtonKeepsAStrongerSession(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	location := b.failed("/private/page?n=1", webauthtest.Outcome{})
	link := b.get(s.respond(location, "test0001", webauthtest.SignedOn)).requirePage(http.StatusOK, "confirm-login").links()[0]
	typed := b.get("/private/").requireEcho("test0001").Identity
	require.Equal(t, "pwd", typed.Auth)
	assert.Equal(t, typed, b.get(link).requireEcho("test0001").Identity)
}

// The page and the button do as well where sessions are elsewhere, and where they are
// bound to the browser.
func TestConfirmButtonWithOtherSessions(t *testing.T) {
	eachKind(t, testConfirmButtonWithOtherSessions)
}

func testConfirmButtonWithOtherSessions(t *testing.T, kind kind) {
	t.Run("in a store", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, config: inStore(newKeptStore())})
		b := s.browser("test0001")
		b.get(b.askedWho(b.failed("/private/page?n=1", webauthtest.Outcome{}), "test0001").links()[0]).requireEcho("test0001")
	})
	t.Run("on https", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, tls: true})
		b := s.browser("test0001")
		b.get(b.askedWho(b.failed("/private/page?n=1", webauthtest.Outcome{}), "test0001").links()[0]).requireEcho("test0001")
	})
	t.Run("bound to the User-Agent", func(t *testing.T) {
		s := startSite(t, setup{kind: kind, config: func(c *config) { c.Session.BindBrowser = true }})
		b := s.browser("test0001")
		link := b.askedWho(b.failed("/private/page?n=1", webauthtest.Outcome{}), "test0001").links()[0]
		b.do(http.MethodGet, link, nil, func(r *http.Request) { r.Header.Set("User-Agent", "other") }).requirePage(http.StatusForbidden, "refused")
		b.get(link).requireEcho("test0001")
	})
}

// Failures that anybody can make up for a token that he has read open nothing.
func TestMadeUpFailureOpensNothing(t *testing.T) { eachKind(t, testMadeUpFailureOpensNothing) }

func testMadeUpFailureOpensNothing(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	location := b.begin("/private/page?n=1")
	b.get(s.respond(location, "test0001")).requireEcho("test0001")
	s.fake.Next(webauthtest.Outcome{Status: 410, Quirks: []webauthtest.Quirk{webauthtest.QuirkUnsignedFailure}})
	b.get(s.respond(location, "test0001")).requirePage(http.StatusOK, "cancelled") // though they are logged in
	assert.Equal(t, "test0001", b.get("/private/").requireEcho("test0001").Identity.Principal)
	assert.Nil(t, b.cookie("failed"))
	b.get(s.respond(location, "test0002")).requirePage(http.StatusForbidden, "refused")
	b.get("/private/").requireEcho("test0001")
}

// The cookie is good in the browser that it was made for, and there for its own tokens.
func TestFailedCookieElsewhere(t *testing.T) { eachKind(t, testFailedCookieElsewhere) }

func testFailedCookieElsewhere(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	location := b.begin("/private/page")
	s.fake.Next(webauthtest.Outcome{Fault: webauthtest.FaultStale})
	b.get(s.respond(location, "test0001")).requirePage(http.StatusForbidden, "stale") // spent, but no failure
	other := s.browser("test0001")
	other.failed("/private/page", webauthtest.Outcome{})
	c := other.cookie("failed")
	b.setCookie(c.Name, c.Value)
	b.get(s.respond(location, "test0002")).requirePage(http.StatusForbidden, "refused")
	assert.Contains(t, []string{"token", "replay"}, s.lastEvent(glue.EventRefused).Reason)
}

// A failure of silent sign-in is no login that anybody cancelled.
func TestSilentFailureIsNotRemembered(t *testing.T) { eachKind(t, testSilentFailureIsNotRemembered) }

func testSilentFailureIsNotRemembered(t *testing.T, kind kind) {
	s := silentSite(t, kind)
	b := s.browser("test0001")
	b.get("/silent")
	location := b.begin("/silent")
	b.get(s.respond(location, "test0001", webauthtest.Types)).requireEcho("") // 540
	assert.Nil(t, b.cookie("failed"))
	b.get(s.respond(location, "test0001", webauthtest.SignedOn)).requirePage(http.StatusForbidden, "refused")
}

// A link of ours never has a person sign for an address that holds the button's parameter.
func TestConfirmParameterIsNeverSigned(t *testing.T) { eachKind(t, testConfirmParameterIsNeverSigned) }

func testConfirmParameterIsNeverSigned(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	for _, target := range []string{"/private/?wls-confirm=x", "/private/?a=b&wls-confirm=", "/optional?wls-confirm=x&a=b", "/login?next=%2F&wls-confirm=x"} {
		a := b.once(target).requirePage(http.StatusForbidden, "refused")
		u, err := url.Parse(a.links()[0])
		require.NoError(t, err)
		assert.False(t, u.Query().Has("wls-confirm"), a.links()[0])
	}
	assert.Empty(t, fields(t, b.begin("/private/?xwls-confirm=1")).Get("wls-confirm"))
}
