package xsrf_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/xsrf"
)

// post makes a form post with the browser's cookies, as an old browser sends it: with
// neither Origin nor Sec-Fetch-Site.
func (c *client) post(t *testing.T, form url.Values) *http.Request {
	t.Helper()
	req := c.request(t, http.MethodPost, "/change")
	c.body(req, "application/x-www-form-urlencoded", form.Encode())
	return req
}

func (c *client) body(req *http.Request, kind, body string) {
	req.Header.Set("Content-Type", kind)
	req.Body = io.NopCloser(strings.NewReader(body))
	req.ContentLength = int64(len(body))
}

func TestWhereATokenMayBe(t *testing.T) {
	s := newSite(t)
	c := s.login(t, "test0001")
	token := c.token(t)
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	require.NoError(t, mw.WriteField("xsrf-token", token))
	require.NoError(t, mw.Close())
	for _, tc := range []struct {
		name string
		edit func(*http.Request)
		want string
	}{
		{"header X-XSRF-Token", func(r *http.Request) { r.Header.Set("X-XSRF-Token", token) }, ""},
		{"header X-CSRFToken", func(r *http.Request) { r.Header.Set("X-CSRFToken", token) }, ""},
		{"field xsrf-token", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded", "xsrf-token="+token)
		}, ""},
		{"field csrf_token", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded; charset=utf-8", "a=b&csrf_token="+token)
		}, ""},
		{"field of a multipart form", func(r *http.Request) { c.body(r, mw.FormDataContentType(), form.String()) }, ""},
		{"query", func(r *http.Request) { r.URL.RawQuery = "xsrf-token=" + token }, "token-missing"},
		{"query of a form post", func(r *http.Request) {
			r.URL.RawQuery = "xsrf-token=" + token
			c.body(r, "application/x-www-form-urlencoded", "a=b")
		}, "token-missing"},
		{"cookie alone", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "XSRF-TOKEN", Value: token}) }, "token-missing"},
		{"JSON body", func(r *http.Request) { c.body(r, "application/json", `{"xsrf-token":"`+token+`"}`) }, "token-missing"},
		{"plain text that looks like a form", func(r *http.Request) { c.body(r, "text/plain", "xsrf-token="+token) }, "token-missing"},
		{"no content type", func(r *http.Request) {
			c.body(r, "", "xsrf-token="+token)
			r.Header.Del("Content-Type")
		}, "token-missing"},
		{"a form that is too large", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded", "a="+strings.Repeat("x", 11<<20)+"&xsrf-token="+token)
		}, "form-too-large"},
		{"a form that is broken", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded", "a=%zz&xsrf-token="+token)
		}, "token-malformed"},
		{"empty header", func(r *http.Request) { r.Header.Set("X-XSRF-Token", "") }, "token-missing"},
		{"two headers", func(r *http.Request) { r.Header["X-Xsrf-Token"] = []string{token, token} }, "token-malformed"},
		{"two fields", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded", "xsrf-token="+token+"&csrf_token="+token)
		}, "token-malformed"},
		{"a bad header beside a good field", func(r *http.Request) {
			r.Header.Set("X-XSRF-Token", token[:len(token)-1])
			c.body(r, "application/x-www-form-urlencoded", "xsrf-token="+token)
		}, "token-malformed"},
		{"a line break in it", func(r *http.Request) {
			c.body(r, "application/x-www-form-urlencoded", "xsrf-token="+token[:8]+"%0A"+token[8:])
		}, "token-malformed"},
		{"another version", func(r *http.Request) { r.Header.Set("X-XSRF-Token", "B"+token[1:]) }, "token-malformed"},
		{"one letter changed", func(r *http.Request) { r.Header.Set("X-XSRF-Token", flip(token, 40)) }, "token-not-valid"},
		{"GET needs none", func(r *http.Request) { r.Method = http.MethodGet }, ""},
		{"PUT needs one", func(r *http.Request) { r.Method = http.MethodPut }, "token-missing"},
		{"DELETE needs one", func(r *http.Request) { r.Method = http.MethodDelete }, "token-missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := c.request(t, http.MethodPost, "/change")
			req.Header.Del("Cookie")
			u, _ := url.Parse(s.url)
			for _, cookie := range c.http.Jar.Cookies(u) {
				if cookie.Name != "XSRF-TOKEN" {
					req.AddCookie(cookie)
				}
			}
			tc.edit(req)
			assert.Equal(t, tc.want, s.verdict(t, req))
		})
	}
}

func flip(s string, at int) string {
	other := byte('A')
	if s[at] == other {
		other = 'B'
	}
	return s[:at] + string(other) + s[at+1:]
}

func TestWhoseATokenIs(t *testing.T) {
	s := newSite(t)
	ann, bob, visitor := s.login(t, "test0001"), s.login(t, "test0002"), s.visit(t)
	annElsewhere := s.login(t, "test0001")
	tokens := map[string]string{"ann": ann.token(t), "bob": bob.token(t), "visitor": visitor.token(t), "annElsewhere": annElsewhere.token(t)}
	clients := map[string]*client{"ann": ann, "bob": bob, "visitor": visitor, "annElsewhere": annElsewhere}
	for who, c := range clients {
		for whose, token := range tokens {
			req := c.request(t, http.MethodPost, "/change")
			req.Header.Set(xsrf.Header, token)
			want := "token-not-valid"
			if who == whose {
				want = ""
			}
			assert.Equal(t, want, s.verdict(t, req), "%s with the token of %s", who, whose)
		}
	}
	t.Run("nobody", func(t *testing.T) {
		req := s.visit(t).request(t, http.MethodPost, "/change")
		req.Header.Set(xsrf.Header, tokens["visitor"])
		assert.Equal(t, "no-user", s.verdict(t, req))
	})
	t.Run("two visitor cookies count as none", func(t *testing.T) {
		req := visitor.request(t, http.MethodPost, "/change")
		req.AddCookie(&http.Cookie{Name: "wls-visitor", Value: strings.Repeat("A", 22)})
		req.Header.Set(xsrf.Header, tokens["visitor"])
		assert.Equal(t, "no-user", s.verdict(t, req))
	})
}

func TestLoginAndLogoutChangeTheBinding(t *testing.T) {
	s := newSite(t)
	c := &client{s, s.fake.Client("test0001")}
	before := c.token(t)
	with := func(token string) string {
		req := c.request(t, http.MethodPost, "/change")
		req.Header.Set(xsrf.Header, token)
		return s.verdict(t, req)
	}
	require.Empty(t, with(before))
	open := func() {
		resp, err := c.http.Get(s.url + "/private")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	open() // logs in
	assert.Equal(t, "token-not-valid", with(before))
	during := c.token(t)
	require.Empty(t, with(during))
	resp, err := c.http.PostForm(s.url+"/logout", nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, "token-not-valid", with(during))
	open() // the same person again
	assert.Equal(t, "token-not-valid", with(during))
	assert.Empty(t, with(c.token(t)))
}

func TestATokenLastsAnHour(t *testing.T) {
	s := newSite(t)
	c := s.visit(t)
	token := c.token(t)
	with := func() string {
		req := c.request(t, http.MethodPost, "/change")
		req.Header.Set(xsrf.Header, token)
		return s.verdict(t, req)
	}
	s.advance(time.Hour)
	assert.Empty(t, with(), "and works as often as one likes")
	assert.Empty(t, with())
	s.advance(time.Second)
	assert.Equal(t, "token-expired", with())
	s.advance(-time.Hour - 2*time.Minute)
	assert.Equal(t, "token-expired", with(), "from the future")
}

func TestActionAndSingleUse(t *testing.T) {
	s := newSite(t, xsrf.Action("delete"), xsrf.SingleUse())
	c := s.login(t, "test0001")
	with := func(token string) string {
		return s.verdict(t, c.post(t, url.Values{"xsrf-token": {token}}))
	}
	token := c.token(t)
	assert.Empty(t, with(token))
	assert.Equal(t, "token-not-valid", with(token), "used before")

	req := c.request(t, http.MethodGet, "/private")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	field := regexp.MustCompile(`^<input type="hidden" name="xsrf-token" value="([\w-]{78})">$`).FindSubmatch(page)
	require.NotNil(t, field, string(page))
	assert.NotEqual(t, resp.Header.Get(xsrf.Header), string(field[1]), "no two tokens are alike")
	kept := c.post(t, url.Values{"xsrf-token": {string(field[1])}})
	kept.URL.Path = "/kept"
	assert.Equal(t, "token-not-valid", s.verdict(t, kept), "made for another action")
	assert.Empty(t, with(string(field[1])))
}

func TestUpgrades(t *testing.T) {
	s := newSite(t)
	c := s.login(t, "test0001")
	for _, tc := range []struct{ name, origin, want string }{
		{"own origin", s.url, ""},
		{"no origin", "", "upgrade"},
		{"other port", "http://localhost:1", "upgrade"},
		{"other scheme", strings.Replace(s.url, "http:", "https:", 1), "upgrade"},
		{"null", "null", "upgrade"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := c.request(t, http.MethodGet, "/change")
			req.Header.Set("Upgrade", "websocket")
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Sec-Fetch-Site", "same-origin")
			setOrDelete(req, "Origin", tc.origin)
			assert.Equal(t, tc.want, s.verdict(t, req))
		})
	}
}

// A form that was kept while its person logged in again has the old session's token.
func TestAKeptFormGoesThrough(t *testing.T) {
	s := newSite(t)
	c := s.login(t, "test0001")
	token := c.token(t)
	s.advance(3 * time.Hour)
	resp, err := c.http.PostForm(s.url+"/kept", url.Values{"xsrf-token": {token}, "note": {"kept"}})
	require.NoError(t, err)
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	sealed := regexp.MustCompile(`name="wls-kept" value="([^"]+)"`).FindSubmatch(page)
	require.NotNil(t, sealed)
	resp, err = c.http.Get(s.url + "/kept") // logs in again
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	resp, err = c.http.PostForm(s.url+"/kept?wls-kept=1", url.Values{"wls-kept": {string(sealed[1])}})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusNoContent, resp.StatusCode)
}

func TestPeopleGetAPageAndScriptsAReason(t *testing.T) {
	s := newSite(t)
	c := s.login(t, "test0001")
	req := c.request(t, http.MethodPost, "/change")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.Contains(t, string(page), `data-page="cross-origin"`)
	assert.Contains(t, string(page), "Nothing was done: another site")
	assert.NotContains(t, string(page), "Try again", "a retry would be a GET of a page that may not be there")
}

// A request for another host is that first, whoever sent it.
func TestARequestForAnotherHost(t *testing.T) {
	s := newSite(t)
	for _, accept := range []string{"text/html", "application/json"} {
		r := httptest.NewRequest(http.MethodPost, "http://elsewhere.example/change", nil)
		r.Header.Set("Accept", accept)
		r.Header.Set("Origin", "https://evil.example")
		w := httptest.NewRecorder()
		s.guard.Protect(http.NotFoundHandler()).ServeHTTP(w, r)
		assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
		assert.Contains(t, w.Body.String(), `href="`+s.url)
	}
}
