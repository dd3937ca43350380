//go:build unix

package signkeys_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/wlsbridge/internal/signkeys"
)

// TestKeyThatRootMakes: "sudo wlsbridge keys new" leaves a key that the service can read.
func TestKeyThatRootMakes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Chown(dir, 12345, 12346))
	_, err := signkeys.Make(dir, "7", time.Now())
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "key7.pem"))
	require.NoError(t, err)
	st, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	assert.Equal(t, []uint32{12345, 12346}, []uint32{st.Uid, st.Gid})
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
