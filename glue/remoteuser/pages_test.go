package remoteuser_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// everyPage says how to get to each of our pages.
var everyPage = []struct {
	kind   string
	status int
	get    func(b *backend) answer
}{
	{"login-required", 401, func(b *backend) answer {
		return b.browser().do(http.MethodGet, "/", nil, func(r *http.Request) { r.Host = "other.example" })
	}},
	{"bad-identity", 400, func(b *backend) answer { return b.raw("/", "Accept: text/html", "Remote-User: a b") }},
	{"unknown-user", 403, func(b *backend) answer { return b.raw("/", "Accept: text/html", "Remote-User: new1") }},
	{"inactive-user", 403, func(b *backend) answer { return b.raw("/", "Accept: text/html", "Remote-User: gone1") }},
	{"unavailable", 503, func(b *backend) answer { return b.raw("/x?y=1", "Accept: text/html", "Remote-User: down1") }},
	{"login", 200, func(b *backend) answer { return b.browser().get("/login?next=/x") }},
	{"wrong-password", 403, func(b *backend) answer { return b.browser().login("ada", "x") }},
	{"throttled", 429, func(b *backend) answer {
		br := b.browser()
		for range 20 {
			br.login("ada", "x")
		}
		return br.login("ada", "x")
	}},
	{"form-expired", 403, func(b *backend) answer {
		br := b.browser()
		br.get("/login")
		return br.do(http.MethodPost, "/login", url.Values{"next": {"/x"}}, nil)
	}},
	{"cookies", 403, func(b *backend) answer { return b.browser().do(http.MethodPost, "/login", url.Values{}, nil) }},
	{"next", 400, func(b *backend) answer { return b.browser().get("/login?next=//evil.example") }},
	{"login-again", 401, func(b *backend) answer { return b.browser().do(http.MethodPost, "/", url.Values{}, nil) }},
	{"misdirected", 421, func(b *backend) answer {
		return b.browser().do(http.MethodGet, "/login", nil, func(r *http.Request) { r.Host = "evil.example" })
	}},
	{"logout", 200, func(b *backend) answer { return loggedIn(b).get("/logout") }},
	{"logged-out", 200, func(b *backend) answer { return loggedIn(b).do(http.MethodPost, "/logout", nil, nil) }},
	{"not-logged-in", 200, func(b *backend) answer { return b.browser().get("/logout") }},
}

func loggedIn(b *backend) *browser {
	br := b.browser()
	br.login("ada", "correct horse")
	return br
}

func TestEveryPage(t *testing.T) {
	for _, p := range everyPage {
		t.Run(p.kind, func(t *testing.T) {
			b := newForm(t)
			a := p.get(b)
			require.Equal(t, p.status, a.StatusCode)
			require.Equal(t, p.kind, a.kind())
			h := a.Header
			assert.Equal(t, "no-store", h.Get("Cache-Control"))
			assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			assert.Equal(t, "DENY", h.Get("X-Frame-Options"))
			csp := h.Get("Content-Security-Policy")
			assert.Contains(t, csp, "default-src 'none'")
			assert.Contains(t, csp, "frame-ancestors 'none'")
			assert.NotContains(t, csp, "unsafe")
			assert.Equal(t, strings.Contains(a.body, "<form"), strings.Contains(csp, "form-action 'self'"))
			assert.NotContains(t, a.body, "<script")
			assert.NotContains(t, a.body, "evil.example")
			assert.Equal(t, p.status == 401, h.Get("WWW-Authenticate") != "")
			assert.Equal(t, p.status == 503 || p.status == 429, h.Get("Retry-After") != "")
			if !strings.Contains(a.body, "<form") && a.Request != nil && a.Request.URL.Path != "/" {
				assert.Contains(t, a.body, "<a ", "a next step")
			}
			if ref := strings.Contains(a.body, "quote this reference"); p.status >= 400 && p.kind != "wrong-password" {
				assert.True(t, ref, "what went wrong has a reference")
				code := a.body[strings.Index(a.body, "<code>")+len("<code>"):][:8]
				assert.Contains(t, b.logged(), `"ref":"`+code+`"`)
			}
		})
	}
}

// A site that shows pages in its own dress gets all that is on them, and our headers.
func TestPagesInTheSitesOwnDress(t *testing.T) {
	for _, p := range everyPage {
		t.Run(p.kind, func(t *testing.T) {
			b := newBackend(t, setup{config: func(c *config) {
				withForm(newSecret())(c)
				c.Site.Page = func(w http.ResponseWriter, _ *http.Request, p site.Page) {
					w.WriteHeader(p.Status)
					fmt.Fprintf(w, `<main data-page=%q>`, p.Kind)
					if p.Form != nil {
						for name, value := range p.Form.Hidden {
							fmt.Fprintf(w, `<input type="hidden" name="%s" value="%s">`, name, value)
						}
						for _, f := range p.Form.Fields {
							fmt.Fprintf(w, `<label>%s<input name="%s">`, f.Label, f.Name)
						}
					}
					if p.Status >= 400 && p.Kind != "wrong-password" {
						fmt.Fprintf(w, "quote this reference <code>%s", p.Ref)
					}
				}
			}})
			a := p.get(b)
			assert.Equal(t, p.status, a.StatusCode)
			assert.Equal(t, p.kind, a.kind())
			assert.NotContains(t, a.body, "<style>")
			assert.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'")
		})
	}
}

// The form can be used by eye, by ear, by keyboard and by password managers.
func TestFormMarkup(t *testing.T) {
	body := newForm(t).browser().get("/login").body
	assert.Contains(t, body, `<label for="name">User name</label><input id="name" name="name" type="text" value="" autocomplete="username"`)
	assert.Contains(t, body, `<label for="password">Password</label><input id="password" name="password" type="password" value="" autocomplete="current-password"`)
	assert.Equal(t, 2, strings.Count(body, " required>"))
	assert.Contains(t, body, `<button type="submit">Log in</button>`)
}

func TestFormCannotBeChecked(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) {
		withForm(newSecret())(c)
		c.Password = func(context.Context, string, string) (bool, error) { return true, errors.New("directory is down") }
	}})
	a := b.browser().login("ada", "correct horse")
	assert.Equal(t, "unavailable", a.kind())
	assert.Empty(t, a.Cookies())
	assert.NotContains(t, a.body, "directory")
}

// Pages that know nothing better say where to go on, at the address that the browser sees.
func TestNextStep(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Lookup = lookup }})
	for _, tc := range []struct{ path, who, link string }{
		{"/x?y=%2F", "down1", `href="/x?y=%2F">Try again<`},
		{"/x", "gone1", `href="/">Front page<`},
		{"/x", "", `href="/">Front page<`},
	} {
		assert.Contains(t, b.raw(tc.path, "Accept: text/html", "Remote-User: "+tc.who).body, tc.link)
	}
	assert.NotContains(t, b.raw("/", "Accept: text/html").body, "<a ", "it is here")
}
