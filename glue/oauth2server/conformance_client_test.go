package oauth2server

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clientAuthChecks are about who calls the endpoints for programs.
func clientAuthChecks() []check {
	const section = "RFC 6749 section 2.3.1"
	badClient := func(name string, edit func(p *party, r *http.Request, form url.Values)) check {
		return spoiled("RFC 6749 section 5.2", "client authentication: "+name, http.StatusUnauthorized, "invalid_client", edit)
	}
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	header := func(value func(p *party) string) func(*party, *http.Request, url.Values) {
		return func(p *party, r *http.Request, _ url.Values) { r.Header.Set("Authorization", value(p)) }
	}
	return []check{
		{section, "client authentication: header", func(_ *testing.T, p *party) { p.tokens(p.app) }},
		{section, "client authentication: body", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			form.Set("client_secret", p.app.secret)
			assert.Equal(t, http.StatusOK, p.call("/token", app{id: p.app.id}, form).StatusCode)
		}},
		{section, "client authentication: header, form-encoded before it is joined", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			got := p.call("/token", p.app, codeForm(q, p.code(q)), func(r *http.Request, _ url.Values) {
				escaped := strings.NewReplacer("w", "%77", "l", "%6C", "_", "%5f").Replace(p.app.secret)
				r.Header.Set("Authorization", basic(p.app.id, escaped))
			})
			assert.Equal(t, http.StatusOK, got.StatusCode, got.body)
		}},
		{section, "client authentication: the scheme in any letters", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			got := p.call("/token", p.app, codeForm(q, p.code(q)), func(r *http.Request, _ url.Values) {
				r.Header.Set("Authorization", "bASIC"+strings.TrimPrefix(r.Header.Get("Authorization"), "Basic"))
			})
			assert.Equal(t, http.StatusOK, got.StatusCode, got.body)
		}},
		{"RFC 6749 section 3.2.1", "client authentication: a public client by its name", func(_ *testing.T, p *party) { p.tokens(p.public) }},
		{section, "client authentication: the same name in the body too", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			form.Set("client_id", p.app.id)
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
		}},
		badClient("none", func(_ *party, r *http.Request, _ url.Values) { r.Header.Del("Authorization") }),
		badClient("a confidential client by its name alone", func(p *party, r *http.Request, form url.Values) {
			r.Header.Del("Authorization")
			form.Set("client_id", p.app.id)
		}),
		badClient("empty secret in the header", header(func(p *party) string { return basic(p.app.id, "") })),
		badClient("empty secret in the body", func(p *party, r *http.Request, form url.Values) {
			r.Header.Del("Authorization")
			form.Set("client_id", p.app.id)
			form.Set("client_secret", "")
		}),
		badClient("another's secret", header(func(p *party) string { return basic(p.app.id, p.other.secret) })),
		badClient("another's secret in the body", func(p *party, r *http.Request, form url.Values) {
			r.Header.Del("Authorization")
			form.Set("client_id", p.app.id)
			form.Set("client_secret", p.other.secret)
		}),
		badClient("secret with another last letter", header(func(p *party) string {
			last := "x"
			if strings.HasSuffix(p.app.secret, last) {
				last = "y"
			}
			return basic(p.app.id, p.app.secret[:53]+last)
		})),
		badClient("secret cut short", header(func(p *party) string { return basic(p.app.id, p.app.secret[:53]) })),
		badClient("secret that goes on", header(func(p *party) string { return basic(p.app.id, p.app.secret+"x") })),
		badClient("secret in capitals", header(func(p *party) string { return basic(p.app.id, strings.ToUpper(p.app.secret)) })),
		badClient("unknown client", header(func(p *party) string { return basic("nobody", p.app.secret) })),
		badClient("client that is no UTF-8", header(func(p *party) string { return basic("%ff%00", p.app.secret) })),
		badClient("Bearer", header(func(p *party) string { return "Bearer " + p.app.secret })),
		badClient("no base64", header(func(*party) string { return "Basic !!!" })),
		badClient("base64 without padding", header(func(p *party) string {
			return strings.TrimRight(basic(p.app.id, p.app.secret+"="), "=") + "*"
		})),
		badClient("base64 with a line's break in it", header(func(p *party) string {
			b := basic(p.app.id, p.app.secret)
			return b[:20] + "\t" + b[20:]
		})),
		badClient("no colon", header(func(p *party) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(p.app.id))
		})),
		badClient("a broken escape", header(func(p *party) string { return basic(p.app.id, "%zz"+p.app.secret) })),
		badClient("a public client with a secret", func(p *party, r *http.Request, _ url.Values) {
			r.Header.Set("Authorization", basic(p.public.id, p.app.secret))
		}),
		spoiled("RFC 6749 section 2.3", "client authentication: header and body", http.StatusBadRequest, "invalid_request",
			func(p *party, _ *http.Request, form url.Values) { form.Set("client_secret", p.app.secret) }),
		spoiled("RFC 6749 section 2.3", "client authentication: header and an assertion", http.StatusBadRequest, "invalid_request",
			func(_ *party, _ *http.Request, form url.Values) { form.Set("client_assertion", "x") }),
		spoiled("RFC 6749 section 2.3", "client authentication: another's name in the body", http.StatusBadRequest, "invalid_request",
			func(p *party, _ *http.Request, form url.Values) { form.Set("client_id", p.other.id) }),
		spoiled("RFC 6749 section 2.3", "client authentication: two headers", http.StatusBadRequest, "invalid_request",
			func(_ *party, r *http.Request, _ url.Values) {
				r.Header.Add("Authorization", r.Header.Get("Authorization"))
			}),
		{"RFC 6749 section 5.2", "invalid_client names the scheme to use", func(t *testing.T, p *party) {
			for _, path := range []string{"/token", "/revoke", "/introspect"} {
				got := p.call(path, app{}, url.Values{"grant_type": {"refresh_token"}, "token": {"x"}})
				p.requireRefused(got, http.StatusUnauthorized, "invalid_client")
				assert.True(t, strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic realm="), path)
			}
		}},
		{"RFC 6749 section 2.3.1", "a secret that was reset", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			old := p.app
			var err error
			p.app.secret, err = p.store.ResetSecret(t.Context(), p.ownerOf(t, old), old.id)
			require.NoError(t, err)
			p.requireRefused(p.call("/token", old, refreshForm(got.Refresh)), http.StatusUnauthorized, "invalid_client")
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(got.Refresh)).StatusCode)
		}},
	}
}
