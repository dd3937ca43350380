package htpasswd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writeFile makes a file for a test and gives its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLineFiles(t *testing.T) {
	_, err := LoadGroups(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)

	_, err = LoadGroups(writeFile(t, "groups", strings.Repeat("#", 4<<20)+"\n"))
	assert.ErrorContains(t, err, "larger than 4194304 bytes")

	for _, text := range []string{"editors: spqr12 spqr1", "a: b\n# who may", "a: b\n "} {
		_, err = LoadGroups(writeFile(t, "groups", text))
		assert.ErrorContains(t, err, "groups: it does not end with a newline: it may be cut short", text)
	}
	_, err = Load(writeFile(t, "htpasswd", "anna:"+hashOf(t, "sesame", 4)))
	assert.ErrorContains(t, err, "htpasswd: it does not end with a newline: it may be cut short")
	_, err = LoadGroups(writeFile(t, "groups", ""))
	assert.NoError(t, err)

	_, err = LoadGroups(writeFile(t, "groups", strings.Repeat("x\n", 10_000)))
	require.ErrorContains(t, err, "groups:20: no colon")
	assert.ErrorContains(t, err, "too many mistakes")
	assert.NotContains(t, err.Error(), "groups:21")
}
