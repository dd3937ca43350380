package oauth2server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// neverRedirects wants a request to be answered by a page, to whoever is logged in and
// whoever is not.
func neverRedirects(section, name string, edit func(url.Values)) check {
	return check{section, name, func(t *testing.T, p *party) {
		q := p.ask(p.public, edit)
		p.requirePage(p.visit(q), http.StatusBadRequest) // not even to log in
		p.code(p.ask(p.public))
		p.requirePage(p.visit(q), http.StatusBadRequest)
	}}
}

// tellsClient wants a request to be answered with an error for the application, after
// the person has logged in, although they allowed the application everything before.
func tellsClient(section, name, code string, edit func(url.Values)) check {
	return check{section, name, func(t *testing.T, p *party) {
		p.code(p.ask(p.public))
		p.requireError(p.visit(p.ask(p.public, edit)), p.ask(p.public), code)
	}}
}

// redirectChecks are about redirect URIs that are nearly right.
func redirectChecks() []check {
	const section = "RFC 9700 section 2.1"
	var all []check
	for name, uri := range map[string]string{
		"another host":               "https://evil.example/cb?tenant=1",
		"host in userinfo":           "https://app.example@evil.example/cb?tenant=1",
		"userinfo added":             "https://user@app.example/cb?tenant=1",
		"userinfo and password":      "https://app.example:x@app.example/cb?tenant=1",
		"backslash":                  `https://app.example\@evil.example/cb?tenant=1`,
		"backslashes for slashes":    `https:\\app.example\cb?tenant=1`,
		"no slashes":                 "https:app.example/cb?tenant=1",
		"three slashes":              "https:///app.example/cb?tenant=1",
		"relative to the scheme":     "//app.example/cb?tenant=1",
		"path alone":                 "/cb?tenant=1",
		"line break":                 "https://app.example/cb?tenant=1\r\nSet-Cookie: a=b",
		"escaped line break":         "https://app.example/cb?tenant=1%0d%0aSet-Cookie:%20a=b",
		"NUL":                        "https://app.example/cb?tenant=1\x00",
		"blank before":               " https://app.example/cb?tenant=1",
		"blank after":                "https://app.example/cb?tenant=1 ",
		"tab within":                 "https://app.example/\tcb?tenant=1",
		"capital scheme":             "HTTPS://app.example/cb?tenant=1",
		"capital host":               "https://App.example/cb?tenant=1",
		"capital path":               "https://app.example/CB?tenant=1",
		"final dot of the host":      "https://app.example./cb?tenant=1",
		"default port":               "https://app.example:443/cb?tenant=1",
		"another port":               "https://app.example:8443/cb?tenant=1",
		"empty port":                 "https://app.example:/cb?tenant=1",
		"http for https":             "http://app.example/cb?tenant=1",
		"path goes on":               "https://app.example/cb/evil?tenant=1",
		"slash after the path":       "https://app.example/cb/?tenant=1",
		"path traversal":             "https://app.example/cb/../evil?tenant=1",
		"path traversal that ends":   "https://app.example/x/../cb?tenant=1",
		"escaped path traversal":     "https://app.example/cb/%2e%2e/evil?tenant=1",
		"escaped letter":             "https://app.example/%63b?tenant=1",
		"dot segment":                "https://app.example/./cb?tenant=1",
		"two slashes in the path":    "https://app.example//cb?tenant=1",
		"prefix only":                "https://app.example/c",
		"query added":                "https://app.example/cb?tenant=1&next=https://evil.example",
		"query removed":              "https://app.example/cb",
		"other query":                "https://app.example/cb?tenant=2",
		"parameter put before":       "https://app.example/cb?x=1&tenant=1",
		"fragment added":             "https://app.example/cb?tenant=1#x",
		"empty fragment":             "https://app.example/cb?tenant=1#",
		"subdomain":                  "https://x.app.example/cb?tenant=1",
		"host that goes on":          "https://app.example.evil.example/cb?tenant=1",
		"script":                     "javascript:alert(1)//https://app.example/cb?tenant=1",
		"data":                       "data:text/html,https://app.example/cb?tenant=1",
		"letters that look the same": "https://аpp.example/cb?tenant=1",
		"full-width slash":           "https://app.example／cb?tenant=1",
		"client with another's URI":  "https://other.example/cb",
	} {
		all = append(all, neverRedirects(section, "redirect_uri: "+name, set("redirect_uri", uri)))
	}
	all = append(all,
		neverRedirects("RFC 6749 section 3.1.2.4", "redirect_uri missing", set("redirect_uri")),
		neverRedirects("RFC 6749 section 3.1.2.4", "redirect_uri empty", set("redirect_uri", "")),
		neverRedirects("RFC 6749 section 3.1", "redirect_uri twice, the right one first", set("redirect_uri", appRedirect, "https://evil.example/")),
		neverRedirects("RFC 6749 section 3.1", "redirect_uri twice, the right one last", set("redirect_uri", "https://evil.example/", appRedirect)),
		neverRedirects("RFC 6749 section 4.1.2.1", "client_id missing", set("client_id")),
		neverRedirects("RFC 6749 section 4.1.2.1", "client_id unknown", set("client_id", "nobody")),
		neverRedirects("RFC 6749 section 4.1.2.1", "client_id with a NUL", set("client_id", "\x00")),
		neverRedirects("RFC 6749 section 4.1.2.1", "client_id that is no UTF-8", set("client_id", "\xff\xfe")),
		check{"RFC 6749 section 3.1", "client_id twice", func(t *testing.T, p *party) {
			q := p.ask(p.public)
			q.query["client_id"] = []string{p.public.id, p.app.id}
			p.requirePage(p.visit(q), http.StatusBadRequest)
		}},
		check{"RFC 6749 section 3.1", "malformed escape in the query", func(t *testing.T, p *party) {
			p.requirePage(p.open(p.urlOf(p.ask(p.public))+"&x=%zz"), http.StatusBadRequest)
		}},
		check{"RFC 6749 section 3.1", "semicolon as a separator", func(t *testing.T, p *party) {
			p.requirePage(p.open(p.urlOf(p.ask(p.public))+";redirect_uri=https://evil.example/"), http.StatusBadRequest)
		}},
		check{"RFC 6749 section 3.1.2", "the answer keeps the query of the redirect_uri", func(t *testing.T, p *party) {
			q := p.ask(p.public)
			p.code(q)
			v := p.back(p.visit(q), q)
			assert.Equal(t, "1", v.Get("tenant"))
			assert.Len(t, v, 4, "tenant, code, state, iss")
		}},
	)
	return append(all, loopbackChecks()...)
}

// registered wants an application with one redirect URI to be allowed, or not, to name
// another.
func registered(section, name, known, asked string, allowed bool) check {
	return check{section, name, func(t *testing.T, p *party) {
		a := p.register(t, false, known)
		q := p.ask(a, set("redirect_uri", asked))
		if !allowed {
			p.requirePage(p.visit(q), http.StatusBadRequest)
			return
		}
		a.redirect = asked
		got := p.call("/token", a, codeForm(q, p.code(q)))
		require.Equal(t, http.StatusOK, got.StatusCode, got.body)
	}}
}

func loopbackChecks() []check {
	const loopback, private = "RFC 8252 section 7.3", "RFC 8252 section 7.1"
	return []check{
		registered(loopback, "loopback: the same port", "http://127.0.0.1:9000/cb", "http://127.0.0.1:9000/cb", true),
		registered(loopback, "loopback: another port", "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true),
		registered(loopback, "loopback: a port for a port", "http://127.0.0.1:9000/cb", "http://127.0.0.1:51004/cb", true),
		registered(loopback, "loopback: IPv6", "http://[::1]/cb", "http://[::1]:51004/cb", true),
		registered(loopback, "loopback: another path", "http://127.0.0.1/cb", "http://127.0.0.1:51004/evil", false),
		registered(loopback, "loopback: a query", "http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x=1", false),
		registered(loopback, "loopback: IPv4 for IPv6", "http://[::1]/cb", "http://127.0.0.1:51004/cb", false),
		registered(loopback, "loopback: https", "http://127.0.0.1/cb", "https://127.0.0.1:51004/cb", false),
		registered(loopback, "loopback: another loopback address", "http://127.0.0.1/cb", "http://127.0.0.2:51004/cb", false),
		registered(loopback, "loopback: userinfo for a port", "http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", false),
		registered(loopback, "loopback: host that goes on", "http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false),
		registered(loopback, "loopback: port zero", "http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false),
		registered(loopback, "loopback: port too high", "http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false),
		registered(loopback, "loopback: port with a zero before", "http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false),
		registered(loopback, "loopback: empty port", "http://127.0.0.1/cb", "http://127.0.0.1:/cb", false),
		registered("RFC 8252 section 8.3", "loopback: localhost with its own port", "http://localhost:9000/cb", "http://localhost:9000/cb", true),
		registered("RFC 8252 section 8.3", "loopback: localhost with another port", "http://localhost:9000/cb", "http://localhost:9001/cb", true),
		registered("RFC 9700 section 2.1", "loopback: localhost without a port", "http://localhost/cb", "http://localhost:51004/cb", true),
		registered("RFC 8252 section 8.3", "loopback: localhost for an address", "http://127.0.0.1/cb", "http://localhost:51004/cb", false),
		registered("RFC 8252 section 8.3", "loopback: an address for localhost", "http://localhost/cb", "http://127.0.0.1:51004/cb", false),
		registered("RFC 8252 section 8.3", "loopback: localhost that goes on", "http://localhost/cb", "http://localhost.evil.example/cb", false),
		registered("RFC 8252 section 8.3", "loopback: a name below localhost", "http://localhost/cb", "http://app.localhost:51004/cb", false),
		registered("RFC 8252 section 8.3", "loopback: localhost, userinfo for a port", "http://localhost/cb", "http://localhost:80@evil.example/cb", false),
		{"RFC 9700 section 4.11", "loopback: any port but the site's own", func(_ *testing.T, p *party) {
			own, err := url.Parse(p.url)
			require.NoError(p.t, err)
			a := p.register(p.t, false, "http://"+own.Hostname()+"/cb")
			p.requirePage(p.visit(p.ask(a, set("redirect_uri", p.url+"/cb"))), http.StatusBadRequest)
		}},
		registered(private, "private-use scheme", "com.example.app:/cb", "com.example.app:/cb", true),
		registered(private, "private-use scheme: another", "com.example.app:/cb", "com.example.evil:/cb", false),
		registered(private, "private-use scheme: capitals", "com.example.app:/cb", "COM.example.app:/cb", false),
		{loopback, "loopback: the code is for the port that was asked for", func(t *testing.T, p *party) {
			a := p.register(t, false, "http://127.0.0.1/cb")
			q := p.ask(a, set("redirect_uri", "http://127.0.0.1:51004/cb"))
			form := codeForm(q, p.code(q))
			form.Set("redirect_uri", "http://127.0.0.1:51005/cb")
			p.requireRefused(p.call("/token", a, form), http.StatusBadRequest, "invalid_grant")
		}},
	}
}

// authorizeChecks are about the authorization endpoint once client and redirect URI fit.
func authorizeChecks() []check {
	const section = "RFC 6749 section 4.1.2.1"
	return append([]check{
		tellsClient(section, "response_type missing", "invalid_request", set("response_type")),
		tellsClient(section, "response_type unknown", "unsupported_response_type", set("response_type", "id_token")),
		tellsClient(section, "response_type with two", "unsupported_response_type", set("response_type", "code token")),
		tellsClient("RFC 9700 section 2.1.2", "implicit grant", "unsupported_response_type", set("response_type", "token")),
		tellsClient("RFC 6749 section 3.1", "response_type twice", "invalid_request", set("response_type", "code", "code")),
		tellsClient("RFC 6749 section 3.1", "scope twice", "invalid_request", set("scope", "records:read", "records:write")),
		tellsClient("RFC 6749 section 3.1", "parameter that nobody knows twice", "invalid_request", set("x", "1", "2")),
		tellsClient("RFC 6749 section 3.3", "scope missing", "invalid_scope", set("scope")),
		tellsClient("RFC 6749 section 3.3", "scope unknown", "invalid_scope", set("scope", "everything")),
		tellsClient("RFC 6749 section 3.3", "scope unknown beside a known one", "invalid_scope", set("scope", "records:read everything")),
		tellsClient("RFC 6749 section 3.3", "scope internal", "invalid_scope", set("scope", "harvest")),
		tellsClient("RFC 6749 section 3.3", "scope malformed", "invalid_scope", set("scope", `records:read "`)),
		tellsClient("RFC 6749 section 3.3", "scope with two blanks", "invalid_scope", set("scope", "records:read  profile")),
		tellsClient("RFC 6749 section 3.3", "scope in capitals", "invalid_scope", set("scope", "Records:Read")),
		tellsClient("RFC 7636 section 4.4.1", "code_challenge missing", "invalid_request", set("code_challenge")),
		tellsClient("RFC 7636 section 4.4.1", "code_challenge and method missing", "invalid_request", func(v url.Values) {
			v.Del("code_challenge")
			v.Del("code_challenge_method")
		}),
		tellsClient("RFC 9700 section 2.1.1", "code_challenge_method plain", "invalid_request", set("code_challenge_method", "plain")),
		tellsClient("RFC 9700 section 2.1.1", "code_challenge_method missing means plain", "invalid_request", set("code_challenge_method")),
		tellsClient("RFC 7636 section 4.4.1", "code_challenge_method unknown", "invalid_request", set("code_challenge_method", "S512")),
		tellsClient("RFC 7636 section 4.4.1", "code_challenge_method in small letters", "invalid_request", set("code_challenge_method", "s256")),
		tellsClient("RFC 7636 section 4.2", "code_challenge too short", "invalid_request", set("code_challenge", strings.Repeat("A", 42))),
		tellsClient("RFC 7636 section 4.2", "code_challenge too long", "invalid_request", set("code_challenge", strings.Repeat("A", 44))),
		tellsClient("RFC 7636 section 4.2", "code_challenge padded", "invalid_request", set("code_challenge", strings.Repeat("A", 43)+"=")),
		tellsClient("RFC 7636 section 4.2", "code_challenge not in base64url", "invalid_request", set("code_challenge", strings.Repeat("+", 43))),
		tellsClient("RFC 7636 section 4.2", "code_challenge that no SHA-256 encodes to", "invalid_request", set("code_challenge", strings.Repeat("A", 42)+"B")),
		tellsClient("RFC 7636 section 4.2", "code_challenge with a line break", "invalid_request", set("code_challenge", "\n"+strings.Repeat("A", 43))),
		tellsClient("RFC 7636 section 4.2", "code_challenge twice", "invalid_request", set("code_challenge", strings.Repeat("A", 43), strings.Repeat("A", 43))),
		tellsClient("OpenID Core section 3.1.2.6", "prompt unknown", "invalid_request", set("prompt", "create")),
		tellsClient("OpenID Core section 3.1.2.1", "prompt none beside another", "invalid_request", set("prompt", "none login")),
		tellsClient("RFC 9700 section 4.3.1", "response_mode fragment", "invalid_request", set("response_mode", "fragment")),
		tellsClient("RFC 9700 section 4.3.1", "response_mode form_post", "invalid_request", set("response_mode", "form_post")),
		tellsClient("RFC 9700 section 4.3.1", "response_mode web_message", "invalid_request", set("response_mode", "web_message")),
	}, answerChecks()...)
}

// answerChecks are about what the application is sent.
func answerChecks() []check {
	return []check{
		{"RFC 6749 section 4.1.2", "response_mode query is the one there is", func(t *testing.T, p *party) {
			p.code(p.ask(p.public, set("response_mode", "query")))
		}},
		{"RFC 6749 section 3.1", "parameters that nobody knows are ignored", func(t *testing.T, p *party) {
			p.code(p.ask(p.public, set("nonce", "1"), set("max_age", "0")))
		}},
		{"RFC 6749 section 3.1", "a parameter without a value counts as left out", func(t *testing.T, p *party) {
			p.code(p.ask(p.public, set("response_mode", ""), set("prompt", "")))
		}},
		{"RFC 6749 section 4.1.2", "state is optional", func(t *testing.T, p *party) {
			q := p.ask(p.public, set("state"))
			p.code(q)
			assert.False(t, p.back(p.visit(q), q).Has("state"))
		}},
		{"RFC 6749 section 4.1.2", "state comes back as it was", func(t *testing.T, p *party) {
			p.code(p.ask(p.public))
			for _, state := range []string{"x", " ", "a b+c%20d", "é\x01\x7f", "&code=evil#x", "%00\x00\r\n", "=?/", strings.Repeat("s", 2000)} {
				q := p.ask(p.public, set("state", state))
				assert.Equal(t, []string{state}, p.back(p.visit(q), q)["state"])
			}
		}},
		{"RFC 6749 section 4.1.2.1", "state comes back with an error", func(t *testing.T, p *party) {
			q := p.ask(p.public, set("scope", "everything"))
			v := p.back(p.visit(q), q)
			assert.Equal(t, q.query.Get("state"), v.Get("state"))
		}},
		{"RFC 6749 section 3.1", "state twice is an error that echoes neither", func(t *testing.T, p *party) {
			q := p.ask(p.public, set("state", "a", "b"))
			v := p.back(p.visit(q), q)
			assert.Equal(t, "invalid_request", v.Get("error"))
			assert.False(t, v.Has("state"))
		}},
		{"RFC 9207 section 2", "the issuer is named with a code", func(t *testing.T, p *party) {
			q := p.ask(p.public)
			p.code(q)
			assert.Equal(t, []string{p.metadata().Issuer}, p.back(p.visit(q), q)["iss"])
		}},
		{"RFC 9207 section 2", "the issuer is named with an error", func(t *testing.T, p *party) {
			q := p.ask(p.public, set("scope", "everything"))
			assert.Equal(t, []string{p.metadata().Issuer}, p.back(p.visit(q), q)["iss"])
		}},
		{"RFC 9700 section 4.12", "the browser is redirected by 303", func(t *testing.T, p *party) {
			q := p.ask(p.public)
			assert.Equal(t, http.StatusSeeOther, p.press(p.visit(q), "allow").StatusCode)
		}},
		{"RFC 9700 section 4.2.4", "no cache keeps the code, no referrer tells of it", func(t *testing.T, p *party) {
			q := p.ask(p.public)
			for _, a := range []answer{p.press(p.visit(q), "allow"), p.visit(q), p.visit(p.ask(p.public, set("scope")))} {
				require.Equal(t, http.StatusSeeOther, a.StatusCode)
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
				assert.Equal(t, "no-referrer", a.Header.Get("Referrer-Policy"))
				assert.NotContains(t, a.body, "wlsc_")
			}
		}},
		{"RFC 9700 section 4.11.2", "an error is not redirected before the login", func(t *testing.T, p *party) {
			p.browser.CheckRedirect = p.fake.StopAtLogin
			a := p.visit(p.ask(p.public, set("scope", "everything")))
			assert.True(t, strings.HasPrefix(a.Header.Get("Location"), p.fake.Service().AuthURL+"?"), a.Header.Get("Location"))
		}},
		{"RFC 6749 section 3.1", "other methods are refused", func(t *testing.T, p *party) {
			for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
				r, err := http.NewRequest(method, p.urlOf(p.ask(p.public)), http.NoBody)
				require.NoError(t, err)
				a := p.do(p.browser, r)
				p.requirePage(a, http.StatusMethodNotAllowed)
				assert.Equal(t, "GET, POST", a.Header.Get("Allow"))
			}
		}},
		{"RFC 6749 section 3.1", "a very long request is refused", func(t *testing.T, p *party) {
			p.requirePage(p.visit(p.ask(p.public, set("state", strings.Repeat("s", 9000)))), http.StatusBadRequest)
		}},
	}
}
