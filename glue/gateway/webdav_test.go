package gateway

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/webdav"
)

// TestWebDAV has a real server behind the gateway: what the rules say of its files holds,
// and all else works.
func TestWebDAV(t *testing.T) {
	for _, tls := range []bool{false, true} {
		files := webdav.NewMemFS()
		dav := &webdav.Handler{Prefix: "/dav", FileSystem: files, LockSystem: webdav.NewMemLS()}
		others := []string{"test0002"}
		w := newWorld(t, kit{tls: tls, handler: dav.ServeHTTP, rules: []Rule{
			{Path: "/dav", Access: Login},
			{Path: "/dav/private", Access: Login, Principals: others},
			{Path: "/dav/a/private", Access: Login, Principals: others},
		}})
		for _, dir := range []string{"/private", "/a", "/a/private", "/b"} {
			require.NoError(t, files.Mkdir(context.Background(), dir, 0o700))
		}
		person, other := w.visitor("test0001"), w.visitor("test0002")
		for _, v := range []*visitor{person, other} {
			v.get("/dav/")
		}
		for _, row := range []struct {
			name         string
			v            *visitor
			method, path string
			header       string
			status       int
		}{
			{"one's own file", person, "PUT", "/dav/x.txt", "", 201},
			{"others' file", other, "PUT", "/dav/private/plan.txt", "", 201},
			{"others' other file", other, "PUT", "/dav/a/private/plan.txt", "", 201},
			{"PUT over it", person, "PUT", "/dav/private/plan.txt", "", 403},
			{"COPY over it", person, "COPY", "/dav/x.txt", "Destination: ORIGIN/dav/private/plan.txt", 403},
			{"MOVE over it", person, "MOVE", "/dav/x.txt", "Destination: ORIGIN/dav/private/plan.txt", 403},
			{"COPY over its folder", person, "COPY", "/dav/x.txt", "Destination: ORIGIN/dav/a", 403},
			{"COPY of its folder", person, "COPY", "/dav/a", "Destination: ORIGIN/dav/b/a", 403},
			{"MOVE of its folder", person, "MOVE", "/dav/a", "Destination: ORIGIN/dav/b/a", 403},
			{"DELETE of its folder", person, "DELETE", "/dav/a", "", 403},
			{"DELETE of all", person, "DELETE", "/dav/", "", 403},
			{"the list of all", person, "PROPFIND", "/dav/", "", 403},
			{"the list that names it", person, "PROPFIND", "/dav/a/", "Depth: 1", 403},
			{"what a folder is", person, "PROPFIND", "/dav/a/", "Depth: 0", 207},
			{"another list", person, "PROPFIND", "/dav/b/", "Depth: 1", 207},
			{"COPY", person, "COPY", "/dav/x.txt", "Destination: ORIGIN/dav/b/y.txt", 201},
			{"MOVE", person, "MOVE", "/dav/b/y.txt", "Destination: ORIGIN/dav/b/z.txt", 201},
			{"MOVE without an origin", person, "MOVE", "/dav/b/z.txt", "Destination: /dav/b/%7az.txt", 201},
			{"GET", person, "GET", "/dav/b/zz.txt", "", 200},
			{"a condition on others' file", person, "PUT", "/dav/x.txt", `If: <ORIGIN/dav/private/plan.txt> (["x"])`, 403},
			{"DELETE", person, "DELETE", "/dav/b", "", 204},
			{"the list, for others", other, "PROPFIND", "/dav/", "Depth: 1", 207},
			{"COPY of the folder, by others", other, "COPY", "/dav/a", "Destination: ORIGIN/dav/c", 201},
			{"MOVE of the folder, by others", other, "MOVE", "/dav/c", "Destination: ORIGIN/dav/d", 201},
		} {
			t.Run(row.name, func(t *testing.T) {
				var body io.Reader
				if row.method == http.MethodPut {
					body = strings.NewReader("by " + map[*visitor]string{person: "test0001", other: "test0002"}[row.v])
				}
				request := beyondRow{header: row.header}
				answer := row.v.do(row.method, row.path, body, scriptedBy, request.headers(w))
				assert.Equal(t, row.status, answer.StatusCode, answer.body)
			})
		}
		for _, name := range []string{"/private/plan.txt", "/a/private/plan.txt", "/d/private/plan.txt"} {
			f, err := files.OpenFile(context.Background(), name, os.O_RDONLY, 0)
			require.NoError(t, err, name)
			text, err := io.ReadAll(f)
			require.NoError(t, err)
			assert.Equal(t, "by test0002", string(text), name)
		}
		assert.Equal(t, http.StatusNotFound, person.do("GET", "/dav/b/zz.txt", nil, scriptedBy).StatusCode)
	}
}
