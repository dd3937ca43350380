//go:build unix

package keys_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
)

func TestLoadFileMindsWhoMayWriteTheFile(t *testing.T) {
	path := write(t, t.TempDir(), "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	for mode, ok := range map[fs.FileMode]bool{
		0o644: true, 0o600: true, 0o444: true, 0o755: true, 0o400: true,
		0o664: false, 0o620: false, 0o646: false, 0o602: false, 0o666: false, 0o777: false,
	} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := keys.LoadFile(path)
		if ok {
			assert.NoError(t, err, "mode %o", mode)
			continue
		}
		require.Error(t, err, "mode %o", mode)
		assert.Contains(t, err.Error(), "keys: "+path+": others may write to the file")
	}
}

func TestLoadFileMindsWhoMayWriteTheDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := write(t, dir, "pubkey2", pkcs1PEM(publicKey(t, "testRSA2048")))
	for _, tc := range []struct {
		mode fs.FileMode
		ok   bool
	}{
		{0o700, true}, {0o755, true}, {0o775, true}, {0o777 | fs.ModeSticky, true}, {0o777, false}, {0o703, false},
	} {
		require.NoError(t, os.Chmod(dir, tc.mode))
		_, err := keys.LoadFile(path)
		if tc.ok {
			assert.NoError(t, err, tc.mode.String())
			continue
		}
		require.Error(t, err, tc.mode.String())
		assert.Contains(t, err.Error(), "keys: "+path+": everyone may write to its directory "+dir)
	}
}

func TestLoadFileInAStickyDirectoryMindsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give files to another user")
	}
	const stranger = 54321
	dir := filepath.Join(t.TempDir(), "tmp")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.Chmod(dir, 0o777|fs.ModeSticky))
	data := pkcs1PEM(publicKey(t, "testRSA2048"))

	theirs := write(t, dir, "pubkey2", data)
	require.NoError(t, os.Chown(theirs, stranger, -1))
	_, err := keys.LoadFile(theirs)
	assert.ErrorContains(t, err, "this one belongs to user 54321")

	ours := write(t, t.TempDir(), "pubkey3", data)
	link := filepath.Join(dir, "pubkey3")
	require.NoError(t, os.Symlink(ours, link))
	_, err = keys.LoadFile(link)
	require.NoError(t, err)
	require.NoError(t, os.Lchown(link, stranger, -1))
	_, err = keys.LoadFile(link)
	assert.ErrorContains(t, err, "this one belongs to user 54321", "a link that somebody else put there")

	require.NoError(t, os.Chown(dir, stranger, -1))
	_, err = keys.LoadFile(link)
	assert.NoError(t, err, "whoever owns the directory decides what is in it")
}

func TestLoadFileFollowsLinksAndChecksTheFile(t *testing.T) {
	here, there := t.TempDir(), filepath.Join(t.TempDir(), "there")
	require.NoError(t, os.Mkdir(there, 0o755))
	file := write(t, there, "key.pem", pkcs1PEM(publicKey(t, "testRSA2048")))
	middle := filepath.Join(here, "middle")
	link := filepath.Join(here, "pubkey2")
	require.NoError(t, os.Symlink(file, middle))
	require.NoError(t, os.Symlink("middle", link))

	key, err := keys.LoadFile(link)
	require.NoError(t, err)
	assert.Equal(t, "2", key.Kid())

	require.NoError(t, os.Chmod(there, 0o777))
	_, err = keys.LoadFile(link)
	assert.ErrorContains(t, err, "everyone may write to its directory "+there)
	require.NoError(t, os.Chmod(there, 0o755))

	require.NoError(t, os.Chmod(file, 0o666))
	_, err = keys.LoadFile(link)
	assert.ErrorContains(t, err, "others may write to the file")

	require.NoError(t, os.Remove(file))
	_, err = keys.LoadFile(link)
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLoadFileDoesNotWaitForPipesAndLoops(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pubkey2")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err := keys.LoadFile(pipe)
	assert.ErrorContains(t, err, "not a regular file")

	loop := filepath.Join(dir, "pubkey3")
	require.NoError(t, os.Symlink("pubkey3", loop))
	_, err = keys.LoadFile(loop)
	assert.ErrorContains(t, err, loop)
}
