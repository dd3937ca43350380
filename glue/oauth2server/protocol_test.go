package oauth2server

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// oauthConfig is an application that somebody else wrote.
func (p *party) oauthConfig(a app, style oauth2.AuthStyle) *oauth2.Config {
	m := p.metadata()
	return &oauth2.Config{
		ClientID: a.id, ClientSecret: a.secret, RedirectURL: a.redirect, Scopes: []string{"records:read"},
		Endpoint: oauth2.Endpoint{AuthURL: m.Authorization, TokenURL: m.Token, AuthStyle: style},
	}
}

// TestIndependentClient has golang.org/x/oauth2 go the whole way.
func TestIndependentClient(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	styles := map[string]oauth2.AuthStyle{"header": oauth2.AuthStyleInHeader, "body": oauth2.AuthStyleInParams, "finds out": oauth2.AuthStyleAutoDetect}
	for name, style := range styles {
		for kind, confidential := range map[string]bool{"confidential": true, "public": false} {
			if style == oauth2.AuthStyleInHeader && !confidential {
				continue // it would send an empty secret
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				p := w.party(t)
				a := p.public
				if confidential {
					a = p.app
				}
				c := p.oauthConfig(a, style)
				verifier := oauth2.GenerateVerifier()
				page := p.open(c.AuthCodeURL("st", oauth2.S256ChallengeOption(verifier)))
				u, err := url.Parse(p.press(page, "allow").Header.Get("Location"))
				require.NoError(t, err)
				require.Equal(t, "st", u.Query().Get("state"))
				got, err := c.Exchange(t.Context(), u.Query().Get("code"), oauth2.VerifierOption(verifier))
				require.NoError(t, err)
				require.True(t, p.works(got.AccessToken))
				assert.Equal(t, "Bearer", got.Type())
				assert.Equal(t, "records:read", got.Extra("scope"))

				got.Expiry = time.Now().Add(-time.Minute) // so that the library refreshes
				newer, err := c.TokenSource(t.Context(), got).Token()
				require.NoError(t, err)
				assert.True(t, p.works(newer.AccessToken))
				assert.NotEqual(t, got.RefreshToken, newer.RefreshToken)

				_, err = c.TokenSource(t.Context(), got).Token() // from the old one
				refused, ok := errors.AsType[*oauth2.RetrieveError](err)
				require.True(t, ok, err)
				assert.Equal(t, "invalid_grant", refused.ErrorCode)
				assert.False(t, p.works(newer.AccessToken))
			})
		}
	}
	t.Run("client credentials", func(t *testing.T) {
		p := w.party(t)
		c := clientcredentials.Config{ClientID: p.app.id, ClientSecret: p.app.secret, TokenURL: p.metadata().Token, Scopes: []string{"profile"}}
		got, err := c.Token(t.Context())
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, p.api("/api/profile", got.AccessToken).StatusCode)
	})
}

func TestInsecureGrants(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) {
		c.InsecureAllowImplicit, c.InsecureAllowPassword = true, true
		c.PasswordCheck = func(_ context.Context, username, password string) (string, error) {
			switch password {
			case "right":
				return username, nil
			case "down":
				return "", errTest
			}
			return "", nil
		}
	})
	implicit := func(p *party, edit ...func(url.Values)) ask {
		plain := []func(url.Values){set("response_type", "token"), set("code_challenge"), set("code_challenge_method")}
		return p.ask(p.public, append(plain, edit...)...)
	}
	// fragment is what a page at the redirect URI can read.
	fragment := func(p *party, a answer) url.Values {
		require.Equal(p.t, http.StatusSeeOther, a.StatusCode, a.body)
		rest, found := strings.CutPrefix(a.Header.Get("Location"), appRedirect+"#")
		require.True(p.t, found, a.Header.Get("Location"))
		v, err := url.ParseQuery(rest)
		require.NoError(p.t, err)
		p.hide(v.Get("access_token"))
		return v
	}
	password := func(p *party, password string) url.Values {
		return url.Values{"grant_type": {"password"}, "username": {p.person}, "password": {password}, "scope": {"records:read"}}
	}
	for name, run := range map[string]func(t *testing.T, p *party){
		"implicit: allowed": func(t *testing.T, p *party) {
			q := implicit(p)
			asked := p.visit(q)
			assert.Contains(t, asked.body, "or on 1 March 2026, 13:00 UTC, unless", "it cannot be renewed")
			v := fragment(p, p.press(asked, "allow"))
			assert.True(t, p.works(v.Get("access_token")))
			assert.Equal(t, "Bearer", v.Get("token_type"))
			assert.Equal(t, "3600", v.Get("expires_in"))
			assert.Equal(t, "records:read", v.Get("scope"))
			assert.Equal(t, q.query.Get("state"), v.Get("state"))
			assert.Equal(t, p.url, v.Get("iss"))
			assert.False(t, v.Has("refresh_token"))
			assert.True(t, p.works(fragment(p, p.visit(implicit(p))).Get("access_token")), "remembered")
		},
		"implicit: a secret proves nothing where nobody asks for it": func(t *testing.T, p *party) {
			a := p.register(t, true, "http://127.0.0.1/cb")
			p.code(p.ask(a)) // with the secret it can be remembered
			q := p.ask(a, set("response_type", "token"), set("redirect_uri", "http://127.0.0.1:6666/cb"))
			page := p.visit(q)
			require.True(t, page.isConsent())
			assert.Contains(t, page.body, "any program can claim to be it")
			p.press(page, "allow")
			assert.True(t, p.visit(q).isConsent())
			assert.False(t, p.visit(p.ask(a)).isConsent())
		},
		"implicit: declined": func(t *testing.T, p *party) {
			assert.Equal(t, "access_denied", fragment(p, p.press(p.visit(implicit(p)), "deny")).Get("error"))
		},
		"implicit: more scopes are asked for": func(t *testing.T, p *party) {
			fragment(p, p.press(p.visit(implicit(p)), "allow"))
			assert.True(t, p.visit(implicit(p, set("scope", "records:read profile"))).isConsent())
		},
		"implicit: nobody to be asked": func(t *testing.T, p *party) {
			assert.Equal(t, "login_required", fragment(p, p.visit(implicit(p, set("prompt", "none")))).Get("error"))
			p.open(p.url + "/private")
			assert.Equal(t, "consent_required", fragment(p, p.visit(implicit(p, set("prompt", "none")))).Get("error"))
		},
		"implicit: an error": func(t *testing.T, p *party) {
			assert.Equal(t, "invalid_scope", fragment(p, p.visit(implicit(p, set("scope", "everything")))).Get("error"))
			assert.Equal(t, "invalid_request", fragment(p, p.visit(implicit(p, set("response_mode", "query")))).Get("error"))
		},
		"implicit: another redirect_uri": func(_ *testing.T, p *party) {
			p.requirePage(p.visit(implicit(p, set("redirect_uri", "https://evil.example/"))), http.StatusBadRequest)
		},
		"implicit: the application is deleted meanwhile": func(_ *testing.T, p *party) {
			a := p.visit(implicit(p))
			p.deleteApp(p.public)
			p.requirePage(p.press(a, "allow"), http.StatusBadRequest)
		},
		"code: PKCE all the same": func(_ *testing.T, p *party) {
			q := p.ask(p.public, set("code_challenge"))
			p.requireError(p.visit(q), q, "invalid_request")
		},
		"password: right": func(t *testing.T, p *party) {
			got := p.call("/token", p.app, password(p, "right"))
			require.Equal(t, http.StatusOK, got.StatusCode, got.body)
			assert.True(t, p.works(got.Access))
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, refreshForm(got.Refresh)).StatusCode)
		},
		"password: wrong": func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, password(p, "wrong")), http.StatusBadRequest, "invalid_grant")
		},
		"password: it cannot be checked": func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, password(p, "down")), http.StatusServiceUnavailable, "temporarily_unavailable")
		},
		"password: missing": func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", p.app, password(p, "")), http.StatusBadRequest, "invalid_request")
		},
		"password: internal scope": func(_ *testing.T, p *party) {
			form := password(p, "right")
			form.Set("scope", "harvest")
			p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "invalid_scope")
			form.Del("scope")
			p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "invalid_scope")
		},
		"password: no client": func(_ *testing.T, p *party) {
			p.requireRefused(p.call("/token", app{}, password(p, "right")), http.StatusUnauthorized, "invalid_client")
		},
		"password: deactivated": func(_ *testing.T, p *party) {
			p.deactivate(p.person)
			p.requireRefused(p.call("/token", p.app, password(p, "right")), http.StatusBadRequest, "invalid_grant")
		},
		"metadata": func(t *testing.T, p *party) {
			m := p.metadata()
			assert.Equal(t, []string{"code", "token"}, m.ResponseTypes)
			assert.Equal(t, []string{"query", "fragment"}, m.ResponseModes)
			assert.Equal(t, []string{"authorization_code", "refresh_token", "client_credentials", "implicit", "password"}, m.GrantTypes)
		},
	} {
		t.Run(name, func(t *testing.T) { run(t, w.party(t)) })
	}
	w.assertNothingLeaked()
}

func TestClientCredentialsAreOffByDefault(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.ClientScopes = nil })
	p := w.party(t)
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}}
	p.requireRefused(p.call("/token", p.app, form), http.StatusBadRequest, "unsupported_grant_type")
	assert.NotContains(t, p.metadata().GrantTypes, "client_credentials")
}

func TestRefreshLeeway(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.RefreshLeeway = 10 * time.Second }).party(t)
	first := p.tokens(p.app)
	second := p.call("/token", p.app, refreshForm(first.Refresh))
	p.fake.Advance(9 * time.Second)
	again := p.call("/token", p.app, refreshForm(first.Refresh))
	require.Equal(t, http.StatusOK, again.StatusCode, "the answer may have been lost")
	assert.True(t, p.works(second.Access))
	p.fake.Advance(time.Second)
	p.requireRefused(p.call("/token", p.app, refreshForm(first.Refresh)), http.StatusBadRequest, "invalid_grant")
	assert.False(t, p.works(second.Access))
	assert.False(t, p.works(again.Access))
}

// TestDatabaseGone wants nothing to be given, and nobody to be sent anywhere, while the
// database cannot say.
func TestDatabaseGone(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	q := p.ask(p.app)
	form := codeForm(q, p.code(q))
	got := p.tokens(p.app)
	asked := p.visit(p.ask(p.other))
	require.True(t, asked.isConsent())
	require.NoError(t, p.cfg.DB.Close())
	p.requirePage(p.visit(q), http.StatusServiceUnavailable)
	p.requirePage(p.press(asked, "allow"), http.StatusServiceUnavailable)
	for path, form := range map[string]url.Values{"/token": form, "/revoke": tokenOf(got.Access), "/introspect": tokenOf(got.Access)} {
		p.requireRefused(p.call(path, p.app, form), http.StatusServiceUnavailable, "temporarily_unavailable")
	}
	assert.Contains(t, p.log.String(), EventStoreError)
}

// TestHangingUp wants a client that does not wait for the answer to a replay not to stop
// what the replay sets off.
func TestHangingUp(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	handler := p.Handler()
	send := func(path string, form url.Values) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := formRequest(t, p.url+"/oauth"+path, form).WithContext(ctx)
		r.SetBasicAuth(p.app.id, p.app.secret)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	q := p.ask(p.app)
	form := codeForm(q, p.code(q))
	got := p.call("/token", p.app, form)
	require.True(t, p.works(got.Access))
	send("/token", form)
	assert.False(t, p.works(got.Access), "a code")

	first := p.tokens(p.app)
	second := p.call("/token", p.app, refreshForm(first.Refresh))
	require.True(t, p.works(second.Access))
	send("/token", refreshForm(first.Refresh))
	assert.False(t, p.works(second.Access), "a refresh token")

	third := p.tokens(p.app)
	send("/revoke", tokenOf(third.Access))
	assert.False(t, p.works(third.Access), "a revocation")
}

var keptValue = regexp.MustCompile(`name="wls-kept" value="([^"]*)"`)

// TestConsentOverLogin lets the session end while a person thinks about what to allow.
// They are asked again.
func TestConsentOverLogin(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	q := p.ask(p.app)
	page := p.visit(q)
	p.fake.Advance(3 * time.Hour)
	kept := p.press(page, "allow")
	require.Equal(t, http.StatusUnauthorized, kept.StatusCode, kept.body)
	p.open(p.url + "/private") // logs in
	action, form := formAction.FindStringSubmatch(kept.body), keptValue.FindStringSubmatch(kept.body)
	require.NotNil(t, action, kept.body)
	require.NotNil(t, form, kept.body)
	a := p.submit(html.UnescapeString(action[1]), url.Values{"wls-kept": {html.UnescapeString(form[1])}})
	require.True(t, a.isConsent(), a.body)
	assert.NotEmpty(t, p.back(p.press(a, "allow"), q).Get("code"))
}

// TestLoginIsSpent wants what the WLS answers to be used up even where the request that
// carries it goes no further.
func TestLoginIsSpent(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	follow := p.browser.CheckRedirect
	p.browser.CheckRedirect = p.fake.StopAtLogin
	login := p.visit(p.ask(p.app)).Header.Get("Location")
	back, err := p.fake.Respond(login, p.person)
	require.NoError(t, err)
	p.deleteApp(p.app)
	p.browser.CheckRedirect = follow
	p.requirePage(p.open(back), http.StatusBadRequest)
	assert.Equal(t, http.StatusOK, p.open(p.url+"/private").StatusCode)
	assert.Len(t, p.fake.Requests(), 1, "the answer was taken: nobody had to log in once more")
}

func TestProtocolEvents(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	q := p.ask(p.app)
	p.press(p.visit(q), "deny")
	form := codeForm(q, p.code(q))
	first := p.call("/token", p.app, form)
	second := p.call("/token", p.app, refreshForm(first.Refresh))
	p.call("/revoke", p.app, tokenOf(second.Access))
	p.call("/token", p.app, refreshForm(first.Refresh))
	p.call("/token", p.app, form)
	p.call("/token", p.app, url.Values{"grant_type": {"client_credentials"}, "scope": {"profile"}})
	p.call("/token", p.app, url.Values{"grant_type": {"x"}})
	for name, want := range map[string]int{
		EventDeclined: 1, EventAuthorised: 1, EventTokenIssued: 2, EventTokenRefreshed: 1, EventTokenRevoked: 1,
		EventRefreshReused: 1, EventCodeReplayed: 1,
	} {
		assert.Equal(t, want, p.count(name, p.app.id), name)
	}
	p.call("/token", app{id: p.app.id, secret: p.other.secret}, form)
	p.visit(p.ask(p.app, set("redirect_uri", "https://evil.example/")))
	var refused []string
	for _, e := range p.events {
		if e.Name == EventRefused || e.Name == EventClientRefused {
			refused = append(refused, e.Reason)
		}
	}
	assert.Equal(t, []string{"invalid_grant", "invalid_grant", "unsupported_grant_type", "invalid_client", "redirect-uri"}, refused)
}
