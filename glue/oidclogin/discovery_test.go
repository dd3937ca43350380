package oidclogin_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const configuration = "/.well-known/openid-configuration"

// startFails begins a login that the provider's configuration is in the way of.
func (s *site) startFails(t testing.TB, want string) {
	t.Helper()
	_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
	require.Equal(t, webauth.ReasonProvider, webauth.ReasonOf(err), "%v", err)
	require.ErrorContains(t, err, want)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	member := func(name string, value any) func(*site) {
		return func(s *site) { s.discovery = func(o object) { set(o, name, value) } }
	}
	serve := func(f func(w http.ResponseWriter)) func(*site) {
		return func(s *site) { s.stub.serve = func(w http.ResponseWriter, _ *http.Request) bool { f(w); return true } }
	}
	for name, test := range map[string]struct {
		edit func(s *site)
		want string
	}{
		"another issuer":             {member("issuer", "https://other.example"), "issuer"},
		"issuer missing":             {member("issuer", nil), "issuer"},
		"issuer with a slash":        {func(s *site) { s.discovery = func(o object) { o["issuer"] = s.url + "/" } }, "issuer"},
		"no authorization endpoint":  {member("authorization_endpoint", nil), "authorization_endpoint is missing"},
		"no token endpoint":          {member("token_endpoint", nil), "token_endpoint is missing"},
		"no keys":                    {member("jwks_uri", nil), "jwks_uri is missing"},
		"http elsewhere":             {member("token_endpoint", "http://other.example/token"), "must be https"},
		"a script for an endpoint":   {member("authorization_endpoint", "javascript:alert(1)"), "not an absolute http or https URL"},
		"a relative endpoint":        {member("authorization_endpoint", "/authorize"), "not an absolute"},
		"an endpoint with user info": {member("token_endpoint", "https://a:b@id.example/"), "user name"},
		"an endpoint with fragment":  {member("authorization_endpoint", "https://id.example/#x"), "fragment"},
		"end_session over http":      {member("end_session_endpoint", "http://other.example/"), "must be https"},
		"no code flow":               {member("response_types_supported", []string{"id_token"}), "authorization code flow"},
		"ES256 alone":                {member("id_token_signing_alg_values_supported", []string{"ES256"}), "RS256"},
		"a number for an endpoint":   {member("token_endpoint", 1), "not the JSON"},
		"HTML":                       {serve(func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }), "not the JSON"},
		"404":                        {serve(func(w http.ResponseWriter) { w.WriteHeader(404) }), "status 404"},
		"a redirect":                 {serve(func(w http.ResponseWriter) { w.Header().Set("Location", "/x"); w.WriteHeader(302) }), "redirect"},
		"too large":                  {serve(func(w http.ResponseWriter) { fmt.Fprint(w, `{"a":"`+strings.Repeat("x", 1<<20)) }), "larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			test.edit(s)
			s.startFails(t, test.want)
			assert.Equal(t, []string{configuration}, s.requests)
		})
	}
}

func TestConfigurationsThatWillDo(t *testing.T) {
	s := newSite(t)
	s.discovery = func(o object) {
		o["id_token_signing_alg_values_supported"] = []string{"none", "HS256", "RS256"}
		o["unknown"], o["end_session_endpoint"], o["token_endpoint_auth_methods_supported"] = []int{1}, nil, nil
		o["authorization_endpoint"] = s.url + "/authorize?tenant=1"
	}
	location, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
	require.NoError(t, err)
	assert.Contains(t, location, "/authorize?tenant=1&client_id=")
	assert.Empty(t, s.login.End(origin+"/"))
}

// A provider that is down holds up one request each 10 seconds, and is found when it is back.
func TestProviderIsDownForAWhile(t *testing.T) {
	s := newSite(t)
	down := true
	s.stub.serve = func(w http.ResponseWriter, _ *http.Request) bool {
		if down {
			w.WriteHeader(http.StatusBadGateway)
		}
		return down
	}
	for range 5 {
		s.startFails(t, "status 502")
	}
	assert.Equal(t, 1, s.count(configuration))
	s.now = s.now.Add(11 * time.Second)
	s.startFails(t, "status 502")
	assert.Equal(t, 2, s.count(configuration))
	down = false
	s.startFails(t, "status 502")
	s.now = s.now.Add(11 * time.Second)
	query := s.begin(t, webauth.Request{})
	_, err := s.answer(t, query)
	require.NoError(t, err)
	assert.Equal(t, 3, s.count(configuration))
}

// What was fetched is good for an hour, and for a day where the provider is down.
func TestConfigurationAndKeysAgeOut(t *testing.T) {
	s := newSite(t)
	down, n := false, 0
	s.stub.serve = func(w http.ResponseWriter, r *http.Request) bool {
		if down && r.URL.Path != "/token" {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	logIn := func() error {
		n++
		location, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
		if err != nil {
			return err
		}
		require.NotEmpty(t, location)
		_, err = s.answer(t, s.begin(t, webauth.Request{})+strings.Repeat("x", n))
		return err
	}
	require.NoError(t, logIn())
	s.now = s.now.Add(59 * time.Minute)
	require.NoError(t, logIn())
	assert.Equal(t, 2, s.count(configuration)+s.count("/keys"))
	s.now = s.now.Add(2 * time.Minute)
	require.NoError(t, logIn())
	assert.Equal(t, 4, s.count(configuration)+s.count("/keys"))

	down = true
	s.now = s.now.Add(23 * time.Hour)
	require.NoError(t, logIn())
	assert.Equal(t, 6, s.count(configuration)+s.count("/keys"))
	s.now = s.now.Add(2 * time.Hour)
	require.Equal(t, webauth.ReasonProvider, webauth.ReasonOf(logIn()))
	down = false
	s.now = s.now.Add(time.Minute)
	require.NoError(t, logIn())
}

// Whoever can use what was fetched earlier waits once for a provider that does not answer.
func TestNobodyWaitsForAProviderThatHangs(t *testing.T) {
	s := newSite(t)
	s.begin(t, webauth.Request{})
	failing := true
	asked, open := make(chan struct{}), make(chan struct{})
	defer close(open)
	s.stub.serve = func(w http.ResponseWriter, _ *http.Request) bool {
		if failing {
			failing = false
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		close(asked)
		<-open
		return false
	}
	s.now = s.now.Add(2 * time.Hour)
	s.begin(t, webauth.Request{})
	s.now = s.now.Add(time.Minute)
	s.begin(t, webauth.Request{})
	<-asked
	s.begin(t, webauth.Request{})
}

// The rest after a failure is counted from when it failed, not from when it was asked.
func TestSlowFailuresAreRememberedAsLong(t *testing.T) {
	s := newSite(t)
	slow := true
	s.stub.serve = func(w http.ResponseWriter, _ *http.Request) bool {
		if slow {
			s.now = s.now.Add(10 * time.Second)
			w.WriteHeader(http.StatusBadGateway)
		}
		return slow
	}
	s.startFails(t, "status 502")
	s.now = s.now.Add(9 * time.Second)
	s.startFails(t, "status 502")
	assert.Equal(t, 1, s.count(configuration))
	slow = false
	s.now = s.now.Add(time.Second)
	s.begin(t, webauth.Request{})
}

// A public page does not wait long for a provider that does not answer; who must log in does.
func TestSilentSignInDoesNotWaitLong(t *testing.T) {
	s := newSite(t)
	open := make(chan struct{})
	s.stub.serve = func(http.ResponseWriter, *http.Request) bool {
		<-open
		return false
	}
	_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page, IAct: webauth.IActNo})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, webauth.ReasonProvider, webauth.ReasonOf(err))
	close(open)
	s.begin(t, webauth.Request{})
	assert.Equal(t, 1, s.count(configuration))

	open = make(chan struct{})
	defer close(open)
	s.now = s.now.Add(2 * time.Hour)
	s.begin(t, webauth.Request{IAct: webauth.IActNo}) // by what is known
}

// While one request finds out whether the provider is back, no other waits for that.
func TestOneRequestTriesAgain(t *testing.T) {
	s := newSite(t)
	failing := true
	asked, open := make(chan struct{}), make(chan struct{})
	s.stub.serve = func(w http.ResponseWriter, _ *http.Request) bool {
		if failing {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		close(asked)
		<-open
		return false
	}
	s.startFails(t, "status 502")
	failing = false
	s.now = s.now.Add(time.Minute)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
		assert.NoError(t, err)
	})
	<-asked
	s.startFails(t, "status 502")
	close(open)
	wg.Wait()
}

func TestOneFetchForAll(t *testing.T) {
	s := newSite(t)
	asked, open := make(chan struct{}), make(chan struct{})
	s.stub.serve = func(http.ResponseWriter, *http.Request) bool {
		close(asked) // twice would panic
		<-open
		return false
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := s.login.Begin(t.Context(), s.secret, webauth.Request{URL: page})
			assert.NoError(t, err)
		})
	}
	<-asked
	close(open)
	wg.Wait()
	assert.Equal(t, 1, s.count(configuration))
}

func TestKeysThatAreRefused(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	key := testKeys()[0]
	with := func(name string, value any) []any {
		k := publicJWK(theKid, key)
		set(k, name, value)
		return []any{k}
	}
	for name, test := range map[string]struct {
		signs *rsa.PrivateKey
		keys  []any
		want  webauth.Reason
	}{
		"for encryption":          {key, with("use", "enc"), webauth.ReasonProvider},
		"for another algorithm":   {key, with("alg", "PS256"), webauth.ReasonProvider},
		"for signing alone":       {key, with("key_ops", []string{"sign"}), webauth.ReasonProvider},
		"of another type":         {key, with("kty", "oct"), webauth.ReasonProvider},
		"no exponent":             {key, with("e", nil), webauth.ReasonProvider},
		"exponent 1":              {key, with("e", b64([]byte{1})), webauth.ReasonProvider},
		"an even exponent":        {key, with("e", b64([]byte{4})), webauth.ReasonProvider},
		"a huge exponent":         {key, with("e", b64([]byte{255, 255, 255, 255, 255})), webauth.ReasonProvider},
		"a modulus that is none":  {key, with("n", "!"), webauth.ReasonProvider},
		"a huge modulus":          {key, with("n", strings.Repeat("_", 4000)), webauth.ReasonProvider},
		"1024 bits":               {small, []any{publicJWK(theKid, small)}, webauth.ReasonProvider},
		"none":                    {key, []any{}, webauth.ReasonProvider},
		"none that is good":       {key, append(with("use", "enc"), publicJWK("other", testKeys()[1])), webauth.ReasonUnknownKey},
		"use and alg not said":    {key, []any{object{"kty": "RSA", "kid": theKid, "n": b64(key.N.Bytes()), "e": "AQAB"}}, ""},
		"two of one name":         {key, []any{publicJWK(theKid, testKeys()[1]), publicJWK(theKid, key)}, ""},
		"beside one of no use":    {key, append(with("use", "enc"), object{"kty": "OKP"}, publicJWK(theKid, key)), ""},
		"another under this name": {key, []any{publicJWK(theKid, testKeys()[1])}, webauth.ReasonSignature},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.key = test.signs
			s.stub.keys = func() object { return object{"keys": test.keys} }
			query := s.begin(t, webauth.Request{})
			if test.want == "" {
				_, err := s.answer(t, query)
				require.NoError(t, err)
				return
			}
			s.refused(t, query, test.want)
		})
	}
}

func TestKeyOfNoNameAmongSeveral(t *testing.T) {
	s := newSite(t)
	s.stub.keys = func() object {
		return object{"keys": []any{publicJWK(theKid, s.key), publicJWK("other", testKeys()[1])}}
	}
	s.jwt = func(header, _ object) { delete(header, "kid") }
	s.refused(t, s.begin(t, webauth.Request{}), webauth.ReasonUnknownKey)
}

func TestKeyRotation(t *testing.T) {
	for name, kid := range map[string]string{"under a new name": "key-2", "under the old name": theKid} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			current := theKid
			s.stub.keys = func() object { return object{"keys": []any{publicJWK(current, s.key)}} }
			s.jwt = func(header, _ object) { header["kid"] = current }
			_, err := s.answer(t, s.begin(t, webauth.Request{}))
			require.NoError(t, err)
			s.key, current = testKeys()[1], kid
			_, err = s.answer(t, s.begin(t, webauth.Request{})+"2")
			require.NoError(t, err)
			assert.Equal(t, 2, s.count("/keys"))
		})
	}
}

func TestUnknownKeysAreNotFetchedAgainAndAgain(t *testing.T) {
	s := newSite(t)
	n := 0
	s.jwt = func(header, _ object) { header["kid"] = fmt.Sprint("unknown-", n) }
	for n = range 50 {
		s.now = s.now.Add(100 * time.Millisecond)
		s.refused(t, s.begin(t, webauth.Request{})+fmt.Sprint(n), webauth.ReasonUnknownKey)
	}
	assert.Equal(t, 3, s.count("/keys"))
	s.now = s.now.Add(30 * time.Second)
	s.jwt = nil
	_, err := s.answer(t, s.begin(t, webauth.Request{})+"good")
	require.NoError(t, err)
}

// An unknown key while the keys cannot be had is no fault of the person's.
func TestKeysCannotBeFetched(t *testing.T) {
	s := newSite(t)
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
	s.stub.serve = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/keys" {
			w.WriteHeader(http.StatusBadGateway)
		}
		return r.URL.Path == "/keys"
	}
	s.jwt = func(header, _ object) { header["kid"] = "unknown" }
	s.refused(t, s.begin(t, webauth.Request{})+"2", webauth.ReasonProvider)
	s.jwt = nil
	_, err = s.answer(t, s.begin(t, webauth.Request{})+"3")
	require.NoError(t, err, "by a key that is known")
}

func TestEnd(t *testing.T) {
	down, err := (&oidclogin.Provider{Issuer: "http://127.0.0.1:1", ClientID: clientID, ClientSecretFile: secretFile(t, "s")}).At(newSite(t).place)
	require.NoError(t, err)
	assert.Empty(t, down.End(origin+"/"), "it is not known where")
	s := newSite(t)
	assert.Equal(t, s.url+"/logout?client_id=site-one", s.login.End(""), "by a site that has just started, too")
	assert.Equal(t, s.url+"/logout?client_id=site-one&post_logout_redirect_uri=https%3A%2F%2Flocalhost%3A8443%2F", s.login.End(origin+"/"))
}
