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

func TestLoadFileTakesTheKidFromTheName(t *testing.T) {
	dir := t.TempDir()
	data := pkcs1PEM(publicKey(t, "testRSA2048"))
	for name, kid := range map[string]string{
		"pubkey2": "2", "pubkey901": "901", "pubkey12345678": "12345678", "pubkey2.crt": "2", "pubkey500.pem": "500",
	} {
		path := write(t, dir, name, data)
		key, err := keys.LoadFile(path)
		require.NoError(t, err)
		assert.Equal(t, kid, key.Kid())
		assert.Equal(t, path, key.Source())
	}
	for _, name := range []string{
		"pubkey", "pubkey0", "pubkey02", "pubkey123456789", "pubkeyA", "pubkey2.bak", "pubkey2~", "pubkey2.crt.pem", "pubkey2.CRT",
		"pubkey.crt", "Pubkey2", "xpubkey2", "pubkey-2", "pubkey 2", "2", ".crt",
	} {
		path := write(t, dir, name, data)
		_, err := keys.LoadFile(path)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), path)
		assert.Contains(t, err.Error(), "gives no key id")
	}
}

func TestLoadFileAs(t *testing.T) {
	path := write(t, t.TempDir(), "goose.pub", pkcs1PEM(publicKey(t, "testRSA2048")))
	key, err := keys.LoadFileAs("500", path)
	require.NoError(t, err)
	assert.Equal(t, "500", key.Kid())
	assert.Equal(t, path, key.Source())

	_, err = keys.LoadFileAs("0500", path)
	assert.ErrorContains(t, err, "keys: "+path+`: "0500" is no key id`)
}

func TestLoadFileErrorsNameTheFileOnce(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "pubkey1")
	_, err := keys.LoadFile(missing)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, "keys: "+missing+": no such file or directory", err.Error())

	garbage := write(t, dir, "pubkey3", []byte("<html>404</html>"))
	_, err = keys.LoadFile(garbage)
	assert.ErrorContains(t, err, "keys: "+garbage+": no PEM block")
}

func TestLoadFileRefusesWhatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pubkey2")
	require.NoError(t, os.Mkdir(path, 0o755))
	_, err := keys.LoadFile(path)
	assert.ErrorContains(t, err, "keys: "+path+": not a regular file")
}

func TestLoadFileRefusesLargeFiles(t *testing.T) {
	path := write(t, t.TempDir(), "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	require.NoError(t, os.Truncate(path, 1<<30))
	_, err := keys.LoadFile(path)
	assert.ErrorContains(t, err, "keys: "+path+": more than 64 KiB")
}
