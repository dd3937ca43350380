package oidctest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// TestEveryPage checks what holds for all pages.
func TestEveryPage(t *testing.T) {
	p := oidctest.New(t)
	pages := map[string]func() (*http.Response, string){
		"login":   func() (*http.Response, string) { return get(t, noWait(p), authURL(p, nil)) },
		"failure": func() (*http.Response, string) { return get(t, noWait(p), p.Issuer()+"/authorize") },
		"logout":  func() (*http.Response, string) { return get(t, noWait(p), p.Issuer()+"/logout") },
		"about":   func() (*http.Response, string) { return get(t, noWait(p), p.Issuer()+"/") },
		"nobody": func() (*http.Response, string) {
			resp := logIn(t, noWait(p), authURL(p, nil), `"><b>`)
			return resp, readAll(t, resp)
		},
		"refused": func() (*http.Response, string) {
			r, err := http.NewRequest(http.MethodPost, authURL(p, nil), nil)
			require.NoError(t, err)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			resp, err := noWait(p).Do(r)
			require.NoError(t, err)
			defer resp.Body.Close()
			return resp, readAll(t, resp)
		},
	}
	for name, load := range pages {
		t.Run(name, func(t *testing.T) {
			resp, page := load()
			assert.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			assert.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
			assert.Regexp(t, `^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'$`, resp.Header.Get("Content-Security-Policy"))
			assert.Contains(t, page, "prefers-color-scheme: dark")
			assert.NotRegexp(t, `(?i)<script|style=|\son[a-z]+=|src=|<b>`, page)
			assert.Contains(t, page, `<html lang="en">`)
			assert.Contains(t, page, "Never type a real password.")
			assert.Equal(t, 1, strings.Count(page, "<h1"))
			for _, m := range regexp.MustCompile(`<label for="(\w+)"`).FindAllStringSubmatch(page, -1) {
				assert.Regexp(t, `<(input|select) id="`+m[1]+`"`, page)
			}
			assert.LessOrEqual(t, strings.Count(page, "autofocus"), 1)
		})
	}
}

func TestLoginForm(t *testing.T) {
	p := oidctest.New(t)
	p.AddUser(oidctest.User{ID: "gone", Disabled: true})
	c := noWait(p)
	_, page := get(t, c, authURL(p, nil))
	assert.Contains(t, page, `<strong class="site">localhost:8080</strong> asks you to log in.`)
	assert.Contains(t, page, "<option>test0002</option>")
	assert.NotContains(t, page, "<option>gone</option>")
	assert.Contains(t, page, "gone (disabled)")
	assert.NotContains(t, page, "even if you have logged in before")

	logIn(t, c, authURL(p, nil), "test0002")
	_, page = get(t, c, authURL(p, set("prompt", "login")))
	assert.Contains(t, page, "<option selected>test0002</option>")
	assert.Contains(t, page, "even if you have logged in before")

	for i := range 15 {
		p.AddUser(oidctest.User{ID: "u" + string(rune('a'+i))})
	}
	_, page = get(t, noWait(p), authURL(p, nil))
	assert.Regexp(t, `<input id="userid"[^>]* autofocus>`, page, "too many to choose from")
	assert.Contains(t, page, "and 6 more")
}

func TestCancelAndNoPassword(t *testing.T) {
	p := oidctest.New(t)
	resp, err := noWait(p).PostForm(authURL(p, nil), url.Values{"userid": {"test0001"}, "cancel": {"cancel"}})
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, "access_denied", query(t, resp.Header.Get("Location")).Get("error"))

	resp, err = noWait(p).PostForm(authURL(p, nil), url.Values{"userid": {"test0001"}, "pwd": {""}})
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	assert.True(t, last(t, p).BadLogin)
}

func TestFormsAreBounded(t *testing.T) {
	p := oidctest.New(t)
	resp := logIn(t, noWait(p), authURL(p, nil), strings.Repeat("x", 17<<10))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestAboutPage(t *testing.T) {
	p := oidctest.New(t)
	c := noWait(p)
	_, page := get(t, c, p.Issuer()+"/")
	for _, s := range []string{p.Issuer(), oidctest.ClientID, oidctest.ClientSecret, "nobody is logged in", "<td>test0001</td><td>current</td>"} {
		assert.Contains(t, page, s)
	}
	logIn(t, c, authURL(p, nil), "test0001")
	_, page = get(t, c, p.Issuer()+"/")
	assert.Contains(t, page, "logged in as <strong>test0001</strong>")
}

func TestSessionCookie(t *testing.T) {
	p := oidctest.New(t)
	cookies := logIn(t, noWait(p), authURL(p, nil), "test0001").Cookies()
	require.Len(t, cookies, 1)
	assert.Regexp(t, `^oidctest-[0-9]+$`, cookies[0].Name, "cookies ignore ports")
	assert.True(t, cookies[0].HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookies[0].SameSite)
}
