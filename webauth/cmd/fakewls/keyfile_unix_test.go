//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestModesDoNotDependOnTheUmask: a web server that runs as another user must be able
// to read the public key.
func TestModesDoNotDependOnTheUmask(t *testing.T) {
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, writeNew(path, []byte("one"), 0o644))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm())

	assert.ErrorIs(t, writeNew(path, []byte("two"), 0o644), os.ErrExist)
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "one", string(kept))
}
