package gateway

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
	_, err := loadGroups(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)

	_, err = loadGroups(writeFile(t, "groups", strings.Repeat("#", maxLinesFile+1)))
	assert.ErrorContains(t, err, "larger than 4 MiB")

	_, err = loadGroups(writeFile(t, "groups", strings.Repeat("x\n", 10_000)))
	require.ErrorContains(t, err, "groups:20: no colon")
	assert.ErrorContains(t, err, "too many mistakes")
	assert.NotContains(t, err.Error(), "groups:21")
}
