package keys_test

import (
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func known(t *testing.T, name string) keys.KnownKey {
	t.Helper()
	for _, k := range keys.Known() {
		if k.Name == name {
			return k
		}
	}
	require.Fail(t, "not known", name)
	return keys.KnownKey{}
}

func TestKnownKeysThatWeHoldHaveTheirFigures(t *testing.T) {
	raven, _ := keys.Raven().Lookup("2")
	demo, _ := keys.RavenDemo().Lookup("901")
	for name, key := range map[string]keys.Key{
		"raven":       raven,
		"raven-demo":  demo,
		"testRSA1024": newKey(t, "1", publicKey(t, "testRSA1024")),
		"testRSA2048": newKey(t, "1", publicKey(t, "testRSA2048")),
		"testRSA4096": newKey(t, "1", publicKey(t, "testRSA4096")),
	} {
		t.Run(name, func(t *testing.T) {
			k := known(t, name)
			assert.Equal(t, key.Fingerprints().SPKI, k.Fingerprints.SPKI)
			assert.Equal(t, key.Fingerprints().PKCS1, k.Fingerprints.PKCS1)
			assert.Equal(t, key.Bits(), k.Bits)
			assert.Equal(t, key.Published(), k.Published)
			assert.Equal(t, key.Source() == "bundled", k.Bundled)
			if k.Bundled {
				assert.Equal(t, key.Kid(), k.Kid)
			}
		})
	}
}

func TestNevarIsKnownAndNotTrusted(t *testing.T) {
	assert.Equal(t, keys.KnownKey{
		Name: "nevar", Service: "SRCF Nevar", Bits: 4096,
		Fingerprints: keys.Fingerprints{
			SPKI:        "1040a024c8f44acf0419dad965e56c64b2d070c818cdcbfea59fbdc5ba368f20",
			PKCS1:       "abab1c2292c031498ef2e1e2101d7ea070e26682653c2a70b67c878e60a02efe",
			Certificate: "33e0c78a0cd89cbe0d35650ec37175ead700940e52fed51266b8137cb69f4747",
		},
		Note: known(t, "nevar").Note,
	}, known(t, "nevar"))
}

func TestKnownNamesAndFingerprintsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range keys.Known() {
		for _, s := range []string{k.Name, k.Service, k.Fingerprints.SPKI, k.Fingerprints.PKCS1, k.Fingerprints.Certificate} {
			assert.False(t, s != "" && seen[s], "%q appears twice", s)
			seen[s] = true
		}
	}
}

func TestKnownCannotBeChanged(t *testing.T) {
	for i := range keys.Known() {
		keys.Known()[i].Published = false
	}
	assert.True(t, keys.RavenDemo().Keys()[0].Published())
	assert.True(t, keys.IsPublished(publicKey(t, "testRSA2048")))
}

func TestIsPublished(t *testing.T) {
	demo := keys.RavenDemo().Keys()[0].Public()
	neighbour := &rsa.PublicKey{N: new(big.Int).Add(demo.N, big.NewInt(2)), E: demo.E}
	for _, tc := range []struct {
		name string
		pub  *rsa.PublicKey
		want bool
	}{
		{"Raven demo", demo, true},
		{"Raven demo with another exponent", &rsa.PublicKey{N: demo.N, E: 3}, true},
		{"testRSA1024", publicKey(t, "testRSA1024"), true},
		{"testRSA2048", publicKey(t, "testRSA2048"), true},
		{"testRSA4096", publicKey(t, "testRSA4096"), true},
		{"Raven", keys.Raven().Keys()[0].Public(), false},
		{"almost Raven demo", neighbour, false},
		{"nil", nil, false},
		{"empty", &rsa.PublicKey{}, false},
		{"negative", &rsa.PublicKey{N: new(big.Int).Neg(demo.N), E: demo.E}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, keys.IsPublished(tc.pub))
		})
	}
}

func TestPublishedKeyIsKnownUnderAnyNameAndForm(t *testing.T) {
	dir := t.TempDir()
	demo := keys.RavenDemo().Keys()[0].Public()
	for path, what := range map[string]string{
		write(t, dir, "pubkey2", pkcs1PEM(demo)):                               "Raven demo as pubkey2, PKCS #1",
		write(t, dir, "pubkey3", pkixPEM(t, demo)):                             "Raven demo as pubkey3, PKIX",
		write(t, dir, "pubkey4.crt", certPEM(t, privateKey(t, "testRSA2048"))): "RFC 9500 key as pubkey4.crt",
	} {
		key, err := keys.LoadFile(path)
		require.NoError(t, err)
		assert.True(t, key.Published(), what)
	}
}
