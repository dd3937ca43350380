package oidclogin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestLogoutTokens(t *testing.T) {
	const event = "http://schemas.openid.net/event/backchannel-logout"
	for name, test := range map[string]struct {
		edit func(s *site, header, claims object)
		want webauth.Reason
	}{
		"as usual":               {func(*site, object, object) {}, ""},
		"sub alone":              {claim("sid", nil), ""},
		"sid alone":              {claim("sub", nil), ""},
		"no exp":                 {claim("exp", nil), ""},
		"no typ":                 {headerOf("typ", nil), ""},
		"typ JWT":                {headerOf("typ", "JWT"), ""},
		"neither sub nor sid":    {func(_ *site, _, c object) { delete(c, "sub"); delete(c, "sid") }, webauth.ReasonMalformed},
		"sub empty":              {claim("sub", ""), webauth.ReasonMalformed},
		"sub a number":           {claim("sub", 1), webauth.ReasonMalformed},
		"sid with a blank":       {claim("sid", "a b"), webauth.ReasonMalformed},
		"nonce":                  {claim("nonce", "x"), webauth.ReasonMalformed},
		"no events":              {claim("events", nil), webauth.ReasonMalformed},
		"events a list":          {claim("events", []string{event}), webauth.ReasonMalformed},
		"another event":          {claim("events", object{"x": object{}}), webauth.ReasonMalformed},
		"the event is no object": {claim("events", object{event: true}), webauth.ReasonMalformed},
		"the event is null":      {claim("events", object{event: nil}), webauth.ReasonMalformed},
		"no jti":                 {claim("jti", nil), webauth.ReasonMalformed},
		"aud of another":         {claim("aud", "other"), webauth.ReasonURL},
		"iss of another":         {claim("iss", "https://other.example"), webauth.ReasonURL},
		"no iat":                 {claim("iat", nil), webauth.ReasonMalformed},
		"old":                    {at("iat", -7*time.Minute), webauth.ReasonStale},
		"of the future":          {at("iat", time.Minute), webauth.ReasonFuture},
		"expired":                {at("exp", -time.Minute), webauth.ReasonStale},
		"exp is 1970":            {claim("exp", 0), webauth.ReasonMalformed},
		"exp is no time":         {claim("exp", "x"), webauth.ReasonMalformed},
		"alg none":               {headerOf("alg", "none"), webauth.ReasonMalformed},
		"typ of an access token": {headerOf("typ", "at+jwt"), webauth.ReasonMalformed},
		"signed by another":      {func(s *site, _, _ object) { s.key = testKeys()[1] }, webauth.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			public := s.key
			s.stub.keys = func() object { return object{"keys": []any{publicJWK(theKid, public)}} }
			header := object{"alg": "RS256", "kid": theKid, "typ": "logout+jwt"}
			claims := object{
				"iss": s.url, "aud": clientID, "iat": s.now.Unix(), "exp": s.now.Unix() + 120, "jti": "j-1",
				"sub": "subject-1", "sid": "session-1", "events": object{event: object{}},
			}
			test.edit(s, header, claims)
			raw := sign(t, s.key, header, claims)
			out, err := s.login.(webauth.BackChannel).VerifyLogout(t.Context(), raw)
			if test.want != "" {
				require.Equal(t, test.want, webauth.ReasonOf(err), "%v", err)
				assert.Zero(t, out)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []any{claims["sub"], claims["sid"]}, []any{orNil(out.Subject), orNil(out.Session)})
			assert.Equal(t, s.now.Unix(), out.At.Unix())
		})
	}
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// An identity token logs nobody out, a logout token nobody in.
func TestTokensOfTheOtherKind(t *testing.T) {
	s := newSite(t)
	s.begin(t, webauth.Request{})
	_, err := s.login.(webauth.BackChannel).VerifyLogout(t.Context(), s.idToken("x"))
	require.Equal(t, webauth.ReasonMalformed, webauth.ReasonOf(err))
}
