package gateway

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBody_strip: a backend may take what a body names for a path of its own.
func TestBody_strip(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Public}, {Path: "/dav", Access: Public, StripPath: true}, {Path: "/dav/private", Access: Login},
	}, config: func(cfg *Config) { cfg.Rules[2].To = "" }})
	for ref, status := range map[string]int{"/dav/b": 200, "/dav/private/x": 401, "/private/x": 401, "/b": 200, "/": 401} {
		answer := w.visitor("").do("REPORT", "/dav/b", strings.NewReader("<href>"+ref+"</href>"), scriptedBy)
		assert.Equal(t, status, answer.StatusCode, ref)
	}
}

// TestBody is what an XML body names.
func TestBody(t *testing.T) {
	w, visitors := davWorld(t, nil)
	href := func(ref string) string {
		return `<?xml version="1.0" encoding="utf-8"?>` + "\n" + `<D:x xmlns:D="DAV:"><D:href>` + ref + `</D:href></D:x>`
	}
	for _, row := range []struct {
		name, method string
		header, body string
		status       int
	}{
		{"nothing", "REPORT", "", "", 200},
		{"no href", "REPORT", "", "<sync-collection xmlns='DAV:'><sync-token/></sync-collection>", 200},
		{"what is below", "REPORT", "", href("/dav/b/1.ics"), 200},
		{"what is elsewhere", "REPORT", "", href("/dav/c/1.ics"), 200},
		{"with an origin", "REPORT", "", href("ORIGIN/dav/c/1.ics"), 200},
		{"empty", "SEARCH", "", href(" "), 200},
		{"no XML", "FROB", "Content-Type: application/json", `{"href": "/dav/private/x"}`, 200},
		{"who locks", "LOCK", "", href("http://other.example/~ann"), 200},
		{"of one resource", "PROPPATCH", "", href("/dav/private/x"), 200},

		{"what is others'", "REPORT", "", href("/dav/private/1.ics"), 403},
		{"where others' is below", "SEARCH", "", href("/dav/a"), 403},
		{"all", "SEARCH", "", href("/"), 403},
		{"BIND", "BIND", "", href("ORIGIN/dav/private"), 403},
		{"a method that nobody knows", "FROB", "", href("/dav/private/x"), 403},
		{"encoded", "REPORT", "", href("/dav/%70rivate/x"), 403},
		{"second", "REPORT", "", "<a><href>/dav/b</href><href>/dav/private/x</href></a>", 403},
		{"in another namespace", "REPORT", "", `<a xmlns:b="urn:b"><b:HREF>/dav/private/x</b:HREF></a>`, 403},
		{"in references", "REPORT", "", href("/dav/&#112;rivate/x"), 403},
		{"as CDATA", "REPORT", "", href("/dav/<![CDATA[private]]>/x"), 403},
		{"around a comment", "REPORT", "", href("/dav/pri<!-- -->vate/x"), 403},
		{"around an element", "REPORT", "", href("/dav/pri<a/>vate/x"), 403},
		{"behind a byte order mark", "REPORT", "", "\ufeff" + href("/dav/private/x"), 403},
		{"behind blanks, as text", "REPORT", "Content-Type: text/plain", " \n<a><href>/dav/private/x</href></a>", 403},
		{"another origin", "REPORT", "", href("http://other.example/dav/b"), 403},
		{"relative", "REPORT", "", href("../private/x"), 400},
		{"dots", "REPORT", "", href("/dav/private/../b"), 400},
		{"slashes in a row", "REPORT", "", href("/dav//b"), 400},
		{"a query", "REPORT", "", href("/dav/b?x"), 400},
		{"an entity of its own", "REPORT", "", `<!DOCTYPE a [<!ENTITY p "private">]><a><href>/dav/&p;/x</href></a>`, 400},
		{"a document type", "REPORT", "", `<!DOCTYPE a SYSTEM "http://other.example/a.dtd"><a/>`, 400},
		{"UTF-16", "REPORT", "", "\xff\xfe<\x00a\x00", 400},
		{"UTF-16 without a mark", "REPORT", "", "\x00<\x00a", 400},
		{"another encoding", "REPORT", "", `<?xml version="1.0" encoding="utf-7"?><a/>`, 400},
		{"another encoding, with blanks", "REPORT", "", "<?xml version='1.0' encoding\t= 'utf-7'?><a>+ADw-href+AD4-/dav/private/x+ADw-/href+AD4-</a>", 400},
		{"two encodings", "REPORT", "", `<?xml version="1.0" encoding="utf-8" encoding ="utf-7"?><a/>`, 400},
		{"another encoding in the header", "REPORT", "Content-Type: application/xml; Charset=\"utf-7\"", "<a>+ADw-href+AD4-/dav/private/x+ADw-/href+AD4-</a>", 400},
		{"another encoding in a second header", "REPORT", "Content-Type: text/xml\nContent-Type: text/xml;charset = utf-7", "<a/>", 400},
		{"UTF-8 in both", "REPORT", `Content-Type: text/xml; charset="UTF-8"`, `<?xml version='1.0' encoding = 'UTF-8' ?><a/>`, 200},
		{"EBCDIC", "REPORT", "", "\x4c\x6f\xa7\x94\x93", 400},
		{"an encoding without quotes", "REPORT", "", "<?xml version='1.0' encoding=utf-7?><a>+ADw-href+AD4-/dav/private/x+ADw-/href+AD4-</a>", 400},
		{"XML behind a zero byte", "REPORT", "", "x\x00<a><href>/dav/private/x</href></a>", 400},
		{"a zero byte later", "REPORT", "", "<a></a> \x00", 400},
		{"behind what does not show", "REPORT", "", "\x0c\ufeff\ufeff\u200b<a><href>/dav/private/x</href></a>", 403},
		{"an href in an href", "REPORT", "", href("/dav/b<href>/dav/private/x</href>"), 400},
		{"an href that goes on behind a comment", "REPORT", "", href("/dav/private<!-- -->x"), 400},
		{"an href that goes on in an element", "REPORT", "", href("/dav/private<b>x</b>"), 400},
		{"an href that goes on in CDATA", "REPORT", "", href("/dav/private<![CDATA[x]]>"), 400},
		{"an href that goes on behind an instruction", "REPORT", "", href("/dav/private<?x?>x"), 400},
		{"all in CDATA", "REPORT", "", href("<![CDATA[/dav/b]]>"), 200},
		{"compressed", "REPORT", "Content-Encoding: gzip", "\x1f\x8b", 400},
		{"without an end", "REPORT", "", "<a><href>/dav/private/x", 400},
		{"too long", "REPORT", "", "<a>" + strings.Repeat(" ", maxDAVBody), 413},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				text := w.expand(row.body)
				var body io.Reader = strings.NewReader(text)
				if chunked {
					body = struct{ *strings.Reader }{strings.NewReader(text)}
				}
				request := beyondRow{header: row.header}
				answer := visitors[""].do(row.method, "/dav/b", body, scriptedBy, request.headers(w), header("Depth", "0"))
				require.Equal(t, row.status, answer.StatusCode, answer.body)
				if row.status != 200 {
					assert.Empty(t, w.backend.take())
					return
				}
				assert.Equal(t, text, w.backend.one(t).Body, "all of it goes on")
			})
		}
	}
}

// TestBody_noMatter: where no rule is stricter, nothing that a body names is refused, nor how
// long it is.
func TestBody_noMatter(t *testing.T) {
	other := newWorld(t, kit{}).url
	for _, row := range []struct {
		name   string
		rules  []Rule
		status int
	}{
		{"one rule", []Rule{{Path: "/", Access: Public}}, 200},
		{"rules for the same", []Rule{{Path: "/", Access: Public}, {Path: "/dav", Access: Public}}, 200},
		{"a stricter one", []Rule{{Path: "/", Access: Public}, {Path: "/x", Access: Login}}, 413},
		{"no rule for the rest", []Rule{{Path: "/dav", Access: Public}}, 413},
		{"another backend", []Rule{{Path: "/", Access: Public}, {Path: "/x", Access: Public, To: other}}, 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, kit{rules: row.rules})
			answer := w.visitor("").do("REPORT", "/dav/b", strings.NewReader("<a>"+strings.Repeat(" ", maxDAVBody)), scriptedBy)
			assert.Equal(t, row.status, answer.StatusCode, answer.body)
		})
	}
}
