package oidclogin_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestTokenEndpoint(t *testing.T) {
	reply := func(status int, kind, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	const json = "application/json"
	for name, test := range map[string]struct {
		serve func(w http.ResponseWriter)
		want  webauth.Reason
	}{
		"a redirect, method kept":  {func(w http.ResponseWriter) { w.Header().Set("Location", "/other"); w.WriteHeader(307) }, webauth.ReasonProvider},
		"a redirect":               {func(w http.ResponseWriter) { w.Header().Set("Location", "/other"); w.WriteHeader(302) }, webauth.ReasonProvider},
		"HTML":                     {reply(200, "text/html", "<html>"), webauth.ReasonProvider},
		"HTML, said to be JSON":    {reply(200, json, "<html>"), webauth.ReasonProvider},
		"a form":                   {reply(200, "application/x-www-form-urlencoded", "access_token=x&id_token=y&token_type=bearer"), webauth.ReasonProvider},
		"an empty answer":          {reply(200, json, ""), webauth.ReasonProvider},
		"a list":                   {reply(200, json, "[]"), webauth.ReasonProvider},
		"members twice":            {reply(200, json, `{"error":"x","error":"y"}`), webauth.ReasonProvider},
		"too large":                {reply(200, json, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`), webauth.ReasonProvider},
		"200 with an error":        {reply(200, json, `{"error":"invalid_grant"}`), webauth.ReasonStale},
		"invalid_grant":            {reply(400, json, `{"error":"invalid_grant"}`), webauth.ReasonStale},
		"invalid_client":           {reply(401, json, `{"error":"invalid_client"}`), webauth.ReasonSetup},
		"unauthorized_client":      {reply(400, json, `{"error":"unauthorized_client"}`), webauth.ReasonSetup},
		"invalid_request":          {reply(400, json, `{"error":"invalid_request"}`), webauth.ReasonSetup},
		"invalid_scope":            {reply(400, json, `{"error":"invalid_scope"}`), webauth.ReasonSetup},
		"unsupported_grant_type":   {reply(400, json, `{"error":"unsupported_grant_type"}`), webauth.ReasonSetup},
		"an unknown error":         {reply(400, json, `{"error":"slow_down"}`), webauth.ReasonProvider},
		"an error that is no text": {reply(400, json, `{"error":{}}`), webauth.ReasonProvider},
		"500":                      {reply(500, json, `{}`), webauth.ReasonProvider},
		"503, HTML":                {reply(503, "text/html", "<html>"), webauth.ReasonProvider},
		"201":                      {reply(201, json, `{}`), webauth.ReasonProvider},
		"cut off":                  {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, webauth.ReasonProvider},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			query := s.begin(t, webauth.Request{})
			s.serve = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/token" {
					test.serve(w)
				}
				return r.URL.Path == "/token"
			}
			e := s.refused(t, query, test.want)
			assert.Equal(t, page, e.OwnURL())
			assert.Zero(t, s.count("/other"))
			assert.Equal(t, 1, s.count("/token"))
			hidesSecrets(t, s, fmt.Sprintf("%v %+v %#v %s", e, e, e, e.Message()))
		})
	}
}

func hidesSecrets(t *testing.T, s *site, text string) {
	t.Helper()
	for _, secret := range []string{"pass", "code-1", s.asked.Get("state"), string(s.secret)} {
		assert.NotContains(t, text, secret)
	}
}

func TestTokensThatAreNone(t *testing.T) {
	for name, edit := range map[string]func(object){
		"no access token":    func(o object) { delete(o, "access_token") },
		"a number as token":  func(o object) { o["access_token"] = 1 },
		"no token_type":      func(o object) { delete(o, "token_type") },
		"another token_type": func(o object) { o["token_type"] = "DPoP" },
		"no id_token":        func(o object) { delete(o, "id_token") },
		"id_token is null":   func(o object) { o["id_token"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.token = edit
			s.refused(t, s.begin(t, webauth.Request{}), webauth.ReasonProvider)
		})
	}
	s := newSite(t)
	s.token = func(o object) { o["token_type"], o["scope"], o["refresh_token"] = "bearer", "openid", "x" }
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
}

// An error of the provider's may repeat what it was sent.
func TestErrorsOfTheTokenEndpointAreNotBelieved(t *testing.T) {
	s := newSite(t)
	query := s.begin(t, webauth.Request{})
	s.token = func(o object) {
		o["error"], o["error_description"] = "invalid_client", "bad secret\n"+strings.Repeat("x", 1000)
	}
	e := s.refused(t, query, webauth.ReasonSetup)
	assert.Contains(t, e.Error(), "has expired")
	assert.NotContains(t, e.Error(), "xxx")
	assert.Less(t, len(e.Message()), 400)
}

func TestClientSecret(t *testing.T) {
	for name, test := range map[string]struct {
		methods any
		post    bool
	}{
		"nothing said":   {nil, false},
		"both":           {[]string{"client_secret_post", "client_secret_basic"}, false},
		"post alone":     {[]string{"private_key_jwt", "client_secret_post"}, true},
		"neither, basic": {[]string{"private_key_jwt"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.discovery = func(o object) { set(o, "token_endpoint_auth_methods_supported", test.methods) }
			_, err := s.answer(t, s.begin(t, webauth.Request{}))
			require.NoError(t, err)
			assert.Equal(t, test.post, s.header.Get("Authorization") == "")
			if test.post {
				assert.Equal(t, "pass/word+", s.form.Get("client_secret"))
				assert.Equal(t, clientID, s.form.Get("client_id"))
			}
		})
	}
}

// The secret is replaced while the site runs, and is gone for a while.
func TestClientSecretIsReadAgain(t *testing.T) {
	s := newSite(t)
	file := s.provider.ClientSecretFile
	require.NoError(t, os.WriteFile(file, []byte("another"), 0o600))
	_, err := s.answer(t, s.begin(t, webauth.Request{}))
	require.NoError(t, err)
	assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(clientID+":another")), s.header.Get("Authorization"))

	require.NoError(t, os.Remove(file))
	e := s.refused(t, s.begin(t, webauth.Request{})+"2", webauth.ReasonSetup)
	assert.Contains(t, e.Error(), file)
	assert.Equal(t, 1, s.count("/token"))
}

func keyFile(t testing.TB, key *rsa.PrivateKey, cert []byte) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if cert != nil {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	}
	return secretFile(t, string(text))
}

func certificate(t testing.TB, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return cert
}

func TestPrivateKeyJWT(t *testing.T) {
	key := testKeys()[1]
	cert := certificate(t, key)
	s := newSite(t, func(p *oidclogin.Provider) {
		p.ClientSecretFile, p.PrivateKeyFile, p.KeyID = "", keyFile(t, key, cert), "site-key"
	})
	seen := map[any]bool{}
	for i := range 2 {
		_, err := s.answer(t, s.begin(t, webauth.Request{})+strings.Repeat("x", i))
		require.NoError(t, err)
		assert.Empty(t, s.header.Get("Authorization"))
		assert.False(t, s.form.Has("client_secret"))
		assert.Equal(t, clientID, s.form.Get("client_id"))
		assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", s.form.Get("client_assertion_type"))

		part := strings.Split(s.form.Get("client_assertion"), ".")
		require.Len(t, part, 3)
		sig, err := base64.RawURLEncoding.DecodeString(part[2])
		require.NoError(t, err)
		sum := sha256.Sum256([]byte(part[0] + "." + part[1]))
		require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], sig))
		header, claims := decoded(t, part[0]), decoded(t, part[1])
		assert.Equal(t, "RS256", header["alg"])
		assert.Equal(t, "site-key", header["kid"])
		thumb := sha256.Sum256(cert)
		assert.Equal(t, b64(thumb[:]), header["x5t#S256"])
		assert.NotEmpty(t, header["x5t"])
		assert.Equal(t, clientID, claims["iss"])
		assert.Equal(t, clientID, claims["sub"])
		assert.Equal(t, s.url+"/token", claims["aud"])
		assert.InDelta(t, s.now.Add(time.Minute).Unix(), claims["exp"], 0)
		assert.InDelta(t, s.now.Unix(), claims["iat"], 0)
		assert.False(t, seen[claims["jti"]])
		seen[claims["jti"]] = true
	}
}

func decoded(t testing.TB, part string) (o object) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &o))
	return o
}

func TestPrivateKeyFilesThatAreRefused(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	key := testKeys()[0]
	whole, err := os.ReadFile(keyFile(t, key, nil))
	require.NoError(t, err)
	for name, test := range map[string]struct{ file, want string }{
		"missing":             {filepath.Join(t.TempDir(), "none"), "no such file"},
		"empty":               {secretFile(t, ""), "no RSA key"},
		"1024 bits":           {keyFile(t, small, nil), "1024 bits"},
		"two keys":            {secretFile(t, string(whole)+string(whole)), "more than one key"},
		"another's":           {keyFile(t, key, certificate(t, testKeys()[1])), "not of its key"},
		"a certificate alone": {secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}))), "no RSA key"},
		"encrypted":           {secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}))), "ENCRYPTED PRIVATE KEY"},
		"junk":                {secretFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &oidclogin.Provider{Issuer: "https://id.example", ClientID: clientID, PrivateKeyFile: test.file}
			require.ErrorContains(t, p.Check(), test.want)
			require.ErrorContains(t, p.Check(), test.file)
		})
	}
}
