package keys_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func TestValidKid(t *testing.T) {
	for kid, want := range map[string]bool{
		"1": true, "2": true, "901": true, "12345678": true, "10": true, "99999999": true,
		"": false, "0": false, "02": false, "123456789": false, "-1": false, "+1": false, " 2": false, "2 ": false,
		"2\n": false, "1a": false, "0x2": false, "٢": false, "../2": false, "2\x00": false, "1:2": false, "1/2": false,
	} {
		assert.Equal(t, want, keys.ValidKid(kid), "kid %q", kid)
	}
}

func TestNewRefuses(t *testing.T) {
	good := publicKey(t, "testRSA2048")
	for _, tc := range []struct {
		name   string
		kid    string
		pub    *rsa.PublicKey
		reason string
	}{
		{"kid with a leading zero", "02", good, `"02" is no key id`},
		{"no kid", "", good, `"" is no key id`},
		{"no key", "2", nil, "no modulus"},
		{"empty key", "2", &rsa.PublicKey{}, "no modulus"},
		{"negative modulus", "2", &rsa.PublicKey{N: new(big.Int).Neg(good.N), E: 65537}, "no modulus"},
		{"1023 bits", "2", &rsa.PublicKey{N: oddModulus(1023), E: 65537}, "has 1023 bits"},
		{"8193 bits", "2", &rsa.PublicKey{N: oddModulus(8193), E: 65537}, "has 8193 bits"},
		{"even modulus", "2", &rsa.PublicKey{N: new(big.Int).Lsh(good.N, 1), E: 65537}, "modulus is even"},
		{"exponent 1", "2", &rsa.PublicKey{N: good.N, E: 1}, "exponent 1 "},
		{"exponent 0", "2", &rsa.PublicKey{N: good.N, E: 0}, "exponent 0 "},
		{"negative exponent", "2", &rsa.PublicKey{N: good.N, E: -3}, "exponent -3 "},
		{"even exponent", "2", &rsa.PublicKey{N: good.N, E: 65536}, "exponent 65536 "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := keys.New(tc.kid, tc.pub)
			assert.ErrorContains(t, err, tc.reason)
			assert.Nil(t, key.Public())
		})
	}
}

func TestNewTakesTheLimits(t *testing.T) {
	for _, pub := range []*rsa.PublicKey{
		{N: oddModulus(1024), E: 3},
		{N: oddModulus(8192), E: 1<<31 - 1},
	} {
		key, err := keys.New("12345678", pub)
		require.NoError(t, err)
		assert.Equal(t, pub.N.BitLen(), key.Bits())
	}
}

func TestKeyCannotBeChanged(t *testing.T) {
	mine := publicKey(t, "testRSA2048")
	key := newKey(t, "5", mine)
	want := key.Fingerprints()

	mine.N.SetInt64(15)
	mine.E = 3
	out := key.Public()
	out.N.SetInt64(21)
	out.E = 5

	again := newKey(t, "5", key.Public())
	assert.Equal(t, want, again.Fingerprints())
	assert.Equal(t, 2048, key.Bits())
}

func TestEqual(t *testing.T) {
	a := newKey(t, "1", publicKey(t, "testRSA1024"))
	sameKey := newKey(t, "2", publicKey(t, "testRSA1024"))
	other := newKey(t, "1", publicKey(t, "testRSA2048"))
	assert.True(t, a.Equal(sameKey))
	assert.False(t, a.Equal(other))
	assert.False(t, a.Equal(keys.Key{}))
	assert.False(t, keys.Key{}.Equal(keys.Key{}), "no key equals no key")
}

func TestZeroKey(t *testing.T) {
	var key keys.Key
	assert.Error(t, key.VerifySHA1([20]byte{}, nil))
	assert.Nil(t, key.Public())
	assert.Zero(t, key.Bits())
	assert.False(t, key.Published())
	assert.Equal(t, "no key", key.String())
}

func TestString(t *testing.T) {
	key, _ := keys.Raven().Lookup("2")
	assert.Equal(t, "kid 2 (RSA-1024, SPKI SHA-256 813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd)",
		key.String())
}

func TestVerifySHA1(t *testing.T) {
	private := privateKey(t, "testRSA1024")
	key := newKey(t, "1", &private.PublicKey)
	digest := sha1.Sum([]byte("3!200!!20141110T164620Z"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA1, digest[:])
	require.NoError(t, err)
	require.NoError(t, key.VerifySHA1(digest, sig))

	flipped := append([]byte{}, sig...)
	flipped[0] ^= 1
	otherDigest := digest
	otherDigest[19] ^= 1
	sha256Sig, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, make([]byte, 32))
	require.NoError(t, err)
	for _, tc := range []struct {
		name   string
		digest [20]byte
		sig    []byte
	}{
		{"bit flipped", digest, flipped},
		{"other text", otherDigest, sig},
		{"zero before", digest, append([]byte{0}, sig...)},
		{"byte after", digest, append(append([]byte{}, sig...), 0)},
		{"byte missing", digest, sig[:len(sig)-1]},
		{"empty", digest, nil},
		{"modulus itself", digest, private.N.Bytes()},
		{"other hash", digest, sha256Sig},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.ErrorIs(t, key.VerifySHA1(tc.digest, tc.sig), rsa.ErrVerification)
		})
	}
	other := newKey(t, "1", publicKey(t, "testRSA2048"))
	assert.ErrorIs(t, other.VerifySHA1(digest, sig), rsa.ErrVerification)
}

// Whoever logs in waits for this, so that it must cost what the standard library's verification does and no more.
func TestVerifySHA1AllocatesNothingOfItsOwn(t *testing.T) {
	private := privateKey(t, "testRSA2048")
	key := newKey(t, "1", &private.PublicKey)
	digest := sha1.Sum([]byte("text"))
	sig, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA1, digest[:])
	require.NoError(t, err)

	bare := testing.AllocsPerRun(20, func() { err = rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA1, digest[:], sig) })
	require.NoError(t, err)
	ours := testing.AllocsPerRun(20, func() { err = key.VerifySHA1(digest, sig) })
	require.NoError(t, err)
	assert.Equal(t, bare, ours)
}

func BenchmarkVerifySHA1(b *testing.B) {
	for _, name := range []string{"testRSA1024", "testRSA2048", "testRSA4096"} {
		private := privateKey(b, name)
		key := newKey(b, "1", &private.PublicKey)
		digest := sha1.Sum([]byte("text"))
		sig, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA1, digest[:])
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := key.VerifySHA1(digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
