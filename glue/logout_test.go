package glue_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// logOutVia posts to /logout with these headers, in pairs.
func (b *browser) logOutVia(hidden url.Values, headers ...string) answer {
	b.site.t.Helper()
	return b.send("/logout", urlType, hidden.Encode(), headers...)
}

func TestLogout(t *testing.T) { eachKind(t, testLogout) }

func testLogout(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, tls: true, config: func(c *config) { c.Session.Inactivity = time.Hour }})
	b := s.loggedIn("test0001")
	oldLogin, oldSession := b.cookie("login"), b.cookie("session")
	secret, session := oldLogin.Value, oldSession.Value
	a := b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
	assert.Equal(t, `"cache"`, a.Header.Get("Clear-Site-Data"))
	assert.Equal(t, []string{s.fake.logoutPage(), s.url + "/"}, a.links())
	assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'none'")
	assert.Equal(t, "test0001", s.lastEvent(glue.EventLogout).Principal)

	assert.Nil(t, b.cookie("session"))
	assert.Nil(t, b.cookie("seen"))
	assert.Nil(t, b.cookie("loop"))
	require.NotNil(t, b.cookie("tried"))
	require.NotNil(t, b.cookie("login"))
	assert.NotEqual(t, secret, b.cookie("login").Value, "a new secret")
	b.get("/optional").requireEcho("")

	// The old session is dead although its seal would last.
	b.setCookie(oldSession.Name, session)
	b.get("/optional").requireEcho("")
	b.setCookie(oldLogin.Name, secret)
	b.get("/optional").requireEcho("test0001") // it was the secret
}

// A reply that is on its way while somebody logs out cannot log them in again.
func TestLogoutOutrunsALogin(t *testing.T) { eachKind(t, testLogoutOutrunsALogin) }

func testLogoutOutrunsALogin(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	b.dropCookies("session")
	back := s.respond(b.begin("/private/late"), "test0001")
	b.get("/private/").requireEcho("test0001")
	b.post("/logout", nil).requirePage(http.StatusOK, "logged-out")
	b.get(back).requirePage(http.StatusForbidden, "refused")
	assert.Nil(t, b.cookie("session"))
}

func TestLogoutIsAskedForFirst(t *testing.T) { eachKind(t, testLogoutIsAskedForFirst) }

func testLogoutIsAskedForFirst(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	a := b.get("/logout?x=1").requirePage(http.StatusOK, "logout")
	assert.Contains(t, a.Body, "<strong>test0001</strong>")
	assert.Contains(t, a.Header.Get("Content-Security-Policy"), "form-action 'self'")
	action, hidden := a.form()
	assert.Equal(t, s.url+"/logout", action)
	require.Len(t, hidden, 1)
	b.get("/private/").requireEcho("test0001") // to ask is not to do

	head := b.do(http.MethodHead, "/logout", nil, nil)
	assert.Equal(t, http.StatusOK, head.StatusCode)
	assert.Empty(t, head.Body)
	put := b.do(http.MethodPut, "/logout", nil, nil)
	assert.Equal(t, http.StatusMethodNotAllowed, put.StatusCode)
	assert.Equal(t, "GET, HEAD, POST", put.Header.Get("Allow"))
	b.get("/private/").requireEcho("test0001")

	b.post(action, hidden).requirePage(http.StatusOK, "logged-out")
	for name, nobody := range map[string]*browser{"logged out": b, "never here before": s.browser("test0001")} {
		a := nobody.get("/logout").requirePage(http.StatusOK, "not-logged-in")
		assert.NotContains(t, a.Body, "test0001", name)
		assert.NotContains(t, a.Body, "<form", name)
	}
}

// A session that has ended, or is elsewhere than where it began, is there to be ended: it may come
// to life again, and the application keeps something of it.
func TestLogoutOfASessionThatHasEnded(t *testing.T) { eachKind(t, testLogoutOfASessionThatHasEnded) }

func testLogoutOfASessionThatHasEnded(t *testing.T, kind kind) {
	for _, tt := range []struct {
		name    string
		session glue.Session
		ends    func(s *testSite, from *string)
	}{
		{"expired", glue.Session{}, func(s *testSite, _ *string) { s.advance(3 * time.Hour) }},
		{"idle", glue.Session{Inactivity: 5 * time.Minute}, func(s *testSite, _ *string) { s.advance(6 * time.Minute) }},
		{"moved", glue.Session{BindAddress: true}, func(_ *testSite, from *string) { *from = "198.51.100.1:1" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, gone := "192.0.2.1:1", ""
			s := startSite(t, setup{kind: kind,
				config: func(c *config) {
					c.Session = tt.session
					c.OnPersonChange = func(_ http.ResponseWriter, _ *http.Request, old, _ glue.Identity) { gone = old.Principal }
				},
				wrap: func(h http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						r.RemoteAddr = from
						h.ServeHTTP(w, r)
					})
				},
			})
			b := s.loggedIn("test0001")
			tt.ends(s, &from)
			a := b.get("/logout").requirePage(http.StatusOK, "logout")
			assert.NotContains(t, a.Body, "test0001")
			action, hidden := a.form()
			b.post(action, hidden).requirePage(http.StatusOK, "not-logged-in")
			assert.Equal(t, "test0001", gone)
			from = "192.0.2.1:1"
			b.get("/optional").requireEcho("")
		})
	}
}

func TestLogoutNeedsAPageOfThisSite(t *testing.T) { eachKind(t, testLogoutNeedsAPageOfThisSite) }

func testLogoutNeedsAPageOfThisSite(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	nothing := []string{"Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Accept", "text/html", "Origin"}
	for _, tt := range []struct {
		name    string
		headers []string
		token   string // of the button: "", "own" or another browser's
		out     bool
	}{
		{"from the same origin", []string{"Sec-Fetch-Site", "same-origin"}, "", true},
		{"from another site", []string{"Sec-Fetch-Site", "cross-site"}, "", false},
		{"from a sibling", []string{"Sec-Fetch-Site", "same-site"}, "", false},
		{"from nowhere", []string{"Sec-Fetch-Site", "none"}, "", false},
		{"from another site, with its Origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, "own", false},
		{"a lie in Origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", s.url}, "own", false},
		{"old browser, same origin", append(nothing, s.url), "", true},
		{"old browser, another origin", append(nothing, "https://evil.example"), "own", false},
		{"old browser, another scheme", append(nothing, strings.Replace(s.url, "http:", "https:", 1)), "", false},
		{"old browser, another port", append(nothing, "http://localhost:1"), "", false},
		{"old browser, null", append(nothing, "null"), "", false},
		{"old browser, null, the button", append(nothing, "null"), "own", true},
		{"no headers", append(nothing, ""), "", false},
		{"no headers, the button", append(nothing, ""), "own", true},
		{"no headers, the button of another browser", append(nothing, ""), "other", false},
		{"no headers, nonsense", append(nothing, ""), "nonsense", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.loggedIn("test0001")
			hidden := url.Values{}
			switch tt.token {
			case "":
			case "own":
				_, hidden = b.get("/logout").form()
			case "other":
				_, hidden = s.loggedIn("test0001").get("/logout").form()
			default:
				hidden.Set("wls-logout", tt.token)
			}
			a := b.logOutVia(hidden, tt.headers...)
			if tt.out {
				a.requirePage(http.StatusOK, "logged-out")
				b.get("/optional").requireEcho("")
				return
			}
			a.requirePage(http.StatusOK, "logout")
			assert.Empty(t, a.Cookies())
			b.get("/private/").requireEcho("test0001")
		})
	}
}

func TestLogoutButtonExpires(t *testing.T) { eachKind(t, testLogoutButtonExpires) }

func testLogoutButtonExpires(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.loggedIn("test0001")
	_, hidden := b.get("/logout").form()
	s.advance(time.Hour)
	b.logOutVia(hidden, "Sec-Fetch-Site", "", "Origin", "").requirePage(http.StatusOK, "logout")
	_, hidden = b.get("/logout").form()
	b.logOutVia(hidden, "Sec-Fetch-Site", "", "Origin", "").requirePage(http.StatusOK, "logged-out")
}

func TestLogoutGoesOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config func(c *config)
		to     func(s *testSite) string
	}{
		{"to a page of the site", func(c *config) { c.AfterLogout = "/bye?x=1" }, func(s *testSite) string { return s.url + "/bye?x=1" }},
		{"to the WLS", func(c *config) { c.LogoutAtWLS, c.AfterLogout = true, "/bye" }, func(s *testSite) string { return s.fake.logoutPage() }},
		{"to the site where the WLS has no logout", func(c *config) {
			c.LogoutAtWLS, c.AfterLogout = true, "/bye"
			c.wls(func(s *webauth.Service) { s.LogoutURL = "" })
		}, func(s *testSite) string { return s.url + "/bye" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{config: tt.config})
			b := s.loggedIn("test0001")
			b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := b.post("/logout", nil)
			assert.Equal(t, http.StatusSeeOther, a.StatusCode)
			assert.Equal(t, tt.to(s), a.location())
			assert.Equal(t, `"cache"`, a.Header.Get("Clear-Site-Data"))
			assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			b.get("/optional").requireEcho("")
		})
	}
	t.Run("nowhere where the WLS has no logout", func(t *testing.T) {
		s := startSite(t, setup{config: func(c *config) { c.wls(func(s *webauth.Service) { s.LogoutURL = "" }) }})
		a := s.loggedIn("test0001").post("/logout", nil).requirePage(http.StatusOK, "logged-out")
		assert.Equal(t, []string{s.url + "/"}, a.links())
	})
}

func TestLogoutAtTheWLSEndsSingleSignOn(t *testing.T) {
	s := startSite(t, setup{config: func(c *config) { c.LogoutAtWLS = true }})
	b := s.loggedIn("test0001")
	b.post("/logout", nil)
	b.client.Transport.(*recorder).next = s.fake.Client("").Transport // nobody types any more
	a := b.get("/private/")
	assert.Equal(t, "login", a.Header.Get("Fake-Wls-Page"))
}

func TestLogoutOfNobody(t *testing.T) { eachKind(t, testLogoutOfNobody) }

func testLogoutOfNobody(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	b := s.browser("test0001")
	b.post("/logout", nil).requirePage(http.StatusOK, "not-logged-in")
	assert.Empty(t, s.eventNames())
	b.get("/private/").requireEcho("test0001")
}

// What anybody may send is read up to a limit, even where the button is in it.
func TestLogoutReadsNoLongForm(t *testing.T) { eachKind(t, testLogoutReadsNoLongForm) }

func testLogoutReadsNoLongForm(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	for _, tt := range []struct {
		name   string
		before int // bytes in front of the button
		after  int
		out    bool
	}{
		{"the button alone", 0, 0, true},
		{"nearly 4 KiB", 3 << 10, 0, true},
		{"more than 4 KiB in front", 4 << 10, 0, false},
		{"more than 4 KiB behind", 0, 4 << 10, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.loggedIn("test0001")
			_, hidden := b.get("/logout").form()
			body := "a=" + strings.Repeat("x", tt.before) + "&" + hidden.Encode() + "&b=" + strings.Repeat("y", tt.after)
			a := b.send("/logout", urlType, body, "Sec-Fetch-Site", "", "Sec-Fetch-Mode", "", "Accept", "text/html", "Origin", "")
			if tt.out {
				a.requirePage(http.StatusOK, "logged-out")
				return
			}
			a.requirePage(http.StatusOK, "logout")
			b.get("/private/").requireEcho("test0001")
		})
	}
}
