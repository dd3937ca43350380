package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bearerRules have an API for people and for programs with tokens of its own.
func bearerRules(t testing.TB) []Rule {
	return append(everyAccess(t),
		Rule{Path: "/api", Access: LoginOrBearer},
		Rule{Path: "/api/people", Access: Login},
		Rule{Path: "/api/named", Access: LoginOrBearer, Principals: []string{"test0002"}},
		Rule{Path: "/near", Access: LoginOrBearer, AllowFrom: []netip.Prefix{loopback}})
}

var bearerRows = []struct {
	name, method, path string
	lines              []string // SESSION stands for test0001's cookies
	status             int
	user               string
}{
	{"a token", "GET", "/api/x", []string{"Authorization: Bearer abc.DEF-1|2~3+/4=="}, 200, ""},
	{"a token, POST", "POST", "/api/x", []string{"Authorization: Bearer abc"}, 200, ""},
	{"a token in another spelling", "GET", "/api/x", []string{"Authorization: bEARER abc"}, 200, ""},
	{"a token and a session", "GET", "/api/x", []string{"Authorization: Bearer abc", "SESSION"}, 200, ""},
	{"a token and a claim", "GET", "/api/x", []string{"Authorization: Bearer abc", "Remote-User: evil", "X-Forwarded-User: evil"}, 200, ""},
	{"a token where few may come in", "GET", "/api/named", []string{"Authorization: Bearer abc"}, 200, ""},
	{"a token from a place that needs none", "GET", "/near", []string{"Authorization: Bearer abc", "SESSION"}, 200, ""},
	{"a place that needs none", "GET", "/near", []string{"SESSION"}, 200, "test0001"},
	{"a session", "GET", "/api/x", []string{"SESSION"}, 200, "test0001"},
	{"a session where few may come in", "GET", "/api/named", []string{"SESSION"}, 403, ""},
	{"neither", "GET", "/api/x", nil, 401, ""},
	{"no token", "GET", "/api/x", []string{"Authorization: Bearer "}, 401, ""},
	{"not even a blank", "GET", "/api/x", []string{"Authorization: Bearer"}, 401, ""},
	{"two tokens", "GET", "/api/x", []string{"Authorization: Bearer abc", "Authorization: Bearer def"}, 401, ""},
	{"a token and a password", "GET", "/api/x", []string{"Authorization: Bearer abc", "Authorization: Basic Ym9iOnNlc2FtZQ=="}, 401, ""},
	{"a token and a password in one line", "GET", "/api/x", []string{"Authorization: Bearer abc, Basic Ym9iOnNlc2FtZQ=="}, 401, ""},
	{"a token with a blank in it", "GET", "/api/x", []string{"Authorization: Bearer abc def"}, 401, ""},
	{"a password", "GET", "/api/x", []string{"Authorization: Basic Ym9iOnNlc2FtZQ=="}, 401, ""},
	{"another scheme", "GET", "/api/x", []string{"Authorization: Token abc"}, 401, ""},
	{"another scheme that begins so", "GET", "/api/x", []string{"Authorization: BearerX abc"}, 401, ""},
	{"another header", "GET", "/api/x", []string{"Proxy-Authorization: Bearer abc"}, 401, ""},
	{"a token in the query", "GET", "/api/x?access_token=abc", nil, 401, ""},
	{"a token below, where a login is a must", "GET", "/api/people", []string{"Authorization: Bearer abc"}, 401, ""},
	{"a token elsewhere", "GET", "/private", []string{"Authorization: Bearer abc"}, 401, ""},
	{"a token for a tree with people in it", "DELETE", "/api", []string{"Authorization: Bearer abc"}, 401, ""},
	{"a token for a copy to people's", "COPY", "/api/x", []string{"Authorization: Bearer abc", "Destination: /api/people/x"}, 401, ""},
	{"a token for a copy to where few may come in", "COPY", "/api/x", []string{"Authorization: Bearer abc", "Destination: /api/named/x"}, 200, ""},
	{"a token and a session, by a page elsewhere", "POST", "/api/x", []string{"Authorization: Bearer abc", "SESSION", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, ""},
	{"a session, by a page elsewhere", "POST", "/api/x", []string{"SESSION", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, ""},
}

// TestLoginOrBearer: what brings a token goes on as nobody's, and all else is as with login.
func TestLoginOrBearer(t *testing.T) {
	w := newWorld(t, kit{rules: bearerRules(t)})
	cookie := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	for _, row := range bearerRows {
		t.Run(row.name, func(t *testing.T) {
			lines := []string{"Content-Length: 0", "Sec-Fetch-Mode: cors"}
			for _, line := range row.lines {
				lines = append(lines, strings.Replace(line, "SESSION", cookie, 1))
			}
			answer := w.wire(w.request(row.method+" "+row.path+" HTTP/1.1", lines...))
			require.Equal(t, row.status, statusOf(t, answer), answer)
			if row.status != http.StatusOK {
				assert.Empty(t, w.backend.take())
				return
			}
			got := w.backend.one(t)
			assert.Equal(t, row.user, got.user())
			assert.Empty(t, got.Header["Cookie"])
			assert.Empty(t, got.Header["X-Forwarded-User"])
			if strings.HasPrefix(row.name, "a token") {
				assert.Contains(t, row.lines, "Authorization: "+got.Header.Get("Authorization"))
			}
		})
	}
	t.Run("a person is sent to log in", func(t *testing.T) {
		require.Equal(t, http.StatusOK, w.visitor("test0001").get("/api/page").StatusCode)
		assert.Equal(t, "test0001", w.backend.one(t).user())
	})
}

// TestLoginOrBearerAtFront: a front server that asks hears the same.
func TestLoginOrBearerAtFront(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.ForwardAuth, cfg.Front.Proxies, cfg.Rules = true, []netip.Prefix{loopback}, bearerRules(t)
	}})
	v := w.visitor("test0001")
	v.login(t)
	cookie := "Cookie: " + v.cookieHeader()
	for _, row := range bearerRows {
		t.Run(row.name, func(t *testing.T) {
			lines := []string{"X-Original-URI: " + row.path, "X-Original-Method: " + row.method, "Sec-Fetch-Mode: cors", "X-Forwarded-For: 127.0.0.9"}
			for _, line := range row.lines {
				if !strings.HasPrefix(line, "X-Forwarded-User") {
					lines = append(lines, strings.Replace(line, "SESSION", cookie, 1))
				}
			}
			answer := w.wire(w.request("GET "+authPath+" HTTP/1.1", lines...))
			require.Equal(t, row.status, statusOf(t, answer), answer)
			if row.status == http.StatusOK {
				assert.Contains(t, answer, "\r\nRemote-User: "+row.user+"\r\n")
			}
		})
	}
}

// TestBearerReachesNoFurther: where a session lets a request in, its backend looks at no token, so
// that this is not what lets it reach another rule's resources.
func TestBearerReachesNoFurther(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Public},
		{Path: "/private", Access: Login},
		{Path: "/files", Access: Login},
		{Path: "/files/admin", Access: LoginOrBearer, Principals: []string{"test0002"}},
		{Path: "/files/admin/more", Access: LoginOrBearer, Principals: []string{"test0003"}},
	}})
	for _, row := range []struct {
		user, line string
		status     int
		more       []string
	}{
		{"test0001", "DELETE /files/", 403, nil},
		{"test0001", "PROPFIND /files/", 403, []string{"Depth: infinity"}},
		{"test0001", "PROPFIND /files/", 200, []string{"Depth: 0"}},
		{"test0001", "COPY /files/x", 403, []string{"Destination: /files/admin/x", "Depth: 0"}},
		{"test0001", "PUT /files/x", 403, []string{"X-Copy-From: /files/admin/x", "Content-Length: 0"}},
		{"test0001", "GET /files/x", 403, []string{"If: </files/admin/x> ([\"a\"])"}},
		{"test0001", "DELETE /", 403, nil},
		{"test0002", "PROPFIND /files/", 200, []string{"Depth: 1"}},
		{"test0002", "COPY /files/x", 200, []string{"Destination: /files/admin/x", "Depth: 0"}},
		{"test0001", "DELETE /files/admin", 200, nil}, // by the token, which the backend looks at
	} {
		cookie := "Cookie: " + w.loggedIn(row.user).cookieHeader()
		lines := append([]string{cookie, "Authorization: Bearer evil", "Sec-Fetch-Mode: cors"}, row.more...)
		assert.Equal(t, row.status, statusOf(t, w.wire(w.request(row.line+" HTTP/1.1", lines...))), "%s of %s with %v", row.line, row.user, row.more)
	}
}
