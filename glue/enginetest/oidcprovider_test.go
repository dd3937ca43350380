package enginetest_test

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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

const (
	oidcRedirect = "http://localhost:1/login"
	oidcVerifier = "a-verifier-of-at-least-forty-three-characters"
)

func startOIDC(t *testing.T) *enginetest.OIDCProvider {
	t.Helper()
	p, err := enginetest.StartOIDCProvider(enginetest.OIDCOptions{Groups: map[string][]string{"spqr1": {"staff"}}})
	enginetest.Require(t, err)
	t.Cleanup(p.Close)
	require.NoError(t, p.Register(enginetest.OIDCClient{
		ID: "soc", Secret: "a secret of the client", Redirect: []string{oidcRedirect}, LoggedOut: []string{"http://localhost:1/"},
		BackChannelLogout: "http://localhost:1/backchannel",
	}))
	return p
}

// oidcAnswer is what the provider answers in the address, for parameters beside those of
// every request.
func oidcAnswer(t *testing.T, p *enginetest.OIDCProvider, client *http.Client, more ...string) url.Values {
	t.Helper()
	challenge := sha256.Sum256([]byte(oidcVerifier))
	q := url.Values{
		"client_id": {"soc"}, "redirect_uri": {oidcRedirect}, "response_type": {"code"}, "scope": {"openid"}, "state": {"st"}, "nonce": {"no"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), oidcRedirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	resp, err := client.Get(p.Issuer + "/auth?" + q.Encode())
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	at, err := resp.Location()
	require.NoError(t, err, "%d: %s", resp.StatusCode, body)
	assert.Equal(t, "st", at.Query().Get("state"))
	assert.Equal(t, p.Issuer, at.Query().Get("iss"), "RFC 9207")
	return at.Query()
}

// oidcClaims are those of the ID token that the provider gives for an answer.
func oidcClaims(t *testing.T, p *enginetest.OIDCProvider, answer url.Values) map[string]any {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {oidcRedirect}, "code_verifier": {oidcVerifier}}
	r, err := http.NewRequest(http.MethodPost, p.Issuer+"/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("soc", url.QueryEscape("a secret of the client"))
	var token struct {
		IDToken string `json:"id_token"`
	}
	getJSON(t, r, &token)
	parts := strings.Split(token.IDToken, ".")
	require.Len(t, parts, 3)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	return claims
}

func getJSON(t *testing.T, r *http.Request, into any) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
	require.NoError(t, json.Unmarshal(body, into))
}

// TestOIDCProvider: the provider does what it is said to do, without any code of ours that
// speaks its protocol.
func TestOIDCProvider(t *testing.T) {
	t.Parallel()
	p := startOIDC(t)
	r, err := http.NewRequest(http.MethodGet, p.Issuer+"/.well-known/openid-configuration", nil)
	require.NoError(t, err)
	var discovery map[string]any
	getJSON(t, r, &discovery)
	assert.Equal(t, p.Issuer, discovery["issuer"])
	assert.Equal(t, true, discovery["authorization_response_iss_parameter_supported"])
	assert.Equal(t, true, discovery["backchannel_logout_supported"])
	assert.Contains(t, discovery, "end_session_endpoint")

	person := p.Client("spqr1")
	assert.Equal(t, "login_required", oidcAnswer(t, p, person, "prompt", "none").Get("error"))
	claims := oidcClaims(t, p, oidcAnswer(t, p, person))
	assert.Equal(t, "account-spqr1", claims["sub"])
	assert.Equal(t, "spqr1@cam.ac.uk", claims["upn"])
	assert.Equal(t, "oid-spqr1", claims["oid"])
	assert.Equal(t, []any{"staff"}, claims["groups"])
	assert.Equal(t, []any{"pwd"}, claims["amr"])
	assert.Equal(t, "no", claims["nonce"])
	assert.NotEmpty(t, claims["sid"])
	assert.NotContains(t, claims, "auth_time", "nobody asked for it")

	again := oidcAnswer(t, p, person, "prompt", "none", "max_age", "300")
	first := oidcClaims(t, p, again)["auth_time"]
	require.NotNil(t, first)
	require.NoError(t, p.Ahead(10*time.Minute))
	assert.Equal(t, "login_required", oidcAnswer(t, p, person, "prompt", "none", "max_age", "300").Get("error"), "it is too long ago")
	claims = oidcClaims(t, p, oidcAnswer(t, p, person, "max_age", "300", "acr_values", enginetest.StrongACR))
	assert.InDelta(t, first.(float64)+600, claims["auth_time"], 60)
	assert.Equal(t, enginetest.StrongACR, claims["acr"])
	assert.Equal(t, []any{"pwd", "mfa"}, claims["amr"])
	assert.Equal(t, "access_denied", oidcAnswer(t, p, p.Client("")).Get("error"))
}

// TestOIDCProviderKeys: keys and clients outlive the process, and those who are logged in do
// not.
func TestOIDCProviderKeys(t *testing.T) {
	t.Parallel()
	p := startOIDC(t)
	person := p.Client("spqr1")
	oidcAnswer(t, p, person)
	one := oidcKeys(t, p)
	require.Len(t, one, 1)
	require.NoError(t, p.Rotate(true))
	two := oidcKeys(t, p)
	require.Len(t, two, 2)
	assert.Equal(t, one[0], two[1])
	require.NoError(t, p.Rotate(false))
	three := oidcKeys(t, p)
	require.Len(t, three, 1)
	assert.NotContains(t, two, three[0])
	assert.NotEmpty(t, oidcAnswer(t, p, person, "prompt", "none").Get("code"), "new keys end no session")

	p.Kill()
	_, err := http.Get(p.Issuer)
	require.Error(t, err)
	assert.ErrorContains(t, p.Rotate(true), "does not run")
	require.NoError(t, p.Restart())
	assert.Equal(t, three, oidcKeys(t, p))
	assert.Equal(t, "login_required", oidcAnswer(t, p, person, "prompt", "none").Get("error"))
	assert.Equal(t, "account-spqr1", oidcClaims(t, p, oidcAnswer(t, p, person))["sub"])
	requests, err := p.Requests()
	require.NoError(t, err)
	assert.Equal(t, "GET /jwks", requests[0])
	assert.Contains(t, requests, "POST /token")

	err = p.Register(enginetest.OIDCClient{ID: "bad", Secret: "a secret of it", Redirect: []string{"no URL"}})
	assert.ErrorContains(t, err, "redirect_uris")
}

func oidcKeys(t *testing.T, p *enginetest.OIDCProvider) (ids []string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.Issuer+"/jwks", nil)
	require.NoError(t, err)
	var set struct{ Keys []struct{ Kid string } }
	getJSON(t, r, &set)
	for _, k := range set.Keys {
		ids = append(ids, k.Kid)
	}
	return ids
}
