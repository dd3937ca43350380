package glue_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// setup is what a test wants of its site. Its zero value is a plain site on http.
type setup struct {
	kind   kind             // of login; zero: byWLS
	fake   *webauthtest.WLS // nil: one of its own
	tls    bool
	config func(c *config)
	routes func(mux *http.ServeMux, auth *glue.Auth) // beside those of startSite
	wrap   func(h http.Handler) http.Handler         // in front of the whole site
}

// testSite is a protected site on a real listener, the login service that it sends people to,
// and everything that it logged.
type testSite struct {
	t    testing.TB
	fake fakeService
	auth *glue.Auth
	url  string // without a trailing slash
	tls  bool

	served atomic.Int64 // requests that reached the site
	log    lockedBuffer
	mu     sync.Mutex
	events []site.Event
	secret []string // what must never be logged
}

// startSite serves a site until the test ends: /private/ under Require, /optional under
// Optional, /login, /logout, and / for everybody. All but Login and Logout answer with
// an echo.
func startSite(t testing.TB, su setup) *testSite {
	t.Helper()
	s := &testSite{t: t, tls: su.tls}
	switch {
	case su.fake != nil:
		s.fake = fakeWLS{su.fake}
	case su.kind.start != nil:
		s.fake = su.kind.start(t)
	default:
		s.fake = byWLS.start(t)
	}
	serve := webauthtest.Site
	if su.tls {
		serve = webauthtest.SiteTLS
	}
	server := serve(t, func(baseURL string) http.Handler {
		cfg := s.config(baseURL)
		if su.config != nil {
			su.config(&cfg)
		}
		s.fake.configure(&cfg)
		var err error
		s.auth, err = newAuth(cfg)
		require.NoError(t, err)
		return s.handler(su)
	})
	s.url = server.URL
	t.Cleanup(s.assertNothingLeaked)
	return s
}

// wlsKey is a key that nobody else knows: sites that are not on loopback refuse the
// fake's default one.
var wlsKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	return key
})

// newFake starts a fake whose clock stands still at testNow.
func newFake(t testing.TB) *webauthtest.WLS {
	t.Helper()
	fake := webauthtest.New(t, webauthtest.WithKey("7", wlsKey()))
	fake.SetNow(testNow)
	return fake
}

// config is all that a site is made of, with one name for each field of either part.
type config struct {
	siteConfig
	glueConfig
}

// wls changes the login service.
func (c *config) wls(edit func(*webauth.Service)) {
	s := c.Service.(webauth.Service)
	edit(&s)
	c.Service = s
}

type (
	siteConfig = site.Config
	glueConfig = glue.Config
)

// newAuth makes a site and its login.
func newAuth(cfg config) (*glue.Auth, error) {
	soc, err := site.New(cfg.siteConfig)
	if err != nil {
		return nil, err
	}
	cfg.Site = soc
	return glue.New(cfg.glueConfig)
}

func (s *testSite) config(baseURL string) config {
	secret := rand.Text() + rand.Text()
	s.hide(secret)
	var cfg config
	cfg.Service, cfg.LogoutPath = s.fake.service(), "/logout"
	cfg.BaseURL, cfg.Secret, cfg.Now = baseURL, secret, s.fake.Now
	cfg.Logger = slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.OnEvent = func(_ context.Context, e site.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}
	return cfg
}

func (s *testSite) handler(su setup) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/private/", s.auth.Require(echo))
	mux.Handle("/optional", s.auth.Optional(echo))
	mux.HandleFunc("/login", s.auth.Login)
	mux.HandleFunc("/logout", s.auth.Logout)
	mux.Handle("/{$}", echo)
	if su.routes != nil {
		su.routes(mux, s.auth)
	}
	var h http.Handler = mux
	if su.wrap != nil {
		h = su.wrap(h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.served.Add(1)
		h.ServeHTTP(w, r)
	})
}

// in makes what goes wrong from now on the failure of a subtest, until that ends.
func (s *testSite) in(t testing.TB) {
	outer := s.t
	s.t = t
	s.fake.in(t)
	t.Cleanup(func() { s.t = outer; s.fake.in(outer) })
}

// advance moves the clock of the site and of the fake.
func (s *testSite) advance(d time.Duration) { s.fake.Advance(d) }

// eventNames gives the names of all events so far, but for redirects to the WLS.
func (s *testSite) eventNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, e := range s.events {
		if e.Name != glue.EventRedirect {
			names = append(names, e.Name)
		}
	}
	return names
}

// lastEvent gives the last event of a name; the test fails if there was none.
func (s *testSite) lastEvent(name string) site.Event {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range slices.Backward(s.events) {
		if e.Name == name {
			return e
		}
	}
	require.Failf(s.t, "no such event", "%q", name)
	return site.Event{}
}

// loginForForm is where a page leads that keeps a form which went to a path.
func (s *testSite) loginForForm(path string) string {
	if s.fake.arrives(path) == path {
		return path + "&wls-kept=1"
	}
	return "/login?wls-kept=1"
}

// respond gives the URL with the WLS's response to a redirect to the WLS.
func (s *testSite) respond(location, user string, doing ...webauthtest.Person) string {
	s.t.Helper()
	back, err := s.fake.Respond(location, user, doing...)
	require.NoError(s.t, err)
	return back
}

// browser is a person at a browser with a cookie jar: it navigates, follows redirects
// and logs in as user at the fake.
type browser struct {
	site   *testSite
	client *http.Client
}

// browser opens a new browser for a user of the fake; "" stops at the login form.
func (s *testSite) browser(user string) *browser {
	b := &browser{site: s, client: s.fake.Client(user)}
	b.client.Transport = &recorder{next: b.client.Transport, site: s}
	return b
}

// loggedIn opens a new browser that has logged in at /private/.
func (s *testSite) loggedIn(user string) *browser {
	s.t.Helper()
	b := s.browser(user)
	b.get("/private/").requireEcho(user)
	return b
}

// do sends a request for a path of the site, or for any URL, and follows redirects.
func (b *browser) do(method, target string, body io.Reader, edit func(r *http.Request)) answer {
	b.site.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = b.site.url + target
	}
	a, err := b.try(method, target, body, edit)
	require.NoError(b.site.t, err)
	return a
}

// try is do for a goroutine of its own, and for a URL.
func (b *browser) try(method, url string, body io.Reader, edit func(r *http.Request)) (answer, error) {
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		return answer{}, err
	}
	if edit != nil {
		edit(r)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp, b.site.t, string(text)}, err
}

// get opens a page.
func (b *browser) get(target string) answer {
	b.site.t.Helper()
	return b.do(http.MethodGet, target, nil, nil)
}

// fetch is a script's request.
func (b *browser) fetch(target string) answer {
	b.site.t.Helper()
	return b.do(http.MethodGet, target, nil, func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Accept", "application/json")
	})
}

// post sends a form from a page of the site.
func (b *browser) post(target string, form url.Values) answer {
	b.site.t.Helper()
	return b.do(http.MethodPost, target, strings.NewReader(form.Encode()), formType)
}

func formType(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }

// begin opens a page and stops where the site sends the browser to log in; it gives
// that redirect's Location.
func (b *browser) begin(target string) string {
	b.site.t.Helper()
	a := b.stopped(b.site.fake.StopAtLogin, target)
	require.Equal(b.site.t, http.StatusSeeOther, a.StatusCode, "page %q", a.kind())
	require.True(b.site.t, strings.HasPrefix(a.location(), b.site.fake.page()+"?"), a.location())
	return a.location()
}

// once opens a page and follows no redirect.
func (b *browser) once(target string) answer {
	b.site.t.Helper()
	return b.stopped(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, target)
}

func (b *browser) stopped(check func(*http.Request, []*http.Request) error, target string) answer {
	b.site.t.Helper()
	follow := b.client.CheckRedirect
	defer func() { b.client.CheckRedirect = follow }()
	b.client.CheckRedirect = check
	return b.get(target)
}

func (b *browser) cookies() []*http.Cookie {
	u, err := url.Parse(b.site.url)
	require.NoError(b.site.t, err)
	return b.client.Jar.Cookies(u)
}

// cookie finds the cookie whose name holds part, such as "login", "session" or "loop";
// nil if there is none.
func (b *browser) cookie(part string) *http.Cookie {
	b.site.t.Helper()
	var found []*http.Cookie
	for _, c := range b.cookies() {
		if strings.Contains(c.Name, "wls-"+part) {
			found = append(found, c)
		}
	}
	require.LessOrEqual(b.site.t, len(found), 1, "cookies with wls-%s", part)
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

// setCookie puts a cookie for the whole site into the jar; an empty value removes it.
func (b *browser) setCookie(name, value string) {
	u, err := url.Parse(b.site.url)
	require.NoError(b.site.t, err)
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: b.site.tls}
	if value == "" {
		c.MaxAge = -1
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{c})
}

// dropCookies removes the cookies whose names hold one of the parts; all for none.
func (b *browser) dropCookies(parts ...string) {
	for _, c := range b.cookies() {
		if len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(c.Name, "wls-"+p) }) {
			b.setCookie(c.Name, "")
		}
	}
}
