package gateway

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/dav"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// davRules are for test0001, who has /dav and not all that is below.
func davRules(t testing.TB) []Rule {
	htpasswd := filepath.Join(t.TempDir(), "htpasswd")
	require.NoError(t, os.WriteFile(htpasswd, []byte("bob:"+hashOf(t, "sesame", 4)+"\n"), 0o600))
	others := []string{"test0002"}
	return []Rule{
		{Path: "/", Access: Login}, {Path: "/optional", Access: Optional},
		{Path: "/dav", Access: Login},
		{Path: "/dav/private", Access: Login, Principals: others},
		{Path: "/dav/a/private", Access: Login, Principals: others},
		{Path: "/dav/open", Access: Login}, {Path: "/dav/open/to/all", Access: Public},
		{Path: "/dav/mine", Access: Login, Principals: []string{"test0001"}},
		{Path: "/card", Access: Login}, {Path: "/card/only", Access: Login, AAuth: []string{"card"}},
		{Path: "/fresh", Access: Login}, {Path: "/fresh/now", Access: Login, Fresh: Duration(5 * time.Minute)},
		{Path: "/alumni", Access: Login, AnyPtags: true}, {Path: "/alumni/current", Access: Login},
		{Path: "/here", Access: Login, AllowFrom: []netip.Prefix{loopback}}, {Path: "/here/login", Access: Login},
		{Path: "/there", Access: Login}, {Path: "/there/from-here", Access: Login, Principals: others, AllowFrom: []netip.Prefix{loopback}},
		{Path: "/public", Access: Public}, {Path: "/public/deep", Access: Login},
		{Path: "/mixed", Access: Login}, {Path: "/mixed/basic", Access: Basic, Htpasswd: htpasswd},
		{Path: "/basic", Access: Basic, Htpasswd: htpasswd}, {Path: "/basic/again", Access: Basic, Htpasswd: htpasswd, Principals: []string{"bob"}},
		{Path: "/basic/ann", Access: Basic, Htpasswd: htpasswd, Principals: []string{"ann"}},
		{Path: "/pw", Access: Basic, Htpasswd: htpasswd}, {Path: "/pw/login", Access: Login},
		{Path: "/cross", Access: Login, CrossOrigin: CrossOrigin{AnyOrigin}}, {Path: "/cross/not", Access: Login},
	}
}

// beyondRow is a request that may reach further than its path. ORIGIN is the site's own.
type beyondRow struct {
	name         string
	user         string // test0001 if empty, "-" for nobody
	method, path string
	header       string // lines
	status       int
	sent         string // what the backend gets for Destination or If
}

var treeRows = []beyondRow{
	{name: "DELETE above", method: "DELETE", path: "/dav", status: 403},
	{name: "DELETE above, final slash", method: "DELETE", path: "/dav/", status: 403},
	{name: "DELETE of the site", method: "DELETE", path: "/", status: 403},
	{name: "DELETE deeper", method: "DELETE", path: "/dav/a", status: 403},
	{name: "DELETE beside", method: "DELETE", path: "/dav/b", status: 200},
	{name: "DELETE of a name that begins alike", method: "DELETE", path: "/dav/priv", status: 200},
	{name: "DELETE above, encoded", method: "DELETE", path: "/d%61v/x/../", status: 403},
	{name: "DELETE above what is public", method: "DELETE", path: "/dav/open", status: 200},
	{name: "DELETE above what is one's own", method: "DELETE", path: "/dav/mine", status: 200},
	{name: "DELETE by who may", user: "test0002", method: "DELETE", path: "/dav/a", status: 200},
	{name: "DELETE by who may most of it", user: "test0002", method: "DELETE", path: "/dav", status: 403},
	{name: "DELETE by nobody", user: "-", method: "DELETE", path: "/dav", status: 401},
	{name: "DELETE by nobody above a login", user: "-", method: "DELETE", path: "/public", status: 401},
	{name: "DELETE with Depth 0", method: "DELETE", path: "/dav/a", header: "Depth: 0", status: 403},
	{name: "another login is wanted", method: "DELETE", path: "/card", status: 401},
	{name: "a password just now was typed", method: "DELETE", path: "/fresh", status: 200},
	{name: "former members too", method: "DELETE", path: "/alumni", status: 200},
	{name: "former members above current ones", user: "test0010", method: "DELETE", path: "/alumni", status: 403},
	{name: "from an address above a login", user: "-", method: "DELETE", path: "/here", status: 401},
	{name: "a login above an address", method: "DELETE", path: "/there", status: 200},
	{name: "a password below a login", method: "DELETE", path: "/mixed", status: 403},
	{name: "somebody else's password below a login", method: "DELETE", path: "/mixed", header: "Authorization: Basic Ym9iOnNlc2FtZQ==", status: 403},
	{name: "passwords below passwords", user: "-", method: "DELETE", path: "/basic/again", header: "Authorization: Basic Ym9iOnNlc2FtZQ==", status: 200},
	{name: "somebody else's below", user: "-", method: "DELETE", path: "/basic", header: "Authorization: Basic Ym9iOnNlc2FtZQ==", status: 403},
	{name: "a login below passwords", user: "-", method: "DELETE", path: "/pw", header: "Authorization: Basic Ym9iOnNlc2FtZQ==", status: 401},
	{name: "somebody else's login below passwords", method: "DELETE", path: "/pw", header: "Authorization: Basic Ym9iOnNlc2FtZQ==", status: 403},
	{name: "from another origin", method: "DELETE", path: "/cross", header: "Origin: https://evil.example\nSec-Fetch-Site: cross-site", status: 403},
	{name: "from another origin, where it may", method: "DELETE", path: "/cross/x", header: "Origin: https://evil.example\nSec-Fetch-Site: cross-site", status: 200},

	{name: "PROPFIND", method: "PROPFIND", path: "/dav/a", status: 403},
	{name: "PROPFIND 0", method: "PROPFIND", path: "/dav/a", header: "Depth: 0", status: 200},
	{name: "PROPFIND 1", method: "PROPFIND", path: "/dav/a", header: "Depth: 1", status: 403},
	{name: "PROPFIND 1 of the site", method: "PROPFIND", path: "/", header: "Depth: 1", status: 403},
	{name: "PROPFIND 1 beside", method: "PROPFIND", path: "/dav/open/", header: "Depth: 1", status: 200},
	{name: "PROPFIND 1 two above", method: "PROPFIND", path: "/two", header: "Depth: 1", status: 200},
	{name: "PROPFIND infinity two above", method: "PROPFIND", path: "/two", header: "Depth: infinity", status: 403},
	{name: "PROPFIND infinity", method: "PROPFIND", path: "/dav/a", header: "Depth: infinity", status: 403},
	{name: "PROPFIND 1 with noroot", method: "PROPFIND", path: "/dav/a", header: "Depth: 1,noroot", status: 403},
	{name: "PROPFIND 0 twice", method: "PROPFIND", path: "/dav/a", header: "Depth: 0\nDepth: 0", status: 403},
	{name: "PROPFIND 0 and infinity", method: "PROPFIND", path: "/dav/a", header: "Depth: 0\nDepth: infinity", status: 403},
	{name: "PROPFIND 00", method: "PROPFIND", path: "/dav/a", header: "Depth: 00", status: 403},
	{name: "PROPFIND 0 that goes no further", method: "PROPFIND", path: "/dav/a", header: "Depth: 0\nConnection: x, depth", status: 403},
	{name: "PROPFIND beside", method: "PROPFIND", path: "/dav/b", status: 200},
	{name: "SEARCH", method: "SEARCH", path: "/dav/a", status: 403},
	{name: "SEARCH beside", method: "SEARCH", path: "/dav/b", status: 200},
	{name: "REPORT 0", method: "REPORT", path: "/dav/a", header: "Depth: 0", status: 403},
	{name: "REPORT beside", method: "REPORT", path: "/dav/b", status: 200},
	{name: "LOCK", method: "LOCK", path: "/dav/a", status: 403},
	{name: "LOCK infinity", method: "LOCK", path: "/dav/a", header: "Depth: infinity", status: 403},
	{name: "LOCK 0", method: "LOCK", path: "/dav/a", header: "Depth: 0", status: 200},
	{name: "LOCK 1", method: "LOCK", path: "/dav/a", header: "Depth: 1", status: 403},
	{name: "LOCK of a file", method: "LOCK", path: "/dav/a/plan.txt", status: 200},
	{name: "ACL", method: "ACL", path: "/dav/a", status: 403},
	{name: "BDELETE", method: "BDELETE", path: "/dav/a", status: 403},
	{name: "BIND", method: "BIND", path: "/dav/a", status: 403},
	{name: "a method that nobody knows", method: "FROB", path: "/dav/a", status: 403},
	{name: "the same beside", method: "FROB", path: "/dav/b", status: 200},
	{name: "DELETE through a script", method: "DELETE", path: "/dav/index.php/", status: 403},
	{name: "DELETE through a script elsewhere", method: "DELETE", path: "/x/index.php/dav", status: 403},
	{name: "DELETE of a script", method: "DELETE", path: "/dav/a/x.php", status: 200},
	{name: "DELETE with a dot at the end", method: "DELETE", path: "/dav/a.", status: 403},
	{name: "DELETE cut at a question mark", method: "DELETE", path: "/dav/a%3Fb", status: 403},
}

// beyondRows are all of them.
func beyondRows() []beyondRow {
	var rows []beyondRow
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "MKCOL", "MKCALENDAR", "PROPPATCH", "UNLOCK", "QUERY"} {
		rows = append(rows, beyondRow{name: method + " is for one resource", method: method, path: "/dav/a", status: 200})
	}
	return slices.Concat(rows, treeRows, destinationRows, sourceRows, conditionRows)
}

var destinationRows = []beyondRow{
	{name: "COPY", method: "COPY", path: "/dav/x", header: "Destination: ORIGIN/dav/y", status: 200, sent: "ORIGIN/dav/y"},
	{name: "MOVE", method: "MOVE", path: "/dav/x", header: "Destination: ORIGIN/dav/y", status: 200, sent: "ORIGIN/dav/y"},
	{name: "a path", method: "MOVE", path: "/dav/x", header: "Destination: /dav/y/", status: 200, sent: "/dav/y/"},
	{name: "encoded", method: "MOVE", path: "/dav/x", header: "Destination: /dav/caf%c3%a9%20%7E", status: 200, sent: "/dav/caf%C3%A9%20~"},
	{name: "the host in capitals", method: "COPY", path: "/dav/x", header: "Destination: HTTP://LOCALHOST:PORT/dav/y", status: 200, sent: "ORIGIN/dav/y"},
	{name: "to what is one's own", method: "COPY", path: "/dav/x", header: "Destination: /dav/mine/y", status: 200, sent: "/dav/mine/y"},
	{name: "to what is public", method: "COPY", path: "/dav/x", header: "Destination: /public/y", status: 200, sent: "/public/y"},
	{name: "from what is public, by nobody", user: "-", method: "COPY", path: "/public/x", header: "Destination: /dav/y", status: 401},
	{name: "from what is public", method: "COPY", path: "/public/x", header: "Destination: /dav/y", status: 200, sent: "/dav/y"},
	{name: "by nobody", user: "-", method: "COPY", path: "/dav/x", header: "Destination: /dav/private/y", status: 401},
	{name: "no destination", method: "COPY", path: "/dav/x", status: 200},

	{name: "COPY over what is others'", method: "COPY", path: "/dav/x", header: "Destination: ORIGIN/dav/private/plan", status: 403},
	{name: "MOVE over what is others'", method: "MOVE", path: "/dav/x", header: "Destination: ORIGIN/dav/private/plan", status: 403},
	{name: "by a path", method: "COPY", path: "/dav/x", header: "Destination: /dav/private/plan", status: 403},
	{name: "encoded letters", method: "COPY", path: "/dav/x", header: "Destination: /dav/%70rivate/plan", status: 403},
	{name: "by who may", user: "test0002", method: "COPY", path: "/dav/x", header: "Destination: /dav/private/plan", status: 200, sent: "/dav/private/plan"},
	{name: "above what is others'", method: "COPY", path: "/dav/x", header: "Destination: /dav/a", status: 403},
	{name: "above with Depth 0", method: "COPY", path: "/dav/x", header: "Destination: /dav/a\nDepth: 0\nOverwrite: F", status: 403},
	{name: "from above", method: "COPY", path: "/dav/a", header: "Destination: /dav/y", status: 403},
	{name: "MOVE from above", method: "MOVE", path: "/dav/a", header: "Destination: /dav/y", status: 403},
	{name: "from above with Depth 0", method: "COPY", path: "/dav/a", header: "Destination: /dav/y\nDepth: 0", status: 403},
	{name: "PUT with one", method: "PUT", path: "/dav/x", header: "Destination: /dav/private/plan", status: 403},
	{name: "another method with one", method: "REBIND", path: "/dav/x", header: "Destination: /dav/private/plan", status: 403},
	{name: "a better login is wanted", method: "COPY", path: "/dav/x", header: "Destination: /card/only/y", status: 401},
	{name: "a password is wanted", method: "COPY", path: "/dav/x", header: "Destination: /basic/y", status: 403},
	{name: "another origin may not", method: "COPY", path: "/cross/x", header: "Destination: /cross/not/x\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site", status: 403},
	{name: "through a script", method: "COPY", path: "/dav/x", header: "Destination: /dav/index.php/private/y", status: 400},
	{name: "a dot at the end", method: "COPY", path: "/dav/x", header: "Destination: /dav/private./y", status: 400},

	{name: "another host", method: "COPY", path: "/dav/x", header: "Destination: http://other.example/dav/y", status: 403},
	{name: "another port", method: "COPY", path: "/dav/x", header: "Destination: http://localhost:1/dav/y", status: 403},
	{name: "another scheme", method: "COPY", path: "/dav/x", header: "Destination: https://localhost:PORT/dav/y", status: 403},
	{name: "the fake's host", method: "COPY", path: "/dav/x", header: "Destination: http://127.0.0.1:PORT/dav/y", status: 403},
	{name: "a final dot", method: "COPY", path: "/dav/x", header: "Destination: http://localhost.:PORT/dav/y", status: 403},
	{name: "a user", method: "COPY", path: "/dav/x", header: "Destination: http://a@localhost:PORT/dav/y", status: 400},
	{name: "our host as user", method: "COPY", path: "/dav/x", header: "Destination: http://localhost:PORT@other.example/dav/y", status: 400},
	{name: "a backslash before the path", method: "COPY", path: "/dav/x", header: `Destination: http://localhost:PORT\@other.example/dav/y`, status: 400},
	{name: "no scheme", method: "COPY", path: "/dav/x", header: "Destination: //localhost:PORT/dav/y", status: 400},
	{name: "no host", method: "COPY", path: "/dav/x", header: "Destination: http:///dav/y", status: 400},
	{name: "another scheme altogether", method: "COPY", path: "/dav/x", header: "Destination: file:///etc/passwd", status: 400},
	{name: "relative", method: "COPY", path: "/dav/x", header: "Destination: y", status: 400},
	{name: "empty", method: "COPY", path: "/dav/x", header: "Destination:", status: 400},
	{name: "a query", method: "COPY", path: "/dav/x", header: "Destination: /dav/y?z", status: 400},
	{name: "an empty query", method: "COPY", path: "/dav/x", header: "Destination: /dav/y?", status: 400},
	{name: "a fragment", method: "COPY", path: "/dav/x", header: "Destination: /dav/y#z", status: 400},
	{name: "a blank", method: "COPY", path: "/dav/x", header: "Destination: /dav/y z", status: 400},
	{name: "two in one line", method: "COPY", path: "/dav/x", header: "Destination: /dav/y, /dav/private/z", status: 400},
	{name: "two lines", method: "COPY", path: "/dav/x", header: "Destination: /dav/y\nDestination: /dav/private/z", status: 400},
	{name: "twice the same", method: "COPY", path: "/dav/x", header: "Destination: /dav/y\nDestination: /dav/y", status: 400},
	{name: "encoded slash", method: "COPY", path: "/dav/x", header: "Destination: /dav%2Fprivate/y", status: 400},
	{name: "path parameter", method: "COPY", path: "/dav/x", header: "Destination: /dav/y;z", status: 400},
	{name: "encoded twice", method: "COPY", path: "/dav/x", header: "Destination: /dav/%2570rivate/y", status: 400},
	{name: "above the root", method: "COPY", path: "/dav/x", header: "Destination: /../dav/y", status: 400},
	{name: "the gateway's own pages", method: "COPY", path: "/dav/x", header: "Destination: /.wls/login", status: 400},
	{name: "the gateway's own pages in capitals", method: "COPY", path: "/dav/x", header: "Destination: ORIGIN/.WLS/x", status: 400},
}

var sourceRows = []beyondRow{
	{name: "S3 copies", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/y?versionId=1", status: 200},
	{name: "S3 copies from others'", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/private/plan", status: 403},
	{name: "without a slash", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: dav/private/plan?versionId=1", status: 403},
	{name: "encoded", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/%70rivate/plan", status: 403},
	{name: "an encoded slash", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: dav%2Fprivate%2Fplan", status: 400},
	{name: "dots", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/private/../y", status: 400},
	{name: "a second one", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/y\nX-Amz-Copy-Source: /dav/private/plan", status: 403},
	{name: "what is above others'", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/a", status: 200},
	{name: "by who may", user: "test0002", method: "PUT", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/private/plan", status: 200},
	{name: "Swift copies from others'", method: "PUT", path: "/dav/x", header: "X-Copy-From: /dav/private/plan", status: 403},
	{name: "Azure copies", method: "PUT", path: "/dav/x", header: "X-Ms-Copy-Source: ORIGIN/dav/y?sig=1", status: 200},
	{name: "Azure copies from others'", method: "PUT", path: "/dav/x", header: "X-Ms-Copy-Source: ORIGIN/dav/private/y?sig=1", status: 403},
	{name: "Azure copies from elsewhere", method: "PUT", path: "/dav/x", header: "X-Ms-Copy-Source: https://other.example/y", status: 403},
	{name: "Azure renames others'", method: "PUT", path: "/dav/x", header: "X-Ms-Rename-Source: /dav/private/plan", status: 403},
	{name: "Google copies from others'", method: "POST", path: "/dav/x", header: "X-Goog-Copy-Source: dav/private/plan", status: 403},
	{name: "where nothing is copied", method: "GET", path: "/dav/x", header: "X-Amz-Copy-Source: /dav/private/plan", status: 200},
}

var conditionRows = []beyondRow{
	{name: "a list", method: "PUT", path: "/dav/x", header: `If: (<urn:uuid:a> ["b)</dav/private>"]) (Not <DAV:no-lock>)`, status: 200, sent: `(<urn:uuid:a> ["b)</dav/private>"]) (Not <DAV:no-lock>)`},
	{name: "a tag", method: "PUT", path: "/dav/x", header: "If: <ORIGIN/dav/%79> (<urn:uuid:a>) </dav/z>(<urn:uuid:b>)", status: 200, sent: "<ORIGIN/dav/y> (<urn:uuid:a>) </dav/z>(<urn:uuid:b>)"},
	{name: "a tag of others", method: "PUT", path: "/dav/x", header: `If: <ORIGIN/dav/private/y> (["a"])`, status: 403},
	{name: "a second tag of others", method: "PUT", path: "/dav/x", header: `If: </dav/y> (<urn:uuid:a>) </dav/private/y> (["a"])`, status: 403},
	{name: "a tag at another host", method: "PUT", path: "/dav/x", header: `If: <http://other.example/dav/y> (<urn:uuid:a>)`, status: 403},
	{name: "a list without an end", method: "PUT", path: "/dav/x", header: `If: (<urn:uuid:a> </dav/private/y> (["a"])`, status: 400},
	{name: "a tag within an entity tag that has no end", method: "PUT", path: "/dav/x", header: `If: (["a] ) </dav/private/y> ("b"])`, status: 400},
	{name: "words", method: "PUT", path: "/dav/x", header: `If: something`, status: 400},
	{name: "two lines", method: "PUT", path: "/dav/x", header: "If: (<urn:uuid:a>)\nIf: (<urn:uuid:a>)", status: 400},
}

// headers sets the lines of a row; one that is empty too.
func (row *beyondRow) headers(w *world) func(*http.Request) {
	return func(r *http.Request) {
		for line := range strings.SplitSeq(w.expand(row.header), "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok {
				if name == "Sec-Fetch-Site" {
					r.Header.Del(name) // that of the fake's browser
				}
				r.Header.Add(name, strings.TrimSpace(value))
			}
		}
	}
}

func (w *world) expand(text string) string {
	_, port, _ := strings.Cut(w.host, ":")
	return strings.NewReplacer("ORIGIN", w.url, "PORT", port).Replace(text)
}

// davWorld is a gateway with davRules, and with two levels below /two.
func davWorld(t *testing.T, edit func(*Config)) (w *world, visitors map[string]*visitor) {
	t.Helper()
	rules := append(davRules(t), Rule{Path: "/two", Access: Login}, Rule{Path: "/two/x/private", Access: Login, Principals: []string{"test0002"}})
	w = newWorld(t, kit{rules: rules, config: edit})
	visitors = map[string]*visitor{}
	for _, user := range []string{"-", "test0001", "test0002", "test0010"} {
		v := w.visitor(strings.Trim(user, "-"))
		if user != "-" {
			v.get(serve.LoginPath + "?next=/alumni/x") // which all of them have
		}
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		visitors[user], visitors[""] = v, visitors["test0001"]
	}
	w.backend.reset()
	return w, visitors
}

func TestBeyondPath(t *testing.T) {
	w, visitors := davWorld(t, nil)
	for _, row := range beyondRows() {
		t.Run(row.name, func(t *testing.T) {
			answer := visitors[row.user].do(row.method, row.path, nil, scriptedBy, row.headers(w))
			require.Equal(t, row.status, answer.StatusCode, answer.body)
			if row.status != http.StatusOK {
				assert.Empty(t, w.backend.take())
				return
			}
			got := w.backend.one(t)
			assert.Equal(t, row.method, got.Method)
			if row.sent != "" {
				assert.Equal(t, []string{w.expand(row.sent)}, slices.Concat(got.Header["Destination"], got.Header["If"]))
			}
		})
	}
	assert.Contains(t, w.log.String(), `error="DELETE acts on what is below /dav/a, and there the rule for \"/dav/a/private\" does not let this request in"`)
	assert.Contains(t, w.log.String(), `error="Destination is /dav/private/plan, and the rule for \"/dav/private\" does not let this request in"`)
	assert.NotContains(t, w.log.String(), "sesame")
}

// TestBeyondPath_forwardAuth is the same where a front server asks, which gets one of
// three verdicts.
func TestBeyondPath_forwardAuth(t *testing.T) {
	w, visitors := davWorld(t, func(cfg *Config) {
		cfg.ForwardAuth = true
		cfg.Front.Proxies = []netip.Prefix{loopback}
		for i := range cfg.Rules {
			cfg.Rules[i].To = ""
		}
	})
	unresolved := beyondRow{name: "dots, which are the front server's to pass on", method: "COPY", path: "/dav/x", header: "Destination: /dav/z/../y", status: 403}
	bound := beyondRow{name: "what makes another resource appear there", method: "BIND", path: "/dav/b", status: 403}
	rebound := beyondRow{name: "what moves another resource there", method: "REBIND", path: "/dav/b", status: 403}
	for _, row := range append(beyondRows(), unresolved, bound, rebound) {
		t.Run(row.name, func(t *testing.T) {
			want := row.status
			if row.name == "no destination" {
				want = http.StatusForbidden // the front server may keep it from us
			}
			if want == http.StatusBadRequest || row.method == "propfind" || strings.Contains(row.path, "..") {
				want = http.StatusForbidden // not in this form, whoever asks
			}
			answer := visitors[row.user].get(authPath, about(row.method, row.path), scriptedBy, row.headers(w))
			assert.Equal(t, want, answer.StatusCode, answer.body)
		})
	}
}

// scriptedBy says that a program asks, and not from where.
func scriptedBy(r *http.Request) { r.Header.Set("Accept", "*/*") }

func FuzzSplitConditions(f *testing.F) {
	for _, row := range conditionRows {
		f.Add(strings.TrimPrefix(row.header, "If: "))
	}
	f.Fuzz(func(t *testing.T, value string) {
		pieces, err := dav.SplitConditions([]string{value})
		if err != nil {
			return
		}
		var whole strings.Builder
		for i, piece := range pieces {
			if i%2 == 1 {
				piece = "<" + piece + ">"
			}
			whole.WriteString(piece)
		}
		assert.Equal(t, value, whole.String(), "nothing is lost")
	})
}

// TestBeyondPath_fresh: a login may have become too old for what is below or beside.
func TestBeyondPath_fresh(t *testing.T) {
	w, visitors := davWorld(t, nil)
	w.fake.Advance(6 * time.Minute)
	assert.Equal(t, 401, visitors[""].do("DELETE", "/fresh", nil, scriptedBy).StatusCode)
	assert.Equal(t, 401, visitors[""].do("COPY", "/dav/x", nil, scriptedBy, header("Destination", "/fresh/now/y")).StatusCode)
	assert.Equal(t, 200, visitors[""].do("COPY", "/dav/x", nil, scriptedBy, header("Destination", "/fresh/y")).StatusCode)
}

// TestDestinationForBackend: the backend gets it as it would be asked for it.
func TestDestinationForBackend(t *testing.T) {
	one, two := &recorder{}, &recorder{}
	first, second := httptest.NewServer(one), httptest.NewServer(two)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	_, backendHost, _ := strings.Cut(first.URL, "://")
	for _, tls := range []bool{false, true} {
		w := newWorld(t, kit{tls: tls, rules: []Rule{
			{Path: "/keep", Access: Public, To: first.URL}, {Path: "/keep/on", Access: Public, ResponseTimeout: Duration(time.Minute)},
			{Path: "/strip/dav", Access: Public, To: first.URL, StripPath: true},
			{Path: "/named", Access: Public, To: first.URL, BackendHost: hostBackend},
			{Path: "/other", Access: Public, To: second.URL},
		}, config: func(cfg *Config) { cfg.Rules[1].To = "" }})
		for _, row := range []struct {
			name, path, destination string
			status                  int
			want                    string
		}{
			{"its scheme", "/keep/x", w.url + "/keep/y", 200, "http://" + w.host + "/keep/y"},
			{"a path", "/keep/x", "/keep/y", 200, "/keep/y"},
			{"a rule with the same backend", "/keep/x", "/keep/on/y", 200, "/keep/on/y"},
			{"without the path that is stripped", "/strip/dav/x", w.url + "/strip/dav/y/z", 200, "http://" + w.host + "/y/z"},
			{"all of the path that is stripped", "/strip/dav/x", "/strip/dav", 200, "/"},
			{"from what is not stripped to what is", "/keep/x", "/strip/dav/y", 200, "/y"},
			{"its host", "/named/x", w.url + "/named/y", 200, "http://" + backendHost + "/named/y"},
			{"under another host", "/keep/x", "/named/y", 403, ""},
			{"another backend", "/keep/x", "/other/y", 403, ""},
			{"from another backend", "/other/x", w.url + "/keep/y", 403, ""},
			{"no backend", "/keep/x", "/", 401, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				answer := w.visitor("").do("MOVE", row.path, nil, scriptedBy, header("Destination", row.destination))
				require.Equal(t, row.status, answer.StatusCode, answer.body)
				if row.status == 200 {
					assert.Equal(t, row.want, one.one(t).Header.Get("Destination"))
				}
				assert.Empty(t, one.take())
				assert.Empty(t, two.take())
			})
		}
	}
}

// TestBeyondPath_ignoreCase: below is what is below in any letter case.
func TestBeyondPath_ignoreCase(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{{Path: "/", Access: Public}, {Path: "/Dav/Private"}}, config: func(cfg *Config) { cfg.IgnoreCase = true }})
	for path, status := range map[string]int{"/dAV": 401, "/DAV/": 401, "/davy": 200, "/": 401, "/dav::$DATA": 401} {
		assert.Equal(t, status, w.visitor("").do("DELETE", path, nil, scriptedBy).StatusCode, path)
	}
	for destination, status := range map[string]int{"/dav/PRIVATE/x": 401, "/DAV": 401, "/x": 200} {
		assert.Equal(t, status, w.visitor("").do("COPY", "/x", nil, scriptedBy, header("Destination", destination)).StatusCode, destination)
	}
}

// TestBeyondPath_overrides: a header that says another method, and is passed on, is believed.
func TestBeyondPath_overrides(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Public, PassHeaders: []string{"x-http-method-override", "X-Client-Id"}}, {Path: "/a/private", Access: Login},
	}})
	for _, row := range []struct {
		method, override string
		path             string
		status           int
	}{
		{"POST", "DELETE", "/a", 401}, {"POST", "delete", "/a", 401}, {"POST", "PATCH, DELETE", "/a", 401}, {"POST", "PATCH", "/a", 200}, {"POST", "DELETE", "/b", 200},
		{"GET", "PROPFIND", "/", 401}, {"DELETE", "PUT", "/a", 401},
	} {
		answer := w.visitor("").do(row.method, row.path, nil, scriptedBy, header("X-Http-Method-Override", row.override), header("X-Client-Id", "DELETE"))
		assert.Equal(t, row.status, answer.StatusCode, "%v", row)
	}
	answer := w.visitor("").do("POST", "/b", strings.NewReader("<href>/a/private/x</href>"), scriptedBy, header("X-Http-Method-Override", "REPORT"))
	assert.Equal(t, 401, answer.StatusCode)
	assert.Equal(t, 200, w.visitor("").do("POST", "/a", nil, scriptedBy, header("X-Http-Method", "DELETE")).StatusCode, "this one is removed")
}

// TestBeyondPath_sources: nothing is stripped from what a store is told to copy.
func TestBeyondPath_sources(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{{Path: "/", Access: Public}, {Path: "/s3", Access: Public, StripPath: true}, {Path: "/s3/private", Access: Login}},
		config: func(cfg *Config) { cfg.Rules[2].To = "" }})
	for source, status := range map[string]int{"/s3/b": 200, "/s3/private/x": 401, "/private/x": 401, "private/x": 401, "b": 200} {
		answer := w.visitor("").do("PUT", "/s3/b", nil, scriptedBy, header("X-Amz-Copy-Source", source))
		assert.Equal(t, status, answer.StatusCode, source)
	}
	open := newWorld(t, kit{rules: []Rule{{Path: "/", Access: Public}}})
	answer := open.visitor("").do("PUT", "/b", nil, scriptedBy, header("X-Amz-Copy-Source", "bucket%2Fkey//1"))
	require.Equal(t, 200, answer.StatusCode, "there is nothing to judge")
	assert.Equal(t, []string{"bucket%2Fkey//1"}, open.backend.one(t).Header["X-Amz-Copy-Source"])
}

// TestBeyondPath_hosts: rules for other hosts, and those that another takes the place of,
// do not count.
func TestBeyondPath_hosts(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Public}, {Path: "/x/y", Host: "127.0.0.2"}, {Path: "/z/y"}, {Path: "/z/y", Host: "localhost", Access: Public},
	}, config: func(cfg *Config) { cfg.Origins = []string{"http://127.0.0.2"} }})
	for path, status := range map[string]int{"/x": 200, "/z": 200} {
		assert.Equal(t, status, w.visitor("").do("DELETE", path, nil, scriptedBy).StatusCode, path)
	}
	answer := w.visitor("").do("COPY", "/a", nil, scriptedBy, header("Destination", "http://127.0.0.2/b"))
	assert.Equal(t, 403, answer.StatusCode)
}
