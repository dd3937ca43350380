package oauth2server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// consentChecks are about the question that a person is asked.
func consentChecks() []check {
	return append([]check{
		{"RFC 6749 section 3.1", "nothing is given before the person allows it", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			require.True(t, a.isConsent(), a.body)
			assert.Empty(t, a.Header.Get("Location"))
		}},
		{"RFC 6749 section 4.1.2.1", "the person declines", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			a := p.press(p.visit(q), "deny")
			p.requireError(a, q, "access_denied")
			v := p.back(a, q)
			assert.Equal(t, q.query.Get("state"), v.Get("state"))
			assert.NotEmpty(t, v.Get("iss"))
			assert.True(t, p.visit(q).isConsent(), "and nothing is remembered")
		}},
		{"RFC 6749 section 3.3", "the page says in words what is asked", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app, set("scope", "records:read profile")))
			assert.Contains(t, a.body, "Read your records.")
			assert.Contains(t, a.body, "See who you are.")
			assert.NotContains(t, a.body, "Change your records.")
			assert.NotRegexp(t, "(?i)scope|records:read|client|redirect|token", visibleText(a.body), "in words of everybody's")
			assert.Contains(t, a.body, "or on 1 March 2027, unless you come here from it again.")
			assert.Contains(t, a.body, `<a href="/oauth/settings/authorised">Allowed applications</a>`)
		}},
		{"RFC 6819 section 5.2.4.1", "the name of an application is text", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			assert.Contains(t, a.body, "Reader &lt;b&gt;")
			assert.NotContains(t, a.body, "Reader <b>")
		}},
		{"RFC 9700 section 4.16", "the page cannot be framed", func(t *testing.T, p *party) {
			a := p.visit(p.ask(p.app))
			assert.Contains(t, a.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
			assert.Equal(t, "DENY", a.Header.Get("X-Frame-Options"))
			assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			assert.NotEmpty(t, a.Header.Get("Referrer-Policy"))
			assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
		}},
		{"RFC 9700 section 4.12", "the browser may follow the answer to the application", func(t *testing.T, p *party) {
			assert.NotContains(t, p.visit(p.ask(p.app)).Header.Get("Content-Security-Policy"), "form-action")
		}},
		{"RFC 6749 section 10.2", "a consent is remembered", func(t *testing.T, p *party) {
			p.code(p.ask(p.app, set("scope", "records:read profile")))
			for _, scope := range []string{"records:read profile", "profile records:read", "profile"} {
				q := p.ask(p.app, set("scope", scope))
				assert.NotEmpty(t, p.back(p.visit(q), q).Get("code"), scope)
			}
		}},
		{"RFC 6749 section 10.2", "more scopes are asked for again", func(t *testing.T, p *party) {
			p.code(p.ask(p.app, set("scope", "records:read")))
			q := p.ask(p.app, set("scope", "records:read records:write"))
			require.True(t, p.visit(q).isConsent())
			p.code(q)
			assert.False(t, p.visit(q).isConsent())
			assert.False(t, p.visit(p.ask(p.app)).isConsent(), "the earlier one still counts")
		}},
		{"RFC 6749 section 10.2", "a consent is for one application", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			assert.True(t, p.visit(p.ask(p.other)).isConsent())
		}},
		{"RFC 6749 section 10.2", "a consent is of one person", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			second := p.party(t)
			assert.True(t, second.visit(second.ask(p.app)).isConsent())
		}},
		{"OpenID Core section 3.1.2.1", "prompt consent asks again", func(t *testing.T, p *party) {
			p.code(p.ask(p.app))
			assert.True(t, p.visit(p.ask(p.app, set("prompt", "consent"))).isConsent())
		}},
		asksAlways("loopback redirect", "http://127.0.0.1/cb"),
		asksAlways("private-use scheme", "com.example.app:/cb"),
		asksAlways("localhost", "http://localhost:9000/cb"),
		{"RFC 8252 section 8.6", "a loopback redirect with a secret is remembered", func(t *testing.T, p *party) {
			a := p.register(t, true, "http://127.0.0.1/cb")
			p.code(p.ask(a))
			assert.False(t, p.visit(p.ask(a)).isConsent())
		}},
	}, forgedConsentChecks()...)
}

// asksAlways wants a public application that anybody could pose as never to be given
// anything without asking.
func asksAlways(name, redirect string) check {
	return check{"RFC 8252 section 8.6", "always asked: public application, " + name, func(t *testing.T, p *party) {
		a := p.register(t, false, redirect)
		p.code(p.ask(a))
		assert.True(t, p.visit(p.ask(a)).isConsent())
		q := p.ask(a, set("prompt", "none"))
		p.requireError(p.visit(q), q, "consent_required")
	}}
}

// forged wants a consent that did not come about on our own page, for this very request,
// to count for nothing.
func forged(name string, send func(p *party, action string, form url.Values) answer) check {
	return check{"RFC 9700 section 4.7", "forged consent: " + name, func(t *testing.T, p *party) {
		q := p.ask(p.app)
		action, form := p.consentForm(p.visit(q))
		form.Set("decision", "allow")
		a := send(p, action, form)
		assert.NotEqual(t, http.StatusSeeOther, a.StatusCode)
		assert.Empty(t, a.Header.Get("Location"))
		assert.True(t, p.visit(q).isConsent(), "nothing was remembered")
		p.code(q) // and the person can still allow it
	}}
}

func forgedConsentChecks() []check {
	altered := func(name, param string, values ...string) check {
		return forged(name, func(p *party, action string, form url.Values) answer {
			u, err := url.Parse(action)
			require.NoError(p.t, err)
			v := u.Query()
			set(param, values...)(v)
			u.RawQuery = v.Encode()
			return p.submit(u.String(), form)
		})
	}
	return []check{
		forged("pre-filled in the address", func(p *party, action string, form url.Values) answer {
			return p.open(action + "&" + form.Encode())
		}),
		forged("decision in the address", func(p *party, action string, form url.Values) answer {
			form.Del("decision")
			return p.submit(action+"&decision=allow", form)
		}),
		forged("token in the address", func(p *party, action string, form url.Values) answer {
			token := form.Get("xsrf-token")
			form.Del("xsrf-token")
			return p.submit(action+"&xsrf-token="+url.QueryEscape(token), form)
		}),
		forged("without a token", func(p *party, action string, form url.Values) answer {
			form.Del("xsrf-token")
			return p.submit(action, form)
		}),
		forged("posted by another site", func(p *party, action string, form url.Values) answer {
			return p.submit(action, form, func(r *http.Request) {
				r.Header.Set("Origin", "https://evil.example")
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				r.Header.Set("Sec-Fetch-Dest", "document")
			})
		}),
		forged("posted by a sibling host", func(p *party, action string, form url.Values) answer {
			return p.submit(action, form, func(r *http.Request) {
				r.Header.Set("Origin", "https://other.soc.example")
				r.Header.Set("Sec-Fetch-Site", "same-site")
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				r.Header.Set("Sec-Fetch-Dest", "document")
			})
		}),
		forged("posted by a script", func(p *party, action string, form url.Values) answer {
			return p.submit(action, form, func(r *http.Request) {
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				r.Header.Set("Sec-Fetch-Mode", "cors")
				r.Header.Set("Sec-Fetch-Dest", "empty")
			})
		}),
		forged("posted from within a frame", func(p *party, action string, form url.Values) answer {
			return p.submit(action, form, func(r *http.Request) {
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				r.Header.Set("Sec-Fetch-Mode", "navigate")
				r.Header.Set("Sec-Fetch-Dest", "iframe")
			})
		}),
		forged("by another person's token", func(p *party, action string, form url.Values) answer {
			second := p.party(p.t)
			_, theirs := second.consentForm(second.open(action))
			form.Set("xsrf-token", theirs.Get("xsrf-token"))
			return p.submit(action, form)
		}),
		forged("from before the person logged in anew", func(p *party, action string, form url.Values) answer {
			p.browser = p.newBrowser()
			p.open(p.url + "/private")
			return p.submit(action, form)
		}),
		forged("without a session", func(p *party, action string, form url.Values) answer {
			r := formRequest(p.t, action, form)
			return p.do(http.DefaultClient, r)
		}),
		forged("with a bearer token for a session", func(p *party, action string, form url.Values) answer {
			second := p.party(p.t)
			r := formRequest(p.t, action, form)
			r.Header.Set("Authorization", "Bearer "+second.tokens(second.app).Access)
			return p.do(http.DefaultClient, r)
		}),
		forged("no decision", func(p *party, action string, form url.Values) answer {
			form.Del("decision")
			return p.submit(action, form)
		}),
		forged("two decisions", func(p *party, action string, form url.Values) answer {
			form["decision"] = []string{"allow", "deny"}
			return p.submit(action, form)
		}),
		forged("a decision that is none", func(p *party, action string, form url.Values) answer {
			form.Set("decision", "yes")
			return p.submit(action, form)
		}),
		altered("for more scopes", "scope", "records:read records:write"),
		altered("for fewer scopes and others", "scope", "profile"),
		altered("for another challenge", "code_challenge", challengeOf(strings.Repeat("e", 43))),
		altered("for another state", "state", "evil"),
		altered("for no state", "state"),
		altered("with another prompt", "prompt", "consent"),
		altered("for another redirect_uri", "redirect_uri", "https://evil.example/"),
		forged("for another application", func(p *party, action string, form url.Values) answer {
			return p.submit(strings.ReplaceAll(action, p.app.id, p.other.id), form)
		}),
		{"RFC 9700 section 4.7", "parameters in the form change nothing", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			action, form := p.consentForm(p.visit(q))
			form.Set("decision", "allow")
			for name, value := range map[string]string{
				"scope": "records:write", "state": "evil", "redirect_uri": "https://evil.example/", "client_id": p.other.id,
				"code_challenge": challengeOf(strings.Repeat("e", 43)), "response_type": "token",
			} {
				form.Set(name, value)
			}
			a := p.submit(action, form)
			v := p.back(a, q)
			assert.Equal(t, q.query.Get("state"), v.Get("state"))
			got := p.call("/token", p.app, codeForm(q, v.Get("code")))
			assert.Equal(t, "records:read", got.Scope)
		}},
		{"RFC 9700 section 4.7", "a page that is too old asks again", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			action, form := p.consentForm(p.visit(q))
			form.Set("decision", "allow")
			p.fake.Advance(61 * time.Minute) // a form's token lasts an hour, a session two
			a := p.submit(action, form)
			assert.Equal(t, http.StatusForbidden, a.StatusCode)
			assert.Empty(t, a.Header.Get("Location"))
		}},
	}
}
