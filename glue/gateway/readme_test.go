package gateway

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADME makes sure that the README shows the very configurations that other tests
// run, and that each file in it that is for the gateway can be read.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/front/*")
	require.NoError(t, err)
	require.Len(t, files, 10)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(readme), string(text), file)
	}
	for _, name := range aaHeaders {
		assert.Regexp(t, "(?m)^\\s*proxy_set_header "+name+` +"";$`, string(readme))
		assert.Regexp(t, "(?m)^\\s*"+name+`: ""$`, string(readme))
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllSubmatch(readme, -1)
	require.Len(t, blocks, 3)
	for _, block := range blocks {
		file := filepath.Join(t.TempDir(), "gateway.toml")
		require.NoError(t, os.WriteFile(file, block[1], 0o600))
		_, err := Load(file)
		assert.NoError(t, err, "%s", block[1])
	}
}
