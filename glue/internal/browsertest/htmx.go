package browsertest

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// htmxVersions are those that people have.
var htmxVersions = []string{"1.9.12", "2.0.11", "4.0.1"}

// htmx fetches a version of the library. It skips the test where there is no npm, but never
// in CI.
func htmx(t testing.TB, version string) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		const missing = "no htmx to test with: install npm, which fetches it"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	dir := t.TempDir()
	// #nosec G204 -- the version is one of ours
	pack := exec.Command(npm, "pack", "--silent", "htmx.org@"+version)
	pack.Dir = dir
	name, err := pack.Output()
	require.NoError(t, err, "npm pack")
	file, err := os.Open(filepath.Join(dir, strings.TrimSpace(string(name))))
	require.NoError(t, err)
	defer file.Close()
	plain, err := gzip.NewReader(file)
	require.NoError(t, err)
	for archive := tar.NewReader(plain); ; {
		entry, err := archive.Next()
		require.NoError(t, err, "there is no dist/htmx.js")
		if entry.Name == "package/dist/htmx.js" {
			text, err := io.ReadAll(archive)
			require.NoError(t, err)
			return string(text)
		}
	}
}
