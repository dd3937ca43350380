package gateway

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// comeBack starts a login at a path and gives the target that the browser would come back
// to, and the cookies that it would bring.
func (w *world) comeBack(t *testing.T, path string) (target, cookie string) {
	t.Helper()
	v := w.visitor("")
	v.client.CheckRedirect = w.fake.StopAtLogin
	answer := v.get(path)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	back, err := w.fake.Respond(answer.Header.Get("Location"), "test0001")
	require.NoError(t, err)
	return strings.TrimPrefix(back, w.url), v.cookieHeader()
}

// TestResponseReachesNobody sends responses of the login service to wherever they may
// turn up. No backend sees one, and each is spent by its first appearance.
func TestResponseReachesNobody(t *testing.T) {
	w := openWorld(t)
	navigate := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"}
	for _, tt := range []struct {
		name string
		line func(response string) string
		more []string
	}{
		{"public", func(r string) string { return "GET /public?" + r + " HTTP/1.1" }, nil},
		{"optional", func(r string) string { return "GET /optional?" + r + " HTTP/1.1" }, nil},
		{"another protected path", func(r string) string { return "GET /named?" + r + " HTTP/1.1" }, nil},
		{"basic", func(r string) string { return "GET /basic?" + r + " HTTP/1.1" }, []string{"Authorization: Basic Ym9iOnNlc2FtZQ=="}},
		{"basic without a password", func(r string) string { return "GET /basic?" + r + " HTTP/1.1" }, nil},
		{"POST from elsewhere", func(r string) string { return "POST /private/x?" + r + " HTTP/1.1" }, []string{"Content-Length: 0", "Origin: http://evil.example"}},
		{"HEAD", func(r string) string { return "HEAD /private/x?" + r + " HTTP/1.1" }, nil},
		{"script", func(r string) string { return "GET /private/x?" + r + " HTTP/1.1" }, []string{"Sec-Fetch-Mode: cors"}},
		{"TRACE", func(r string) string { return "TRACE /private/x?" + r + " HTTP/1.1" }, nil},
		{"bad path", func(r string) string { return "GET /private/x%2f?" + r + " HTTP/1.1" }, nil},
		{"unclear path", func(r string) string { return "GET /private%3fx?" + r + " HTTP/1.1" }, nil},
		{"logout", func(r string) string { return "GET /.wls/logout?" + r + " HTTP/1.1" }, nil},
		{"reserved", func(r string) string { return "GET /.wls/nothing?" + r + " HTTP/1.1" }, nil},
		{"name encoded", func(r string) string {
			return "GET /public?" + strings.Replace(r, "WLS-Response", "%57LS%2DResponse", 1) + " HTTP/1.1"
		}, nil},
		{"among others", func(r string) string { return "GET /public?a=b&" + r + "&c=d HTTP/1.1" }, nil},
		{"another host", func(r string) string { return "GET http://evil.example/private/x?" + r + " HTTP/1.1" }, nil},
		{"WebSocket", func(r string) string { return "GET /private/x?" + r + " HTTP/1.1" }, strings.Split(upgrade, "\r\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, cookie := w.comeBack(t, "/private/x")
			_, response, _ := strings.Cut(target, "?")
			_ = w.wire(w.request(tt.line(response), append(tt.more, "Cookie: "+cookie)...))
			assert.Empty(t, w.backend.take(), "it was spent, and that is all")
			// Whoever read it in a log comes too late, even with the cookie.
			answer := w.wire(w.request("GET "+target+" HTTP/1.1", append(navigate, "Cookie: "+cookie)...))
			assert.NotContains(t, answer, "wls-session", "it worked twice")
			assert.Empty(t, w.backend.take())
		})
	}
	t.Run("honest", func(t *testing.T) {
		target, cookie := w.comeBack(t, "/private/x")
		answer := w.wire(w.request("GET "+target+" HTTP/1.1", append(navigate, "Cookie: "+cookie)...))
		assert.Contains(t, answer, "wls-session")
	})
	t.Run("in Referer", func(t *testing.T) {
		target, _ := w.comeBack(t, "/private/x?a=b")
		_ = w.wire(w.request("GET /public HTTP/1.1", "Referer: "+w.url+target))
		assert.Equal(t, w.url+"/private/x?a=b", w.backend.one(t).Header.Get("Referer"))
	})
}

// TestCrossOrigin: what pages of other origins send in a person's name goes no further.
func TestCrossOrigin(t *testing.T) {
	rules := everyAccess(t)
	rules = append(rules, Rule{Path: "/api", CrossOrigin: CrossOrigin{AnyOrigin}})
	w := newWorld(t, kit{rules: rules})
	cookie := w.loggedIn("test0001").cookieHeader()
	for _, tt := range []struct {
		name, method, path, origin, site string
		status                           int
	}{
		{"own page", "POST", "/private", w.url, "same-origin", 200},
		{"own page, old browser", "POST", "/private", w.url, "", 200},
		{"program", "POST", "/private", "", "", 200},
		{"other site", "POST", "/private", "http://evil.example", "cross-site", 403},
		{"other site, old browser", "POST", "/private", "http://evil.example", "", 403},
		{"sibling", "POST", "/private", "http://x.localhost", "same-site", 403},
		{"null", "POST", "/private", "null", "", 403},
		{"other site, DELETE", "DELETE", "/private", "http://evil.example", "cross-site", 403},
		{"other site, optional", "POST", "/optional", "http://evil.example", "cross-site", 403},
		{"other site, basic", "POST", "/basic", "http://evil.example", "cross-site", 403},
		{"other site, link", "GET", "/private", "", "cross-site", 200},
		{"other site, public", "POST", "/public", "http://evil.example", "cross-site", 200},
		{"other site, where that is allowed", "POST", "/api", "http://evil.example", "cross-site", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := []string{"Cookie: " + cookie, "Authorization: Basic Ym9iOnNlc2FtZQ==", "Content-Length: 0"}
			if tt.origin != "" {
				lines = append(lines, "Origin: "+tt.origin)
			}
			if tt.site != "" {
				lines = append(lines, "Sec-Fetch-Site: "+tt.site, "Sec-Fetch-Mode: cors")
			}
			answer := w.wire(w.request(tt.method+" "+tt.path+" HTTP/1.1", lines...))
			assert.Equal(t, tt.status, statusOf(t, answer))
			assert.Equal(t, tt.status == 200, len(w.backend.take()) == 1)
		})
	}
}

// TestLoginAndLogout: the gateway's own paths.
func TestLoginAndLogout(t *testing.T) {
	w := newWorld(t, kit{})
	v := w.visitor("test0001")
	answer := v.get("/.wls/login?next=" + url.QueryEscape("/optional/page?a=b"))
	require.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "/optional/page?a=b", w.backend.one(t).Target)

	answer = v.do(http.MethodPost, "/.wls/logout", nil, header("Origin", w.url))
	require.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Contains(t, answer.body, `data-page="logged-out"`)
	_ = v.get("/optional")
	assert.Empty(t, w.backend.one(t).user())
	assert.Equal(t, http.StatusNotFound, v.get("/.wls/other").StatusCode)
	assert.Equal(t, http.StatusNotFound, v.get("/.wls/auth").StatusCode, "unless it is asked for")
}

// TestMarkOfAKeptForm: an address that a kept form could have does nothing to what has no
// kept form.
func TestMarkOfAKeptForm(t *testing.T) {
	w := newWorld(t, kit{})
	v := w.loggedIn("test0001")
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		answer := v.do(method, "/private/x?a=b&wls-kept=1", strings.NewReader("data"))
		require.Equal(t, http.StatusOK, answer.StatusCode)
		got := w.backend.one(t)
		assert.Equal(t, []string{method, "/private/x?a=b", "data", "test0001"}, []string{got.Method, got.Target, got.Body, got.user()})
	}
	assert.Contains(t, v.get("/private/x?wls-kept=1").body, `data-page="go-back"`)
	assert.Empty(t, w.backend.take())
}

// TestCancelBackAndLogIn cancels, goes back and logs in after all: the person is asked, and
// no backend sees any of it.
func TestCancelBackAndLogIn(t *testing.T) {
	w := openWorld(t)
	v := w.visitor("test0001")
	follow := v.client.CheckRedirect
	v.client.CheckRedirect = w.fake.StopAtLogin
	location := v.get("/private/x?n=1").Header.Get("Location")
	v.client.CheckRedirect = follow
	bring := func(doing webauthtest.Person) reply {
		back, err := w.fake.Respond(location, "test0001", doing)
		require.NoError(t, err)
		return v.get(strings.TrimPrefix(back, w.url))
	}
	cancelled := bring(webauthtest.Cancels)
	require.Equal(t, http.StatusOK, cancelled.StatusCode)
	require.Contains(t, cancelled.body, "You cancelled the login")
	asks := bring(webauthtest.Types)
	require.Contains(t, asks.body, "Log in as test0001?")
	require.Empty(t, w.backend.take())

	link := html.UnescapeString(regexp.MustCompile(`href="([^"]*wls-confirm[^"]*)"`).FindStringSubmatch(asks.body)[1])
	answer := v.get(strings.TrimPrefix(link, w.url))
	require.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, w.url+"/private/x?n=1", answer.Request.URL.String())
	seen := w.backend.take()
	require.Len(t, seen, 1)
}
