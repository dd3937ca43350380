package oauth2server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

const spaOrigin = "https://spa.example"

// fromPage is what a browser says of a request that a script of a page made.
func fromPage(origin string) func(*http.Request, url.Values) {
	return func(r *http.Request, _ url.Values) {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
}

// readable reports whether a browser shows an answer to a page of an origin, which has sent
// no cookies.
func readable(t *testing.T, h http.Header, origin string) bool {
	t.Helper()
	assert.Empty(t, h.Values("Access-Control-Allow-Credentials"), "never")
	allowed := h.Values("Access-Control-Allow-Origin")
	if len(allowed) > 0 && allowed[0] != "*" {
		assert.Contains(t, strings.Join(h.Values("Vary"), ", "), "Origin")
	}
	return len(allowed) == 1 && (allowed[0] == origin || allowed[0] == "*")
}

// preflight has a browser ask whether a page may send a request.
func (p *party) preflight(path, origin, method, headers string) answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodOptions, p.url+path, http.NoBody)
	require.NoError(p.t, err)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", method)
	r.Header.Set("Access-Control-Request-Headers", headers)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return p.do(http.DefaultClient, r)
}

// spa registers an application that runs in browsers.
func (p *party) spa(uris ...string) app {
	if len(uris) == 0 {
		uris = []string{spaOrigin + "/cb"}
	}
	return p.register(p.t, false, uris...)
}

// A page of another origin goes the whole way: from a code to tokens, new ones, and none.
func TestPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		p := newWorld(t, db).party(t)
		spa := p.spa()
		page := fromPage(spaOrigin)
		q := p.ask(spa)
		got := p.call("/token", spa, codeForm(q, p.code(q)), page)
		require.Equal(t, http.StatusOK, got.StatusCode, got.body)
		assert.True(t, readable(t, got.Header, spaOrigin))
		next := p.call("/token", spa, refreshForm(got.Refresh), page)
		require.Equal(t, http.StatusOK, next.StatusCode, next.body)
		assert.True(t, readable(t, next.Header, spaOrigin))
		again := p.call("/token", spa, refreshForm("wlsr_x"), page)
		p.requireRefused(again, http.StatusBadRequest, "invalid_grant")
		assert.True(t, readable(t, again.Header, spaOrigin), "errors, too")
		gone := p.call("/revoke", spa, tokenOf(next.Refresh), page)
		assert.Equal(t, http.StatusOK, gone.StatusCode)
		assert.True(t, readable(t, gone.Header, spaOrigin))
		assert.False(t, p.works(next.Access))
		for _, path := range []string{"/token", "/revoke"} {
			a := p.preflight("/oauth"+path, spaOrigin, "POST", "content-type")
			assert.Equal(t, http.StatusNoContent, a.StatusCode)
			assert.True(t, readable(t, a.Header, spaOrigin))
			assert.Equal(t, "POST", a.Header.Get("Access-Control-Allow-Methods"))
		}
	})
}

// Pages that are not the application's learn nothing and use nothing up.
func TestPage_others(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	spa := p.spa(spaOrigin+"/cb", "http://127.0.0.1/cb", "com.example.app:/cb")
	p.spa("https://rival.example/cb") // somebody else's, registered as well
	confidential := p.register(t, true, spaOrigin+"/cb")
	for _, c := range []struct {
		name, path string
		app        app
		edit       func(*http.Request, url.Values)
		ok         bool
		log        string
	}{
		{"its own page", "/token", spa, fromPage(spaOrigin), true, ""},
		{"in development, at any port", "/token", spa, fromPage("http://127.0.0.1:5173"), true, ""},
		{"on a sibling host", "/token", spa, func(r *http.Request, f url.Values) {
			fromPage(spaOrigin)(r, f)
			r.Header.Set("Sec-Fetch-Site", "same-site")
		}, true, ""},
		{"an old browser", "/token", spa, func(r *http.Request, _ url.Values) { r.Header.Set("Origin", spaOrigin) }, true, ""},
		{"a page of another application", "/token", spa, fromPage("https://rival.example"), false, "redirect URIs is on its origin"},
		{"nobody's page", "/token", spa, fromPage("https://evil.example"), false, "redirect URIs is on its origin"},
		{"to revoke", "/revoke", spa, fromPage("https://evil.example"), false, "redirect URIs is on its origin"},
		{"an origin that begins alike", "/token", spa, fromPage(spaOrigin + ".evil.example"), false, ""},
		{"a host below", "/token", spa, fromPage("https://evil.spa.example"), false, ""},
		{"another scheme", "/token", spa, fromPage("http://spa.example"), false, ""},
		{"another port", "/token", spa, fromPage(spaOrigin + ":8443"), false, ""},
		{"in capitals", "/token", spa, fromPage("https://SPA.example"), false, ""},
		{"with a path", "/token", spa, fromPage(spaOrigin + "/"), false, ""},
		{"a page without an origin", "/token", spa, fromPage("null"), false, ""},
		{"two origins", "/token", spa, func(r *http.Request, f url.Values) {
			fromPage(spaOrigin)(r, f)
			r.Header.Add("Origin", "https://evil.example")
		}, false, ""},
		{"no origin at all", "/token", spa, func(r *http.Request, _ url.Values) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, false, ""},
		{"a form that opens a page", "/token", spa, func(r *http.Request, f url.Values) {
			fromPage("https://evil.example")(r, f)
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}, false, ""},
		{"a confidential application in a page", "/token", confidential, fromPage(spaOrigin), false, "as public"},
		{"an unknown application", "/token", app{id: "x"}, fromPage(spaOrigin), false, "invalid_client"},
		{"by JSON", "/token", spa, func(r *http.Request, f url.Values) {
			fromPage(spaOrigin)(r, f)
			r.Header.Set("Content-Type", "application/json")
		}, false, "application/x-www-form-urlencoded"},
		{"introspection", "/introspect", confidential, fromPage(spaOrigin), false, "cross-origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.t = t
			from := len(p.log.String())
			form := url.Values{}
			if c.app.id == spa.id && c.path == "/token" {
				q := p.ask(c.app)
				code := p.code(q)
				form = codeForm(q, code)
				defer func() { // a refusal leaves the code as it is
					if !c.ok {
						assert.Equal(t, http.StatusOK, p.call("/token", c.app, codeForm(q, code)).StatusCode)
					}
				}()
			}
			a := p.call(c.path, c.app, form, c.edit)
			assert.Equal(t, c.ok, readable(t, a.Header, a.Request.Header.Get("Origin")))
			if c.ok {
				assert.Equal(t, http.StatusOK, a.StatusCode, a.body)
				return
			}
			assert.Equal(t, http.StatusForbidden, a.StatusCode, a.body)
			assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
			assert.Empty(t, a.Header.Get("WWW-Authenticate"), "the browser must not ask for a password")
			assert.Contains(t, p.log.String()[from:], `"cross-origin"`)
			assert.Contains(t, p.log.String()[from:], c.log)
		})
	}
}

// Handler judges pages by itself, where Protect is not around it.
func TestPage_withoutProtect(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	spa := p.spa()
	for _, c := range []struct {
		name, path, origin string
		status             int
	}{
		{"its own page", "/token", spaOrigin, http.StatusBadRequest},
		{"nobody's page", "/token", "https://evil.example", http.StatusForbidden},
		{"introspection", "/introspect", spaOrigin, http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, p.url+"/oauth"+c.path, strings.NewReader("grant_type=refresh_token&token=x&client_id="+spa.id))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			fromPage(c.origin)(r, nil)
			w := httptest.NewRecorder()
			p.Handler().ServeHTTP(w, r)
			assert.Equal(t, c.status, w.Code, w.Body)
			assert.Equal(t, c.status != http.StatusForbidden, readable(t, w.Header(), c.origin))
		})
	}
}

// What a page may send is told to the pages of public applications alone, with no word
// about whose they are.
func TestPreflight(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.spa()
	p.register(t, true, "https://secret.example/cb")
	for _, c := range []struct {
		name, path, origin string
		status             int
	}{
		{"a page of a public application", "/oauth/token", spaOrigin, http.StatusNoContent},
		{"of a confidential one", "/oauth/token", "https://secret.example", http.StatusForbidden},
		{"of none", "/oauth/revoke", "https://evil.example", http.StatusForbidden},
		{"without an origin", "/oauth/token", "null", http.StatusForbidden},
		{"an endless origin", "/oauth/token", "https://" + strings.Repeat("a.", 500) + "example", http.StatusForbidden},
		{"introspection", "/oauth/introspect", spaOrigin, http.StatusMethodNotAllowed},
		{"the pages for people", "/oauth/settings/tokens", spaOrigin, http.StatusMethodNotAllowed},
		{"the site", "/private", spaOrigin, http.StatusUnauthorized},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.preflight(c.path, c.origin, "POST", "content-type")
			assert.Equal(t, c.status, a.StatusCode, a.body)
			assert.Equal(t, c.status == http.StatusNoContent, readable(t, a.Header, c.origin))
			if c.status == http.StatusForbidden {
				assert.Contains(t, p.log.String(), "no public application has a redirect URI on its origin")
				assert.Contains(t, strings.Join(a.Header.Values("Vary"), ", "), "Origin")
			}
		})
	}
}

// The database is asked before anything is said.
func TestPreflight_unknown(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.spa()
	p.db.Exec(t, `DROP TABLE wlsoauth_origins`)
	a := p.preflight("/oauth/token", spaOrigin, "POST", "")
	assert.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	assert.False(t, readable(t, a.Header, spaOrigin))
	assert.Contains(t, p.eventNames(), EventStoreError)
}

// Everybody may know what the metadata say.
func TestMetadata_pages(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	r, err := http.NewRequest(http.MethodGet, p.url+p.MetadataPath(), http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Origin", "https://any.example")
	a := p.do(http.DefaultClient, r)
	assert.Equal(t, http.StatusOK, a.StatusCode)
	assert.True(t, readable(t, a.Header, "https://any.example"))
	a = p.preflight(p.MetadataPath(), "https://any.example", "GET", "x-requested-with")
	assert.Equal(t, http.StatusNoContent, a.StatusCode)
	assert.True(t, readable(t, a.Header, "https://any.example"))
}

// TestCORS calls the API from pages.
func TestCORS(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	token := p.tokens(p.spa()).Access
	p.open(p.url + "/private")
	for _, c := range []struct {
		name, path, origin, token string
		cookies                   bool
		status                    int
		readable                  bool
	}{
		{"a page of a public application", "/cors/records", spaOrigin, token, false, http.StatusOK, true},
		{"a refusal can be read, too", "/cors/records", spaOrigin, "x", false, http.StatusUnauthorized, true},
		{"with nothing", "/cors/records", spaOrigin, "", false, http.StatusUnauthorized, true},
		{"a page of none", "/cors/records", "https://evil.example", token, false, http.StatusOK, false},
		{"a page without an origin", "/cors/records", "null", token, false, http.StatusOK, false},
		{"elsewhere", "/api/records", spaOrigin, token, false, http.StatusOK, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, p.url+c.path, http.NoBody)
			require.NoError(t, err)
			fromPage(c.origin)(r, nil)
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			a := p.do(http.DefaultClient, r)
			assert.Equal(t, c.status, a.StatusCode, a.body)
			assert.Equal(t, c.readable, readable(t, a.Header, c.origin))
		})
	}
	t.Run("preflight", func(t *testing.T) {
		a := p.preflight("/cors/records", spaOrigin, "PUT", "authorization,content-type,x-request-id")
		assert.Equal(t, http.StatusNoContent, a.StatusCode)
		assert.True(t, readable(t, a.Header, spaOrigin))
		assert.Contains(t, a.Header.Get("Access-Control-Allow-Methods"), "PUT")
		assert.Contains(t, a.Header.Get("Access-Control-Allow-Headers"), "Authorization")
		a = p.preflight("/cors/records", "https://evil.example", "PUT", "authorization")
		assert.Equal(t, http.StatusForbidden, a.StatusCode)
		assert.False(t, readable(t, a.Header, "https://evil.example"))
	})
	t.Run("a session is of no use", func(t *testing.T) { // on a sibling host the browser sends its cookie along
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequest(method, p.url+"/cors/records", http.NoBody)
			require.NoError(t, err)
			fromPage(spaOrigin)(r, nil)
			r.Header.Set("Sec-Fetch-Site", "same-site")
			a := p.do(p.browser, r)
			readable(t, a.Header, spaOrigin) // never with credentials
			assert.Equal(t, method == http.MethodPost, a.StatusCode == http.StatusForbidden, a.body)
		}
	})
	t.Run("our own page needs nothing", func(t *testing.T) {
		r, err := http.NewRequest(http.MethodGet, p.url+"/cors/records", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Origin", p.url)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		a := p.do(p.browser, r)
		assert.Equal(t, http.StatusOK, a.StatusCode)
		assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
	})
}

// A page that has gone is no failure of the database.
func TestCORS_hungUp(t *testing.T) {
	s := newServer(t, dbtest.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		r := httptest.NewRequestWithContext(ctx, method, "https://soc.example/api", http.NoBody)
		r.Header.Set("Origin", spaOrigin)
		r.Header.Set("Access-Control-Request-Method", http.MethodGet)
		s.CORS(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	}
	assert.NotContains(t, s.eventNames(), EventStoreError)
}
