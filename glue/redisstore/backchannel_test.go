package redisstore_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// toldSite is a site with sessions in Redis, at two origins, which its provider tells of
// logouts.
type toldSite struct {
	t    *testing.T
	fake *oidctest.Provider
	mini *miniredis.Miniredis
	url  string
	alt  string // the other origin
}

const backChannelPath = "/back-channel"

func newToldSite(t *testing.T, store func(s *toldSite) sessions.Store) *toldSite {
	s := &toldSite{t: t, fake: oidctest.New(t), mini: miniredis.RunT(t)}
	server := webauthtest.Site(t, func(baseURL string) http.Handler {
		s.url, s.alt = baseURL, strings.Replace(baseURL, "localhost", "127.0.0.1", 1)
		once, err := redisstore.New(redisstore.Config{URL: "redis://" + s.mini.Addr(), Site: "soc"})
		require.NoError(t, err)
		t.Cleanup(func() { _ = once.Close() })
		soc, err := site.New(site.Config{
			BaseURL: baseURL, Hosts: []string{strings.TrimPrefix(s.alt, "http://")}, Secret: secret, OneUse: once,
			Now: s.fake.Now, Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		var kept sessions.Store = once
		if store != nil {
			kept = store(s)
		}
		auth, err := glue.New(glue.Config{
			Site: soc, LoginPath: "/login", Policy: glue.Policy{AnyPtags: true}, Session: glue.Session{Store: kept},
			Service: &oidclogin.Provider{Issuer: s.fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: s.fake.SecretFile(t)},
		})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/page", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, _ := glue.IdentityFrom(r.Context())
			_, _ = io.WriteString(w, "Hello, "+id.Principal+".")
		})))
		mux.HandleFunc("/login", auth.Login)
		mux.HandleFunc(backChannelPath, auth.BackChannelLogout)
		return mux
	})
	require.Equal(t, s.url, server.URL)
	app := oidctest.DefaultApp()
	app.BackChannelLogoutURI = s.url + backChannelPath
	s.fake.SetApp(app)
	s.fake.Advance(time.Minute) // the memory of what was used is older than what comes
	return s
}

// loggedIn is a browser that has a session at an origin.
func (s *toldSite) loggedIn(user, origin string) *http.Client {
	s.t.Helper()
	c := s.fake.Client(user)
	_, body := get(s.t, c, origin+"/page")
	require.Equal(s.t, "Hello, "+user+".", body)
	return c
}

// lives reports whether the browser has a session still.
func (s *toldSite) lives(c *http.Client, origin string) bool {
	s.t.Helper()
	follow := c.CheckRedirect
	defer func() { c.CheckRedirect = follow }()
	c.CheckRedirect = s.fake.StopAtLogin
	status, _ := get(s.t, c, origin+"/page")
	return status == http.StatusOK
}

// tell sends a form to the site, as the provider would.
func (s *toldSite) tell(form url.Values) int {
	s.t.Helper()
	resp, err := http.PostForm(s.url+backChannelPath, form)
	require.NoError(s.t, err)
	defer func() { _ = resp.Body.Close() }()
	assert.Equal(s.t, "no-store", resp.Header.Get("Cache-Control"))
	assert.Empty(s.t, resp.Cookies())
	return resp.StatusCode
}

func (s *toldSite) token(user string) url.Values {
	return url.Values{"logout_token": {s.fake.LogoutToken(oidctest.ClientID, user)}}
}

// TestBackChannelLogout: who logs out at the provider is logged out here, in every browser
// that had that session there, and nobody else is.
func TestBackChannelLogout(t *testing.T) {
	s := newToldSite(t, nil)
	first, other := s.loggedIn("test0001", s.url), s.loggedIn("test0002", s.url)
	_, body := get(t, first, s.alt+"/page") // by single sign-on
	require.Equal(t, "Hello, test0001.", body)
	require.NoError(t, s.fake.LogOut(t.Context(), "test0001"))
	assert.False(t, s.lives(first, s.url))
	assert.False(t, s.lives(first, s.alt), "the provider tells one origin")
	assert.True(t, s.lives(other, s.url))

	s.fake.Advance(time.Second)
	again := s.loggedIn("test0001", s.url)
	assert.True(t, s.lives(again, s.url), "a login after the logout")
}

// TestBackChannelLogoutRefused: what is no logout token of the provider's for this site ends
// nothing.
func TestBackChannelLogoutRefused(t *testing.T) {
	s := newToldSite(t, nil)
	person := s.loggedIn("test0001", s.url)
	good := s.token("test0001").Get("logout_token")
	for name, form := range map[string]url.Values{
		"nothing": {}, "empty": {"logout_token": {""}}, "two": {"logout_token": {good, good}}, "nonsense": {"logout_token": {"a.b.c"}},
		"altered": {"logout_token": {good[:len(good)-8] + "AAAAAAAA"}}, "huge": {"logout_token": {good}, "x": {strings.Repeat("x", 1<<20)}},
		"for another site": {"logout_token": {s.fake.LogoutToken("another", "test0001")}},
	} {
		assert.Equal(t, http.StatusBadRequest, s.tell(form), name)
		assert.True(t, s.lives(person, s.url), name)
	}
	for name, send := range map[string]func() (*http.Response, error){
		"GET": func() (*http.Response, error) {
			return http.Get(s.url + backChannelPath + "?logout_token=" + good)
		},
		"JSON": func() (*http.Response, error) {
			return http.Post(s.url+backChannelPath, "application/json", strings.NewReader(`{"logout_token":"`+good+`"}`))
		},
		"in the address": func() (*http.Response, error) {
			return http.Post(s.url+backChannelPath+"?logout_token="+good, "application/x-www-form-urlencoded", nil)
		},
	} {
		resp, err := send()
		require.NoError(t, err)
		_ = resp.Body.Close()
		assert.GreaterOrEqual(t, resp.StatusCode, 400, name)
		assert.True(t, s.lives(person, s.url), name)
	}
	assert.Equal(t, http.StatusOK, s.tell(url.Values{"logout_token": {good}}))
	assert.False(t, s.lives(person, s.url))
	assert.Equal(t, http.StatusOK, s.tell(url.Values{"logout_token": {good}}), "told again")
}

// TestBackChannelLogoutWithoutTheStore: a site that cannot end sessions just now, or ever, says so.
func TestBackChannelLogoutWithoutTheStore(t *testing.T) {
	t.Run("Redis is down", func(t *testing.T) {
		s := newToldSite(t, nil)
		person, form := s.loggedIn("test0001", s.url), s.token("test0001")
		s.mini.SetError("LOADING Redis is loading the dataset in memory")
		assert.Equal(t, http.StatusServiceUnavailable, s.tell(form))
		s.mini.SetError("")
		assert.True(t, s.lives(person, s.url))
		assert.Equal(t, http.StatusOK, s.tell(form), "told again")
		assert.False(t, s.lives(person, s.url))
	})
	t.Run("in files", func(t *testing.T) {
		s := newToldSite(t, func(s *toldSite) sessions.Store {
			return sessions.NewFilesystemStore(t.TempDir(), []byte(strings.Repeat("k", 32)))
		})
		person := s.loggedIn("test0001", s.url)
		assert.Equal(t, http.StatusNotImplemented, s.tell(s.token("test0001")))
		assert.True(t, s.lives(person, s.url))
	})
}

// TestLoginUnderWayAtALogout: an answer of before the logout that arrives after it lets nobody
// in, and the person is told, with a way on to the page.
func TestLoginUnderWayAtALogout(t *testing.T) {
	s := newToldSite(t, nil)
	c := s.fake.Client("test0001")
	c.CheckRedirect = s.fake.StopAtReturn
	resp, err := c.Get(s.url + "/page")
	require.NoError(t, err)
	_ = resp.Body.Close()
	back := resp.Header.Get("Location")
	require.Contains(t, back, "code=")
	form := s.token("test0001")
	assert.Equal(t, http.StatusOK, s.tell(form))
	c.CheckRedirect = nil
	status, body := get(t, c, back)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, body, s.url+"/page")
	assert.False(t, s.lives(c, s.url))
}
