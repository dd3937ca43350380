package glue_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRouters runs the tests of testdata/routers, a module of its own: the login and the
// protection of forms as middleware of chi, gorilla/mux, echo and gin.
func TestRouters(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir() // go may write into its go.mod what ours has changed
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(root, "testdata", "routers"))))
	run := func(args ...string) (string, error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("mod", "edit", "-replace", "github.com/ucam-webauth/go-webauth="+root)
	require.NoError(t, err, out)
	if out, err := run("mod", "download"); err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, out)
		}
		t.Skipf("the routers cannot be fetched: %s", out)
	}
	out, err = run("test", "-mod=mod", ".")
	require.NoError(t, err, out)
}
