package testkeys_test

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
)

func TestKeysAreThoseOfTheRFC(t *testing.T) {
	for _, tc := range []struct {
		name string
		key  *rsa.PrivateKey
		bits int
		spki string
	}{
		{"testRSA1024", testkeys.RSA1024(), 1024, "9a9e5b0f404f4e2d4386e38b04ac91e535946dc2a7f8d84a31404b476e5c35e1"},
		{"testRSA2048", testkeys.RSA2048(), 2048, "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878"},
		{"testRSA4096", testkeys.RSA4096(), 4096, "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.NoError(t, tc.key.Validate())
			assert.Equal(t, tc.bits, tc.key.N.BitLen())
			der, err := x509.MarshalPKIXPublicKey(&tc.key.PublicKey)
			require.NoError(t, err)
			sum := sha256.Sum256(der)
			assert.Equal(t, tc.spki, hex.EncodeToString(sum[:]))
			assert.True(t, keys.IsPublished(&tc.key.PublicKey), "a key that anybody can sign with must be known as such")
		})
	}
}
