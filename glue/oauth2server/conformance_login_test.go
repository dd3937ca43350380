package oauth2server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// loginChecks are about who the person is, and whether it is one who asks.
func loginChecks() []check {
	navigates := func(mode, dest string) func(r *http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Mode", mode)
			r.Header.Set("Sec-Fetch-Dest", dest)
			r.Header.Set("Sec-Fetch-Site", "same-site")
		}
	}
	// inBackground wants what is no navigation to be given nothing.
	inBackground := func(name string, edit func(r *http.Request)) check {
		return check{"RFC 9700 section 4.16", "authorization needs a navigation: " + name, func(t *testing.T, p *party) {
			send := func() answer {
				r, err := http.NewRequest(http.MethodGet, p.urlOf(p.ask(p.app)), http.NoBody)
				require.NoError(t, err)
				edit(r)
				return p.do(p.browser, r)
			}
			a := send()
			assert.Equal(t, http.StatusUnauthorized, a.StatusCode, "before the login")
			assert.Empty(t, a.Header.Get("Location"))
			p.code(p.ask(p.app))
			a = send()
			assert.Equal(t, http.StatusForbidden, a.StatusCode, "with a consent to remember")
			assert.Empty(t, a.Header.Get("Location"))
		}}
	}
	return []check{
		inBackground("a script", navigates("cors", "empty")),
		inBackground("an image", navigates("no-cors", "image")),
		inBackground("a frame", navigates("navigate", "iframe")),
		inBackground("a prefetch", func(r *http.Request) {
			navigates("navigate", "document")(r)
			r.Header.Set("Sec-Purpose", "prefetch;prerender")
		}),
		{"RFC 6749 section 3.1", "the person logs in first", func(t *testing.T, p *party) {
			p.browser.CheckRedirect = p.fake.StopAtLogin
			a := p.visit(p.ask(p.app))
			assert.Equal(t, http.StatusSeeOther, a.StatusCode)
			assert.True(t, strings.HasPrefix(a.Header.Get("Location"), p.fake.Service().AuthURL+"?"), a.Header.Get("Location"))
		}},
		{"OpenID Core section 3.1.2.6", "prompt none: nobody is logged in", func(t *testing.T, p *party) {
			q := p.ask(p.app, set("prompt", "none"))
			p.requireError(p.visit(q), q, "login_required")
		}},
		{"OpenID Core section 3.1.2.6", "prompt none: nobody is logged in, and more is wrong", func(t *testing.T, p *party) {
			q := p.ask(p.app, set("prompt", "none"), set("scope", "everything"))
			p.requireError(p.visit(q), q, "login_required")
		}},
		{"OpenID Core section 3.1.2.6", "prompt none: the person must be asked", func(t *testing.T, p *party) {
			p.open(p.url + "/private")
			q := p.ask(p.app, set("prompt", "none"))
			p.requireError(p.visit(q), q, "consent_required")
		}},
		{"OpenID Core section 3.1.2.1", "prompt none: nobody needs to be asked", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			q := p.ask(p.app, set("prompt", "none"))
			assert.NotEmpty(t, p.back(p.visit(q), q).Get("code"))
		}},
		{"OpenID Core section 3.1.2.1", "prompt login wants the password anew", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			p.fake.Advance(10 * time.Minute)
			p.browser.CheckRedirect = p.fake.StopAtLogin
			a := p.visit(p.ask(p.app, set("prompt", "login")))
			assert.Contains(t, a.Header.Get("Location"), "iact=yes")
			p.browser.CheckRedirect = p.newBrowser().CheckRedirect
			p.code(p.ask(p.app, set("prompt", "login")))
		}},
		{"OpenID Core section 3.1.2.1", "prompt login holds until the person has decided", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app, set("prompt", "login")))
			require.True(t, a.isConsent())
			p.fake.Advance(10 * time.Minute)
			late := p.press(a, "allow")
			assert.Equal(t, http.StatusUnauthorized, late.StatusCode)
			assert.Empty(t, late.Header.Get("Location"))
		}},
		{"OpenID Core section 3.1.2.1", "prompt login consent", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			assert.True(t, p.visit(p.ask(p.app, set("prompt", "login consent"))).isConsent())
		}},
		{"RFC 6749 section 4.1.1", "a deactivated person cannot authorise", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			p.deactivate(p.person)
			p.requirePage(p.visit(p.ask(p.app)), http.StatusForbidden)
			p.requirePage(p.visit(p.ask(p.app, set("prompt", "none"))), http.StatusForbidden)
		}},
		{"RFC 6749 section 4.1.1", "a person who is deactivated while asked cannot authorise", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			p.deactivate(p.person)
			p.requirePage(p.press(a, "allow"), http.StatusForbidden)
		}},
		{"RFC 6749 section 4.1.2.1", "nothing is given while it is unknown who is active", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			p.breakActive(errTest)
			defer p.breakActive(nil)
			p.requirePage(p.visit(p.ask(p.app)), http.StatusServiceUnavailable)
		}},
		{"RFC 6749 section 4.1.1", "an application that is deleted while the person is asked", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			p.deleteApp(p.app)
			p.requirePage(p.press(a, "allow"), http.StatusBadRequest)
		}},
		{"RFC 6749 section 4.1.1", "a redirect URI that is dropped while the person is asked", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			p.moveApp(p.app, "https://app.example/new")
			p.requirePage(p.press(a, "allow"), http.StatusBadRequest)
		}},
		{"RFC 6749 section 4.1.3", "an application that is deleted before it redeems", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.deleteApp(p.app)
			p.requireRefused(p.call("/token", p.app, form), http.StatusUnauthorized, "invalid_client")
		}},
		{"RFC 6749 section 4.1.3", "a redirect URI that is dropped before the code is redeemed", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.moveApp(p.app, "https://app.example/new")
			p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "invalid_grant")
		}},
		{"RFC 6749 section 6", "what a deleted application was given ends", func(t *testing.T, p *party) {
			got := p.tokens(p.app)
			p.deleteApp(p.app)
			assert.False(t, p.works(got.Access))
			p.requireRefused(p.call("/token", p.app, refreshForm(got.Refresh)), http.StatusUnauthorized, "invalid_client")
		}},
	}
}

// deleteApp has an application's owner delete it.
func (p *party) deleteApp(a app) {
	p.t.Helper()
	require.NoError(p.t, p.store.DeleteClient(p.t.Context(), p.ownerOf(p.t, a), a.id))
}

// moveApp has an application's owner change its redirect URIs.
func (p *party) moveApp(a app, uris ...string) {
	p.t.Helper()
	err := p.store.UpdateClient(p.t.Context(), p.ownerOf(p.t, a), store.Client{ID: a.id, Name: "Reader", RedirectURIs: uris})
	require.NoError(p.t, err)
}
