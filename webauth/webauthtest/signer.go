package webauthtest

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strconv"
	"sync"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// DefaultKid is the kid of the fake's first key.
const DefaultKid = "501"

// unknownKid names no key of the fake, ever.
const unknownKid = "99999999"

// signer holds the key in use and the public keys that sites are told to trust. It is
// a webauth.KeySource, safe for concurrent use, whose keys follow each rotation.
type signer struct {
	mu      sync.RWMutex
	kid     string
	key     *rsa.PrivateKey
	trusted *keys.Set
}

func newSigner(kid string, key *rsa.PrivateKey) (*signer, error) {
	s := &signer{}
	return s, s.use(kid, key, nil)
}

// use signs with key from now on and trusts it beside old. The caller holds s.mu, or s
// is not shared yet.
func (s *signer) use(kid string, key *rsa.PrivateKey, old []keys.Key) error {
	if kid == unknownKid {
		return fmt.Errorf("webauthtest: kid %s is kept for FaultUnknownKid", unknownKid)
	}
	public, err := keys.New(kid, &key.PublicKey)
	if err != nil {
		return fmt.Errorf("webauthtest: the signing key: %v", err)
	}
	set, err := keys.NewSet(append(old, public)...)
	if err != nil {
		return fmt.Errorf("webauthtest: the signing key: %v", err)
	}
	s.kid, s.key, s.trusted = kid, key, set
	return nil
}

// Lookup returns the key trusted now under kid.
func (s *signer) Lookup(kid string) (keys.Key, bool) { return s.set().Lookup(kid) }

// Keys returns every key trusted now.
func (s *signer) Keys() []keys.Key { return s.set().Keys() }

func (s *signer) set() *keys.Set {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.trusted
}

// Key returns the key that the fake signs with now and its kid, for responses that a test
// makes itself with package wls.
func (w *WLS) Key() (kid string, key *rsa.PrivateKey) {
	w.signer.mu.RLock()
	defer w.signer.mu.RUnlock()
	return w.signer.kid, w.signer.key
}

// RotateKey makes a new RSA-2048 key on the spot, with the next higher kid, and signs
// with it from now on. Keys of Service follow at once; keepOld says whether they still
// hold the earlier ones. Responses already sent stay signed with theirs. It panics if
// the new kid would be out of range.
func (w *WLS) RotateKey(keepOld bool) (kid string) {
	key := newKey() // slow, so before the lock
	s := w.signer
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(s.kid)
	fakelogin.Must(err) // not reached: kids are numbers, as keys.New has seen to
	var old []keys.Key
	if keepOld {
		old = s.trusted.Keys()
	}
	kid = strconv.Itoa(n + 1)
	fakelogin.Must(s.use(kid, key, old))
	return kid
}

// newKey makes an RSA-2048 key.
func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	fakelogin.Must(err) // not reached: the system's random source never fails
	return key
}

// foreignKey is a key that no set holds, made when the first test needs it.
var foreignKey = sync.OnceValue(newKey)
