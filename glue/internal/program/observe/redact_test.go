package observe

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWithoutResponse(t *testing.T) {
	for _, row := range []struct{ name, target, want string }{
		{"nothing", "/a?b=c", "/a?b=c"},
		{"no query", "/a", "/a"},
		{"empty query", "/a?", "/a?"},
		{"alone", "/a?WLS-Response=3!200", "/a"},
		{"among others", "/a?b=c&WLS-Response=3!200&d=%20", "/a?b=c&d=%20"},
		{"twice", "/a?WLS-Response=3!200&WLS-Response=x&b", "/a?b"},
		{"name encoded", "/a?%57LS-Respons%65=3!200&b=c", "/a?b=c"},
		{"hyphen encoded", "/a?b=c&WLS%2dResponse=3!200", "/a?b=c"},
		{"URL of the Referer", "https://soc.example/a?b=c&WLS-Response=3!200", "https://soc.example/a?b=c"},
		{"other case", "/a?b=c&wls-response=3!200", "/a?..."},
		{"separated by a semicolon", "/a?b=c;WLS-Response=3!200", "/a?..."},
		{"in next", "/.wls/login?next=%2Fa%3FWLS-Response%3D3!200", "/.wls/login?..."},
		{"in next, as it is", "/.wls/login?next=/a?WLS-Response=3!200", "/.wls/login?..."},
		{"in next, encoded twice", "/.wls/login?next=%2Fa%253F%2557LS%252DResponse%253D3!200", "/.wls/login?..."},
		{"encoded deeper than is looked", "/a?b=" + strings.Repeat("%25", 9) + "57LS-Response", "/a?..."},
		{"deep, but harmless", "/a?b=%2541", "/a?b=%2541"},
		{"bad encoding", "/a?b=100%&c=%zz", "/a?b=100%&c=%zz"},
		{"bad encoding and a response", "/a?b=%zz%57LS-Response", "/a?..."},
		{"question mark of the path encoded", "/a%3FWLS-Response=3!200", "/a%3F..."},
		{"in the path, encoded", "/a%3F%57LS-Response=3!200", "..."},
		{"as a segment", "/wls-response/3!200?b=c", "/..."},
		{"behind a fragment", "https://soc.example/#?WLS-Response=3!200", "https://soc.example/#"},
		{"parameters of a like name", "/a?WLS=1&Response=2&XWLS_Response=3", "/a?WLS=1&Response=2&XWLS_Response=3"},
		{"a provider's answer", "/.wls/login?code=x&state=y&iss=z&session_state=s", "/.wls/login"},
		{"its error", "/.wls/login?error=a&error_description=b&error_uri=c&state=y", "/.wls/login"},
		{"what of another flow comes", "/.wls/login?id_token=a&access_token=b&response=c", "/.wls/login"},
		{"a provider's answer, among others", "/.wls/login?a=b&c%6fde=x&%73tate=y", "/.wls/login?a=b"},
		{"a provider's answer, in Referer", "https://soc.example/.wls/login?code=x&state=y", "https://soc.example/.wls/login"},
		{"a provider's answer, at a path in odd spelling", "/x/../%2eWLS/./login;a?code=x", "/x/../%2eWLS/./login;a"},
		{"a provider's answer, its question mark encoded", "/.wls/login%3fcode=x", "/.wls/login..."},
		{"a provider's answer, its question mark encoded twice", "/.wls/login%253fcode=x", "/.wls/login..."},
		{"a path of the application's", "/callback?code=x&state=y", "/callback?code=x&state=y"},
		{"empty", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) { assert.Equal(t, row.want, withoutResponse(row.target)) })
	}
}

// However often what is logged is decoded, there is no response in it, and it is made of
// nothing but what came.
func FuzzWithoutResponse(f *testing.F) {
	for _, seed := range []string{
		"/a?WLS-Response=3!200", "/a?b=c;wls-Response=x", "/a%3fwls-response", "/?%2557LS-Response", "/a?%57LS-Response=x&b=c",
		"%%2557LS-Response", "/?a=%25252525252557LS-Response", "/?next=/x?WLS-Response=1&b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if len(target) > 1<<10 {
			return
		}
		clean := withoutResponse(target)
		for plain, last := clean, ""; plain != last; plain, last = unescapeLoosely(plain), plain {
			require.NotContains(t, strings.ToLower(plain), "wls-response")
		}
		require.LessOrEqual(t, len(clean), len(target)+len("..."))
		require.Equal(t, clean, withoutResponse(clean), "there is nothing more to remove")
	})
}
