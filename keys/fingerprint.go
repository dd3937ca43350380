package keys

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
)

// Fingerprints of a key: SHA-256 in lower-case hexadecimal, 64 characters each, without colons. The help of the wlskeys
// program shows how to compute each of them with openssl.
type Fingerprints struct {
	// SPKI is taken of the DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1), as in a PUBLIC KEY file.
	SPKI string
	// PKCS1 is taken of the DER of the RSAPublicKey (RFC 8017 appendix A.1.1), as in an RSA PUBLIC KEY file.
	PKCS1 string
	// Certificate is taken of the DER of the certificate that the key came in, and empty if it came in none.
	Certificate string
}

func fingerprints(pub *rsa.PublicKey) (Fingerprints, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return Fingerprints{}, err
	}
	return Fingerprints{SPKI: hexSHA256(spki), PKCS1: hexSHA256(x509.MarshalPKCS1PublicKey(pub))}, nil
}

func hexSHA256(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
