package oidclogin_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const (
	origin   = "https://localhost:8443"
	callback = "/login"
	page     = origin + "/private/?a=1"
	clientID = "site-one"
	theKid   = "key-1"
)

// testKeys are made once: they take long.
var testKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		keys[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return keys
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// object is a JSON object.
type object = map[string]any

func publicJWK(kid string, key *rsa.PrivateKey) object {
	return object{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
}

func sign(t testing.TB, key *rsa.PrivateKey, header, claims object) string {
	h, err := json.Marshal(header)
	require.NoError(t, err)
	c, err := json.Marshal(claims)
	require.NoError(t, err)
	signed := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return signed + "." + b64(sig)
}

// stub is a provider that answers as it is told.
type stub struct {
	t   testing.TB
	url string
	now time.Time

	mu       sync.Mutex
	requests []string // paths, in order
	form     url.Values
	header   http.Header

	// What it does otherwise than usual.
	discovery func(object)
	keys      func() object
	jwt       func(header, claims object)
	token     func(object)
	serve     func(w http.ResponseWriter, r *http.Request) bool

	asked url.Values // of the latest authentication request
	key   *rsa.PrivateKey
}

func newStub(t testing.TB) *stub {
	s := &stub{t: t, now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), key: testKeys()[0]}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.URL.Path)
	if s.serve != nil && s.serve(w, r) {
		return
	}
	var answer object
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer = object{
			"issuer": s.url, "authorization_endpoint": s.url + "/authorize", "token_endpoint": s.url + "/token", "jwks_uri": s.url + "/keys",
			"end_session_endpoint": s.url + "/logout", "response_types_supported": []string{"code"},
		}
		if s.discovery != nil {
			s.discovery(answer)
		}
	case "/keys":
		answer = object{"keys": []any{publicJWK(theKid, s.key)}}
		if s.keys != nil {
			answer = s.keys()
		}
	case "/token":
		assert.NoError(s.t, r.ParseForm())
		s.form, s.header = r.PostForm, r.Header
		access := "the-access-token"
		answer = object{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": s.idToken(access)}
		if s.token != nil {
			s.token(answer)
		}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if answer["error"] != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	assert.NoError(s.t, json.NewEncoder(w).Encode(answer))
}

func (s *stub) idToken(access string) string {
	sum := sha256.Sum256([]byte(access))
	header := object{"alg": "RS256", "kid": theKid, "typ": "JWT"}
	claims := object{
		"iss": s.url, "aud": clientID, "sub": "subject-1", "nonce": s.asked.Get("nonce"), "at_hash": b64(sum[:16]),
		"iat": s.now.Unix(), "exp": s.now.Add(5 * time.Minute).Unix(),
	}
	if s.jwt != nil {
		s.jwt(header, claims)
	}
	return sign(s.t, s.key, header, claims)
}

// count returns how often a path was asked for.
func (s *stub) count(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == path {
			n++
		}
	}
	return n
}

// secretFile makes a file that nobody else may read.
func secretFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// site is a site that uses the stub.
type site struct {
	*stub
	provider *oidclogin.Provider
	place    webauth.Place
	login    webauth.Login
	secret   webauth.BrowserSecret
	failed   func(webauth.Token) bool
}

func newSite(t testing.TB, edits ...func(*oidclogin.Provider)) *site {
	t.Helper()
	s := &site{stub: newStub(t), secret: webauth.NewBrowserSecret()}
	s.provider = &oidclogin.Provider{Issuer: s.url, ClientID: clientID, ClientSecretFile: secretFile(t, "pass/word+\n")}
	for _, edit := range edits {
		edit(s.provider)
	}
	now := func() time.Time { return s.now }
	s.place = webauth.Place{
		Origin: origin, Origins: []string{origin}, Callback: callback, Now: now,
		Keys:   func(purpose string) [][]byte { return [][]byte{siteKey("new", purpose), siteKey("old", purpose)} },
		OneUse: webauth.NewMemoryOneUse(0, func() time.Time { return s.now }),
	}
	s.now = s.now.Add(time.Second) // the memory begins before the states
	s.at(t)
	return s
}

func siteKey(secret, purpose string) []byte {
	sum := sha256.Sum256([]byte(secret + purpose))
	return sum[:]
}

func (s *site) at(t testing.TB) {
	t.Helper()
	var err error
	s.login, err = s.provider.At(s.place)
	require.NoError(t, err)
}

// begin sends the browser to log in, and returns the query of a good answer.
func (s *site) begin(t testing.TB, r webauth.Request) string {
	t.Helper()
	if r.URL == "" {
		r.URL = page
	}
	location, err := s.login.Begin(t.Context(), s.secret, r)
	require.NoError(t, err)
	u, err := url.Parse(location)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(location, s.url+"/authorize?"), location)
	s.asked = u.Query()
	return "state=" + s.asked.Get("state") + "&code=code-1"
}

func (s *site) answer(t testing.TB, query string) (*webauth.Proof, error) {
	t.Helper()
	require.True(t, s.login.Brings(callback, query))
	return s.login.Answer(t.Context(), webauth.Arrival{Path: callback, Query: query, Secret: s.secret, Failed: s.failed})
}

// refused answers, and returns the refusal.
func (s *site) refused(t testing.TB, query string, reason webauth.Reason) *webauth.Error {
	t.Helper()
	proof, err := s.answer(t, query)
	require.Nil(t, proof)
	require.Error(t, err)
	e, ok := err.(*webauth.Error)
	require.True(t, ok, "%T %v", err, err)
	require.Equal(t, reason, e.Reason, "%v", err)
	return e
}

// signText signs a header and claims as they are written.
func signText(key *rsa.PrivateKey, header, claims string) string {
	signed := b64([]byte(header)) + "." + b64([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	sig, _ := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return signed + "." + b64(sig)
}
