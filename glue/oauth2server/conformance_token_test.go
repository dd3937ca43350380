package oauth2server

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// spoiled wants a request for tokens with a good code to be refused if one thing about
// it is wrong, and the code to be good all the same.
func spoiled(section, name string, status int, code string, edit func(p *party, r *http.Request, form url.Values)) check {
	return check{section, name, func(t *testing.T, p *party) {
		q := p.ask(p.app)
		good := p.code(q)
		got := p.call("/token", p.app, codeForm(q, good), func(r *http.Request, form url.Values) { edit(p, r, form) })
		p.requireRefused(got, status, code)
		got = p.call("/token", p.app, codeForm(q, good))
		require.Equal(t, http.StatusOK, got.StatusCode, "the code was used up: %s", got.body)
	}}
}

// tokenRequestChecks are about the form of requests to the token endpoint.
func tokenRequestChecks() []check {
	body := func(text, kind string) func(*party, *http.Request, url.Values) {
		return func(_ *party, r *http.Request, form url.Values) {
			r.Body = io.NopCloser(strings.NewReader(form.Encode() + text))
			r.Header.Set("Content-Type", kind)
		}
	}
	const form, invalid, bad = "application/x-www-form-urlencoded", "invalid_request", http.StatusBadRequest
	all := []check{
		spoiled("RFC 6749 section 3.2", "token request: GET", http.StatusMethodNotAllowed, invalid, func(_ *party, r *http.Request, v url.Values) {
			r.Method, r.URL.RawQuery = http.MethodGet, v.Encode()
		}),
		spoiled("RFC 6749 section 3.2", "token request: PUT", http.StatusMethodNotAllowed, invalid, func(_ *party, r *http.Request, _ url.Values) { r.Method = http.MethodPut }),
		spoiled("RFC 6749 section 2.3.1", "token request: credentials in the address", bad, invalid, func(p *party, r *http.Request, _ url.Values) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = url.Values{"client_id": {p.app.id}, "client_secret": {p.app.secret}}.Encode()
		}),
		spoiled("RFC 6749 section 3.2", "token request: everything in the address", bad, invalid, func(_ *party, r *http.Request, v url.Values) {
			r.URL.RawQuery = v.Encode()
			clear(v)
		}),
		spoiled("RFC 6749 section 3.2", "token request: the same in address and body", bad, invalid, func(_ *party, r *http.Request, v url.Values) {
			r.URL.RawQuery = v.Encode()
		}),
		spoiled("RFC 6749 section 3.2", "token request: JSON", bad, invalid, body("", "application/json")),
		spoiled("RFC 6749 section 3.2", "token request: multipart", bad, invalid, body("", "multipart/form-data; boundary=x")),
		spoiled("RFC 6749 section 3.2", "token request: text", bad, invalid, body("", "text/plain")),
		spoiled("RFC 6749 section 3.2", "token request: no content type", bad, invalid, func(_ *party, r *http.Request, _ url.Values) { r.Header.Del("Content-Type") }),
		spoiled("RFC 6749 section 3.2", "token request: malformed escape", bad, invalid, body("&x=%zz", form)),
		spoiled("RFC 6749 section 3.2", "token request: semicolon as a separator", bad, invalid, body(";x=1", form)),
		spoiled("RFC 6749 section 3.2", "token request: too long", bad, invalid, body("&x="+strings.Repeat("x", 1<<17), form)),
		spoiled("RFC 6749 section 3.2", "token request: too many parameters", bad, invalid, func(_ *party, _ *http.Request, v url.Values) {
			for i := range 100 {
				v.Set("x"+strings.Repeat("x", i), "1")
			}
		}),
		spoiled("RFC 6749 section 5.2", "token request: grant_type missing", bad, invalid, func(_ *party, _ *http.Request, v url.Values) { v.Del("grant_type") }),
		spoiled("RFC 6749 section 5.2", "token request: grant_type unknown", bad, "unsupported_grant_type", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
		}),
		spoiled("RFC 6749 section 5.2", "token request: grant_type in capitals", bad, "unsupported_grant_type", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("grant_type", "Authorization_Code")
		}),
		spoiled("RFC 9700 section 2.4", "token request: grant_type password", bad, "unsupported_grant_type", func(p *party, _ *http.Request, v url.Values) {
			v.Set("grant_type", "password")
			v.Set("username", p.person)
			v.Set("password", "test")
		}),
		{"RFC 6749 section 3.2", "token request: a content type with a charset", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			got := p.call("/token", p.app, codeForm(q, p.code(q)), func(r *http.Request, _ url.Values) {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
			})
			assert.Equal(t, http.StatusOK, got.StatusCode, got.body)
		}},
		{"RFC 6749 section 3.2", "token request: parameters that nobody knows are ignored", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			form.Set("audience", "x")
			form.Set("scope", "records:write") // it is the code that tells
			got := p.call("/token", p.app, form)
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, "records:read", got.Scope)
		}},
		{"RFC 6749 section 3.2", "the method that is allowed is named", func(t *testing.T, p *party) {
			for _, path := range []string{"/token", "/revoke", "/introspect"} {
				got := p.call(path, p.app, url.Values{}, func(r *http.Request, _ url.Values) { r.Method = http.MethodGet })
				assert.Equal(t, http.StatusMethodNotAllowed, got.StatusCode)
				assert.Equal(t, http.MethodPost, got.Header.Get("Allow"))
			}
		}},
	}
	for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier", "nobody_knows_it"} {
		all = append(all, spoiled("RFC 6749 section 3.2", "token request: twice "+name, bad, invalid, func(_ *party, _ *http.Request, v url.Values) {
			v[name] = []string{v.Get(name), v.Get(name)}
		}))
	}
	return all
}

// codeChecks are about authorization codes.
func codeChecks() []check {
	const section, bad = "RFC 6749 section 4.1.3", http.StatusBadRequest
	change := func(name, value string) func(*party, *http.Request, url.Values) {
		return func(_ *party, _ *http.Request, v url.Values) { v.Set(name, value) }
	}
	return []check{
		{"RFC 6749 section 5.1", "the answer with tokens", func(t *testing.T, p *party) {
			got := p.tokens(p.app, set("scope", "records:write records:read"))
			assert.Equal(t, "Bearer", got.Type)
			assert.Equal(t, 3600, got.Expires)
			assert.Equal(t, "records:read records:write", got.Scope)
			assert.NotEmpty(t, got.Refresh)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			assert.Equal(t, "no-cache", got.Header.Get("Pragma"))
			assert.Equal(t, "no-referrer", got.Header.Get("Referrer-Policy"))
			assert.Equal(t, "oauth "+p.person+" records:read,records:write", p.api("/api/records", got.Access).body)
		}},
		spoiled(section, "code missing", bad, "invalid_request", change("code", "")),
		spoiled(section, "code that nobody made", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			text, _ := credential.Mint(credential.Code)
			v.Set("code", text)
		}),
		spoiled(section, "code malformed", bad, "invalid_grant", change("code", "x")),
		spoiled(section, "code with a NUL", bad, "invalid_grant", change("code", "wlsc_\x00")),
		spoiled(section, "code with another last letter", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("code", v.Get("code")[:53]+"_")
		}),
		spoiled(section, "code with a blank after it", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("code", v.Get("code")+" ")
		}),
		spoiled(section, "token request: redirect_uri missing", bad, "invalid_request", change("redirect_uri", "")),
		spoiled(section, "redirect_uri of another's", bad, "invalid_grant", change("redirect_uri", "https://evil.example/")),
		spoiled(section, "redirect_uri with a slash too many", bad, "invalid_grant", change("redirect_uri", appRedirect+"/")),
		{section, "redirect_uri registered too, but not the one of the request", func(_ *testing.T, p *party) {
			a := p.register(p.t, true, appRedirect, "https://app.example/second")
			q := p.ask(a)
			form := codeForm(q, p.code(q))
			form.Set("redirect_uri", "https://app.example/second")
			p.requireRefused(p.call("/token", a, form), bad, "invalid_grant")
		}},
		{"RFC 9700 section 4.5", "code injected into another client", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			for _, thief := range []app{p.other, p.public} {
				p.requireRefused(p.call("/token", thief, form), bad, "invalid_grant")
			}
			form.Del("client_id")
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode, "the wrong clients consumed nothing")
		}},
		{"RFC 6749 section 4.1.2", "a code works once", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
		}},
		{"RFC 6749 section 4.1.2", "a code that comes again revokes what it gave", func(t *testing.T, p *party) {
			before := p.tokens(p.app)
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			got := p.call("/token", p.app, form)
			require.True(t, p.works(got.Access))
			newer := p.call("/token", p.app, refreshForm(got.Refresh))
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
			assert.False(t, p.works(got.Access))
			assert.False(t, p.works(newer.Access), "what came of it as well")
			p.requireRefused(p.call("/token", p.app, refreshForm(newer.Refresh)), bad, "invalid_grant")
			assert.True(t, p.works(before.Access), "and nothing else")
		}},
		replayIgnored("by another client", func(p *party, form url.Values) reply { return p.call("/token", p.other, form) }),
		replayIgnored("by a public client", func(p *party, form url.Values) reply { return p.call("/token", p.public, form) }),
		replayIgnored("with another secret", func(p *party, form url.Values) reply {
			return p.call("/token", app{id: p.app.id, secret: p.other.secret}, form)
		}),
		replayIgnored("without the verifier", func(p *party, form url.Values) reply {
			form.Del("code_verifier")
			return p.call("/token", p.app, form)
		}),
		replayIgnored("with another verifier", func(p *party, form url.Values) reply {
			form.Set("code_verifier", strings.Repeat("e", 43))
			return p.call("/token", p.app, form)
		}),
		replayIgnored("with another redirect_uri", func(p *party, form url.Values) reply {
			form.Set("redirect_uri", "https://evil.example/")
			return p.call("/token", p.app, form)
		}),
		{"RFC 6749 section 4.1.2", "a code expires", func(_ *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.fake.Advance(time.Minute)
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
		}},
		{"RFC 6749 section 4.1.2", "a code lives for most of a minute", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.fake.Advance(59 * time.Second)
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
		}},
		{"RFC 6749 section 4.1.3", "a deactivated person's code", func(_ *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.deactivate(p.person)
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
		}},
		{"RFC 6749 section 4.1.3", "nothing is used up while it is unknown who is active", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			p.breakActive(errTest)
			got := p.call("/token", p.app, form)
			p.breakActive(nil)
			p.requireRefused(got, http.StatusServiceUnavailable, "temporarily_unavailable")
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, form).StatusCode)
		}},
		{"RFC 6749 section 10.5", "a consent that is taken back ends its code", func(t *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			require.NoError(t, p.store.RevokeAuthorisation(t.Context(), p.person, p.app.id))
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
		}},
	}
}

// replayIgnored wants a used code to count for nothing in the hands of whoever cannot
// redeem it: otherwise seeing one would be enough to end what it gave.
func replayIgnored(name string, replay func(p *party, form url.Values) reply) check {
	return check{"RFC 9700 section 4.2.4", "a used code revokes nothing " + name, func(t *testing.T, p *party) {
		q := p.ask(p.app)
		form := codeForm(q, p.code(q))
		got := p.call("/token", p.app, form)
		require.Equal(t, http.StatusOK, got.StatusCode)
		assert.GreaterOrEqual(t, replay(p, form).StatusCode, 400)
		assert.True(t, p.works(got.Access))
	}}
}

// pkceChecks are about the proof that whoever redeems a code has asked for it.
func pkceChecks() []check {
	const bad = http.StatusBadRequest
	verifier := func(value string) func(*party, *http.Request, url.Values) {
		return func(_ *party, _ *http.Request, v url.Values) { v.Set("code_verifier", value) }
	}
	all := []check{
		spoiled("RFC 7636 section 4.5", "code_verifier missing", bad, "invalid_request", verifier("")),
		spoiled("RFC 7636 section 4.6", "code_verifier of another", bad, "invalid_grant", verifier(strings.Repeat("e", 43))),
		spoiled("RFC 7636 section 4.1", "code_verifier too short", bad, "invalid_grant", verifier(strings.Repeat("e", 42))),
		spoiled("RFC 7636 section 4.1", "code_verifier too long", bad, "invalid_grant", verifier(strings.Repeat("e", 129))),
		spoiled("RFC 7636 section 4.1", "code_verifier with other characters", bad, "invalid_grant", verifier(strings.Repeat("é", 30))),
		spoiled("RFC 7636 section 4.6", "code_verifier that goes on", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("code_verifier", v.Get("code_verifier")+"A")
		}),
		spoiled("RFC 9700 section 4.8", "the challenge as the code_verifier, as in plain", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("code_verifier", challengeOf(v.Get("code_verifier")))
		}),
		spoiled("RFC 9700 section 4.8", "another method named with the code_verifier", bad, "invalid_grant", func(_ *party, _ *http.Request, v url.Values) {
			v.Set("code_verifier", challengeOf(v.Get("code_verifier")))
			v.Set("code_challenge_method", "plain")
		}),
		{"RFC 9700 section 4.8", "a new challenge with the code_verifier changes nothing", func(_ *testing.T, p *party) {
			q := p.ask(p.app)
			form := codeForm(q, p.code(q))
			form.Set("code_verifier", strings.Repeat("e", 43))
			form.Set("code_challenge", challengeOf(strings.Repeat("e", 43)))
			p.requireRefused(p.call("/token", p.app, form), bad, "invalid_grant")
		}},
		{"RFC 7636 section 4.4", "the challenge lives with the code, not with the client", func(t *testing.T, p *party) {
			first, second := p.ask(p.app), p.ask(p.app)
			a, b := p.code(first), p.code(second)
			p.requireRefused(p.call("/token", p.app, codeForm(first, b)), bad, "invalid_grant")
			p.requireRefused(p.call("/token", p.app, codeForm(second, a)), bad, "invalid_grant")
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, codeForm(first, a)).StatusCode)
			assert.Equal(t, http.StatusOK, p.call("/token", p.app, codeForm(second, b)).StatusCode)
		}},
	}
	for name, verifier := range map[string]string{
		"shortest": strings.Repeat("a", 43), "longest": strings.Repeat("z", 128), "every character": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
	} {
		all = append(all, check{"RFC 7636 section 4.1", "code_verifier: " + name, func(t *testing.T, p *party) {
			q := p.ask(p.public, set("code_challenge", challengeOf(verifier)))
			q.verifier = verifier
			assert.Equal(t, http.StatusOK, p.call("/token", p.public, codeForm(q, p.code(q))).StatusCode)
		}})
	}
	for name, verifier := range map[string]string{
		"a letter too short": strings.Repeat("a", 42), "a letter too long": strings.Repeat("a", 129), "with a blank": strings.Repeat("a", 42) + " ", "with a plus": strings.Repeat("a", 42) + "+",
	} {
		all = append(all, check{"RFC 7636 section 4.1", "code_verifier that fits its challenge, but is " + name, func(_ *testing.T, p *party) {
			q := p.ask(p.public, set("code_challenge", challengeOf(verifier)))
			q.verifier = verifier
			p.requireRefused(p.call("/token", p.public, codeForm(q, p.code(q))), bad, "invalid_grant")
		}})
	}
	return all
}
