package glue_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// net/http removes an upload's temporary files for the request that it made. Handlers
// under Require and Optional get another one, whose files must go all the same.
func TestUploadsLeaveNoFilesBehind(t *testing.T) { eachKind(t, testUploadsLeaveNoFilesBehind) }

func testUploadsLeaveNoFilesBehind(t *testing.T, kind kind) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	files := -1
	upload := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseMultipartForm(1)) // all of it goes to a file
		there, err := os.ReadDir(dir)
		assert.NoError(t, err)
		files = len(there)
	})
	s := startSite(t, setup{kind: kind, routes: func(mux *http.ServeMux, auth *glue.Auth) {
		mux.Handle("/private/upload", auth.Require(upload))
		mux.Handle("/upload", auth.Optional(upload))
	}})
	var form bytes.Buffer
	mw := multipart.NewWriter(&form)
	part, err := mw.CreateFormFile("file", "a.txt")
	require.NoError(t, err)
	_, err = part.Write([]byte(strings.Repeat("x", 20<<20)))
	require.NoError(t, err)
	require.NoError(t, mw.Close())
	b := s.loggedIn("test0001")
	for _, path := range []string{"/private/upload", "/upload"} {
		files = -1
		a := b.send(path, mw.FormDataContentType(), form.String())
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Equal(t, 1, files, "the handler had a file")
		there, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, there, path)
	}
}
