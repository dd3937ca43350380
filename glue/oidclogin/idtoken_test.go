package oidclogin_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// claim edits one claim; nil takes it away.
func claim(name string, value any) func(s *site, header, claims object) {
	return func(_ *site, _, claims object) { set(claims, name, value) }
}

func headerOf(name string, value any) func(s *site, header, claims object) {
	return func(_ *site, header, _ object) { set(header, name, value) }
}

func set(o object, name string, value any) {
	if o[name] = value; value == nil {
		delete(o, name)
	}
}

// at sets a claim to a time from now.
func at(name string, d time.Duration) func(s *site, header, claims object) {
	return func(s *site, _, claims object) { claims[name] = s.now.Add(d).Unix() }
}

func TestIdentityTokens(t *testing.T) {
	const good = webauth.Reason("")
	for name, test := range map[string]struct {
		edit func(s *site, header, claims object)
		want webauth.Reason
	}{
		"as usual":                          {func(*site, object, object) {}, good},
		"nonce wrong":                       {claim("nonce", b64(make([]byte, 32))), webauth.ReasonToken},
		"nonce missing":                     {claim("nonce", nil), webauth.ReasonToken},
		"nonce empty":                       {claim("nonce", ""), webauth.ReasonToken},
		"nonce a list":                      {func(_ *site, _, c object) { c["nonce"] = []any{c["nonce"]} }, webauth.ReasonMalformed},
		"iss of another":                    {claim("iss", "https://other.example"), webauth.ReasonURL},
		"iss with a slash":                  {func(s *site, _, c object) { c["iss"] = s.url + "/" }, webauth.ReasonURL},
		"iss missing":                       {claim("iss", nil), webauth.ReasonURL},
		"aud of another":                    {claim("aud", "other"), webauth.ReasonURL},
		"aud missing":                       {claim("aud", nil), webauth.ReasonURL},
		"aud empty":                         {claim("aud", []string{}), webauth.ReasonURL},
		"aud a list of one":                 {claim("aud", []string{clientID}), good},
		"two in aud, no azp":                {claim("aud", []string{clientID, "other"}), webauth.ReasonURL},
		"two in aud, azp foreign":           {func(_ *site, _, c object) { c["aud"], c["azp"] = []string{clientID, "other"}, "other" }, webauth.ReasonURL},
		"two in aud, azp ours":              {func(_ *site, _, c object) { c["aud"], c["azp"] = []string{clientID, "other"}, clientID }, good},
		"two in aud, ours not, azp ours":    {func(_ *site, _, c object) { c["aud"], c["azp"] = []string{"x", "other"}, clientID }, webauth.ReasonURL},
		"azp foreign":                       {claim("azp", "other"), webauth.ReasonURL},
		"azp a number":                      {claim("azp", 1), webauth.ReasonURL},
		"at_hash wrong":                     {claim("at_hash", b64(make([]byte, 16))), webauth.ReasonSignature},
		"at_hash a number":                  {claim("at_hash", 1), webauth.ReasonMalformed},
		"at_hash missing":                   {claim("at_hash", nil), good},
		"sub missing":                       {claim("sub", nil), webauth.ReasonIdentity},
		"sub empty":                         {claim("sub", ""), webauth.ReasonIdentity},
		"sub with a blank":                  {claim("sub", "a b"), webauth.ReasonIdentity},
		"iat missing":                       {claim("iat", nil), webauth.ReasonMalformed},
		"iat a text":                        {claim("iat", "now"), webauth.ReasonMalformed},
		"iat zero":                          {claim("iat", 0), webauth.ReasonMalformed},
		"iat a fraction":                    {func(s *site, _, c object) { c["iat"] = float64(s.now.Unix()) + 0.5 }, good},
		"iat within the skew":               {at("iat", 4*time.Second), good},
		"iat in the future":                 {at("iat", 7*time.Second), webauth.ReasonFuture},
		"iat five minutes ago":              {at("iat", -5*time.Minute), good},
		"iat seven minutes ago":             {at("iat", -7*time.Minute), webauth.ReasonStale},
		"exp missing":                       {claim("exp", nil), webauth.ReasonMalformed},
		"exp in the past":                   {at("exp", -10*time.Second), webauth.ReasonStale},
		"nbf in the future":                 {at("nbf", time.Minute), webauth.ReasonFuture},
		"nbf a text":                        {claim("nbf", "x"), webauth.ReasonMalformed},
		"auth_time in the future":           {at("auth_time", time.Minute), webauth.ReasonFuture},
		"auth_time a text":                  {claim("auth_time", "x"), webauth.ReasonMalformed},
		"auth_time long ago, any will do":   {at("auth_time", -time.Hour), good},
		"alg none":                          {headerOf("alg", "none"), webauth.ReasonMalformed},
		"alg HS256":                         {headerOf("alg", "HS256"), webauth.ReasonMalformed},
		"alg RS512":                         {headerOf("alg", "RS512"), webauth.ReasonMalformed},
		"alg missing":                       {headerOf("alg", nil), webauth.ReasonMalformed},
		"kid unknown":                       {headerOf("kid", "other"), webauth.ReasonUnknownKey},
		"kid missing, one key":              {headerOf("kid", nil), good},
		"crit":                              {headerOf("crit", []string{"exp"}), webauth.ReasonSignature},
		"typ missing":                       {headerOf("typ", nil), good},
		"typ in small letters":              {headerOf("typ", "jwt"), good},
		"typ of an access token":            {headerOf("typ", "at+jwt"), webauth.ReasonMalformed},
		"typ of a logout token":             {headerOf("typ", "logout+jwt"), webauth.ReasonMalformed},
		"typ a number":                      {headerOf("typ", 1), webauth.ReasonMalformed},
		"jku is not fetched":                {func(s *site, h, _ object) { h["jku"] = s.url + "/evil" }, good},
		"signed by another":                 {func(s *site, _, _ object) { s.key = testKeys()[1] }, webauth.ReasonSignature},
		"userinfo is not asked":             {claim("_claim_sources", object{"x": object{"endpoint": "http://127.0.0.1:1/"}}), good},
		"a claim of other letter case":      {func(_ *site, _, c object) { c["SUB"] = "root" }, good},
		"an embedded key that did not sign": {func(_ *site, h, _ object) { h["jwk"] = publicJWK("x", testKeys()[1]) }, good},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			public := s.key
			s.stub.keys = func() object { return object{"keys": []any{publicJWK(theKid, public)}} }
			s.jwt = func(header, claims object) { test.edit(s, header, claims) }
			query := s.begin(t, webauth.Request{})
			if test.want != good {
				e := s.refused(t, query, test.want)
				_, ours := e.Token()
				assert.True(t, ours)
				assert.Equal(t, page, e.OwnURL())
				s.refused(t, query, webauth.ReasonReplay) // spent all the same
			} else {
				proof, err := s.answer(t, query)
				require.NoError(t, err)
				assert.Equal(t, "subject-1", proof.Principal)
			}
			assert.Equal(t, 1, s.count("/token"))
			assert.Zero(t, s.count("/evil")+s.count("/userinfo"))
		})
	}
}

// Tokens of a form that signing a header and claims does not make.
func TestIdentityTokensOfOtherForms(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(raw string) any
		want webauth.Reason
	}{
		"not signed":          {func(raw string) any { return raw[:strings.LastIndexByte(raw, '.')+1] }, webauth.ReasonSignature},
		"one part":            {func(string) any { return "abc" }, webauth.ReasonMalformed},
		"five parts":          {func(raw string) any { return raw + ".a.b" }, webauth.ReasonMalformed},
		"JSON serialization":  {jsonForm, webauth.ReasonMalformed},
		"a blank at the end":  {func(raw string) any { return raw + " " }, webauth.ReasonMalformed},
		"altered":             {func(raw string) any { i := strings.IndexByte(raw, '.'); return raw[:i+3] + "X" + raw[i+4:] }, webauth.ReasonSignature},
		"missing":             {func(string) any { return nil }, webauth.ReasonProvider},
		"empty":               {func(string) any { return "" }, webauth.ReasonProvider},
		"a list":              {func(raw string) any { return []string{raw} }, webauth.ReasonProvider},
		"encrypted, perhaps":  {func(string) any { return "e30.e30.e30.e30.e30" }, webauth.ReasonMalformed},
		"claims are no JSON":  {nil, webauth.ReasonMalformed},
		"a claim twice":       {nil, webauth.ReasonMalformed},
		"JSON behind another": {nil, webauth.ReasonMalformed},
		"ISS ours, iss not":   {nil, webauth.ReasonURL},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.token = func(answer object) {
				raw := answer["id_token"].(string)
				switch name {
				case "claims are no JSON":
					answer["id_token"] = signText(s.key, `{"alg":"RS256","kid":"key-1"}`, `[]`)
				case "a claim twice":
					text, _ := json.Marshal(object{"iss": s.url, "aud": clientID, "sub": "a", "nonce": s.asked.Get("nonce"), "iat": s.now.Unix(), "exp": s.now.Unix() + 60})
					answer["id_token"] = signText(s.key, `{"alg":"RS256","kid":"key-1"}`, `{"sub":"b",`+string(text[1:]))
				case "ISS ours, iss not":
					text, _ := json.Marshal(object{"zz": 1, "aud": clientID, "sub": "a", "nonce": s.asked.Get("nonce"), "iat": s.now.Unix(), "exp": s.now.Unix() + 60, "ISS": s.url})
					answer["id_token"] = signText(s.key, `{"alg":"RS256","kid":"key-1"}`, `{"iss":"https://other.example",`+string(text[1:]))
				case "JSON behind another":
					answer["id_token"] = signText(s.key, `{"alg":"RS256","kid":"key-1"}`, `{}{}`)
				default:
					set(answer, "id_token", test.edit(raw))
				}
			}
			s.refused(t, s.begin(t, webauth.Request{}), test.want)
		})
	}
}

func jsonForm(raw string) any {
	part := strings.Split(raw, ".")
	text, _ := json.Marshal(object{"protected": part[0], "payload": part[1], "signature": part[2]})
	return string(text)
}

// What a policy asks for, and what must come back.
func TestStrength(t *testing.T) {
	const good = webauth.Reason("")
	yes := webauth.Request{IAct: webauth.IActYes, Fresh: 10 * time.Minute}
	for name, test := range map[string]struct {
		ask      webauth.Request
		claims   object
		after    time.Duration // between request and answer
		want     webauth.Reason
		auth     string
		sso      []string
		password time.Duration // before the answer; zero for none
	}{
		"single sign-on":                        {claims: object{"amr": []string{"pwd", "mfa"}}, sso: []string{"pwd", "mfa"}},
		"a password an hour ago":                {claims: object{"amr": []string{"pwd"}, "auth_time": -3600}, sso: []string{"pwd"}},
		"a password for this request":           {claims: object{"amr": []string{"pwd"}, "auth_time": -5}, after: 10 * time.Second, auth: "pwd", password: 5 * time.Second},
		"yes":                                   {ask: yes, claims: object{"amr": []string{"pwd"}, "auth_time": -5}, after: 10 * time.Second, auth: "pwd", password: 5 * time.Second},
		"yes, nothing said of how":              {ask: yes, claims: object{"auth_time": -5}, after: 10 * time.Second, auth: "oidc", password: 5 * time.Second},
		"yes, no auth_time":                     {ask: yes, claims: object{"amr": []string{"pwd"}}, want: webauth.ReasonInteract},
		"yes, auth_time within Fresh, yet old":  {ask: yes, claims: object{"auth_time": -120}, after: time.Minute, want: webauth.ReasonInteract},
		"yes, auth_time before, within skew":    {ask: yes, claims: object{"auth_time": -14}, after: 10 * time.Second, auth: "oidc", password: 14 * time.Second},
		"yes, auth_time before, beyond skew":    {ask: yes, claims: object{"auth_time": -17}, after: 10 * time.Second, want: webauth.ReasonInteract},
		"no, in another tab a moment ago":       {ask: webauth.Request{IAct: webauth.IActNo}, claims: object{"amr": []string{"pwd"}, "auth_time": -1}, after: 10 * time.Second, sso: []string{"pwd"}},
		"mfa wanted and used":                   {ask: webauth.Request{AAuth: []string{"mfa"}}, claims: object{"amr": []string{"pwd", "mfa"}}, sso: []string{"pwd", "mfa"}},
		"mfa wanted and used just now":          {ask: webauth.Request{AAuth: []string{"mfa"}, IAct: webauth.IActYes}, claims: object{"amr": []string{"pwd", "mfa"}, "auth_time": 0}, after: time.Second, auth: "mfa", sso: []string{"pwd"}},
		"mfa wanted, in acr":                    {ask: webauth.Request{AAuth: []string{"mfa"}}, claims: object{"acr": "mfa"}, sso: []string{"mfa"}},
		"mfa wanted and not used":               {ask: webauth.Request{AAuth: []string{"mfa"}}, claims: object{"amr": []string{"pwd"}}, want: webauth.ReasonAuthType},
		"mfa wanted, nothing said":              {ask: webauth.Request{AAuth: []string{"mfa"}}, want: webauth.ReasonAuthType},
		"mfa wanted, amr is no list of strings": {ask: webauth.Request{AAuth: []string{"mfa"}}, claims: object{"amr": []any{1, "mfa"}}, want: webauth.ReasonAuthType},
		"types that a session cannot keep":      {claims: object{"amr": []string{"a,b", "c d", "ok", "ok", "é"}, "acr": strings.Repeat("x", 65)}, sso: []string{"ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			query := s.begin(t, test.ask)
			s.now = s.now.Add(test.after)
			s.jwt = func(_, claims object) {
				for name, value := range test.claims {
					if name == "auth_time" {
						value = s.now.Unix() + int64(value.(int))
					}
					claims[name] = value
				}
			}
			if test.want != good {
				s.refused(t, query, test.want)
				return
			}
			proof, err := s.answer(t, query)
			require.NoError(t, err)
			assert.Equal(t, test.auth, proof.Auth)
			assert.Equal(t, test.sso, append([]string(nil), proof.SSO...))
			if test.password != 0 {
				assert.Equal(t, s.now.Add(-test.password), proof.Password.Local().In(s.now.Location()))
			}
			assert.Equal(t, test.auth != "", !proof.Password.IsZero())
			assert.Equal(t, webauth.Reason(""), s.provider.CheckStrength(test.ask.IAct, test.ask.AAuth, proof.Auth, proof.SSO), "and for each request")
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	s := newSite(t, func(p *oidclogin.Provider) { p.Scopes = []string{"profile", "groups"} })
	for _, test := range []struct {
		r    webauth.Request
		want map[string]string
	}{
		{webauth.Request{IAct: webauth.IActYes}, map[string]string{"prompt": "login", "max_age": "60"}},
		{webauth.Request{IAct: webauth.IActYes, Fresh: 10 * time.Minute}, map[string]string{"prompt": "login", "max_age": "600"}},
		{webauth.Request{IAct: webauth.IActNo, Note: "silent"}, map[string]string{"prompt": "none", "max_age": ""}},
		{webauth.Request{AAuth: []string{"mfa", "hwk"}, Desc: "x", Msg: "y"}, map[string]string{"acr_values": "mfa hwk", "prompt": "", "Desc": ""}},
	} {
		s.begin(t, test.r)
		for name, want := range test.want {
			assert.Equal(t, want, s.asked.Get(name), name)
		}
		assert.Equal(t, "openid profile groups", s.asked.Get("scope"))
	}
}
