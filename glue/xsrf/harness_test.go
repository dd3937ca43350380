package xsrf_test

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// testSite is a site with one thing to change, behind both lines.
type testSite struct {
	url   string
	fake  *webauthtest.WLS
	guard *xsrf.Guard
	auth  *glue.Auth
	more  func(mux *http.ServeMux) // what a test adds before the first request

	mu  sync.Mutex
	now time.Time
}

func newSite(t *testing.T, options ...xsrf.Option) *testSite {
	t.Helper()
	s := &testSite{fake: webauthtest.New(t), now: time.Now().Truncate(time.Second)}
	s.fake.SetNow(s.now)
	server := webauthtest.Site(t, func(baseURL string) http.Handler {
		s.url = baseURL
		var err error
		soc := newSoc(t, func(c *site.Config) { c.BaseURL, c.Now = baseURL, s.clock })
		s.auth, err = glue.New(glue.Config{Site: soc, Service: s.fake.Service()})
		require.NoError(t, err)
		s.guard, err = xsrf.New(xsrf.Config{Site: soc, Auth: s.auth})
		require.NoError(t, err)
		mux := http.NewServeMux()
		done := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(s.guard.Field(r, options...)))
		})
		mux.Handle("/page", s.auth.Optional(s.guard.With(options...).Send(show)))
		mux.Handle("/private", s.auth.Require(s.guard.With(options...).Send(show)))
		mux.Handle("/change", s.auth.Optional(s.guard.With(options...).Check(done)))
		mux.Handle("/kept", s.auth.Require(s.guard.Check(done)))
		mux.HandleFunc("/logout", s.auth.Logout)
		more := sync.OnceFunc(func() {
			if s.more != nil {
				s.more(mux)
			}
		})
		protected := s.guard.Protect(mux)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			more()
			protected.ServeHTTP(w, r)
		})
	})
	require.Equal(t, s.url, server.URL)
	return s
}

func (s *testSite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *testSite) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
	s.fake.Advance(d)
}

// client is one browser.
type client struct {
	site *testSite
	http *http.Client
}

// login makes a browser with a session.
func (s *testSite) login(t *testing.T, user string) *client {
	t.Helper()
	c := &client{s, s.fake.Client(user)}
	resp, err := c.http.Get(s.url + "/private")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return c
}

// visit makes a browser of somebody who is not logged in.
func (s *testSite) visit(t *testing.T) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &client{s, &http.Client{Jar: jar}}
}

// token gets one as a script of the site would.
func (c *client) token(t *testing.T) string {
	t.Helper()
	resp, err := c.http.Get(c.site.url + "/page")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	token := resp.Header.Get(xsrf.Header)
	require.NotEmpty(t, token)
	return token
}

// foreignToken is a good one of somebody else.
func (s *testSite) foreignToken(t *testing.T) string {
	t.Helper()
	return s.visit(t).token(t)
}

// request makes one with the browser's cookies and nothing else.
func (c *client) request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, c.site.url+path, http.NoBody)
	require.NoError(t, err)
	u, err := url.Parse(c.site.url)
	require.NoError(t, err)
	for _, cookie := range c.http.Jar.Cookies(u) {
		req.AddCookie(cookie)
	}
	req.Header.Set("Accept", "application/json")
	return req
}

// verdict sends a request as it is and gives the reason of the refusal, or "".
func (s *testSite) verdict(t *testing.T, req *http.Request) string {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return ""
	}
	require.Contains(t, []int{http.StatusForbidden, http.StatusRequestEntityTooLarge}, resp.StatusCode)
	var body struct{ Reason string }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&body))
	require.NotEmpty(t, body.Reason)
	return body.Reason
}
