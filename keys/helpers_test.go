package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

// privateKey reads one of the test keys of RFC 9500. The package that holds them is internal to webauth, so that only its
// files are to be had here.
func privateKey(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "webauth", "internal", "testkeys", name+".pem"))
	require.NoError(t, err)
	block, _ := pem.Decode(data)
	require.NotNil(t, block)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	require.NoError(t, err)
	return key
}

func publicKey(t testing.TB, name string) *rsa.PublicKey {
	t.Helper()
	return &privateKey(t, name).PublicKey
}

// oddModulus is a number of so many bits, good enough for what never verifies anything.
func oddModulus(bits uint) *big.Int {
	return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), bits-1), big.NewInt(1))
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs1PEM(pub *rsa.PublicKey) []byte {
	return encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(pub))
}

func pkixPEM(t testing.TB, pub any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	require.NoError(t, err)
	return encode("PUBLIC KEY", der)
}

// certificate makes a self-signed certificate that ran out long ago.
func certPEM(t testing.TB, key *rsa.PrivateKey) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "test"},
		NotBefore:    time.Date(2004, 8, 10, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2004, 9, 9, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return encode("CERTIFICATE", der)
}

// write puts a file with mode 0644 into dir, whatever the umask, and returns its path.
func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	require.NoError(t, os.Chmod(path, 0o644))
	return path
}

func newKey(t testing.TB, kid string, pub *rsa.PublicKey) keys.Key {
	t.Helper()
	key, err := keys.New(kid, pub)
	require.NoError(t, err)
	return key
}

func kidsOf(all []keys.Key) []string {
	kids := []string{}
	for _, key := range all {
		kids = append(kids, key.Kid())
	}
	return kids
}
