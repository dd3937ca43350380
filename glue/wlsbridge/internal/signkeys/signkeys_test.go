package signkeys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

var today = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// kidsOf lists the kids of a directory, the one that signs first.
func kidsOf(t *testing.T, dir string) (kids []string) {
	t.Helper()
	r, err := Open(dir)
	require.NoError(t, err)
	for _, k := range r.Keys {
		kids = append(kids, k.Kid)
	}
	assert.Empty(t, r.Warnings)
	return kids
}

// TestRotation: a key is published before it signs, and until it is retired.
func TestRotation(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	_, err := Open(dir)
	require.ErrorIs(t, err, ErrNone)

	kid, err := Make(dir, "", today)
	require.NoError(t, err)
	assert.Equal(t, "20261130", kid)
	assert.Equal(t, []string{"20261130"}, kidsOf(t, dir))
	info, err := os.Stat(filepath.Join(dir, "key20261130.pem"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	r, err := Open(dir)
	require.NoError(t, err)
	assert.Equal(t, 2048, r.Keys[0].Bits())

	_, err = Make(dir, "", today)
	require.ErrorContains(t, err, "there is a key with kid 20261130 already: name another kid")
	_, err = Make(dir, "", today.AddDate(0, 0, 1))
	require.NoError(t, err)
	assert.Equal(t, []string{"20261130", "20261201"}, kidsOf(t, dir), "the old one signs")
	require.ErrorContains(t, Retire(dir, "20261130"), "the key with kid 20261130 signs: have another one sign first")
	require.ErrorContains(t, Use(dir, "7"), "there is no key with kid 7: those here are 20261201, 20261130")

	set, err := keys.LoadDir(dir)
	require.NoError(t, err, "sites can use the directory as it is")
	assert.Len(t, set.Keys(), 2)
	prints, err := os.ReadFile(filepath.Join(dir, "fingerprints.txt"))
	require.NoError(t, err)
	for _, k := range set.Keys() {
		assert.Contains(t, string(prints), k.Fingerprints().SPKI)
		assert.Contains(t, string(prints), "pubkey"+k.Kid()+": RSA-2048\n")
	}

	require.NoError(t, Use(dir, "20261201"))
	assert.Equal(t, []string{"20261201", "20261130"}, kidsOf(t, dir))
	require.NoError(t, Retire(dir, "20261130"))
	assert.Equal(t, []string{"20261201"}, kidsOf(t, dir))
	require.ErrorContains(t, Retire(dir, "20261130"), "there is no key with kid 20261130")
	assert.NoFileExists(t, filepath.Join(dir, "pubkey20261130"))
	set, err = keys.LoadDir(dir)
	require.NoError(t, err)
	assert.Len(t, set.Keys(), 1)
	prints, err = os.ReadFile(filepath.Join(dir, "fingerprints.txt"))
	require.NoError(t, err)
	assert.NotContains(t, string(prints), "20261130")
}

// TestMakeFirst: processes that start together agree on one key.
func TestMakeFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { assert.NoError(t, MakeFirst(dir, today)) })
	}
	group.Wait()
	first := kidsOf(t, dir)
	require.NoError(t, MakeFirst(dir, today.AddDate(0, 0, 1)))
	assert.Equal(t, first, kidsOf(t, dir))
	require.Error(t, MakeFirst(filepath.Join(t.TempDir(), "none", "keys"), today))
}

func TestCheckKid(t *testing.T) {
	for kid, want := range map[string]string{
		"2": "that of Raven", "901": "that of Raven demo", "500": "that of SRCF Goose", "501": "that of SRCF Goose",
		"07": "no kid", "": "no kid", "123456789": "no kid", "x": "no kid", "../../7": "no kid", "20261130": "", "1": "",
	} {
		err := CheckKid(kid)
		if want == "" {
			assert.NoError(t, err, kid)
			continue
		}
		assert.ErrorContains(t, err, want, kid)
	}
	dir := t.TempDir()
	_, err := Make(dir, "901", today)
	require.ErrorContains(t, err, "choose another")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// TestOpen_foreign reads what others have put there.
func TestOpen_foreign(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ecDER, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs1 := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
	for _, row := range []struct {
		name  string
		files map[string]string
		mode  os.FileMode
		want  string // of the error; empty for none
		warns string
	}{
		{"of openssl genrsa -traditional", map[string]string{"key7.pem": pkcs1}, 0o600, "", ""},
		{"for a group", map[string]string{"key7.pem": pkcs1}, 0o640, "", ""},
		{"other files", map[string]string{"key7.pem": pkcs1, "keyx.pem": "x", "key8.pem.bak": "x", "README": "x"}, 0o600, "", ""},
		{"open to all", map[string]string{"key7.pem": pkcs1}, 0o644, "", "everybody"},
		{"two, and none said", map[string]string{"key7.pem": pkcs1, "key8.pem": pkcs1}, 0o600, "signing is not there: write into it which of the keys 8, 7 signs", ""},
		{"one that is not there signs", map[string]string{"key7.pem": pkcs1, "signing": "9\n"}, 0o600, `signing holds "9", but the keys here are 7`, ""},
		{"kid of another service", map[string]string{"key2.pem": pkcs1}, 0o600, "kid 2 is that of Raven", ""},
		{"another kind", map[string]string{"key7.pem": encode("PRIVATE KEY", ecDER)}, 0o600, "another kind than RSA", ""},
		{"public", map[string]string{"key7.pem": encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&private.PublicKey))}, 0o600, "it holds a RSA PUBLIC KEY: want", ""},
		{"damaged", map[string]string{"key7.pem": encode("PRIVATE KEY", []byte("x"))}, 0o600, "the private key in it is damaged", ""},
		{"nothing", map[string]string{"key7.pem": ""}, 0o600, "it does not hold one private key", ""},
		{"two in a file", map[string]string{"key7.pem": pkcs1 + pkcs1}, 0o600, "it does not hold one private key", ""},
		{"another public half", map[string]string{"key7.pem": pkcs1, "pubkey7": "x"}, 0o600, "", "is not the public half of"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range row.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), row.mode))
				require.NoError(t, os.Chmod(filepath.Join(dir, name), row.mode))
			}
			r, err := Open(dir)
			if row.want != "" {
				require.ErrorContains(t, err, row.want)
				return
			}
			require.NoError(t, err)
			require.Len(t, r.Keys, 1)
			assert.True(t, private.Equal(r.Keys[0].Private))
			if row.warns == "" {
				assert.Empty(t, r.Warnings)
				return
			}
			require.Len(t, r.Warnings, 1)
			assert.Contains(t, r.Warnings[0], row.warns)
		})
	}
}
