package glue_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

func TestMisdirected(t *testing.T) {
	s := startSite(t, setup{})
	port := s.url[strings.LastIndexByte(s.url, ':'):]
	for _, host := range []string{
		"evil.example", "localhost", "localhost.", "localhost." + port, "127.0.0.1" + port, "localhost:1", "xlocalhost" + port,
		"localhost" + port + ".evil.example", "localhost" + port + ":443",
	} {
		for _, path := range []string{"/private/", "/optional", "/login", "/logout"} {
			b := s.browser("test0001")
			a := b.do(http.MethodGet, path+"?secret=1", nil, func(r *http.Request) {
				r.Host = host
				r.Header.Set("X-Forwarded-Host", strings.TrimPrefix(s.url, "http://")) // not read
				r.Header.Set("Forwarded", "host="+strings.TrimPrefix(s.url, "http://"))
			})
			if a.StatusCode == http.StatusBadRequest {
				continue // net/http has refused it
			}
			a.requirePage(http.StatusMisdirectedRequest, "misdirected")
			assert.Equal(t, []string{s.url}, a.links(), "never what the request says")
			assert.NotContains(t, a.Body, "evil")
			assert.Empty(t, a.Cookies())
			e := s.lastEvent(glue.EventMisdirected)
			assert.Equal(t, host, e.Host)
			assert.Equal(t, a.ref(), e.Ref)
		}
	}
	lines := s.logLines()
	assert.Equal(t, "wls misdirected", lines[0]["msg"])
	assert.Equal(t, "evil.example", lines[0]["host"])
	assert.Equal(t, "WARN", lines[0]["level"])
}

// A response that comes to a host which is not ours is used up.
func TestMisdirectedResponse(t *testing.T) {
	s := startSite(t, setup{})
	b := s.browser("test0001")
	back := s.respond(b.begin("/private/"), "test0001")
	b.do(http.MethodGet, back, nil, func(r *http.Request) { r.Host = "evil.example" }).requirePage(http.StatusMisdirectedRequest, "misdirected")
	b.get(back).requirePage(http.StatusForbidden, "refused")
	assert.EqualValues(t, "replay", s.lastEvent(glue.EventRefused).Reason)
}

func TestHostsThatAreOurs(t *testing.T) {
	s := startSite(t, setup{})
	for _, tt := range []struct {
		base, host string
		ours       bool
	}{
		{"https://soc.example", "soc.example", true},
		{"https://soc.example", "SOC.Example", true},
		{"https://soc.example", "soc.example:443", true},
		{"https://soc.example", "soc.example:80", false},
		{"https://soc.example", "soc.example:8443", false},
		{"https://soc.example", "", false},
		{"https://SOC.example:443/", "soc.example", true},
		{"https://soc.example:8443", "soc.example:8443", true},
		{"https://soc.example:8443", "soc.example", false},
		{"http://localhost", "localhost:80", true},
		{"http://localhost", "localhost:443", false},
		{"http://[::1]:8080", "[::1]:8080", true},
	} {
		cfg := s.config(tt.base)
		auth, err := newAuth(cfg)
		require.NoError(t, err)
		resp := roundTrip(auth.Require(echo), tt.host, "/private/")
		want := http.StatusMisdirectedRequest
		if tt.ours {
			want = http.StatusSeeOther
		}
		assert.Equal(t, want, resp.StatusCode, "%s at %s", tt.host, tt.base)
	}
}

// One site may answer to several origins. Each has sessions of its own.
func TestFurtherOrigins(t *testing.T) {
	other := func(baseURL string) string { return strings.Replace(baseURL, "localhost", "127.0.0.1", 1) }
	s := startSite(t, setup{config: func(c *config) { c.Hosts = []string{strings.TrimPrefix(other(c.BaseURL), "http://")} }})
	second := other(s.url)
	b := s.loggedIn("test0001")
	a := b.get(second + "/private/page?n=1")
	a.requireEcho("test0001")
	assert.Equal(t, second+"/private/page?n=1", a.Request.URL.String())
	assert.Equal(t, second+"/private/x", b.once(second+"/login?next=/private/x").location())

	// A session of one is none at the other.
	u, err := url.Parse(second)
	require.NoError(t, err)
	c := s.browser("test0001")
	for _, cookie := range b.client.Jar.Cookies(u) {
		c.setCookie(cookie.Name, cookie.Value)
	}
	c.get("/optional").requireEcho("")

	// A response for one is refused at the other, and used up by that.
	back := s.respond(c.begin("/private/"), "test0001")
	c.get(strings.Replace(back, s.url, second, 1)).requirePage(http.StatusForbidden, "refused")
	assert.EqualValues(t, "url", s.lastEvent(glue.EventRefused).Reason)
	c.get(back).requirePage(http.StatusForbidden, "refused")
	assert.EqualValues(t, "replay", s.lastEvent(glue.EventRefused).Reason)
}

func TestBaseURLWithAPath(t *testing.T) {
	mount := func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/app/private/", auth.Require(echo))
		mux.Handle("/app/{$}", echo)
		mux.HandleFunc("/app/login", auth.Login)
	}
	s := startSite(t, setup{routes: mount, config: func(c *config) { c.BaseURL += "/app/"; c.LogoutPath = "/app/logout" }})
	a := s.browser("test0001").get("/app/private/x?y=1")
	a.requireEcho("test0001")
	assert.Equal(t, s.url+"/app/private/x?y=1", a.Request.URL.String())
	a = s.browser("test0001").get("/app/login")
	assert.Equal(t, s.url+"/app/", a.Request.URL.String())
	forbidden := s.browser("test0010").get("/app/private/").requirePage(http.StatusForbidden, "forbidden")
	assert.Equal(t, []string{s.url + "/app/", s.url + "/app/logout"}, forbidden.links())
}

// A front server may take the path away before it passes requests on.
func TestPrefixStripped(t *testing.T) {
	front := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rest, found := strings.CutPrefix(r.RequestURI, "/my%20app")
			if !found {
				http.NotFound(w, r)
				return
			}
			out := httptest.NewRequest(r.Method, rest, r.Body)
			out.Host, out.Header, out.ContentLength = r.Host, r.Header, r.ContentLength
			next.ServeHTTP(w, out)
		})
	}
	s := startSite(t, setup{wrap: front, config: func(c *config) {
		c.BaseURL += "/my%20app"
		c.PrefixStripped = true
		c.LogoutPath = "/my%20app/logout"
	}})
	b := s.browser("test0001")
	a := b.get("/my%20app/private/x?y=1")
	e := a.requireEcho("test0001")
	assert.Equal(t, s.url+"/my%20app/private/x?y=1", a.Request.URL.String())
	assert.Equal(t, "/private/x?y=1", e.RequestURI)
	assert.Equal(t, s.url+"/my%20app/", s.loginHome(b))

	s.advance(3 * 3600e9)
	page := b.send("/my%20app/private/form?n=1", urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
	action, hidden := page.form()
	assert.Equal(t, s.url+"/my%20app/private/form?n=1&wls-kept=1", action)
	b.get(action).requirePage(http.StatusOK, "go-back")
	e = b.post(action, hidden).requireEcho("test0001")
	assert.Equal(t, "/private/form?n=1", e.RequestURI)
	assert.Equal(t, formBody, e.Body)

	action, hidden = b.get("/my%20app/logout").form()
	b.post(action, hidden).requirePage(http.StatusOK, "logged-out")
}

// loginHome is where Login goes without a next.
func (s *testSite) loginHome(b *browser) string {
	s.t.Helper()
	return b.once("/my%20app/login").location()
}

// Handlers in front of Require may take a prefix away: the URL to come back to is the
// one that the browser asked for.
func TestStripPrefixInFrontOfRequire(t *testing.T) {
	s := startSite(t, setup{routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/files/", http.StripPrefix("/files", auth.Require(echo)))
	}})
	b := s.browser("test0001")
	a := b.get("/files/a%2Fb?n=1")
	e := a.requireEcho("test0001")
	assert.Equal(t, s.url+"/files/a%2Fb?n=1", a.Request.URL.String())
	assert.Equal(t, "/a%2Fb?n=1", e.URL)

	s.advance(3 * 3600e9)
	page := b.send("/files/form?n=1", urlType, formBody).requirePage(http.StatusUnauthorized, "form-kept")
	action, hidden := page.form()
	b.get(action).requirePage(http.StatusOK, "go-back")
	e = b.post(action, hidden).requireEcho("test0001")
	assert.Equal(t, "/form?n=1", e.URL)
	assert.Equal(t, "/files/form?n=1", e.RequestURI)
}

// router is the part of chi's Router and of gorilla/mux's Router that takes middleware.
type router struct {
	use  []func(http.Handler) http.Handler
	next http.Handler
}

func (r *router) Use(use ...func(http.Handler) http.Handler) { r.use = append(r.use, use...) } // chi

type middlewareFunc func(http.Handler) http.Handler // mux.MiddlewareFunc

func (r *router) UseMux(use ...middlewareFunc) {
	for _, f := range use {
		r.use = append(r.use, f)
	}
}

func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := r.next
	for i := len(r.use) - 1; i >= 0; i-- {
		h = r.use[i](h)
	}
	h.ServeHTTP(w, req)
}

func TestRequireAsMiddleware(t *testing.T) {
	s := startSite(t, setup{routes: func(mux *http.ServeMux, auth *glue.Auth) {
		chi, gorilla := &router{next: echo}, &router{next: echo}
		chi.Use(auth.Optional, auth.Require)
		gorilla.UseMux(auth.Require)
		mux.Handle("/chi/", chi)
		mux.Handle("/mux/", gorilla)
	}})
	for _, path := range []string{"/chi/x", "/mux/x"} {
		b := s.browser("test0001")
		b.get(path).requireEcho("test0001")
		b.get(path).requireEcho("test0001")
	}
}

// Servers and tests that make requests by hand give no RequestURI; proxies give the
// absolute form.
func TestRequestsWithoutAUsualRequestURI(t *testing.T) {
	s := startSite(t, setup{})
	auth, err := newAuth(s.config("https://soc.example"))
	require.NoError(t, err)
	for _, tt := range []struct{ uri, url, back string }{
		{"", "https://soc.example/private/a%2Fb?n=1", "/private/a%2Fb?n=1"},
		{"", "https://soc.example/private/", "/private/"},
		{"https://soc.example/private/a%2Fb?n=1", "/a%2Fb?n=1", "/private/a%2Fb?n=1"}, // behind StripPrefix
		{"HTTPS://soc.example/private/?u=a://b/c", "/?u=a://b/c", "/private/?u=a://b/c"},
		{"https://soc.example?u=/", "/?u=/", "/?u=/"},
		{"https://soc.example", "/", "/"},
		{"/private/?u=https://evil.example/", "/", "/private/?u=https://evil.example/"},
	} {
		r, err := http.NewRequest(http.MethodGet, tt.url, nil)
		require.NoError(t, err)
		r.RequestURI, r.Host = tt.uri, "soc.example"
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		auth.Require(echo).ServeHTTP(w, r)
		require.Equal(t, http.StatusSeeOther, w.Code)
		assert.Equal(t, "https://soc.example"+tt.back, fields(t, w.Header().Get("Location")).Get("url"), tt.uri)
	}
}

// Whatever a path looks like, the URL to come back to is one of this origin.
func TestOddPathsStayHere(t *testing.T) {
	s := startSite(t, setup{})
	auth, err := newAuth(s.config("https://soc.example"))
	require.NoError(t, err)
	for _, path := range []string{"//evil.example/", "/\\evil.example", "/..//evil.example", "/@evil.example", "/%0d%0aSet-Cookie:x", "/.evil.example:80/", "///"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RequestURI, r.Host = path, "soc.example"
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		auth.Require(echo).ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest {
			assert.Equal(t, "https://soc.example"+path, fields(t, w.Header().Get("Location")).Get("url"))
		}
	}
}
