package glue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A file that is away for a moment must not end every session.
func TestReloadSecretMakesNoNewOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	s := startSite(t, setup{config: func(c *config) { c.Secret, c.SecretFile = "", file }})
	b := s.loggedIn("test0001")
	secret, err := os.ReadFile(file)
	require.NoError(t, err)
	s.hide(strings.TrimSpace(string(secret)))
	require.NoError(t, os.Remove(file))
	require.ErrorIs(t, s.auth.Site().ReloadSecret(), os.ErrNotExist)
	assert.NoFileExists(t, file)
	require.ErrorContains(t, s.auth.Site().SetSecret(nil), "nil")
	b.get("/private/").requireEcho("test0001")
}
