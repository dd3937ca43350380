package oidctest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// noon is the provider's time in most tests.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// atNoon stops the clock of a new provider.
func atNoon() oidctest.Option {
	return oidctest.WithNow(func() time.Time { return noon })
}

const (
	callback = "http://localhost:8080/login"
	verifier = "a-verifier-of-forty-three-characters-at-least"
)

// authURL is a request of a site; what edit leaves empty is not sent.
func authURL(p *oidctest.Provider, edit func(url.Values)) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {oidctest.ClientID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
		"state": {"the-state"}, "nonce": {"the-nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	if edit != nil {
		edit(q)
	}
	return p.Issuer() + "/authorize?" + q.Encode()
}

// set sets one parameter.
func set(name, value string) func(url.Values) {
	return func(q url.Values) { q.Set(name, value) }
}

// respond is the query that comes back to the site.
func respond(t *testing.T, p *oidctest.Provider, edit func(url.Values), user string, doing ...oidctest.Person) url.Values {
	t.Helper()
	back, err := p.Respond(authURL(p, edit), user, doing...)
	require.NoError(t, err)
	u, err := url.Parse(back)
	require.NoError(t, err)
	require.Equal(t, callback, u.Scheme+"://"+u.Host+u.Path)
	return u.Query()
}

// tokenForm is the request for a token for a code.
func tokenForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

// exchange asks the token endpoint.
func exchange(t *testing.T, p *oidctest.Provider, form url.Values, edit func(*http.Request)) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.Issuer()+"/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if edit == nil {
		r.SetBasicAuth(oidctest.ClientID, oidctest.ClientSecret)
	} else {
		edit(r)
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	return resp.StatusCode, answer
}

// claims logs user in and returns what the ID token says.
func claims(t *testing.T, p *oidctest.Provider, edit func(url.Values), user string, doing ...oidctest.Person) map[string]any {
	t.Helper()
	code := respond(t, p, edit, user, doing...).Get("code")
	require.NotEmpty(t, code)
	status, answer := exchange(t, p, tokenForm(code), nil)
	require.Equal(t, http.StatusOK, status)
	return part(t, answer["id_token"].(string), 1)
}

// part decodes a part of a JWT.
func part(t *testing.T, jwt string, i int) (m map[string]any) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	require.Len(t, parts, 3)
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &m))
	return m
}

// get fetches a page.
func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp, readAll(t, resp)
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(text)
}

// last is the exchange that was logged last.
func last(t *testing.T, p *oidctest.Provider) oidctest.Exchange {
	t.Helper()
	all := p.Requests()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// signed reports whether the provider signed a JWT as it usually does: RS256 is deterministic.
func signed(p *oidctest.Provider, jwt string) bool {
	parts := strings.Split(jwt, ".")
	var header, claims map[string]any
	if json.Unmarshal([]byte(decoded(parts[0])), &header) != nil || json.Unmarshal([]byte(decoded(parts[1])), &claims) != nil {
		return false
	}
	return p.Sign(header, claims) == jwt
}

// decoded is a part of a JWT as text.
func decoded(part string) string {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return part
	}
	return string(b)
}

// halfHash is the at_hash of an access token.
func halfHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
