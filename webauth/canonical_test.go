package webauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// What a real browser makes of these, package glue's tests ask one.
func TestCanonicalTarget(t *testing.T) {
	for _, row := range []struct {
		name, path, query string
		want              string // path and query; empty where it is an error
		refusal           string
	}{
		{"plain", "/a/b", "c=d", "/a/b?c=d", ""},
		{"the start", "/", "", "/", ""},
		{"slashes in a row", "//a///b//", "", "//a///b//", ""},
		{"what is encoded stays", "/%41%2f%5c%09%00%c3%A9%25%zz", "%41%2f%zz%", "/%41%2f%5c%09%00%c3%A9%25%zz?%41%2f%zz%", ""},
		{"what needs nothing", "/!$&'()*+,-.:;=@_~[]", "!$&()*+,-./:;=?@_~[]^`{|}", "/!$&'()*+,-.:;=@_~[]?!$&()*+,-./:;=?@_~[]^`{|}", ""},
		{"what is encoded in a path", "/ \"<>?^`{|}é\xff", "", "/%20%22%3C%3E%3F%5E%60%7B%7C%7D%C3%A9%FF", ""},
		{"what is encoded in a query", "/", " \"<>'\\é\xff", "/?%20%22%3C%3E%27%5C%C3%A9%FF", ""},
		{"dots in the query", "/", "/../.", "/?/../.", ""},

		{"one dot", "/./a", "", "", "dot segment"},
		{"two dots", "/a/../b", "", "", "dot segment"},
		{"one dot at the end", "/a/.", "", "", "dot segment"},
		{"two dots at the end", "/a/..", "", "", "dot segment"},
		{"two dots before a query", "/a/..", "b", "", "dot segment"},
		{"two dots between slashes", "/a//..//b", "", "", "dot segment"},
		{"one dot, encoded", "/a/%2e/b", "", "", "dot segment"},
		{"one dot, encoded in capitals", "/a/%2E", "", "", "dot segment"},
		{"two dots, encoded", "/a/%2e%2E/b", "", "", "dot segment"},
		{"two dots, the first encoded", "/a/%2e./b", "", "", "dot segment"},
		{"two dots, the second encoded", "/a/.%2E", "", "", "dot segment"},
		{"three dots", "/a/.../%2e.%2e/b", "", "/a/.../%2e.%2e/b", ""},
		{"dots of names", "/.a/b./..c/%2ed/e%2e/f..g", "", "/.a/b./..c/%2ed/e%2e/f..g", ""},
		{"dots that are encoded twice", "/%252e%252e/a", "", "/%252e%252e/a", ""},
		{"dots and an encoded slash", "/..%2fa", "", "/..%2fa", ""},
		{"dots and a parameter", "/..;/a", "", "/..;/a", ""},

		{"backslash", `/a\b`, "", "", "backslash"},
		{"backslashes around dots", `/a\..\b`, "", "", "backslash"},
		{"number sign in the path", "/a#b", "", "", "the path has a '#'"},
		{"number sign in the query", "/a", "b#c", "", "the query has a '#'"},
		{"tab between dots", "/a/.\t./b", "", "", "control"},
		{"line break in the query", "/a", "b\nc", "", "the query has a control"},
		{"carriage return", "/a\r", "", "", "control"},
		{"NUL", "/\x00", "", "", "control"},
		{"DEL", "/\x7f", "", "", "control"},
		{"no path", "", "", "", "slash"},
		{"the asterisk of OPTIONS", "*", "", "", "slash"},
		{"a relative path", "a/b", "", "", "slash"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path, query, err := webauth.CanonicalTarget(row.path, row.query)
			if row.refusal != "" {
				require.ErrorContains(t, err, row.refusal)
				assert.Empty(t, path+query)
				return
			}
			require.NoError(t, err)
			wantPath, wantQuery, _ := strings.Cut(row.want, "?")
			assert.Equal(t, wantPath, path)
			assert.Equal(t, wantQuery, query)
			again, againQuery, err := webauth.CanonicalTarget(path, query)
			require.NoError(t, err)
			assert.Equal(t, path+"?"+query, again+"?"+againQuery, "the form of the form")
		})
	}
}

func TestCanonicalURL(t *testing.T) {
	for _, row := range []struct{ name, url, want, refusal string }{
		{"as it is", "https://soc.example/a?b=c", "https://soc.example/a?b=c", ""},
		{"host and port", "HTTPS://SOC.Example:443/A", "https://soc.example/A", ""},
		{"no path", "http://localhost:8080", "http://localhost:8080/", ""},
		{"no path but a query", "https://soc.example?a=/", "https://soc.example/?a=/", ""},
		{"an empty query", "https://soc.example/a?", "https://soc.example/a", ""},
		{"beyond ASCII", "https://soc.example/é?q='é'", "https://soc.example/%C3%A9?q=%27%C3%A9%27", ""},
		{"backslash in the query", `https://soc.example/?q=a\b`, "https://soc.example/?q=a%5Cb", ""},
		{"dot segments", "https://soc.example/a/%2e%2e/b", "", "dot segment"},
		{"backslash behind the host", `https://soc.example\@evil.example/`, "", "slash"},
		{"fragment", "https://soc.example#/a", "", "slash"},
		{"user", "https://a@soc.example/", "", "user"},
		{"host beyond ASCII", "https://sóc.example/", "", "not allowed"},
		{"relative", "/a", "", "absolute"},
		{"another scheme", "javascript://soc.example/", "", "absolute"},
		{"nothing", "", "", "absolute"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := webauth.CanonicalURL(row.url)
			if row.refusal != "" {
				require.ErrorContains(t, err, row.refusal)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
}

// FuzzCanonicalTarget: the form has one reading. It is its own form, and of a path that is
// taken for the same by all who resolve and decode nothing.
func FuzzCanonicalTarget(f *testing.F) {
	for _, s := range []string{"/a/b", "/%2e%2E/..", `/\..\`, "/é", "/..;/%252e", "//", "/a|b^c", "*", ""} {
		f.Add(s, "q='é'\\")
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		p, q, err := webauth.CanonicalTarget(path, query)
		if err != nil {
			return
		}
		again, againQuery, err := webauth.CanonicalTarget(p, q)
		require.NoError(t, err)
		require.Equal(t, p, again)
		require.Equal(t, q, againQuery)
		require.NotContains(t, p, `\`)
		require.Equal(t, strings.Count(path, "/"), strings.Count(p, "/"))
		for segment := range strings.SplitSeq(strings.ReplaceAll(strings.ToLower(p), "%2e", "."), "/") {
			require.NotContains(t, []string{".", ".."}, segment)
		}
		full, err := webauth.CanonicalURL("https://soc.example" + path)
		if err == nil && !strings.Contains(path, "?") {
			require.Equal(t, "https://soc.example"+p, full)
		}
	})
}
