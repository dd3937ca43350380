package gateway

import (
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var apacheDAV = realBackend{name: "apache with mod_dav", pkg: "apache2", program: []string{"apache2", "/usr/sbin/apache2"}, command: apacheWithDAV}

// apacheWithDAV has a folder that can be written to.
func apacheWithDAV(s *serving) *exec.Cmd {
	shareFolder(s.t, filepath.Join(s.dir, "locks"))
	config := s.write("httpd.conf", apacheConfig("dir:mod_dir", "dav:mod_dav", "dav_fs:mod_dav_fs")+`
DavLockDB {dir}/locks/DavLock
Alias / {dir}/files/
<Directory {dir}/files>
	Require all granted
	Dav On
	DavDepthInfinity On
	DirectoryIndex index.html
</Directory>
`)
	return s.apache(config)
}

// shareFolder makes a folder that every server may write to.
func shareFolder(t testing.TB, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(name, 0o755))
	require.NoError(t, os.Chmod(name, 0o777))
}

// davFiles are what is served: staff is for test0002 alone, wherever it is.
var davFiles = map[string]string{
	"private/index.html": "logged in", "open/a.txt": "a", "open/b/c.txt": "c", "staff/plan.txt": "the plan", "open/staff/plan.txt": "another plan",
}

// fillFolder makes everything as it was.
func fillFolder(t testing.TB, files string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(files))
	shareFolder(t, files)
	for name, text := range davFiles {
		name = filepath.Join(files, name)
		for dir := filepath.Dir(name); dir != files; dir = filepath.Dir(dir) {
			shareFolder(t, dir)
		}
		require.NoError(t, os.WriteFile(name, []byte(text), 0o666))
		require.NoError(t, os.Chmod(name, 0o666))
	}
}

// filesIn gives the files that there are now.
func filesIn(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(name, ".DAV/") {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		found[name] = string(text)
		return err
	}))
	return found
}

// TestRealWebDAV: a folder of a stricter rule is as it was, and nothing in it is told, but
// for whom that lets in.
func TestRealWebDAV(t *testing.T) {
	var files string
	staff := []string{"test0002"}
	w := newWorld(t, kit{
		tls: true,
		backend: func(http.Handler) string {
			s := apacheDAV.start(t)
			files = filepath.Join(s.dir, "files")
			return "http://" + s.addr
		},
		rules: []Rule{{Path: "/", Access: Login}, {Path: "/staff", Access: Login, Principals: staff}, {Path: "/open/staff", Access: Login, Principals: staff}},
	})
	fillFolder(t, files)
	clients := map[string]*visitor{"test0001": w.loggedIn("test0001"), "test0002": w.loggedIn("test0002")}
	send := func(user, method, path string, body string, lines ...string) reply {
		return clients[user].do(method, path, strings.NewReader(body), func(r *http.Request) {
			r.Header.Set("Origin", w.url)
			for _, line := range lines {
				name, value, _ := strings.Cut(strings.ReplaceAll(line, "SITE", w.url), ": ")
				r.Header.Add(name, value)
			}
		})
	}
	const everything = `<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>`
	const exclusive = `<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`

	for _, tt := range []struct {
		name, method, path string
		lines              []string
		body               string
	}{
		{name: "a file over theirs", method: "COPY", path: "/open/a.txt", lines: []string{"Destination: SITE/staff/plan.txt"}},
		{name: "a file over theirs, as a path", method: "COPY", path: "/open/a.txt", lines: []string{"Destination: /staff/plan.txt"}},
		{name: "a file over theirs, with dots", method: "COPY", path: "/open/a.txt", lines: []string{"Destination: SITE/open/../staff/plan.txt"}},
		{name: "a file over theirs, encoded", method: "MOVE", path: "/open/a.txt", lines: []string{"Destination: SITE/%73taff/plan%2etxt"}},
		{name: "a file over theirs, two slashes", method: "MOVE", path: "/open/a.txt", lines: []string{"Destination: SITE//staff/plan.txt"}},
		{name: "a file over theirs, second line", method: "COPY", path: "/open/a.txt", lines: []string{"Destination: SITE/open/d", "Destination: SITE/staff/plan.txt"}},
		{name: "a new file of theirs", method: "COPY", path: "/open/a.txt", lines: []string{"Destination: SITE/staff/new.txt"}},
		{name: "a folder over theirs", method: "COPY", path: "/open/b", lines: []string{"Destination: SITE/staff", "Overwrite: T"}},
		{name: "a folder over one with theirs", method: "COPY", path: "/private", lines: []string{"Destination: SITE/open", "Overwrite: T"}},
		{name: "a folder over all", method: "MOVE", path: "/open/b", lines: []string{"Destination: SITE/", "Overwrite: T"}},
		{name: "theirs to read", method: "COPY", path: "/staff/plan.txt", lines: []string{"Destination: SITE/private/plan.txt"}},
		{name: "theirs to read, from above", method: "COPY", path: "/open", lines: []string{"Destination: SITE/private/open"}},
		{name: "theirs to read, depth 0", method: "COPY", path: "/open/staff", lines: []string{"Destination: SITE/private/s", "Depth: 0"}},
		{name: "theirs away, from above", method: "MOVE", path: "/open", lines: []string{"Destination: SITE/private/open"}},
		{name: "everything", method: http.MethodDelete, path: "/"},
		{name: "everything, depth 0", method: http.MethodDelete, path: "/", lines: []string{"Depth: 0"}},
		{name: "a folder with theirs", method: http.MethodDelete, path: "/open/"},
		{name: "a folder with theirs, without a slash", method: http.MethodDelete, path: "/open"},
		{name: "their folder", method: http.MethodDelete, path: "/staff"},
		{name: "in small letters", method: "delete", path: "/"},
		{name: "a list of everything", method: "PROPFIND", path: "/", body: everything},
		{name: "a list of everything, depth infinity", method: "PROPFIND", path: "/", lines: []string{"Depth: infinity"}, body: everything},
		{name: "a list of everything, two depths", method: "PROPFIND", path: "/", lines: []string{"Depth: 0", "Depth: infinity"}, body: everything},
		{name: "a list of a folder with theirs", method: "PROPFIND", path: "/open/", lines: []string{"Depth: infinity"}, body: everything},
		{name: "a list of theirs", method: "PROPFIND", path: "/staff", lines: []string{"Depth: 1"}, body: everything},
		{name: "a lock on everything", method: "LOCK", path: "/", body: exclusive},
		{name: "a lock on a folder with theirs", method: "LOCK", path: "/open/", lines: []string{"Depth: infinity"}, body: exclusive},
		{name: "a version of theirs", method: http.MethodPut, path: "/open/../staff/plan.txt", body: "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fillFolder(t, files)
			answer := send("test0001", tt.method, tt.path, tt.body, tt.lines...)
			assert.Contains(t, []int{400, 403, 405}, answer.StatusCode, answer.body)
			assert.NotContains(t, answer.body, "plan")
			assert.Equal(t, davFiles, filesIn(t, files))
		})
	}

	for _, tt := range []struct {
		name, user, method, path string
		lines                    []string
		want                     int
		body                     string
		changed                  map[string]string // files; empty where there is none any more
	}{
		{"a copy", "test0001", "COPY", "/open/a.txt", []string{"Destination: SITE/open/new.txt"}, 201, "", map[string]string{"open/new.txt": "a"}},
		{"a copy to what needs encoding", "test0001", "COPY", "/open/a.txt", []string{"Destination: SITE/open/new%20one.txt"}, 201, "", map[string]string{"open/new one.txt": "a"}},
		{"a copy over another", "test0001", "COPY", "/open/a.txt", []string{"Destination: SITE/open/b/c.txt"}, 204, "", map[string]string{"open/b/c.txt": "a"}},
		{"a folder moved", "test0001", "MOVE", "/open/b/", []string{"Destination: SITE/private/b/"}, 201, "", map[string]string{"open/b/c.txt": "", "private/b/c.txt": "c"}},
		{"a folder removed", "test0001", http.MethodDelete, "/open/b/", nil, 204, "", map[string]string{"open/b/c.txt": ""}},
		{"a file removed", "test0001", http.MethodDelete, "/open/a.txt", nil, 204, "", map[string]string{"open/a.txt": ""}},
		{"a file written", "test0001", http.MethodPut, "/open/a.txt", nil, 204, "new", map[string]string{"open/a.txt": "new"}},
		{"a list", "test0001", "PROPFIND", "/open/b/", []string{"Depth: 1"}, 207, everything, nil},
		{"a list of one", "test0001", "PROPFIND", "/", []string{"Depth: 0"}, 207, everything, nil},
		{"over their own", "test0002", "COPY", "/open/a.txt", []string{"Destination: SITE/staff/plan.txt"}, 204, "", map[string]string{"staff/plan.txt": "a"}},
		{"from their own", "test0002", "MOVE", "/staff/plan.txt", []string{"Destination: SITE/open/plan.txt"}, 201, "", map[string]string{"staff/plan.txt": "", "open/plan.txt": "the plan"}},
		{"a folder with their own removed", "test0002", http.MethodDelete, "/open/", nil, 204, "", map[string]string{"open/a.txt": "", "open/b/c.txt": "", "open/staff/plan.txt": ""}},
		{"a list of everything", "test0002", "PROPFIND", "/", []string{"Depth: infinity"}, 207, everything, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fillFolder(t, files)
			want := map[string]string{}
			for name, text := range davFiles {
				want[name] = text
			}
			for name, text := range tt.changed {
				if want[name] = text; text == "" {
					delete(want, name)
				}
			}
			answer := send(tt.user, tt.method, tt.path, tt.body, tt.lines...)
			assert.Equal(t, tt.want, answer.StatusCode, answer.body)
			assert.Equal(t, want, filesIn(t, files))
		})
	}

	t.Run("a lock", func(t *testing.T) {
		fillFolder(t, files)
		locked := send("test0001", "LOCK", "/open/a.txt", exclusive, "Depth: 0")
		require.Equal(t, http.StatusOK, locked.StatusCode, locked.body)
		token := locked.Header.Get("Lock-Token")
		assert.Equal(t, http.StatusLocked, send("test0002", http.MethodPut, "/open/a.txt", "theirs").StatusCode)
		assert.Equal(t, http.StatusNoContent, send("test0001", http.MethodPut, "/open/a.txt", "ours", "If: ("+token+")").StatusCode)
		assert.Equal(t, http.StatusNoContent, send("test0001", http.MethodPut, "/open/a.txt", "ours", "If: <SITE/open/a.txt> ("+token+")").StatusCode)
		assert.Equal(t, http.StatusNoContent, send("test0001", "UNLOCK", "/open/a.txt", "", "Lock-Token: "+token).StatusCode)
		assert.Equal(t, http.StatusNoContent, send("test0002", http.MethodPut, "/open/a.txt", "theirs").StatusCode)
	})
}
