package oidctest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
)

// TestLogout: the browser is sent where the site asks, if that is registered, and single
// sign-on has ended.
func TestLogout(t *testing.T) {
	const after = "http://localhost:8080/bye?x=1"
	tests := []struct {
		name string
		edit func(url.Values)
		to   string
	}{
		{"nowhere", func(q url.Values) { q.Del("post_logout_redirect_uri") }, ""},
		{"back", nil, after},
		{"back with state", set("state", "a b"), after + "&state=a+b"},
		{"elsewhere", set("post_logout_redirect_uri", "https://evil.example/"), ""},
		{"a script", set("post_logout_redirect_uri", "javascript:alert(1)"), ""},
		{"for nobody", set("client_id", "other"), ""},
		{"by a hint", func(q url.Values) {
			q.Del("client_id")
			q.Set("id_token_hint", "e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"site"}`))+".x")
		}, after},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := oidctest.New(t)
			c := noWait(p)
			logIn(t, c, authURL(p, nil), "test0001")
			q := url.Values{"client_id": {oidctest.ClientID}, "post_logout_redirect_uri": {after}}
			if tt.edit != nil {
				tt.edit(q)
			}
			resp, page := get(t, c, p.Issuer()+"/logout?"+q.Encode())
			assert.Equal(t, tt.to, resp.Header.Get("Location"))
			if tt.to == "" {
				assert.Contains(t, page, "You are logged out")
			}
			assert.Equal(t, "test0001", last(t, p).User)
			resp, _ = get(t, c, authURL(p, nil))
			assert.Equal(t, http.StatusOK, resp.StatusCode, "the form")
		})
	}
}

// listener is a site's address for logout tokens.
type listener struct {
	*httptest.Server
	tokens []string
	status int
}

func newListener(t *testing.T) *listener {
	l := &listener{status: http.StatusOK}
	l.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		l.tokens = append(l.tokens, r.PostFormValue("logout_token"))
		rw.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

// TestBackChannelLogout: a logout at the provider, from whichever browser, is told to the sites
// that the session logged in to.
func TestBackChannelLogout(t *testing.T) {
	l := newListener(t)
	app := oidctest.DefaultApp()
	app.BackChannelLogoutURI = l.URL + "/backchannel"
	p := oidctest.New(t, atNoon(), oidctest.WithApps(app, oidctest.App{ID: "silent", Secret: "x"}))
	idToken := claims(t, p, nil, "test0001")
	require.NoError(t, p.LogOut(t.Context(), "test0002"))
	assert.Empty(t, l.tokens, "they are not logged in")
	require.NoError(t, p.LogOut(t.Context(), "test0001"))
	require.Len(t, l.tokens, 1)
	got := part(t, l.tokens[0], 1)
	for name, want := range map[string]any{
		"iss": p.Issuer(), "aud": oidctest.ClientID, "sub": "test0001", "sid": idToken["sid"], "iat": float64(noon.Unix()),
		"exp":    float64(noon.Add(2 * time.Minute).Unix()),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	} {
		assert.Equal(t, want, got[name], name)
	}
	assert.NotEmpty(t, got["jti"])
	assert.NotContains(t, got, "nonce")
	assert.Equal(t, "logout+jwt", part(t, l.tokens[0], 0)["typ"])
	verifySignature(t, p, l.tokens[0])
	assert.Equal(t, l.tokens[0], p.Requests(oidctest.EndpointBackChannel)[0].Token)
	require.NoError(t, p.LogOut(t.Context(), "test0001"))
	assert.Len(t, l.tokens, 1, "the session is over")

	c := noWait(p)
	logIn(t, c, authURL(p, nil), "test0001")
	l.status = http.StatusBadRequest
	get(t, c, p.Issuer()+"/logout")
	assert.Len(t, l.tokens, 2, "by the person's own browser")
	assert.Equal(t, http.StatusBadRequest, last(t, p).Status)

	claims(t, p, nil, "test0001")
	require.Error(t, p.LogOut(t.Context(), "test0001"), "the site refuses")
	l.Close()
	claims(t, p, nil, "test0001")
	require.Error(t, p.LogOut(t.Context(), "test0001"), "the site is down")

	p.Always(oidctest.Outcome{Fault: oidctest.FaultLogoutNonce})
	assert.Equal(t, "a-nonce", part(t, p.LogoutToken(oidctest.ClientID, "test0001"), 1)["nonce"])
}

// TestSessionGoesOn: who types the password again is in the same session.
func TestSessionGoesOn(t *testing.T) {
	p := oidctest.New(t)
	c := noWait(p)
	sid := func(user string) any {
		location, err := logIn(t, c, authURL(p, set("prompt", "login")), user).Location()
		require.NoError(t, err)
		_, answer := exchange(t, p, tokenForm(location.Query().Get("code")), nil)
		return part(t, answer["id_token"].(string), 1)["sid"]
	}
	first := sid("test0001")
	assert.Equal(t, first, sid("test0001"))
	assert.NotEqual(t, first, sid("test0002"))
}

// TestPrivateKeyJWT: a site that signs for itself.
func TestPrivateKeyJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := oidctest.New(t, atNoon(), oidctest.WithApps(oidctest.App{ID: oidctest.ClientID, Key: &key.PublicKey}))
	good := map[string]any{"iss": oidctest.ClientID, "sub": oidctest.ClientID, "aud": p.Issuer() + "/token", "jti": "1", "exp": noon.Unix() + 60}
	tests := []struct {
		name  string
		alg   string
		claim string
		value any
		ok    bool
	}{
		{"as it should be", "RS256", "jti", "2", true},
		{"for the issuer", "RS256", "aud", p.Issuer(), true},
		{"another alg", "none", "jti", "3", false},
		{"for another", "RS256", "aud", "https://provider.example/token", false},
		{"of another", "RS256", "iss", "other", false},
		{"expired", "RS256", "exp", noon.Unix() - 1, false},
		{"no jti", "RS256", "jti", "", false},
		{"a second time", "RS256", "jti", "2", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := map[string]any{}
			for k, v := range good {
				c[k] = v
			}
			c[tt.claim] = tt.value
			if tt.claim != "jti" {
				c["jti"] = tt.name
			}
			form := tokenForm(respond(t, p, nil, "test0001").Get("code"))
			form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
			form.Set("client_assertion", assertion(t, key, tt.alg, c))
			status, answer := exchange(t, p, form, func(*http.Request) {})
			assert.Equal(t, tt.ok, status == http.StatusOK, "%v", answer)
			if !tt.ok {
				assert.Equal(t, "invalid_client", answer["error"])
			}
		})
	}
}

func assertion(t *testing.T, key *rsa.PrivateKey, alg string, claims map[string]any) string {
	encode := func(v any) string {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := encode(map[string]string{"alg": alg}) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}
