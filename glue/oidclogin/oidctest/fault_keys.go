package oidctest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Faults of the keys that the provider lists. They are of no one login: use Always.
const (
	// FaultKeysDown answers status 503 with what it should, FaultKeysClosed closes the connection, FaultKeysSlow waits
	// for Config.SlowFor, FaultKeysHTML answers a page, FaultKeysGarbage half of what it
	// should, FaultKeysHuge 64 MiB. FaultKeysRedirect sends the site to where the keys are.
	FaultKeysDown     Fault = "keys-down"
	FaultKeysClosed   Fault = "keys-closed"
	FaultKeysSlow     Fault = "keys-slow"
	FaultKeysHTML     Fault = "keys-html"
	FaultKeysGarbage  Fault = "keys-garbage"
	FaultKeysHuge     Fault = "keys-huge"
	FaultKeysRedirect Fault = "keys-redirect"
	// FaultKeysEmpty lists none.
	FaultKeysEmpty Fault = "keys-empty"
	// FaultKeysOther lists keys of other kinds beside the right one, as providers may.
	FaultKeysOther Fault = "keys-other"
	// FaultKeysMany lists 2,000 keys before the right one.
	FaultKeysMany Fault = "keys-many"
	// FaultKeyEncryption lists the key for encryption, FaultKeyOps for that by key_ops,
	// FaultKeyAlg for RS512.
	FaultKeyEncryption Fault = "key-encryption"
	FaultKeyOps        Fault = "key-ops"
	FaultKeyAlg        Fault = "key-alg"
	// FaultKeyType lists the key as a symmetric one, FaultKeyHuge one of 16,384 bits in its
	// place.
	FaultKeyType Fault = "key-type"
	FaultKeyHuge Fault = "key-huge"
	// FaultKey1024 lists and uses a key of 1024 bits; FaultKeyExponent lists the key with the
	// exponent 1, with which anybody can sign, and does.
	FaultKey1024     Fault = "key-1024"
	FaultKeyExponent Fault = "key-exponent"
	// FaultKeySymmetric lists a symmetric key, and signs by HMAC with it.
	FaultKeySymmetric Fault = "key-symmetric"
)

var keyFaults = append(
	outages(EndpointKeys, FaultKeysDown, FaultKeysClosed, FaultKeysSlow, FaultKeysHTML, FaultKeysGarbage, FaultKeysHuge, FaultKeysRedirect),
	named{FaultKeysEmpty, field(EndpointKeys, "keys", []any{})},
	named{FaultKeysOther, keySet(func(keys []map[string]any) []map[string]any {
		return append([]map[string]any{
			{"kty": "OKP", "crv": "X25519", "use": "enc", "kid": "okp", "x": b64(make([]byte, 32))},
			{"kty": "XYZ", "kid": "unheard-of"},
			{"kty": "RSA", "kid": "broken"},
		}, keys...)
	})},
	named{FaultKeysMany, keySet(func(keys []map[string]any) []map[string]any {
		var many []map[string]any
		for i := range 2000 {
			many = append(many, jwk(fmt.Sprintf("many-%d", i), &foreignKey().PublicKey))
		}
		return append(many, keys...)
	})},
	named{FaultKeyEncryption, eachKey("use", "enc")},
	named{FaultKeyOps, eachKey("key_ops", []string{"encrypt", "wrapKey"})},
	named{FaultKeyAlg, eachKey("alg", "RS512")},
	named{FaultKeyType, eachKey("kty", "oct")},
	named{FaultKeyHuge, eachKey("n", b64(bytes.Repeat([]byte{0xff}, 2048)))},
	named{FaultKey1024, func() effect {
		ef := replaced(func(kid string, _ map[string]any) map[string]any { return jwk(kid, &smallKey().PublicKey) })
		ef.sign = func(_ *Provider, h map[string]any, payload []byte) string { return compact(smallKey(), h, payload) }
		return ef
	}()},
	named{FaultKeyExponent, func() effect {
		ef := eachKey("e", "AQ")
		ef.sign = signedBy("RS256", func(p *Provider, signed string) []byte {
			_, key := p.signer.current()
			return encoded(signed, key.Size()) // to the power of 1, it is itself
		}).sign
		return ef
	}()},
	named{FaultKeySymmetric, func() effect {
		secret := []byte("a symmetric key that anybody can read")
		ef := replaced(func(kid string, _ map[string]any) map[string]any {
			return map[string]any{"kty": "oct", "use": "sig", "alg": "HS256", "kid": kid, "k": b64(secret)}
		})
		ef.sign = signedBy("HS256", func(_ *Provider, signed string) []byte { return hmacOf(secret, signed) }).sign
		return ef
	}()},
)

// keySet changes the list of keys.
func keySet(edit func([]map[string]any) []map[string]any) effect {
	return effect{at: EndpointKeys, document: func(_ *Provider, document map[string]any) {
		document["keys"] = edit(document["keys"].([]map[string]any))
	}}
}

// replaced lists another key under each kid.
func replaced(by func(kid string, key map[string]any) map[string]any) effect {
	return keySet(func(keys []map[string]any) []map[string]any {
		for i, k := range keys {
			keys[i] = by(k["kid"].(string), k)
		}
		return keys
	})
}

// eachKey sets a member of each key.
func eachKey(name string, value any) effect {
	return replaced(func(_ string, key map[string]any) map[string]any {
		key[name] = value
		return key
	})
}

// encoded is what RS256 raises to the private exponent (RFC 8017, section 9.2).
func encoded(signed string, size int) []byte {
	sum := sha256.Sum256([]byte(signed))
	info := []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
	tail := append(append([]byte{0}, info...), sum[:]...)
	return append(append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-2-len(tail))...), tail...)
}

// smallKey has 1024 bits. Package rsa makes none, so it is put together here.
var smallKey = sync.OnceValue(func() *rsa.PrivateKey {
	e := big.NewInt(65537)
	for {
		p, err := rand.Prime(rand.Reader, 512)
		must(err)
		q, err := rand.Prime(rand.Reader, 512)
		must(err)
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		n, d := new(big.Int).Mul(p, q), new(big.Int).ModInverse(e, phi)
		if d == nil || n.BitLen() != 1024 {
			continue
		}
		return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
	}
})

// foreignCertificate is one of foreignKey, in DER.
var foreignCertificate = sync.OnceValue(func() []byte {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "foreign"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &foreignKey().PublicKey, foreignKey())
	must(err)
	return der
})

// field sets a member of what an endpoint answers; nil takes it away.
func field(at Endpoint, name string, value any) effect {
	return effect{at: at, document: func(_ *Provider, document map[string]any) { merge(document, map[string]any{name: value}) }}
}
