package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func TestParseAccepts(t *testing.T) {
	private := privateKey(t, "testRSA2048")
	pub := &private.PublicKey
	want := newKey(t, "7", pub)
	cert := certPEM(t, private)
	for _, tc := range []struct {
		name string
		data []byte
		cert bool
	}{
		{"PKCS #1", pkcs1PEM(pub), false},
		{"PKIX", pkixPEM(t, pub), false},
		{"certificate that ran out", cert, true},
		{"text before, as openssl x509 -text writes it", append([]byte("Certificate:\n    Data:\n"), cert...), true},
		{"text after", append(pkcs1PEM(pub), "\nfetched in May\n"...), false},
		{"lines ended by CR LF", bytes.ReplaceAll(pkcs1PEM(pub), []byte("\n"), []byte("\r\n")), false},
		{"no newline at the end", bytes.TrimSpace(pkcs1PEM(pub)), false},
		{"64 KiB of text", append(bytes.Repeat([]byte("\n"), 64<<10-len(pkcs1PEM(pub))), pkcs1PEM(pub)...), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := keys.Parse("7", tc.data)
			require.NoError(t, err)
			assert.Equal(t, "7", key.Kid())
			assert.True(t, key.Equal(want))
			assert.Equal(t, want.Fingerprints().SPKI, key.Fingerprints().SPKI)
			assert.Equal(t, want.Fingerprints().PKCS1, key.Fingerprints().PKCS1)
			assert.Equal(t, tc.cert, key.Fingerprints().Certificate != "")
			assert.Empty(t, key.Source())
		})
	}
}

func TestParseRefuses(t *testing.T) {
	private := privateKey(t, "testRSA2048")
	pub := &private.PublicKey
	good := pkcs1PEM(pub)
	goodDER := x509.MarshalPKCS1PublicKey(pub)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	small := &rsa.PublicKey{N: oddModulus(1001), E: 65537}
	for _, tc := range []struct {
		name   string
		kid    string
		data   []byte
		reason string
	}{
		{"kid", "x", good, `"x" is no key id`},
		{"long kid is cut short", strings.Repeat("9", 500), good, `"99999999999999999999" is no key id`},
		{"nothing", "2", nil, "no PEM block"},
		{"text without a block", "2", []byte("ssh-rsa AAAA"), "no PEM block"},
		{"DER without PEM", "2", goodDER, "no PEM block"},
		{"PKCS #1 private key", "2", encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), "a private key"},
		{"PKCS #8 private key", "2", encode("PRIVATE KEY", pkcs8), "a private key"},
		{"encrypted private key", "2", encode("ENCRYPTED PRIVATE KEY", pkcs8), "a private key"},
		{"certificate with its private key", "2",
			append(certPEM(t, private), encode("PRIVATE KEY", pkcs8)...), "a private key"},
		{"two keys", "2", append(append([]byte{}, good...), good...), "2 PEM blocks"},
		{"damaged block before a good one", "2", append([]byte("-----BEGIN PUBLIC KEY-----\n!\n"), good...), "2 PEM blocks"},
		{"end cut off", "2", good[:len(good)-10], "damaged"},
		{"not base64", "2", bytes.Replace(good, []byte("MII"), []byte("!II"), 1), "damaged"},
		{"headers", "2", pem.EncodeToMemory(&pem.Block{
			Type: "RSA PUBLIC KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: goodDER,
		}), "has headers"},
		{"other kind of block", "2", encode("CERTIFICATE REQUEST", goodDER), `of the kind "CERTIFICATE REQUEST"`},
		{"very long kind of block", "2", encode(strings.Repeat("A", 500), goodDER), `of the kind "AAAA`},
		{"PKCS #1 labelled as PKIX", "2", encode("PUBLIC KEY", goodDER), "PUBLIC KEY block cannot be read"},
		{"PKIX labelled as PKCS #1", "2", bytes.ReplaceAll(pkixPEM(t, pub), []byte("PUBLIC"), []byte("RSA PUBLIC")),
			"RSA PUBLIC KEY block cannot be read"},
		{"key labelled as certificate", "2", encode("CERTIFICATE", goodDER), "CERTIFICATE block cannot be read"},
		{"DER with a byte after", "2", encode("RSA PUBLIC KEY", append(append([]byte{}, goodDER...), 0)),
			"RSA PUBLIC KEY block cannot be read"},
		{"elliptic curve key", "2", pkixPEM(t, &elliptic.PublicKey), "not an RSA key"},
		{"small key", "2", pkcs1PEM(small), "has 1001 bits"},
		{"too large", "2", append(bytes.Repeat([]byte("\n"), 64<<10), good...), "too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := keys.Parse(tc.kid, tc.data)
			require.ErrorContains(t, err, tc.reason)
			assert.Nil(t, key.Public())
			assert.Less(t, len(err.Error()), 300, "an error must not repeat what the file holds")
		})
	}
}

func FuzzParse(f *testing.F) {
	private := privateKey(f, "testRSA1024")
	f.Add(pkcs1PEM(&private.PublicKey))
	f.Add(pkixPEM(f, &private.PublicKey))
	f.Add(certPEM(f, private))
	f.Add(pkcs1PEM(publicKey(f, "testRSA4096")))
	f.Add(encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)))
	f.Add(append(pkcs1PEM(&private.PublicKey), pkixPEM(f, &private.PublicKey)...))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := keys.Parse("2", data)
		if err != nil {
			return
		}
		again, err := keys.Parse("2", pkixPEM(t, key.Public()))
		require.NoError(t, err)
		require.True(t, key.Equal(again))
		require.Equal(t, key.Fingerprints().SPKI, again.Fingerprints().SPKI)
		require.Equal(t, key.Fingerprints().PKCS1, again.Fingerprints().PKCS1)
		require.Equal(t, key.Published(), again.Published())
		require.GreaterOrEqual(t, key.Bits(), 1024)
		require.NotContains(t, string(data), "PRIVATE KEY-----")
	})
}
