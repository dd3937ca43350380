package listen

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.sock")
	l, err := At("unix:"+path, "0620")
	require.NoError(t, err)
	info, err := os.Lstat(path)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSocket|0o620, info.Mode())
	assert.Equal(t, path, l.Addr().String())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing else stays")

	_, err = At("unix:"+path, "0620")
	require.ErrorContains(t, err, "address already in use")
	require.NoError(t, l.Close())
	assert.NoFileExists(t, path)
}

// TestListenUnix_stale: the socket of a program that has died is replaced, and the old
// program does not remove the new one's.
func TestListenUnix_stale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	dead.SetUnlinkOnClose(false)
	require.NoError(t, dead.Close())
	first, err := At("unix:"+path, "")
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	second, err := At("unix:"+path, "")
	require.NoError(t, err)
	require.NoError(t, first.Close())
	conn, err := net.Dial("unix", path)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, second.Close())
}

func TestListenUnix_notASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "important")
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))
	_, err := At("unix:"+path, "")
	require.ErrorContains(t, err, "and no socket: remove it")
	assert.FileExists(t, path)
}
