package webauthtest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// maskValue replaces the response in a return URL.
func maskValue(returnURL string) string {
	return regexp.MustCompile(`WLS-Response=[^&#]*`).ReplaceAllString(returnURL, "WLS-Response=VALUE")
}

// rawStatus sends a GET by hand, for versions of HTTP that Go's client does not speak.
func rawStatus(t *testing.T, w *webauthtest.WLS, proto, target string) int {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", u.Host)
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s %s\r\nHost: %s\r\nConnection: close\r\n\r\n", u.RequestURI(), proto, u.Host)
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	status, err := strconv.Atoi(strings.Fields(line)[1])
	require.NoError(t, err)
	return status
}

func TestClientLogsInByItself(t *testing.T) {
	w := webauthtest.New(t)
	for scheme, start := range map[string]func(testing.TB, func(string) http.Handler) *httptest.Server{
		"http": webauthtest.Site, "https": webauthtest.SiteTLS,
	} {
		site := start(t, testSite(t, w, nil))
		assert.Regexp(t, `^`+scheme+`://localhost:[0-9]+$`, site.URL)
		c := w.Client("test0001")
		resp, page := get(t, c, site.URL+"/private/")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, "hello test0001", page)
		assert.Equal(t, site.URL+"/private/", resp.Request.URL.String())
		before := len(w.Requests())
		_, page = get(t, c, site.URL+"/private/")
		assert.Equal(t, "hello test0001", page)
		assert.Len(t, w.Requests(), before, "the site's own session")
	}
}

func TestSiteTLSIsTrustedByItsOwnClient(t *testing.T) {
	site := webauthtest.SiteTLS(t, func(string) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "hi") })
	})
	_, page := get(t, site.Client(), site.URL)
	assert.Equal(t, "hi", page)
}

func TestClientsAreStrangers(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	for _, user := range []string{"test0001", "test0002"} {
		_, page := get(t, w.Client(user), site.URL+"/")
		assert.Equal(t, "hello "+user, page)
	}
}

func TestClientOfNobodyStopsAtTheForm(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	resp, page := get(t, w.Client(""), site.URL+"/")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, page, `name="pwd"`)
	assert.Contains(t, resp.Request.URL.String(), w.Service().AuthURL)
}

func TestClientWithAWrongPassword(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	c := w.Client("test0001")
	w.RemoveUser("test0001")
	resp, page := get(t, c, site.URL+"/")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, page, "You are not logged in")
	assert.Len(t, w.Requests(), 2, "no endless tries")
}

func TestClientLeavesToATestWhatTheTestTypes(t *testing.T) {
	w := webauthtest.New(t)
	resp := logIn(t, w.Client("test0001"), loginURL(w, nil), "test0001", "wrong")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestStopAtLoginAndRespond(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	c := w.Client("test0001")
	c.CheckRedirect = w.StopAtLogin
	resp, _ := get(t, c, site.URL+"/private/")
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	assert.Empty(t, w.Requests(), "the fake was not asked")
	back, err := w.Respond(resp.Header.Get("Location"), "test0002")
	require.NoError(t, err)
	_, page := get(t, c, back)
	assert.Equal(t, "hello test0002", page)
}

func TestStopAtReturn(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	c := w.Client("test0001")
	c.CheckRedirect = w.StopAtReturn
	resp, _ := get(t, c, site.URL+"/private/")
	assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
	back := resp.Header.Get("Location")
	assert.Equal(t, site.URL+"/private/?WLS-Response=VALUE", maskValue(back))
	c.CheckRedirect = nil
	_, page := get(t, c, back)
	assert.Equal(t, "hello test0001", page)
}

func TestClientGivesUpOnLoops(t *testing.T) {
	w := webauthtest.New(t)
	var hits int
	site := webauthtest.Site(t, func(baseURL string) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			hits++
			http.Redirect(rw, r, baseURL, http.StatusSeeOther)
		})
	})
	_, err := w.Client("test0001").Get(site.URL)
	require.ErrorContains(t, err, "stopped after 20 redirects")
	assert.Equal(t, 20, hits)
}

// seen records what a browser sends to a site that knows every path.
type seen struct {
	mu   sync.Mutex
	all  []*http.Request
	next func(http.ResponseWriter, *http.Request)
}

func (s *seen) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.all = append(s.all, r)
	s.mu.Unlock()
	if s.next != nil {
		s.next(rw, r)
	}
}

// headers are those of a request that tell a navigation.
func headers(r *http.Request) map[string]string {
	h := make(map[string]string)
	for _, name := range []string{"Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Fetch-Site", "Origin", "Referer"} {
		if v := r.Header.Values(name); len(v) > 0 {
			h[name] = strings.Join(v, ",")
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		h["Accept"] = "html"
	}
	return h
}

func TestClientHeaders(t *testing.T) {
	w := webauthtest.New(t)
	visited := &seen{}
	site := webauthtest.Site(t, func(string) http.Handler { return visited })
	navigation := func(from string) map[string]string {
		return map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": from, "Accept": "html"}
	}
	send := func(t *testing.T, method string, edit func(http.Header)) []*http.Request {
		visited.all = nil
		req, err := http.NewRequest(method, site.URL+"/start", nil)
		require.NoError(t, err)
		if edit != nil {
			edit(req.Header)
		}
		resp, err := w.Client("test0001").Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		return visited.all
	}

	t.Run("an address typed", func(t *testing.T) {
		assert.Equal(t, navigation("none"), headers(send(t, http.MethodGet, nil)[0]))
	})
	t.Run("a form sent", func(t *testing.T) {
		want := navigation("same-origin")
		want["Origin"] = site.URL
		assert.Equal(t, want, headers(send(t, http.MethodPost, nil)[0]))
	})
	t.Run("what the test sets stays", func(t *testing.T) {
		got := send(t, http.MethodPost, func(h http.Header) {
			h.Set("Sec-Fetch-Site", "cross-site")
			h.Set("Origin", "https://evil.example")
		})
		want := navigation("cross-site")
		want["Origin"] = "https://evil.example"
		assert.Equal(t, want, headers(got[0]))
	})
	t.Run("a fetch", func(t *testing.T) {
		got := send(t, http.MethodGet, func(h http.Header) { h.Set("Sec-Fetch-Mode", "cors"); h.Set("Sec-Fetch-Dest", "empty") })
		assert.Equal(t, map[string]string{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, headers(got[0]))
	})
	t.Run("an old browser", func(t *testing.T) {
		got := send(t, http.MethodGet, func(h http.Header) { h["Sec-Fetch-Mode"] = nil; h.Set("Accept", "text/html") })
		assert.Equal(t, map[string]string{"Accept": "html"}, headers(got[0]))
	})
	t.Run("a redirect of the site", func(t *testing.T) {
		visited.next = redirectOnce(site.URL + "/next")
		got := send(t, http.MethodGet, nil)
		require.Len(t, got, 2)
		assert.Equal(t, navigation("none"), headers(got[1]))
	})
	t.Run("a form that redirects", func(t *testing.T) {
		visited.next = redirectOnce(site.URL + "/next")
		got := send(t, http.MethodPost, nil)
		require.Len(t, got, 2)
		assert.Equal(t, http.MethodGet, got[1].Method)
		assert.Equal(t, navigation("same-origin"), headers(got[1]))
	})
	t.Run("back from the login form", func(t *testing.T) {
		visited.next = redirectOnce(loginURL(w, func(r *wls.Request) { r.URL = site.URL + "/back" }))
		got := send(t, http.MethodGet, nil)
		require.Len(t, got, 2)
		assert.Equal(t, navigation("cross-site"), headers(got[1]))
	})
}

func redirectOnce(to string) func(http.ResponseWriter, *http.Request) {
	return func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/start" {
			http.Redirect(rw, r, to, http.StatusSeeOther)
		}
	}
}

func TestAFetchFillsInNoForm(t *testing.T) {
	w := webauthtest.New(t)
	req, err := http.NewRequest(http.MethodGet, loginURL(w, nil), nil)
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Mode", "cors")
	resp, err := w.Client("test0001").Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Len(t, w.Requests(), 1)
}

func TestAnOldBrowserLogsIn(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, nil))
	req, err := http.NewRequest(http.MethodGet, site.URL+"/", nil)
	require.NoError(t, err)
	req.Header["Sec-Fetch-Mode"] = nil
	resp, err := w.Client("test0001").Do(req)
	require.NoError(t, err)
	assert.Equal(t, "hello test0001", body(t, resp))
}

func TestABrowserWithoutCookiesCanLogIn(t *testing.T) {
	w := webauthtest.New(t)
	c := w.Client("test0001")
	c.Jar = nil
	c.CheckRedirect = w.StopAtReturn
	resp, _ := get(t, c, loginURL(w, nil))
	assert.Equal(t, 200, parse(t, resp.Header.Get("Location")).Status())
}

func TestManyBrowsersAtOnce(t *testing.T) {
	w := webauthtest.New(t)
	site := webauthtest.Site(t, testSite(t, w, func(r *webauth.Request) { r.IAct = webauth.IActYes }))
	var wg sync.WaitGroup
	for i := range 40 {
		user := fmt.Sprintf("test%04d", i%10+1)
		wg.Go(func() {
			resp, err := w.Client(user).Get(site.URL + "/")
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			page, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.Equal(t, "hello "+user, string(page))
		})
	}
	for range 5 {
		wg.Go(func() { w.AddUser(webauthtest.User{ID: "new", Password: "x"}); w.Requests(); w.Advance(0) })
		wg.Go(func() { w.Always(webauthtest.Outcome{}); w.SetQuirks(); w.Service().Keys.Keys() })
	}
	wg.Wait()
}
