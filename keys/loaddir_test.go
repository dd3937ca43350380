package keys_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func TestLoadDir(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pubkey10", pkcs1PEM(publicKey(t, "testRSA1024")))
	write(t, dir, "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	write(t, dir, "pubkey2.crt", certPEM(t, privateKey(t, "testRSA2048")))
	write(t, dir, "pubkey7.crt", certPEM(t, privateKey(t, "testRSA4096")))
	write(t, dir, "pubkey8.pem", pkixPEM(t, publicKey(t, "testRSA4096")))
	for _, name := range []string{"README", "pubkey02", "pubkey2.bak", "pubkey", ".pubkey3.swp"} {
		write(t, dir, name, []byte("never read"))
	}

	set, err := keys.LoadDir(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"2", "7", "8", "10"}, kidsOf(set.Keys()))
	key, _ := set.Lookup("2")
	assert.Equal(t, 2048, key.Bits())
	assert.Equal(t, filepath.Join(dir, "pubkey2"), key.Source())
	assert.Equal(t, []string{"README", "pubkey", "pubkey02", "pubkey2.bak"}, set.Skipped())
	set.Skipped()[0] = "changed"
	assert.Equal(t, "README", set.Skipped()[0])
}

func TestLoadDirRefusesTwoKeysOfOneKid(t *testing.T) {
	dir := t.TempDir()
	key := write(t, dir, "pubkey2", pkcs1PEM(publicKey(t, "testRSA1024")))
	cert := write(t, dir, "pubkey2.crt", certPEM(t, privateKey(t, "testRSA2048")))
	set, err := keys.LoadDir(dir)
	assert.Nil(t, set)
	assert.ErrorContains(t, err, key+" and "+cert+" hold different keys")
}

func TestLoadDirNamesEveryFileThatItRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pubkey1", pkcs1PEM(publicKey(t, "testRSA1024")))
	write(t, dir, "pubkey1.crt", []byte("cut off"))
	write(t, dir, "pubkey2", []byte("<html>"))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "pubkey3"), 0o755))
	set, err := keys.LoadDir(dir)
	assert.Nil(t, set)
	for _, name := range []string{"pubkey1.crt", "pubkey2", "pubkey3"} {
		assert.ErrorContains(t, err, filepath.Join(dir, name)+": ")
	}
}

func TestLoadDirNeedsKeyFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "pubkey.txt", pkcs1PEM(publicKey(t, "testRSA1024")))
	_, err := keys.LoadDir(dir)
	assert.ErrorContains(t, err, "keys: "+dir+": no key file in this directory")

	_, err = keys.LoadDir("")
	assert.ErrorContains(t, err, "no directory of key files given")

	missing := filepath.Join(dir, "missing")
	_, err = keys.LoadDir(missing)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, "keys: "+missing+": no such file or directory", err.Error())
}
