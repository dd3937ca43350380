package oidclogin_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestLogin(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{Note: "again-2"})

	assert.Equal(t, "code", s.asked.Get("response_type"))
	assert.Equal(t, "query", s.asked.Get("response_mode"))
	assert.Equal(t, clientID, s.asked.Get("client_id"))
	assert.Equal(t, origin+callback, s.asked.Get("redirect_uri"))
	assert.Equal(t, "openid", s.asked.Get("scope"))
	assert.Equal(t, "S256", s.asked.Get("code_challenge_method"))
	assert.Len(t, s.asked.Get("nonce"), 43)
	for _, name := range []string{"prompt", "max_age", "acr_values"} {
		assert.False(t, s.asked.Has(name), name)
	}

	proof, err := s.answer(t, query)
	require.NoError(t, err)
	assert.Equal(t, "subject-1", proof.Principal)
	assert.Equal(t, "subject-1", proof.Subject)
	assert.Equal(t, page, proof.URL)
	assert.Equal(t, "again-2", proof.Token.Note)
	assert.Empty(t, proof.Auth)
	assert.Equal(t, []string{"oidc"}, proof.SSO)
	assert.Equal(t, s.now.Truncate(time.Second), proof.Issue)
	assert.True(t, proof.Password.IsZero())
	assert.Nil(t, proof.Ptags)
	assert.False(t, proof.HasLife || proof.Confirm)

	assert.Equal(t, "authorization_code", s.form.Get("grant_type"))
	assert.Equal(t, "code-1", s.form.Get("code"))
	assert.Equal(t, origin+callback, s.form.Get("redirect_uri"))
	sum := sha256.Sum256([]byte(s.form.Get("code_verifier")))
	assert.Equal(t, s.asked.Get("code_challenge"), b64(sum[:]))
	assert.False(t, s.form.Has("client_secret") || s.form.Has("client_id"))
	assert.Equal(t, "Basic c2l0ZS1vbmU6cGFzcyUyRndvcmQlMkI=", s.header.Get("Authorization"), "form-encoded, RFC 6749 section 2.3.1")
	assert.Equal(t, []string{"/.well-known/openid-configuration", "/token", "/keys"}, s.requests)
}

func TestLoginAgainFetchesTokensOnly(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.now = s.now.Add(time.Duration(i) * time.Minute)
		_, err := s.answer(t, s.begin(t, webauth.Request{})+string(rune('a'+i)))
		require.NoError(t, err)
	}
	assert.Equal(t, 1, s.count("/.well-known/openid-configuration"))
	assert.Equal(t, 1, s.count("/keys"))
	assert.Equal(t, 3, s.count("/token"))
}

// A state works once, in the browser that it was made for, and the token endpoint is asked for
// no other.
func TestStateWorksOnce(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	_, err := s.answer(t, query)
	require.NoError(t, err)
	require.Equal(t, 1, s.count("/token"))

	e := s.refused(t, query, webauth.ReasonReplay)
	assert.Equal(t, page, e.ReturnURL())
	assert.True(t, e.SamePrincipal("anybody"), "a live session goes on")
	_, ours := e.Token()
	assert.False(t, ours)
	assert.Equal(t, 1, s.count("/token"))

	s.secret = webauth.NewBrowserSecret()
	e = s.refused(t, query, webauth.ReasonToken)
	assert.Equal(t, page, e.OwnURL(), "to begin anew")
	assert.False(t, e.SamePrincipal("anybody"))
	assert.Equal(t, 1, s.count("/token"))
}

func TestStateOfAnotherBrowserIsSpent(t *testing.T) {
	s := newSite(t)
	query, own := s.begin(t, webauth.Request{}), s.secret
	for _, other := range []webauth.BrowserSecret{webauth.NewBrowserSecret(), ""} {
		s.secret = other
		e := s.refused(t, query, webauth.ReasonToken)
		_, ours := e.Token()
		assert.False(t, ours)
		assert.False(t, e.SamePrincipal("anybody"))
	}
	s.secret = own
	s.refused(t, query, webauth.ReasonReplay)
	assert.Zero(t, s.count("/token"))
}

func TestStateOfAnotherOriginOrKey(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	own := s.login
	for name, edit := range map[string]func(*webauth.Place){
		"origin": func(p *webauth.Place) { p.Origin = "https://localhost:9443" },
		"keys":   func(p *webauth.Place) { p.Keys = func(string) [][]byte { return [][]byte{siteKey("x", "y")} } },
	} {
		place := s.place
		edit(&place)
		var err error
		s.login, err = s.provider.At(place)
		require.NoError(t, err, name)
		s.refused(t, query+name, webauth.ReasonToken) // with another code
	}
	s.login = own
	_, err := s.answer(t, query)
	require.NoError(t, err)
}

func TestRotationOfTheSitesSecret(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	s.place.Keys = func(purpose string) [][]byte {
		return [][]byte{siteKey("newest", purpose), siteKey("new", purpose)}
	}
	s.at(t)
	_, err := s.answer(t, query)
	require.NoError(t, err)
}

func TestAtNeedsACallback(t *testing.T) {
	s := newSite(t)
	s.place.Callback = ""
	_, err := s.provider.At(s.place)
	require.ErrorContains(t, err, "set LoginPath")
}

func TestAtWantsAnIssuerThatIsNotThisMachines(t *testing.T) {
	s := newSite(t)
	s.place.Origin = "https://soc.example"
	_, err := s.provider.At(s.place)
	require.ErrorContains(t, err, "good for loopback sites, not for https://soc.example")
}

func TestBeginWithoutTheProvider(t *testing.T) {
	p := &oidclogin.Provider{Issuer: "http://127.0.0.1:1", ClientID: clientID, ClientSecretFile: secretFile(t, "s")}
	s := newSite(t)
	s.provider = p
	s.at(t)
	_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
	require.Equal(t, webauth.ReasonProvider, webauth.ReasonOf(err), "%v", err)
	assert.Empty(t, s.login.End(""))
}
