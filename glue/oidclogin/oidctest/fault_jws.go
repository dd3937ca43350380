package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"sync"
)

// Faults of how ID tokens, and logout tokens, are signed.
const (
	// FaultAlgNone is not signed at all, and says so; FaultAlgNoneCase writes that in another
	// way.
	FaultAlgNone     Fault = "alg-none"
	FaultAlgNoneCase Fault = "alg-none-case"
	FaultAlgMissing  Fault = "alg-missing"
	// FaultAlgHS256Key is signed by HMAC with the public key, which anybody knows.
	FaultAlgHS256Key Fault = "alg-hs256-key"
	// FaultAlgHS256Secret is signed by HMAC with the site's secret.
	FaultAlgHS256Secret Fault = "alg-hs256-secret"
	// FaultAlgES256, FaultAlgRS512 and FaultAlgPS256 are right in other ways than RS256, by a
	// key that the provider lists.
	FaultAlgES256 Fault = "alg-es256"
	FaultAlgRS512 Fault = "alg-rs512"
	FaultAlgPS256 Fault = "alg-ps256"
	FaultAlgCase  Fault = "alg-case"

	FaultSignatureMissing Fault = "signature-missing"
	// FaultSignatureAltered changes a letter of the signature, FaultPayloadAltered the
	// subject after signing.
	FaultSignatureAltered Fault = "signature-altered"
	FaultPayloadAltered   Fault = "payload-altered"
	// FaultForeignKey is signed by a key that the provider does not list, under the kid of
	// the one that it does.
	FaultForeignKey Fault = "foreign-key"

	FaultKidMissing Fault = "kid-missing"
	// FaultKidUnknown is signed by a key that the provider does not list, under a kid of its
	// own; FaultKidRandom under another kid each time.
	FaultKidUnknown Fault = "kid-unknown"
	FaultKidRandom  Fault = "kid-random"
	// FaultKidTwice lists a key that is not the provider's under the same kid, before the
	// right one; the ID token is right.
	FaultKidTwice Fault = "kid-twice"

	// FaultJWKHeader, FaultJKUHeader, FaultX5CHeader and FaultX5UHeader are signed by a key
	// that the token itself brings, or says where to get.
	FaultJWKHeader Fault = "jwk-header"
	FaultJKUHeader Fault = "jku-header"
	FaultX5CHeader Fault = "x5c-header"
	FaultX5UHeader Fault = "x5u-header"
	// FaultCritHeader demands an extension that nobody knows, FaultB64Header the one of RFC
	// 7797, and does not use it.
	FaultCritHeader Fault = "crit-header"
	FaultB64Header  Fault = "b64-header"
	// FaultTypAccessToken and FaultTypLogoutToken say that the ID token is another kind of
	// token.
	FaultTypAccessToken Fault = "typ-access-token"
	FaultTypLogoutToken Fault = "typ-logout-token"

	// FaultJWE has the shape of an encrypted token, FaultJWSJSON is in the JSON
	// serialization.
	FaultJWE       Fault = "jwe"
	FaultJWSJSON   Fault = "jws-json"
	FaultTwoParts  Fault = "two-parts"
	FaultFourParts Fault = "four-parts"
	FaultPadded    Fault = "padded"
	FaultBlank     Fault = "blank"
)

var jwsFaults = []named{
	{FaultAlgNone, unsigned("none")},
	{FaultAlgNoneCase, unsigned("nOnE")},
	{FaultAlgMissing, headers("alg", nil)},
	{FaultAlgHS256Key, signedBy("HS256", func(p *Provider, signed string) []byte {
		_, key := p.signer.current()
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		must(err)
		return hmacOf(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), signed)
	})},
	{FaultAlgHS256Secret, signedBy("HS256", func(_ *Provider, signed string) []byte { return hmacOf([]byte(ClientSecret), signed) })},
	{FaultAlgES256, func() effect {
		ef := signedBy("ES256", func(_ *Provider, signed string) []byte {
			sum := sha256.Sum256([]byte(signed))
			r, s, err := ecdsa.Sign(rand.Reader, ecKey(), sum[:])
			must(err)
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		})
		ef.at = EndpointKeys
		ef.document = func(_ *Provider, document map[string]any) {
			point, err := ecKey().PublicKey.Bytes()
			must(err)
			document["keys"] = append(document["keys"].([]map[string]any), map[string]any{
				"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "ec", "x": b64(point[1:33]), "y": b64(point[33:]),
			})
		}
		ef.header = func(_ *Provider, h map[string]any) { h["kid"] = "ec" }
		return ef
	}()},
	{FaultAlgRS512, signedBy("RS512", func(p *Provider, signed string) []byte {
		_, key := p.signer.current()
		sum := sha512.Sum512([]byte(signed))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA512, sum[:])
		must(err)
		return sig
	})},
	{FaultAlgPS256, signedBy("PS256", func(p *Provider, signed string) []byte {
		_, key := p.signer.current()
		sum := sha256.Sum256([]byte(signed))
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		must(err)
		return sig
	})},
	{FaultAlgCase, headers("alg", "rs256")},
	{FaultSignatureMissing, jwt(func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] })},
	{FaultSignatureAltered, jwt(func(s string) string {
		i := strings.LastIndexByte(s, '.') + 1
		return s[:i] + otherLetter(s[i]) + s[i+1:]
	})},
	{FaultPayloadAltered, jwt(func(s string) string {
		parts := strings.Split(s, ".")
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		must(err)
		parts[1] = b64([]byte(strings.Replace(string(text), `"sub":"test`, `"sub":"tesT`, 1)))
		return strings.Join(parts, ".")
	})},
	{FaultForeignKey, foreign(nil)},
	{FaultKidMissing, headers("kid", nil)},
	{FaultKidUnknown, foreign(func(h map[string]any) { h["kid"] = "unknown" })},
	{FaultKidRandom, foreign(func(h map[string]any) { h["kid"] = rand.Text() })},
	{FaultKidTwice, effect{at: EndpointKeys, document: func(_ *Provider, document map[string]any) {
		keys := document["keys"].([]map[string]any)
		document["keys"] = append([]map[string]any{jwk(keys[0]["kid"].(string), &foreignKey().PublicKey)}, keys...)
	}}},
	{FaultJWKHeader, foreign(func(h map[string]any) { h["jwk"] = jwk("own", &foreignKey().PublicKey) })},
	{FaultJKUHeader, foreign(func(h map[string]any) { h["jku"] = "https://evil.example/keys" })},
	{FaultX5CHeader, foreign(func(h map[string]any) {
		h["x5c"] = []string{base64.StdEncoding.EncodeToString(foreignCertificate())}
	})},
	{FaultX5UHeader, foreign(func(h map[string]any) { h["x5u"] = "https://evil.example/key.pem" })},
	{FaultCritHeader, effect{header: func(_ *Provider, h map[string]any) { h["crit"], h["unheard-of"] = []string{"unheard-of"}, true }}},
	{FaultB64Header, effect{header: func(_ *Provider, h map[string]any) { h["crit"], h["b64"] = []string{"b64"}, false }}},
	{FaultTypAccessToken, headers("typ", "at+jwt")},
	{FaultTypLogoutToken, headers("typ", "logout+jwt")},
	{FaultJWE, jwt(func(s string) string {
		return b64([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}`)) + ".a2V5.aXY." + b64([]byte(s)) + ".dGFn"
	})},
	{FaultJWSJSON, jwt(func(s string) string {
		parts := strings.Split(s, ".")
		text, err := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
		must(err)
		return string(text)
	})},
	{FaultTwoParts, jwt(func(s string) string { return s[:strings.LastIndexByte(s, '.')] })},
	{FaultFourParts, jwt(func(s string) string { return s + ".e30" })},
	{FaultPadded, jwt(func(s string) string { return s + "==" })},
	{FaultBlank, jwt(func(s string) string { return " " + s + "\n" })},
}

// headers sets a member of the JOSE header; nil takes it away.
func headers(name string, value any) effect {
	return effect{header: func(_ *Provider, h map[string]any) { merge(h, map[string]any{name: value}) }}
}

// jwt changes what is signed already.
func jwt(edit func(string) string) effect { return effect{jwt: edit} }

// unsigned has no signature.
func unsigned(alg string) effect {
	return signedBy(alg, func(*Provider, string) []byte { return nil })
}

// signedBy signs by another algorithm.
func signedBy(alg string, sign func(p *Provider, signed string) []byte) effect {
	return effect{sign: func(p *Provider, header map[string]any, payload []byte) string {
		header["alg"] = alg
		h, err := json.Marshal(header)
		must(err)
		signed := b64(h) + "." + b64(payload)
		return signed + "." + b64(sign(p, signed))
	}}
}

// foreign signs by a key that the provider does not list.
func foreign(header func(map[string]any)) effect {
	return effect{sign: func(_ *Provider, h map[string]any, payload []byte) string {
		if header != nil {
			header(h)
		}
		return compact(foreignKey(), h, payload)
	}}
}

func hmacOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// otherLetter is another letter of base64, so that the form stays right.
func otherLetter(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

// Keys that no provider lists unless a fault says so, made when the first test needs them.
var (
	foreignKey = sync.OnceValue(newKey)
	ecKey      = sync.OnceValue(func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return key
	})
)
