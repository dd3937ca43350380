package keys

import (
	"crypto/rsa"
	"math/big"
)

// KnownKey describes a key, whether or not it is trusted anywhere: enough to recognise it in a file.
type KnownKey struct {
	// Name is short and unique: "raven", "raven-demo", "nevar", and the names of RFC 9500 for its test keys.
	Name string
	// Service is the name for people; a test key belongs to none and has that of its RFC.
	Service string
	// Kid is empty where none is published.
	Kid string
	// Bits is the size of the modulus.
	Bits int
	// Fingerprints holds the one of a certificate too, where the service has published one.
	Fingerprints Fingerprints
	// Bundled reports whether the key itself comes with this package.
	Bundled bool
	// Published reports whether the private half is public: see [IsPublished].
	Published bool
	// Note says where the key is published, or was seen.
	Note string
}

// Known returns the keys that this package recognises by their fingerprints. To recognise a key
// is not to trust it: SRCF Nevar's was seen in the public source of one site that relies on it,
// in a self-signed certificate of 24 November 2024. Its fingerprint is here so that a file from
// Nevar's operators can be compared with it; the key itself is not bundled.
func Known() []KnownKey {
	const rfc9500 = "printed in RFC 9500 section 2.1 with its private half"
	return []KnownKey{
		{
			Name: "raven", Service: "Raven", Kid: "2", Bits: 1024, Bundled: true,
			Fingerprints: Fingerprints{
				SPKI:        "813ab90a52018aff372740e1baa571273d3573fff8d908952a87c19093522afd",
				PKCS1:       "71e70a79de32b5e8154b7f32aae2807d90cd723608fe4b98328eccbf6749a97a",
				Certificate: "8c8a759156b0394ae39b05dda234f306967314b8a57fb801ee6d340948794617",
			},
			Note: "published at https://raven.cam.ac.uk/project/keys/",
		}, {
			Name: "raven-demo", Service: "Raven demo", Kid: "901", Bits: 1024, Bundled: true, Published: true,
			Fingerprints: Fingerprints{
				SPKI:        "d61f4109c85e19bf58a4e7efaf822a4cf1b97a1dd25dcdd363b6d2386ec41a77",
				PKCS1:       "a0a28484963b0419822a12c5a5b4d629719b421b8b0f86fbab863680c336cb23",
				Certificate: "b18c7e4cb0a120b8ac7d9ad3675c0115d1d88a8e5aa0646c9ce7e6df916d8e5d",
			},
			Note: "published at https://raven.cam.ac.uk/project/keys/demo_server/",
		}, {
			Name: "nevar", Service: "SRCF Nevar", Bits: 4096,
			Fingerprints: Fingerprints{
				SPKI:        "1040a024c8f44acf0419dad965e56c64b2d070c818cdcbfea59fbdc5ba368f20",
				PKCS1:       "abab1c2292c031498ef2e1e2101d7ea070e26682653c2a70b67c878e60a02efe",
				Certificate: "33e0c78a0cd89cbe0d35650ec37175ead700940e52fed51266b8137cb69f4747",
			},
			Note: "seen in the public source of a site that relies on it, in a certificate of 24 November 2024: " +
				"not bundled, ask Nevar's operators for the file",
		}, {
			Name: "testRSA1024", Service: "RFC 9500 testRSA1024", Bits: 1024, Published: true,
			Fingerprints: Fingerprints{
				SPKI:  "9a9e5b0f404f4e2d4386e38b04ac91e535946dc2a7f8d84a31404b476e5c35e1",
				PKCS1: "d1e5d28f0a0019c3b68fcbea95be517e3fd6e3c3b141ebadbc95f6e2f79487c0",
			},
			Note: rfc9500,
		}, {
			Name: "testRSA2048", Service: "RFC 9500 testRSA2048", Bits: 2048, Published: true,
			Fingerprints: Fingerprints{
				SPKI:  "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878",
				PKCS1: "7cd3de5fe6448e2990b8194fa489398e3e9b4dc2ef85c8a4d70ba18bda56b0e3",
			},
			Note: rfc9500,
		}, {
			Name: "testRSA4096", Service: "RFC 9500 testRSA4096", Bits: 4096, Published: true,
			Fingerprints: Fingerprints{
				SPKI:  "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9",
				PKCS1: "ac77d301b8e7a57e3024e9545564147fb281dce69f0bfb09cb49aae459425fb2",
			},
			Note: rfc9500,
		},
	}
}

// publishedExponent is the exponent of every published key that we know.
const publishedExponent = 65537

// IsPublished reports whether the private half of a key is public knowledge: Raven's demonstration key, and the RSA test
// keys of RFC 9500. It compares fingerprints, so that no other kid or file name hides such a key. Nor does another
// exponent: with the factors of a modulus anybody can sign with any exponent.
func IsPublished(pub *rsa.PublicKey) bool {
	if pub == nil || pub.N == nil || pub.N.Sign() <= 0 {
		return false
	}
	prints, err := fingerprints(&rsa.PublicKey{N: new(big.Int).Set(pub.N), E: publishedExponent})
	if err != nil {
		return false // not reached: any positive modulus can be encoded
	}
	for _, known := range Known() {
		if known.Published && known.Fingerprints.SPKI == prints.SPKI {
			return true
		}
	}
	return false
}
