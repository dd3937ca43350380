package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// startSite serves the example with a fake login service.
func startSite(t *testing.T) (s *server, baseURL string, fake *webauthtest.WLS) {
	t.Helper()
	fake = webauthtest.New(t)
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		var err error
		s, err = newServer(baseURL, fake.Service())
		require.NoError(t, err)
		return s
	})
	return s, site.URL, fake
}

// do sends a request and gives the status and the body of the answer at the end of
// all redirects.
func do(t *testing.T, browser *http.Client, method, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, target, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := browser.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func get(t *testing.T, browser *http.Client, target string) (*http.Response, string) {
	t.Helper()
	return do(t, browser, http.MethodGet, target)
}

// begin opens the page and stops where the login service would be asked.
func begin(t *testing.T, browser *http.Client, fake *webauthtest.WLS, target string) (location string) {
	t.Helper()
	follow := browser.CheckRedirect
	browser.CheckRedirect = fake.StopAtLogin
	defer func() { browser.CheckRedirect = follow }()
	resp, _ := get(t, browser, target)
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	return resp.Header.Get("Location")
}

// cookieOf gives a browser's cookie for the site; nil if there is none.
func cookieOf(t *testing.T, browser *http.Client, site, name string) *http.Cookie {
	t.Helper()
	u, err := url.Parse(site)
	require.NoError(t, err)
	for _, c := range browser.Jar.Cookies(u) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func setCookie(t *testing.T, browser *http.Client, site string, c *http.Cookie) {
	t.Helper()
	u, err := url.Parse(site)
	require.NoError(t, err)
	browser.Jar.SetCookies(u, []*http.Cookie{c})
}

func TestLogin(t *testing.T) {
	_, site, fake := startSite(t)
	browser := fake.Client("test0001")

	resp, body := get(t, browser, site+"/?a=1")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, "<h1>Hello, test0001.</h1>")
	assert.Equal(t, "a=1", resp.Request.URL.RawQuery, "the response is gone from the address")
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))

	logins := len(fake.Requests())
	resp, _ = get(t, browser, site+"/")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Len(t, fake.Requests(), logins, "a session needs no login service")
}

func TestLogout(t *testing.T) {
	s, site, fake := startSite(t)
	browser := fake.Client("test0001")
	get(t, browser, site+"/")
	secret, id := cookieOf(t, browser, site, secretCookie), cookieOf(t, browser, site, sessionCookie)
	require.NotNil(t, id)

	// Another tab of the same browser, without the session, has asked for a login.
	tab := fake.Client("test0001")
	setCookie(t, tab, site, secret)
	late, err := fake.Respond(begin(t, tab, fake, site+"/"), "test0001")
	require.NoError(t, err)

	resp, body := do(t, browser, http.MethodPost, site+"/logout")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, "logged out")
	assert.Empty(t, s.sessions)
	assert.Nil(t, cookieOf(t, browser, site, sessionCookie))
	assert.NotEqual(t, secret.Value, cookieOf(t, browser, site, secretCookie).Value)

	resp, _ = get(t, browser, late)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "the late answer brings no session back")
	setCookie(t, browser, site, id)
	begin(t, browser, fake, site+"/") // nor does the old session cookie
}

func TestLogout_otherSite(t *testing.T) {
	_, site, fake := startSite(t)
	browser := fake.Client("test0001")
	get(t, browser, site+"/")
	for name, header := range map[string][]string{
		"another site":         {"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"},
		"another port":         {"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"},
		"an old browser":       {"Sec-Fetch-Mode", "", "Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		"a sandboxed document": {"Sec-Fetch-Site", "cross-site", "Origin", "null"},
	} {
		resp, _ := do(t, browser, http.MethodPost, site+"/logout", header...)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, name)
	}
	resp, _ := do(t, browser, http.MethodGet, site+"/logout")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode, "a link logs nobody out")
	_, body := get(t, browser, site+"/")
	assert.Contains(t, body, "test0001")
}

func TestRefused(t *testing.T) {
	s, site, fake := startSite(t)
	browser := fake.Client("test0001")
	back, err := fake.Respond(begin(t, browser, fake, site+"/"), "test0001")
	require.NoError(t, err)

	resp, _ := get(t, fake.Client("test0002"), back)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "another browser")
	resp, _ = get(t, browser, back)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "the other browser has used it up")
	assert.Empty(t, s.sessions)

	back, err = fake.Respond(begin(t, browser, fake, site+"/"), "test0001")
	require.NoError(t, err)
	resp, _ = get(t, browser, back)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	resp, _ = get(t, browser, back)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "a second time")

	browser = fake.Client("test0001")
	back, err = fake.Respond(begin(t, browser, fake, site+"/"), "test0001")
	require.NoError(t, err)
	resp, _ = get(t, browser, strings.Replace(back, site+"/?", site+"/other?", 1))
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "another path")

	resp, _ = get(t, browser, site+"/?WLS-Response=x")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode, "not a response")
	resp, _ = do(t, browser, http.MethodPost, site+"/")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)

	fake.Next(webauthtest.Outcome{Fault: webauthtest.FaultCancel})
	resp, body := get(t, fake.Client("test0001"), site+"/")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, body, "<h1>Please start again</h1>")
}

func TestFetch(t *testing.T) {
	_, site, fake := startSite(t)
	resp, body := do(t, fake.Client("test0001"), http.MethodGet, site+"/", "Sec-Fetch-Mode", "cors")
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Equal(t, "log in first", strings.TrimSpace(body))
	assert.Empty(t, resp.Cookies())
	assert.Empty(t, fake.Requests())
}

func TestSession_otherBrowser(t *testing.T) {
	s, site, fake := startSite(t)
	first, second := fake.Client("test0001"), fake.Client("test0002")
	get(t, first, site+"/")
	begin(t, second, fake, site+"/") // gives it a secret of its own
	setCookie(t, second, site, cookieOf(t, first, site, sessionCookie))
	begin(t, second, fake, site+"/") // the first one's session does not fit

	for id, who := range s.sessions {
		who.expires = time.Now()
		s.sessions[id] = who
	}
	begin(t, first, fake, site+"/") // and ends in time
}

func TestLogin_badAddress(t *testing.T) {
	_, site, fake := startSite(t)
	resp, _ := get(t, fake.Client("test0001"), site+"/?"+strings.Repeat("a", 2500))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}
