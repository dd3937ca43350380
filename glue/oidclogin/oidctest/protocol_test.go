package oidctest_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

func TestLogin(t *testing.T) {
	p := oidctest.New(t, atNoon())
	q := respond(t, p, nil, "test0001")
	assert.Equal(t, "the-state", q.Get("state"))
	assert.Equal(t, p.Issuer(), q.Get("iss"))
	status, answer := exchange(t, p, tokenForm(q.Get("code")), nil)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, "Bearer", answer["token_type"])

	jwt := answer["id_token"].(string)
	got := part(t, jwt, 1)
	sum := sha256.Sum256([]byte(answer["access_token"].(string)))
	for name, want := range map[string]any{
		"iss": p.Issuer(), "aud": oidctest.ClientID, "sub": "test0001", "nonce": "the-nonce",
		"iat": float64(noon.Unix()), "exp": float64(noon.Add(time.Hour).Unix()), "auth_time": float64(noon.Unix()),
		"amr": []any{"pwd"}, "groups": []any{"current"}, "upn": "test0001@cam.ac.uk", "tid": oidctest.TenantID,
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`, got["oid"])
	assert.NotEmpty(t, got["sid"])
	assert.NotContains(t, got, "acr")
	verifySignature(t, p, jwt)
}

// verifySignature looks the key up as a site does.
func verifySignature(t *testing.T, p *oidctest.Provider, jwt string) {
	t.Helper()
	_, text := get(t, http.DefaultClient, p.Issuer()+"/.well-known/openid-configuration")
	var metadata struct {
		URI string `json:"jwks_uri"`
	}
	require.NoError(t, json.Unmarshal([]byte(text), &metadata))
	_, text = get(t, http.DefaultClient, metadata.URI)
	var set struct {
		Keys []struct{ Kid, N, E string }
	}
	require.NoError(t, json.Unmarshal([]byte(text), &set))
	header := part(t, jwt, 0)
	assert.Equal(t, "RS256", header["alg"])
	for _, k := range set.Keys {
		if k.Kid != header["kid"] {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		require.NoError(t, err)
		assert.Equal(t, "AQAB", k.E)
		i := strings.LastIndexByte(jwt, '.')
		sum := sha256.Sum256([]byte(jwt[:i]))
		sig, err := base64.RawURLEncoding.DecodeString(jwt[i+1:])
		require.NoError(t, err)
		require.NoError(t, rsa.VerifyPKCS1v15(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, crypto.SHA256, sum[:], sig))
		return
	}
	t.Errorf("no key %v in %s", header["kid"], text)
}

func TestRequestsThatCannotBe(t *testing.T) {
	p := oidctest.New(t)
	tests := []struct {
		name   string
		edit   func(url.Values)
		error  string
		onPage bool
	}{
		{"no client", set("client_id", "other"), "unauthorized_client", true},
		{"redirect_uri elsewhere", set("redirect_uri", "https://evil.example/login"), "invalid_request", true},
		{"redirect_uri with a fragment", set("redirect_uri", callback+"#x"), "invalid_request", true},
		{"twice", func(q url.Values) { q.Add("state", "two") }, "invalid_request", true},
		{"implicit", set("response_type", "id_token"), "unsupported_response_type", false},
		{"form_post", set("response_mode", "form_post"), "invalid_request", false},
		{"no openid", set("scope", "profile"), "invalid_scope", false},
		{"no PKCE", set("code_challenge", ""), "invalid_request", false},
		{"PKCE plain", set("code_challenge_method", "plain"), "invalid_request", false},
		{"max_age negative", set("max_age", "-1"), "invalid_request", false},
		{"unknown prompt", set("prompt", "maybe"), "invalid_request", false},
		{"none and login", set("prompt", "none login"), "invalid_request", false},
		{"request object", set("request", "x"), "request_not_supported", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, page := get(t, noWait(p), authURL(p, tt.edit))
			assert.Equal(t, tt.error, last(t, p).Error)
			if tt.onPage {
				assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
				assert.Contains(t, page, "You are not logged in")
				return
			}
			assert.Equal(t, http.StatusSeeOther, resp.StatusCode)
			back, err := resp.Location()
			require.NoError(t, err)
			assert.Equal(t, tt.error, back.Query().Get("error"))
			assert.Equal(t, "the-state", back.Query().Get("state"))
		})
	}
}

func TestTokenEndpoint(t *testing.T) {
	tests := []struct {
		name   string
		form   func(url.Values)
		client func(*http.Request)
		status int
		error  string
	}{
		{"as it should be", nil, nil, http.StatusOK, ""},
		{"secret in the form", func(f url.Values) {
			f.Set("client_id", oidctest.ClientID)
			f.Set("client_secret", oidctest.ClientSecret)
		}, func(*http.Request) {}, http.StatusOK, ""},
		{"both", func(f url.Values) { f.Set("client_secret", oidctest.ClientSecret) }, nil, http.StatusUnauthorized, "invalid_client"},
		{"wrong secret", nil, func(r *http.Request) { r.SetBasicAuth(oidctest.ClientID, "no") }, http.StatusUnauthorized, "invalid_client"},
		{"no secret", nil, func(r *http.Request) { r.SetBasicAuth(oidctest.ClientID, "") }, http.StatusUnauthorized, "invalid_client"},
		{"nobody", nil, func(*http.Request) {}, http.StatusUnauthorized, "invalid_client"},
		{"no verifier", set("code_verifier", ""), nil, http.StatusBadRequest, "invalid_grant"},
		{"another verifier", set("code_verifier", verifier+"x"), nil, http.StatusBadRequest, "invalid_grant"},
		{"another redirect_uri", set("redirect_uri", callback+"/"), nil, http.StatusBadRequest, "invalid_grant"},
		{"no such code", set("code", "x"), nil, http.StatusBadRequest, "invalid_grant"},
		{"grant type", set("grant_type", "password"), nil, http.StatusBadRequest, "unsupported_grant_type"},
		{"twice", func(f url.Values) { f.Add("code", "x") }, nil, http.StatusBadRequest, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := oidctest.New(t)
			form := tokenForm(respond(t, p, nil, "test0001").Get("code"))
			if tt.form != nil {
				tt.form(form)
			}
			status, answer := exchange(t, p, form, tt.client)
			assert.Equal(t, tt.status, status)
			if tt.error == "" {
				assert.Contains(t, answer, "id_token")
				assert.NotContains(t, answer, "error")
				return
			}
			assert.Equal(t, tt.error, answer["error"])
			assert.NotContains(t, answer, "id_token")
			assert.Equal(t, tt.error, last(t, p).Error)
		})
	}
}

func TestCodesWorkOnceAndSoon(t *testing.T) {
	p := oidctest.New(t, atNoon())
	form := tokenForm(respond(t, p, nil, "test0001").Get("code"))
	status, _ := exchange(t, p, form, nil)
	require.Equal(t, http.StatusOK, status)
	_, answer := exchange(t, p, form, nil)
	assert.Equal(t, "invalid_grant", answer["error"])

	form = tokenForm(respond(t, p, nil, "test0001").Get("code"))
	p.Advance(2 * time.Minute)
	_, answer = exchange(t, p, form, nil)
	assert.Equal(t, "invalid_grant", answer["error"])
}

// TestWhoMustType lists when the person is asked for a password.
func TestWhoMustType(t *testing.T) {
	tests := []struct {
		name, prompt, maxAge string
		ago                  time.Duration // of the login; zero is none
		form                 bool
		error                string
	}{
		{"nobody is logged in", "", "", 0, true, ""},
		{"logged in", "", "", time.Hour, false, ""},
		{"prompt=login", "login", "", time.Hour, true, ""},
		{"select_account", "select_account", "", time.Hour, true, ""},
		{"recent enough", "", "3600", time.Hour, false, ""},
		{"too long ago", "", "3599", time.Hour, true, ""},
		{"max_age=0", "", "0", time.Second, true, ""},
		{"silent, logged in", "none", "", time.Hour, false, ""},
		{"silent, nobody", "none", "", 0, false, "login_required"},
		{"silent, too long ago", "none", "60", time.Hour, false, "login_required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := oidctest.New(t, atNoon())
			c := noWait(p)
			if tt.ago != 0 {
				require.Equal(t, http.StatusSeeOther, logIn(t, c, authURL(p, nil), "test0001").StatusCode)
				p.Advance(tt.ago)
			}
			resp, _ := get(t, c, authURL(p, func(q url.Values) { q.Set("prompt", tt.prompt); q.Set("max_age", tt.maxAge) }))
			assert.Equal(t, tt.form, resp.StatusCode == http.StatusOK)
			assert.Equal(t, tt.error, last(t, p).Error)
			if tt.form {
				p.Advance(time.Minute)
				resp = logIn(t, c, authURL(p, set("prompt", tt.prompt)), "test0001")
				assert.Equal(t, http.StatusSeeOther, resp.StatusCode, "having typed it, they are not asked again")
			}
		})
	}
}

// noWait is a browser that sends a form itself and follows no redirect.
func noWait(p *oidctest.Provider) *http.Client {
	c := p.Client("")
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// logIn chooses a user in the login form of target and gives the answer.
func logIn(t *testing.T, c *http.Client, target, user string) *http.Response {
	t.Helper()
	resp, err := c.PostForm(target, url.Values{"userid": {user}, "pwd": {"x"}, "login": {"login"}})
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}
