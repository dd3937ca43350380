package oidclogin

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// signingAlg is the one algorithm that is accepted, and used.
const signingAlg = "RS256"

const (
	minKeyBits = 2048 // RFC 7518 section 3.3
	maxKeyBits = 8192 // larger ones cost too much time
)

// keySet holds the provider's keys that verify RS256, by kid. Two keys may have the same one.
type keySet map[string][]*rsa.PublicKey

// jsonKey is one key of a set (RFC 7517 section 4, RFC 7518 section 6.3).
type jsonKey struct {
	Type string   `json:"kty"`
	Use  string   `json:"use"`
	Ops  []string `json:"key_ops"`
	Alg  string   `json:"alg"`
	ID   string   `json:"kid"`
	N    string   `json:"n"`
	E    string   `json:"e"`
}

// public returns the key if it is one for verifying RS256.
func (k *jsonKey) public() (*rsa.PublicKey, bool) {
	switch {
	case k.Type != "RSA", k.Use != "" && k.Use != "sig", k.Alg != "" && k.Alg != signingAlg:
		return nil, false
	case k.Ops != nil && !slices.Contains(k.Ops, "verify"):
		return nil, false
	}
	n, err := base64.RawURLEncoding.DecodeString(k.N)
	e, err2 := base64.RawURLEncoding.DecodeString(k.E)
	if err != nil || err2 != nil || len(e) == 0 || len(e) > 4 || len(n) > maxKeyBits/8 {
		return nil, false
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if key.N.BitLen() < minKeyBits || key.E < 3 || key.E%2 == 0 || key.E > 1<<31-1 {
		return nil, false
	}
	return key, true
}

func (p *Provider) fetchKeys(from string) func(context.Context) (keySet, error) {
	return func(ctx context.Context) (keySet, error) {
		var set struct {
			Keys []jsonKey `json:"keys"`
		}
		if err := p.getJSON(ctx, from, &set); err != nil {
			return nil, err
		}
		found := keySet{}
		for _, k := range set.Keys {
			if key, ok := k.public(); ok {
				found[k.ID] = append(found[k.ID], key)
			}
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: it has no RSA key of %d bits or more for signatures", from, minKeyBits)
		}
		return found, nil
	}
}

// under returns the keys of a kid. A token without one is for the only key there is.
func (s keySet) under(kid string) []*rsa.PublicKey {
	if kid != "" || len(s) > 1 {
		return s[kid]
	}
	for _, only := range s {
		return only
	}
	return nil
}

// verifySignature returns the payload of a token that the provider signed. Where no key fits, the
// keys are fetched anew: there may be new ones, under new names or old ones. Errors are each a
// [*webauth.Error].
func (p *Provider) verifySignature(ctx context.Context, now func() time.Time, m *metadata, jws *jose.JSONWebSignature) (payload []byte, err error) {
	kid := jws.Signatures[0].Header.KeyID
	verifies := func(s keySet) bool {
		for _, key := range s.under(kid) {
			if signed, err := jws.Verify(key); err == nil {
				payload = signed
				return true
			}
		}
		return false
	}
	set, err := p.keys.get(ctx, now, verifies, p.fetchKeys(m.Keys))
	switch {
	case err != nil:
		return nil, refusef(webauth.ReasonProvider, "the provider's keys: %w", err)
	case payload != nil:
		return payload, nil
	case len(set.under(kid)) == 0:
		return nil, refusef(webauth.ReasonUnknownKey, "kid %+.100q is no key of the provider's for %s signatures of %d bits or more", kid, signingAlg, minKeyBits)
	}
	return nil, refusef(webauth.ReasonSignature, "the signature does not verify under the provider's key")
}
