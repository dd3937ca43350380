package oidctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// signer holds the key in use and those whose public halves the JWKS lists. It is safe for
// concurrent use.
type signer struct {
	mu   sync.RWMutex
	made int
	kid  string
	key  *rsa.PrivateKey
	set  []map[string]any // the JWKS, newest first
}

func newSigner(key *rsa.PrivateKey) *signer {
	s := &signer{}
	s.use(key, false)
	return s
}

func (s *signer) use(key *rsa.PrivateKey, keepOld bool) (kid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.kid, s.key = fmt.Sprintf("key-%d", s.made), key
	set := []map[string]any{jwk(s.kid, &key.PublicKey)}
	if keepOld {
		set = append(set, s.set...)
	}
	s.set = set
	return s.kid
}

func (s *signer) current() (kid string, key *rsa.PrivateKey) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kid, s.key
}

// jwks returns the keys that the provider lists. It is the caller's to change.
func (s *signer) jwks() []map[string]any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []map[string]any
	for _, k := range s.set {
		c := make(map[string]any)
		for name, v := range k {
			c[name] = v
		}
		all = append(all, c)
	}
	return all
}

// jwk is a public key in the form of RFC 7517.
func jwk(kid string, key *rsa.PublicKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// compact signs a payload by RS256 (RFC 7515, section 7.1).
func compact(key *rsa.PrivateKey, header map[string]any, payload []byte) string {
	h, err := json.Marshal(header)
	must(err)
	signed := b64(h) + "." + b64(payload)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	must(err)
	return signed + "." + b64(sig)
}

// RotateKey makes a new RSA-2048 key on the spot, with a new kid, and signs with it from
// now on. keepOld says whether the keys that sites can fetch still hold the earlier ones.
// ID tokens already sent stay signed with theirs.
func (p *Provider) RotateKey(keepOld bool) (kid string) { return p.signer.use(newKey(), keepOld) }

// Sign signs a JWT with the provider's key; header replaces and adds to "alg", "typ" and
// "kid". It is for tokens that a test makes up itself.
func (p *Provider) Sign(header, claims map[string]any) string {
	kid, key := p.signer.current()
	h := map[string]any{"alg": "RS256", "typ": "JWT", "kid": kid}
	merge(h, header)
	payload, err := json.Marshal(claims)
	must(err)
	return compact(key, h, payload)
}

// merge adds to m what more has; nil takes away.
func merge(m, more map[string]any) {
	for name, v := range more {
		if v == nil {
			delete(m, name)
			continue
		}
		m[name] = v
	}
}

// newKey makes an RSA-2048 key.
func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err) // not reached: the system's random source never fails
	return key
}

// firstKey is the key of providers that were given none, made when the first needs it.
var firstKey = sync.OnceValue(newKey)
