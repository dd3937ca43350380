package oauth2server

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProvesChallenge(t *testing.T) {
	verifier := "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B
	assert.True(t, provesChallenge(challenge, verifier))
	assert.False(t, provesChallenge("", verifier), "a verifier without a challenge")
	assert.False(t, provesChallenge("", ""))
	assert.False(t, provesChallenge(challenge, ""))
	assert.False(t, provesChallenge(challenge, challenge), "plain")
	assert.False(t, provesChallenge(challenge+"=", verifier))
	assert.False(t, provesChallenge(strings.ToLower(challenge), verifier))
}

// FuzzAuthRequest reads authorization requests. One that passes is bound to all that
// matters about it: written in its normal form and read again it is the same, and the
// binding of another is another.
func FuzzAuthRequest(f *testing.F) {
	good := url.Values{
		"client_id": {"c"}, "redirect_uri": {appRedirect}, "response_type": {"code"}, "scope": {"records:read profile"}, "state": {"a b+é\x00"},
		"code_challenge": {challengeOf("x")}, "code_challenge_method": {"S256"}, "prompt": {"consent"}, "response_mode": {"query"},
	}.Encode()
	for _, seed := range []string{
		good, good + "&state=x", good + "&x=%zz", good + ";state=x", "", "&&&=", "prompt=none+login", strings.Replace(good, "S256", "plain", 1),
		strings.Replace(good, "code_challenge=", "code_challenge=%0A", 1), strings.Replace(good, "records", "harvest", 1), good + "&" + strings.Repeat("x", 9000),
	} {
		f.Add(seed)
	}
	s := &Server{scopes: testScopes}
	read := func(raw string) (*authRequest, *protocolError) {
		p, err := parseParams(raw, maxQuery)
		if err != nil {
			return nil, errBody
		}
		q := &authRequest{params: p, redirectURI: p.get("redirect_uri"), responseType: p.get("response_type"), state: p.get("state")}
		return q, q.check(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, problem := read(raw)
		if problem != nil {
			return
		}
		sent, err := url.ParseQuery(raw)
		require.NoError(t, err)
		for name, values := range sent {
			require.Len(t, values, 1, name)
		}
		require.Len(t, q.challenge, 43)
		sum, err := base64.RawURLEncoding.DecodeString(q.challenge)
		require.NoError(t, err)
		require.Equal(t, q.challenge, base64.RawURLEncoding.EncodeToString(sum))
		require.Equal(t, "S256", sent.Get("code_challenge_method"))
		require.Equal(t, sent.Get("state"), q.state)
		require.NotEmpty(t, q.scopes)
		require.NotContains(t, q.scopes, "harvest")

		again, problem := read(q.encode())
		require.Nil(t, problem)
		require.Equal(t, q.encode(), again.encode())
		require.Equal(t, q.scopes, again.scopes)
		require.Equal(t, q.prompt, again.prompt)
		q.params.values["state"] += "x"
		require.NotEqual(t, again.encode(), q.encode())
	})
}

// FuzzBasic reads client credentials. Those that pass come back from their encoding.
func FuzzBasic(f *testing.F) {
	encode := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	}
	for _, seed := range []string{
		encode("id", "secret"), encode("i:d", "a b+%é:"), encode("", "x"), encode("x", ""), "", "Basic", "Basic ", "basic " + encode("a", "b")[6:],
		"Bearer x", "Basic  " + encode("a", "b")[6:], "Basic YTpi\n", "Basic JTp6", "Basic YTolenp6", encode("a", "b") + "=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := parseBasic(header)
		if !ok {
			require.Empty(t, id+secret)
			return
		}
		require.NotEmpty(t, id)
		require.True(t, strings.EqualFold(header[:6], "Basic "))
		sameID, sameSecret, ok := parseBasic(encode(id, secret))
		require.True(t, ok)
		require.Equal(t, id, sameID)
		require.Equal(t, secret, sameSecret)
		raw, err := base64.StdEncoding.DecodeString(header[6:])
		require.NoError(t, err)
		require.Equal(t, header[6:], base64.StdEncoding.EncodeToString(raw), "one spelling")
	})
}
