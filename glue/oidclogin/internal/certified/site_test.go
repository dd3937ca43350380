package certified_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// provider is a certified provider, with a clock that sites share.
type provider struct {
	*enginetest.OIDCProvider
	t testing.TB

	mu    sync.Mutex
	ahead time.Duration
}

func startProvider(t testing.TB) *provider {
	t.Helper()
	p, err := enginetest.StartOIDCProvider(enginetest.OIDCOptions{Groups: map[string][]string{"spqr1": {"committee", "x,current"}}})
	enginetest.Require(t, err)
	t.Cleanup(p.Close)
	return &provider{OIDCProvider: p, t: t}
}

// Now is the provider's time.
func (p *provider) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Add(p.ahead)
}

// advance moves the clock of the provider, if it runs, and of the sites.
func (p *provider) advance(d time.Duration) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead += d
	require.NoError(p.t, p.Ahead(p.ahead))
}

// asked returns how often there was each request since the last call.
func (p *provider) asked() map[string]int {
	p.t.Helper()
	requests, err := p.Requests()
	require.NoError(p.t, err)
	count := map[string]int{}
	for _, r := range requests {
		if strings.Contains(r, "/interaction/") {
			r = r[:strings.Index(r, "/interaction/")] + "/interaction"
		}
		if strings.HasPrefix(r, "GET /auth/") {
			r = "GET /auth/resumed"
		}
		count[r]++
	}
	return count
}

// testSite is a site that logs people in at a provider.
type testSite struct {
	t          testing.TB
	p          *provider
	url        string
	auth       *glue.Auth
	secretFile string
	client     enginetest.OIDCClient

	mu     sync.Mutex
	events []site.Event
}

const clientSecret = "a secret of the client, which is long"

// newSite starts a site, and registers it at the provider.
func newSite(t testing.TB, p *provider, edit func(*enginetest.OIDCClient, *oidclogin.Provider, *site.Config, *glue.Config)) *testSite {
	t.Helper()
	s := &testSite{t: t, p: p, secretFile: filepath.Join(t.TempDir(), "secret")}
	require.NoError(t, os.WriteFile(s.secretFile, []byte(clientSecret+"\n"), 0o600))
	s.url = webauthtest.Site(t, s.handler(edit)).URL
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	return s
}

func (s *testSite) handler(edit func(*enginetest.OIDCClient, *oidclogin.Provider, *site.Config, *glue.Config)) func(string) http.Handler {
	return func(baseURL string) http.Handler {
		s.client = enginetest.OIDCClient{
			ID: "soc-" + baseURL[strings.LastIndexByte(baseURL, ':')+1:], Secret: clientSecret,
			Redirect: []string{baseURL + "/login"}, LoggedOut: []string{baseURL + "/optional"},
		}
		provider := &oidclogin.Provider{
			Issuer: s.p.Issuer, ClientID: s.client.ID, ClientSecretFile: s.secretFile,
			PrincipalClaim: "upn", CRSid: true, ObjectClaim: "oid", PtagsClaim: "groups", Ptags: []string{"committee"},
		}
		soc := site.Config{
			BaseURL: baseURL, Secret: rand.Text() + rand.Text(), Now: s.p.Now,
			Logger: slog.New(slog.DiscardHandler), OnEvent: s.note,
		}
		cfg := glue.Config{
			Service: provider, Policy: glue.Policy{AnyPtags: true}, LoginPath: "/login", LogoutPath: "/logout",
		}
		if edit != nil {
			edit(&s.client, provider, &soc, &cfg)
		}
		if err := s.p.Register(s.client); err != nil {
			require.ErrorContains(s.t, err, "does not run")
		}
		made, err := site.New(soc)
		require.NoError(s.t, err)
		cfg.Site = made
		s.auth, err = glue.New(cfg)
		require.NoError(s.t, err)
		return made.Handler(s.pages())
	}
}

func (s *testSite) note(_ context.Context, e site.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// noted returns the names and reasons of the events since the last call, but for
// redirects.
func (s *testSite) noted() (events []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Name != glue.EventRedirect {
			events = append(events, strings.TrimSpace(e.Name+" "+e.Reason))
		}
	}
	s.events = nil
	return events
}

// pages are the site's.
func (s *testSite) pages() http.Handler {
	page := func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		fmt.Fprintf(w, "<!DOCTYPE html><title>page</title><p id=who>%s sees %s: %s</p>", id.Principal, r.URL.Path, strings.Join(id.Ptags, " "))
	}
	app := http.HandlerFunc(page)
	with := func(edit func(*glue.Policy)) *glue.Auth { return s.auth.With(edit) }
	mux := http.NewServeMux()
	mux.Handle("/private/", s.auth.Require(app))
	mux.Handle("/admin", with(func(p *glue.Policy) { p.Fresh = 5 * time.Minute }).Require(app))
	mux.Handle("/committee", with(func(p *glue.Policy) { p.AnyPtags, p.Ptags = false, []string{"committee"} }).Require(app))
	mux.Handle("/strong", with(func(p *glue.Policy) { p.AAuth = []string{enginetest.StrongACR} }).Require(app))
	mux.Handle("/optional", s.auth.Optional(app))
	mux.Handle("/silent", with(func(p *glue.Policy) { p.Silent = true }).Optional(app))
	mux.HandleFunc("/login", s.auth.Login)
	mux.HandleFunc("/logout", s.auth.Logout)
	mux.HandleFunc("/backchannel", s.auth.BackChannelLogout)
	return mux
}

// page is what a browser shows in the end.
type page struct {
	status int
	url    *url.URL
	body   string
}

func (p page) title() string {
	_, after, _ := strings.Cut(p.body, "<title>")
	title, _, _ := strings.Cut(after, "</title>")
	return title
}

// get goes to a path of the site, or to an address.
func (s *testSite) get(browser *http.Client, at string) page {
	s.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = s.url + at
	}
	resp, err := browser.Get(at)
	return s.read(resp, err)
}

// post sends an empty form of the site.
func (s *testSite) post(browser *http.Client, path string) page {
	s.t.Helper()
	resp, err := browser.PostForm(s.url+path, url.Values{})
	return s.read(resp, err)
}

func (s *testSite) read(resp *http.Response, err error) page {
	s.t.Helper()
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return page{resp.StatusCode, resp.Request.URL, string(body)}
}

// sees fails the test unless a page is that of the site at a path, for a person.
func (s *testSite) sees(p page, path, principal string) {
	s.t.Helper()
	require.Equal(s.t, http.StatusOK, p.status, "%s at %s: %s", p.title(), p.url, s.events)
	require.Contains(s.t, p.body, ">"+principal+" sees "+path+":")
	require.Equal(s.t, s.url+path, p.url.String(), "in the address bar")
}

// until follows redirects until the next request would be one of those paths of the site,
// and returns its address.
func (s *testSite) until(browser *http.Client, at string, stop func(*url.URL) bool) string {
	s.t.Helper()
	before := browser.CheckRedirect
	defer func() { browser.CheckRedirect = before }()
	browser.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if stop(next.URL) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := browser.Get(at)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	location, err := resp.Location()
	require.NoError(s.t, err)
	return location.String()
}

// atProvider and back tell a redirect to the provider, and one back to the site.
func (s *testSite) atProvider(u *url.URL) bool {
	return strings.HasPrefix(u.String(), s.p.Issuer+"/auth?")
}
func (s *testSite) back(u *url.URL) bool {
	return strings.HasPrefix(u.String(), s.url+"/login?") && u.Query().Has("state")
}
