package webauthtest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestEveryPage checks what holds for all pages.
func TestEveryPage(t *testing.T) {
	w := webauthtest.New(t)
	w.ForUser("test0002", webauthtest.Outcome{Fault: webauthtest.FaultDown})
	fails := func(r *wls.Request) { r.Fail, r.IAct = true, "no" }
	pages := map[string]func() *http.Response{
		"login":          func() *http.Response { r, _ := noWait(w).Get(loginURL(w, nil)); return r },
		"wrong password": func() *http.Response { return logIn(t, noWait(w), loginURL(w, nil), "test0001", "no") },
		"failure":        func() *http.Response { r, _ := noWait(w).Get(loginURL(w, fails)); return r },
		"bad request":    func() *http.Response { r, _ := noWait(w).Get(w.Service().AuthURL + "?url=x"); return r },
		"down":           func() *http.Response { return logIn(t, noWait(w), loginURL(w, nil), "test0002", "test") },
		"logout":         func() *http.Response { r, _ := noWait(w).Get(w.Service().LogoutURL); return r },
		"about": func() *http.Response {
			r, _ := noWait(w).Get(strings.TrimSuffix(w.Service().AuthURL, "auth/authenticate.html"))
			return r
		},
		"refused": func() *http.Response {
			req, _ := http.NewRequest(http.MethodPost, loginURL(w, nil), nil)
			req.Header.Set("Sec-Fetch-Site", "cross-site")
			r, _ := noWait(w).Do(req)
			return r
		},
	}
	titles := make(map[string]string)
	for name, load := range pages {
		t.Run(name, func(t *testing.T) {
			resp := load()
			require.NotNil(t, resp)
			page := body(t, resp)
			assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
			assert.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))

			styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(page, -1)
			require.Len(t, styles, 1)
			sum := sha256.Sum256([]byte(styles[0][1]))
			assert.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
				"'; base-uri 'none'; frame-ancestors 'none'", resp.Header.Get("Content-Security-Policy"))
			assert.Contains(t, page, "prefers-color-scheme: dark")
			assert.NotRegexp(t, `(?i)<script|style=|\son[a-z]+=|src=`, page)

			assert.Contains(t, page, `<html lang="en">`)
			assert.Contains(t, page, "Never type a real password.")
			assert.Equal(t, 1, strings.Count(page, "<h1"))
			assert.Equal(t, 1, strings.Count(page, "<main"))
			title := regexp.MustCompile(`<title>(.*?)</title>`).FindStringSubmatch(page)
			require.NotNil(t, title)
			titles[name] = title[1]
			for _, m := range regexp.MustCompile(`<label for="(\w+)"`).FindAllStringSubmatch(page, -1) {
				assert.Contains(t, page, `<input id="`+m[1]+`"`)
			}
		})
	}
	assert.Equal(t, "Log in – test login service", titles["login"])
	assert.Equal(t, "Error: wrong user or password – test login service", titles["wrong password"])
}

func TestRedirectsAreNotCached(t *testing.T) {
	w := webauthtest.New(t)
	resp := logIn(t, noWait(w), loginURL(w, nil), "test0001", "test")
	assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
}

func TestSessionCookie(t *testing.T) {
	w := webauthtest.New(t)
	cookies := logIn(t, noWait(w), loginURL(w, nil), "test0001", "test").Cookies()
	require.Len(t, cookies, 1)
	u, err := url.Parse(w.Service().AuthURL)
	require.NoError(t, err)
	assert.Equal(t, "fakewls-"+u.Port(), cookies[0].Name, "cookies ignore ports")
	assert.True(t, cookies[0].HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookies[0].SameSite)
	assert.False(t, cookies[0].Secure)
}

func TestLoginPageTellsWhoAsks(t *testing.T) {
	w := webauthtest.New(t)
	tests := []struct {
		name string
		edit func(*wls.Request)
		want []string
		not  []string
	}{
		{"nothing but the host", func(*wls.Request) {}, []string{`<strong class="site">localhost:8080</strong> asks you to log in.`},
			[]string{"It calls itself", "Its reason", "even if you have logged in before", "private"}},
		{"character references stand", func(r *wls.Request) { r.Desc = "Caf&#233; &amp; Bar" },
			[]string{"<dt>It calls itself</dt><dd><bdi>Café &amp; Bar</bdi>"}, nil},
		{"markup does not", func(r *wls.Request) { r.Desc, r.Msg = "<b>x</b>", "&lt;script&gt;1&#60;/script&#62;<!--" },
			[]string{"<bdi>&lt;b&gt;x&lt;/b&gt;</bdi>", "<bdi>&lt;script&gt;1&lt;/script&gt;&lt;!--</bdi>"}, []string{"<b>x", "<script"}},
		{"control characters are dropped", func(r *wls.Request) { r.Msg = "a&#10;b&#x7;c" }, []string{"<bdi>abc</bdi>"}, nil},
		{"a reference twice escaped is shown once", func(r *wls.Request) { r.Desc = "&amp;lt;" }, []string{"<bdi>&amp;lt;</bdi>"}, nil},
		{"why a password", func(r *wls.Request) { r.IAct = "yes" }, []string{"even if you have logged in before"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, page := get(t, noWait(w), loginURL(w, tt.edit))
			for _, s := range tt.want {
				assert.Contains(t, page, s)
			}
			for _, s := range tt.not {
				assert.NotContains(t, page, s)
			}
		})
	}
}

func TestTheUserIDIsEscaped(t *testing.T) {
	w := webauthtest.New(t)
	page := body(t, logIn(t, noWait(w), loginURL(w, nil), `"><b>`, "x"))
	assert.Contains(t, page, `value="&#34;&gt;&lt;b&gt;"`)
}

func TestFocus(t *testing.T) {
	w := webauthtest.New(t)
	_, page := get(t, noWait(w), loginURL(w, nil))
	assert.Regexp(t, `<input id="userid"[^>]* autofocus>`, page)
	assert.Equal(t, 1, strings.Count(page, "autofocus"))
	page = body(t, logIn(t, noWait(w), loginURL(w, nil), "test0001", "x"))
	assert.Regexp(t, `<input id="pwd"[^>]* autofocus>`, page)
	assert.Equal(t, 1, strings.Count(page, "autofocus"))
	assert.Contains(t, page, `role="alert"`)
}

// TestForeignForms: a form that another site's page sends is refused wherever the
// browser says that it is one.
func TestForeignForms(t *testing.T) {
	w := webauthtest.New(t)
	own := strings.TrimSuffix(w.Service().AuthURL, "/auth/authenticate.html")
	tests := []struct {
		name, fetchSite, origin string
		ok                      bool
	}{
		{"same origin", "same-origin", "null", true},
		{"typed", "none", "", true},
		{"same site, as another port is", "same-site", "", false},
		{"cross-site", "cross-site", "", false},
		{"cross-site with our origin", "cross-site", own, false},
		{"no header at all", "", "", true},
		{"our origin", "", own, true},
		{"no referrer on plain http", "", "null", true},
		{"another origin", "", "http://localhost:8080", false},
		{"not an origin", "", "%", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := url.Values{"userid": {"test0001"}, "pwd": {"test"}}.Encode()
			req, err := http.NewRequest(http.MethodPost, loginURL(w, nil), strings.NewReader(form))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header["Sec-Fetch-Mode"] = nil // no headers but these
			for name, value := range map[string]string{"Sec-Fetch-Site": tt.fetchSite, "Origin": tt.origin} {
				if value != "" {
					req.Header.Set(name, value)
				}
			}
			resp, err := noWait(w).Do(req)
			require.NoError(t, err)
			resp.Body.Close()
			if tt.ok {
				assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
				return
			}
			assert.Equal(t, http.StatusForbidden, resp.StatusCode)
			assert.Empty(t, resp.Cookies())
		})
	}
}

func TestFormsAreBounded(t *testing.T) {
	w := webauthtest.New(t)
	resp := logIn(t, noWait(w), loginURL(w, nil), "test0001", strings.Repeat("x", 17<<10))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestAboutPage(t *testing.T) {
	w := webauthtest.New(t)
	home := strings.TrimSuffix(w.Service().AuthURL, "auth/authenticate.html")
	c := noWait(w)
	_, page := get(t, c, home)
	for _, s := range []string{w.Service().AuthURL, w.Service().LogoutURL, "kid 501", "nobody is logged in",
		"<td>test0001</td><td>test</td><td>current</td>", `<td>test0010</td><td>test</td><td><span class="muted">none</span></td>`} {
		assert.Contains(t, page, s)
	}
	for i := range 15 {
		w.AddUser(webauthtest.User{ID: "u" + string(rune('a'+i)), Password: "x", Disabled: i == 0, Ptags: []string{"a", "b"}})
	}
	logIn(t, c, loginURL(w, nil), "test0001", "test")
	_, page = get(t, c, home)
	assert.Contains(t, page, "<td>ua (disabled)</td><td>x</td><td>a, b</td>")
	assert.Contains(t, page, "and 5 more")
	assert.Contains(t, page, "logged in as <strong>test0001</strong>")
	resp, _ := get(t, c, home+"nothing")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}
