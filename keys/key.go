package keys

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Sizes of a modulus, in bits. Raven's own key has the least, below which crypto/rsa refuses too; the most is the limit
// that crypto/tls sets, beyond which a signature is too expensive to verify.
const (
	minBits = 1024
	maxBits = 8192
)

// Key is one public key of a WLS under its kid. It is a value that cannot be changed. The zero Key verifies nothing.
//
// Compare keys with [Key.Equal], not with ==.
type Key struct {
	kid       string
	pub       *rsa.PublicKey // never handed out
	prints    Fingerprints
	published bool
	source    string
}

// New returns a key with a copy of pub. It refuses a kid that is not [ValidKid], a modulus that is even or not of 1024
// to 8192 bits, and an exponent that is even, below 3 or above 2^31-1.
func New(kid string, pub *rsa.PublicKey) (Key, error) {
	key, err := newKey(kid, pub)
	if err != nil {
		return Key{}, fmt.Errorf("keys: %w", err)
	}
	return key, nil
}

func newKey(kid string, pub *rsa.PublicKey) (Key, error) {
	if !ValidKid(kid) {
		return Key{}, fmt.Errorf("%.20q is no key id: it has 1 to 8 digits and no leading zero", kid)
	}
	if err := checkPublic(pub); err != nil {
		return Key{}, err
	}
	prints, err := fingerprints(pub)
	if err != nil {
		return Key{}, err
	}
	return Key{kid: kid, pub: clone(pub), prints: prints, published: IsPublished(pub)}, nil
}

func checkPublic(pub *rsa.PublicKey) error {
	if pub == nil || pub.N == nil || pub.N.Sign() <= 0 {
		return errors.New("the key has no modulus")
	}
	switch bits := pub.N.BitLen(); {
	case bits < minBits:
		return fmt.Errorf("the key has %d bits: at least %d are needed", bits, minBits)
	case bits > maxBits:
		return fmt.Errorf("the key has %d bits: at most %d are taken", bits, maxBits)
	case pub.N.Bit(0) == 0:
		return errors.New("the key's modulus is even: it is no RSA key")
	case pub.E < 3 || pub.E%2 == 0 || pub.E > math.MaxInt32:
		return fmt.Errorf("the key's exponent %d is not an odd number from 3 to 2^31-1", pub.E)
	}
	return nil
}

func clone(pub *rsa.PublicKey) *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Set(pub.N), E: pub.E}
}

// ValidKid reports whether kid is a key id that responses may have: 1 to 8 digits, the first not 0
// (WAA2WLS, "Authentication response").
func ValidKid(kid string) bool {
	if len(kid) < 1 || len(kid) > 8 || kid[0] == '0' {
		return false
	}
	for i := range len(kid) {
		if kid[i] < '0' || kid[i] > '9' {
			return false
		}
	}
	return true
}

// Kid returns the key's id.
func (k Key) Kid() string { return k.kid }

// Public returns a copy of the public key, nil of the zero Key.
func (k Key) Public() *rsa.PublicKey {
	if k.pub == nil {
		return nil
	}
	return clone(k.pub)
}

// Bits returns the size of the key's modulus in bits.
func (k Key) Bits() int {
	if k.pub == nil {
		return 0
	}
	return k.pub.N.BitLen()
}

// Source returns where the key came from: the path of a file as it was named, "bundled", or "" for a key that the
// program made itself.
func (k Key) Source() string { return k.source }

// Published reports whether the private half of the key is public knowledge, so that anybody can sign with it, as
// [IsPublished] does. The result was computed when the key was made.
func (k Key) Published() bool { return k.published }

// Fingerprints returns the key's fingerprints, to be compared by people.
func (k Key) Fingerprints() Fingerprints { return k.prints }

// Equal reports whether both are the same public key, whatever their kids and sources. The zero Key equals none.
func (k Key) Equal(other Key) bool {
	return k.pub != nil && other.pub != nil && k.pub.Equal(other.pub)
}

// String describes the key for logs and error texts.
func (k Key) String() string {
	if k.pub == nil {
		return "no key"
	}
	return fmt.Sprintf("kid %s (RSA-%d, SPKI SHA-256 %s)", k.kid, k.Bits(), k.prints.SPKI)
}

// VerifySHA1 checks an RSASSA-PKCS1-v1_5 signature of a SHA-1 digest, the only kind that the protocol has
// (WAA2WLS, "Authentication response"). The signature must be exactly as long as the modulus. The error is that of
// [rsa.VerifyPKCS1v15]: [rsa.ErrVerification] for a signature that does not fit.
func (k Key) VerifySHA1(digest [20]byte, sig []byte) error {
	if k.pub == nil {
		return errors.New("keys: the zero Key verifies nothing")
	}
	return rsa.VerifyPKCS1v15(k.pub, crypto.SHA1, digest[:], sig)
}
