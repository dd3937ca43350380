package remoteuser_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
)

// withForm has a form for one password.
func withForm(secret string) func(c *config) {
	return func(c *config) {
		c.Password, c.Form, c.Lookup, c.Site.Secret = onePassword, &password.FormConfig{}, lookup, secret
	}
}

func newForm(t *testing.T) *backend {
	t.Helper()
	return newBackend(t, setup{config: withForm(newSecret())})
}

func TestForm(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	a := br.get("/private?x=1&y=%2F")
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	location := a.Header.Get("Location")
	assert.Equal(t, b.url+"/login?next="+url.QueryEscape("/private?x=1&y=%2F"), location)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))

	form := br.fill(location, "ada", "correct horse")
	a = br.do(http.MethodPost, "/login", form, nil)
	require.Equal(t, http.StatusSeeOther, a.StatusCode)
	assert.Equal(t, b.url+"/private?x=1&y=%2F", a.Header.Get("Location"))
	cookies := a.Cookies()
	require.Len(t, cookies, 1)
	c := cookies[0]
	_, port, _ := strings.Cut(b.server.Listener.Addr().String(), ":")
	assert.Equal(t, "password-session-"+port, c.Name)
	assert.True(t, c.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, c.SameSite)
	assert.Equal(t, "/", c.Path)
	assert.Zero(t, c.MaxAge)

	a = br.get("/private")
	id := a.seen.Identity
	assert.Equal(t, "ada", id.Principal)
	assert.Equal(t, password.Service, id.Service)
	assert.Equal(t, start.Add(2*time.Hour), id.Expires)
	assert.Equal(t, start, id.Password)
	assert.NotEmpty(t, id.SessionID)
	assert.Equal(t, "the user ada by password", a.seen.User)
	assert.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"))
	assert.Equal(t, "ada", br.get("/optional").seen.Identity.Principal)

	a = br.get("/login?next=/private")
	assert.Equal(t, http.StatusSeeOther, a.StatusCode, "whoever is known goes on")
	assert.Contains(t, b.reasons(), "login")
	assert.NotContains(t, b.logged(), "correct horse")
	assert.NotContains(t, b.logged(), c.Value)

	again := b.browser()
	again.login("ada", "correct horse")
	assert.NotEqual(t, id.SessionID, again.get("/").seen.Identity.SessionID)
}

func TestFormOverHTTPS(t *testing.T) {
	b := newBackend(t, setup{tls: true, config: withForm(newSecret())})
	br := b.browser()
	a := br.get("/login")
	cookies := append(a.Cookies(), br.login("ada", "correct horse").Cookies()...)
	require.Len(t, cookies, 2)
	for _, c := range cookies {
		assert.True(t, strings.HasPrefix(c.Name, "__Host-password-"), c.Name)
		assert.True(t, c.Secure && c.HttpOnly)
		assert.Equal(t, "/", c.Path)
		assert.Empty(t, c.Domain)
	}
	assert.Equal(t, "ada", br.get("/").seen.Identity.Principal)
}

func TestFormWrongPassword(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	a := br.login("ada", "wrong horse")
	assert.Equal(t, http.StatusForbidden, a.StatusCode)
	assert.Equal(t, "wrong-password", a.kind())
	assert.Contains(t, a.body, `value="ada"`)
	assert.NotContains(t, a.body, "wrong horse")
	assert.Contains(t, a.body, `name="next" value="/private"`)
	assert.Empty(t, a.Cookies())
	assert.Contains(t, b.reasons(), "wrong-password password")
	assert.NotContains(t, b.logged(), `"ada"`)
	assert.Equal(t, http.StatusSeeOther, br.get("/").StatusCode)

	a = br.login(`"><script>`, "x")
	assert.NotContains(t, a.body, "<script>")
	a = br.login("two words", "x")
	assert.NotContains(t, a.body, "two words")
	for range 18 {
		br.login("ada", "x")
	}
	assert.Equal(t, "wrong-password", br.login("ada", "x").kind())
	a = br.login("ada", "correct horse")
	assert.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	assert.Equal(t, "throttled", a.kind())
	assert.Equal(t, "30", a.Header.Get("Retry-After"))
	assert.Empty(t, a.Cookies())
}

// A form that another site's page sends, or that was not given to this browser, logs
// nobody in: else an attacker could have people use his account without knowing.
func TestLoginCSRF(t *testing.T) {
	b := newForm(t)
	attacker := b.browser()
	theirs := attacker.fill("/login", "ada", "correct horse")
	for _, tc := range []struct {
		name   string
		old    bool
		form   func(own url.Values) url.Values
		edit   func(r *http.Request)
		reason string
	}{
		{"from another site", false, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, "cross-origin"},
		{"from another host of the same site", false, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") }, "cross-origin"},
		{"by a bookmark", false, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") }, "cross-origin"},
		{"from another origin, an old browser", true, nil, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, "cross-origin"},
		{"a contradiction", false, nil, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, "cross-origin"},
		{"the attacker's form", true, func(url.Values) url.Values { return theirs }, nil, "token"},
		{"the attacker's form, a browser that tells", false, func(url.Values) url.Values { return theirs }, nil, "token"},
		{"without a token", true, func(own url.Values) url.Values { own.Del("token"); return own }, nil, "token"},
		{"a token of rubbish", true, func(own url.Values) url.Values { own.Set("token", "AAAA"); return own }, nil, "token"},
		{"without the cookie", true, nil, func(r *http.Request) { r.Header.Del("Cookie"); r.Header["Cookie"] = []string{"x=y"} }, "cookie"},
		{"two names", true, func(own url.Values) url.Values { own.Add("name", "bob"); return own }, nil, "malformed"},
		{"another kind of form", true, nil, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, "malformed"},
		{"no kind", true, nil, func(r *http.Request) { r.Header.Del("Content-Type") }, "malformed"},
		{"too large", true, func(own url.Values) url.Values { own.Set("x", strings.Repeat("x", 20<<10)); return own }, nil, "malformed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			victim := b.browser()
			victim.old = tc.old
			own := victim.fill("/login", "ada", "correct horse")
			form := own
			if tc.form != nil {
				form = tc.form(url.Values{"name": own["name"], "password": own["password"], "token": own["token"], "next": own["next"]})
			}
			jar := victim.client.Jar
			if tc.reason == "cookie" {
				victim.client.Jar = nil
			}
			a := victim.do(http.MethodPost, "/login", form, tc.edit)
			victim.client.Jar = jar
			assert.Equal(t, http.StatusForbidden, a.StatusCode)
			for _, c := range a.Cookies() {
				assert.NotContains(t, c.Name, "session")
			}
			reasons := b.reasons()
			assert.Equal(t, "refused "+tc.reason, reasons[len(reasons)-1])

			// The same browser, the same form, sent as it should be.
			assert.Equal(t, http.StatusSeeOther, victim.do(http.MethodPost, "/login", own, nil).StatusCode)
		})
	}
	victim := b.browser()
	form := victim.fill("/login", "ada", "correct horse")
	b.advance(time.Hour)
	assert.Equal(t, "form-expired", victim.do(http.MethodPost, "/login", form, nil).kind())
}

// redirectTricks are ways to have a browser go elsewhere.
var redirectTricks = []string{
	"//evil.example", "///evil.example", "////evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, "/\t/evil.example", "/\r/evil.example",
	"/\n/evil.example", "\t//evil.example", " //evil.example", "https://evil.example", "http:evil.example", "https:/evil.example", "HTTPS://evil.example",
	"javascript:alert(1)", "data:text/html,x", "@evil.example", ".evil.example", ":80/", "evil.example", "?next=x", "#", "/#//evil.example",
	"/\x00", "/\x7f", "/é", "/a b", "/%zz", "/\r\nSet-Cookie: a=b", "/" + strings.Repeat("x", 1024),
}

func TestNextIsAPathOfTheSite(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	form := br.fill("/login", "ada", "correct horse")
	for _, next := range redirectTricks {
		t.Run(next[:min(len(next), 30)], func(t *testing.T) {
			a := br.get("/login?next=" + url.QueryEscape(next))
			assert.Equal(t, http.StatusBadRequest, a.StatusCode)
			assert.Equal(t, "next", a.kind())
			form.Set("next", next)
			a = br.do(http.MethodPost, "/login", form, nil)
			assert.Equal(t, http.StatusBadRequest, a.StatusCode)
			assert.Empty(t, a.Header.Get("Location"))
			assert.Empty(t, a.Cookies())
		})
	}
	assert.Equal(t, http.StatusBadRequest, br.get("/login?next=/&next=/").StatusCode)
	assert.Equal(t, http.StatusBadRequest, br.get("/login?next=%zz").StatusCode)

	br.login("ada", "correct horse")
	for _, next := range redirectTricks {
		a := br.get("/login?next=" + url.QueryEscape(next))
		assert.Equal(t, http.StatusBadRequest, a.StatusCode, "nor when logged in: %q", next)
	}
	for next, want := range map[string]string{"": "/", "/": "/", "/a?b=c&d": "/a?b=c&d", "/%2f%2fevil.example": "/%2f%2fevil.example", "/..//evil.example": "/..//evil.example"} {
		a := br.get("/login?next=" + url.QueryEscape(next))
		assert.Equal(t, b.url+want, a.Header.Get("Location"), "appended to our origin it stays here")
	}
}

// A request that is made by hand, or in absolute form, leads back to no other site.
func TestAskedForSomethingOdd(t *testing.T) {
	b := newForm(t)
	for target, next := range map[string]string{"//evil.example/": "", b.url + "/private": "?next=%2Fprivate", "*": "?next=%2F"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RequestURI, r.Host, r.RemoteAddr = target, strings.TrimPrefix(b.url, "http://"), "127.0.0.1:9"
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		b.people.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		assert.Equal(t, b.url+"/login"+next, w.Header().Get("Location"), target)
	}
}

func TestHeaderBeforeSession(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	br.login("ada", "correct horse")
	front := func(r *http.Request) { r.Header.Set("Remote-User", "spqr1") }
	a := br.do(http.MethodGet, "/", nil, front)
	assert.Equal(t, "spqr1", a.seen.Identity.Principal)
	assert.Equal(t, remoteuser.ServiceHeader, a.seen.Identity.Service)
	assert.Empty(t, a.seen.Identity.SessionID)
	assert.Equal(t, "ada", br.get("/").seen.Identity.Principal)

	// Nor does a front server's word that makes no sense let a session through.
	a = br.do(http.MethodGet, "/", nil, func(r *http.Request) { r.Header["Remote-User"] = []string{"spqr1", "root"} })
	assert.Equal(t, http.StatusBadRequest, a.StatusCode)
	// Whom the site does not know is not somebody else by a session.
	a = br.do(http.MethodGet, "/", nil, func(r *http.Request) { r.Header.Set("Remote-User", "gone1") })
	assert.Equal(t, http.StatusForbidden, a.StatusCode)
	assert.NotContains(t, a.body, "Log out", "which would not help")

	other := b.browser()
	form := other.fill("/login?next=/x", "ada", "correct horse")
	a = other.do(http.MethodPost, "/login", form, front)
	assert.Equal(t, b.url+"/x", a.Header.Get("Location"))
	assert.Empty(t, a.Cookies(), "no session beside the front server's")
	assert.Equal(t, b.url+"/x", other.do(http.MethodGet, "/login?next=/x", nil, front).Header.Get("Location"))
}

// Office has a browser open where a link ends: here at the form, which any browser can open.
func TestOfficeIsLedToTheForm(t *testing.T) {
	b := newForm(t)
	br := b.browser()
	br.old = true
	a := br.do(http.MethodGet, "/private", nil, func(r *http.Request) {
		r.Header.Set("User-Agent", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)")
	})
	assert.Equal(t, b.url+"/login?next=%2Fprivate", a.Header.Get("Location"))
	assert.Empty(t, a.Cookies())
}

// What is no person opening a page gets no redirect and no cookie.
func TestFormIsForPeople(t *testing.T) {
	b := newForm(t)
	for _, tc := range []struct {
		name, method string
		edit         func(r *http.Request)
		status       int
		kind         string
	}{
		{"a script", http.MethodGet, func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "cors") }, 401, ""},
		{"a prefetch", http.MethodGet, func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") }, 401, ""},
		{"HEAD", http.MethodHead, nil, 401, ""},
		{"a form that was open for long", http.MethodPost, nil, 401, "login-again"},
		{"another host", http.MethodGet, func(r *http.Request) { r.Host = "evil.example" }, 401, "login-required"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := b.browser().do(tc.method, "/", nil, tc.edit)
			assert.Equal(t, tc.status, a.StatusCode)
			assert.Equal(t, tc.kind, a.kind())
			assert.Empty(t, a.Header.Get("Location"))
			assert.Empty(t, a.Cookies())
			assert.Equal(t, "Ucam-WebAuth", a.Header.Get("WWW-Authenticate"))
			assert.NotContains(t, a.body, "evil.example")
		})
	}
	assert.Equal(t, "misdirected", b.browser().do(http.MethodGet, "/login", nil, func(r *http.Request) { r.Host = "evil.example" }).kind())
	assert.Equal(t, "misdirected", b.browser().do(http.MethodPost, "/logout", nil, func(r *http.Request) { r.Host = "evil.example" }).kind())
	assert.Equal(t, http.StatusMethodNotAllowed, b.browser().do(http.MethodPut, "/login", nil, nil).StatusCode)
	a := b.browser().do(http.MethodHead, "/login", nil, nil)
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.Empty(t, a.body)
}
