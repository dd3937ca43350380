package oauth2server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

func TestSessionsNeedTheXSRFToken(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	someone, other := s.person(t, "test0001"), s.person(t, "test0002")
	token := s.xsrfToken(t, someone)
	for _, tc := range []struct {
		name, method, target string
		edit                 func(*http.Request)
		status               int
	}{
		{"reading", http.MethodGet, "/api/read", sendHeader("X"), 200},
		{"changing with the token", http.MethodPost, "/api/read", sendHeader(xsrf.Header, token), 200},
		{"deleting with the token", http.MethodDelete, "/api/read", sendHeader(xsrf.Header, token), 200},
		{"changing without", http.MethodPost, "/api/read", sendHeader("X"), 403},
		{"changing with another's", http.MethodPost, "/api/read", sendHeader(xsrf.Header, s.xsrfToken(t, other)), 403},
		{"changing with it in the query", http.MethodPost, "/api/read?xsrf-token=" + token, sendHeader("X"), 403},
		{"changing where visitors may come", http.MethodPost, "/api/open", sendHeader("X"), 403},
		{"an unknown method", "PURGE", "/api/read", sendHeader("X"), 403},
		{"a WebSocket of another origin", http.MethodGet, "/api/read", func(r *http.Request) {
			r.Header.Set("Upgrade", "websocket")
			r.Header.Set("Origin", "https://evil.example")
		}, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.status, s.call(t, someone, tc.method, tc.target, tc.edit).status)
		})
	}
	t.Run("a bearer beside the session needs none", func(t *testing.T) {
		a := s.call(t, someone, http.MethodPost, "/api/read", sendBearer(s.personal(t, "test0002", "records:read")))
		assert.Equal(t, 200, a.status)
		assert.Equal(t, "test0002", a.Principal, "and is who it is")
	})
}

// What concerns the login and no session is answered as everywhere on the site; nobody gets
// in by it, not even where visitors may come.
func TestTheAPIBeginsNoSession(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	location := s.call(t, s.fake.Client("test0001"), http.MethodGet, "/private", func(r *http.Request) { r.Header.Set("Accept", "text/html") }).header.Get("Location")
	back, err := s.fake.Respond(location, "test0001")
	require.NoError(t, err)
	_, query, _ := strings.Cut(back, "?")
	for _, tc := range []struct {
		name, target string
		edit         func(*http.Request)
		status       int
	}{
		{"a response of the login service", "/api/read?" + query, sendHeader("X"), 401},
		{"one where visitors may come", "/api/open?" + query, sendHeader("X"), 401},
		{"one for the token of forms", "/oauth/csrf?" + query, sendHeader("X"), 401},
		{"another host", "/api/read", func(r *http.Request) { r.Host = "elsewhere.example" }, 421},
		{"another host, where visitors may come", "/api/open", func(r *http.Request) { r.Host = "elsewhere.example" }, 421},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := s.call(t, stranger(t), http.MethodGet, tc.target, tc.edit)
			assert.Equal(t, tc.status, a.status)
			assert.Empty(t, a.header["Set-Cookie"])
		})
	}
}

// A session is a person's, whom nobody can give an internal scope.
func TestInternalScopesAreNotForSessions(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	someone := s.person(t, "test0001")
	token := s.xsrfToken(t, someone)
	for _, target := range []string{"/api/internal", "/api/internal/open", "/api/clients"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" "+target, func(t *testing.T) {
				a := s.call(t, someone, method, target, sendHeader(xsrf.Header, token))
				assert.Equal(t, 403, a.status)
				assert.Equal(t, "insufficient_scope", a.code)
				assert.Contains(t, a.header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
				assert.Contains(t, a.header.Get("WWW-Authenticate"), `scope="harvest"`)
			})
		}
	}
	require.NotEmpty(t, s.events)
	assert.Equal(t, "session-scope", s.events[0].Reason)
	assert.Equal(t, "test0001", s.events[0].Principal)
	assert.Equal(t, 200, s.call(t, someone, http.MethodGet, "/api/both").status)
	assert.Equal(t, 200, s.call(t, stranger(t), http.MethodGet, "/api/internal/open").status)
}

// xsrfToken asks for one as a single-page application does.
func (s *world) xsrfToken(t testing.TB, c *http.Client) string {
	t.Helper()
	resp, err := c.Get(s.url + "/oauth/csrf")
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	assert.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
	var body struct{ Token string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	require.NotEmpty(t, body.Token)
	return body.Token
}

func TestTheXSRFTokenIsForPeople(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	a := s.call(t, stranger(t), http.MethodGet, "/oauth/csrf")
	assert.Equal(t, 401, a.status)
	assert.Equal(t, "login_required", a.code)
	a = s.call(t, s.person(t, "test0001"), http.MethodPost, "/oauth/csrf")
	assert.Equal(t, 405, a.status)
	assert.Equal(t, "GET, HEAD", a.header.Get("Allow"))
}

// A browser that opens a resource is not sent to log in, and gets no cookie.
func TestVisitors(t *testing.T) {
	s := newWorld(t, dbtest.SQLite(t))
	navigation := func(r *http.Request) {
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Sec-Fetch-Site", "none")
	}
	for _, tc := range []struct {
		name, method, target string
		status               int
	}{
		{"to read", http.MethodGet, "/api/read", 401},
		{"to change", http.MethodPost, "/api/read", 401},
		{"an application's", http.MethodGet, "/api/clients", 401},
		{"where they may come", http.MethodGet, "/api/open", 200},
		{"to change where they may come", http.MethodPost, "/api/open", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, edit := range []func(*http.Request){navigation, sendHeader("X")} {
				a := s.call(t, stranger(t), tc.method, tc.target, edit)
				assert.Equal(t, tc.status, a.status)
				assert.Empty(t, a.header.Values("Set-Cookie"))
				assert.Empty(t, a.header.Get("Location"))
				assert.False(t, a.OK || a.Person)
				if tc.status == 401 {
					assert.Equal(t, "login_required", a.code)
					assert.Contains(t, a.header.Get("WWW-Authenticate"), "Bearer ")
				}
			}
		})
	}
	assert.Empty(t, s.eventNames(), "not worth a line")
}
