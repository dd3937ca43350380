package paths

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestNormalise(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"root", "/", "/"},
		{"plain", "/api/v1", "/api/v1"},
		{"final slash", "/api/", "/api/"},
		{"what stands for itself", "/-._~!$&'()*,=:@/a", "/-._~!$&'()*,=:@/a"},
		{"slashes in a row", "//api///v1//", "/api/v1/"},
		{"only slashes", "///", "/"},
		{"dot", "/./api/./v1", "/api/v1"},
		{"dot at the end", "/api/.", "/api/"},
		{"dots", "/a/../api", "/api"},
		{"dots at the end", "/api/v1/..", "/api/"},
		{"dots to the root", "/api/..", "/"},
		{"encoded dots", "/a/%2e%2E/api", "/api"},
		{"half encoded dots", "/a/.%2e/api", "/api"},
		{"three dots are a name", "/a/.../api", "/a/.../api"},
		{"a name that begins with a dot", "/.well-known/x", "/.well-known/x"},
		{"a name that begins with two", "/..x/y", "/..x/y"},
		{"encoded letters", "/%61p%69", "/api"},
		{"encoded for nothing", "/%7Ejoe/%2D%5F", "/~joe/-_"},
		{"lower case hex", "/caf%c3%a9", "/caf%C3%A9"},
		{"UTF-8 as it is", "/café", "/caf%C3%A9"},
		{"blank", "/a%20b", "/a%20b"},
		{"plus", "/a+b", "/a+b"},
		{"plus, with what is encoded for nothing", "/%61+b", "/a+b"},
		{"both kinds of plus", "/a+b%2Bc%2bd/../x/%61+%2B", "/x/a+%2B"},
		{"encoded plus", "/a%2bb", "/a%2Bb"},
		{"encoded question mark and hash", "/a%3Fb%23c", "/a%3Fb%23c"},
		{"brackets", "/[a]{b}|^`\"<>", "/%5Ba%5D%7Bb%7D%7C%5E%60%22%3C%3E"},
		{"encoded percent sign", "/100%25", "/100%25"},
		{"encoded percent sign before no hex", "/100%25zz", "/100%25zz"},
		{"dots inside an empty segment", "/a//../b", "/b"},
		{"star below", "/*", "/*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Normalise(tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			again, err := Normalise(got)
			require.NoError(t, err)
			assert.Equal(t, got, again, "it is its own form")
		})
	}
}

func TestNormalise_refuses(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"nothing", "", errPathForm},
		{"asterisk", "*", errPathForm},
		{"authority", "soc.example:443", errPathForm},
		{"relative", "api", errPathForm},
		{"above the root", "/..", errPathAbove},
		{"above the root and back", "/../api", errPathAbove},
		{"above the root, encoded", "/%2e%2e/api", errPathAbove},
		{"above the root, deep down", "/a/../../api", errPathAbove},
		{"encoded slash", "/a%2Fb", errPathSlash},
		{"encoded slash between dots", "/a/..%2fapi", errPathSlash},
		{"backslash", `/a\..\api`, errPathSlash},
		{"encoded backslash", "/a/..%5capi", errPathSlash},
		{"semicolon", "/api;x=1", errPathSlash},
		{"semicolon after dots", "/a/..;/api", errPathSlash},
		{"encoded semicolon", "/a/..%3b/api", errPathSlash},
		{"twice encoded dots", "/a/%252e%252e/api", errPathTwice},
		{"twice encoded slash", "/a/..%252fapi", errPathTwice},
		{"thrice encoded", "/a/%25252e", errPathTwice},
		{"a percent sign that decodes with what follows", "/a/%25%32%65", errPathTwice},
		{"%u encoding, encoded", "/a/%25u002e", errPathTwice},
		{"%u encoding", "/a/%u002e%u002e/api", errPathEscape},
		{"lone percent sign", "/100%", errPathEscape},
		{"cut off", "/a%2", errPathEscape},
		{"no hex", "/a%zz", errPathEscape},
		{"NUL", "/api%00.png", errPathControl},
		{"line break", "/api%0d%0aX:%20y", errPathControl},
		{"delete", "/api%7f", errPathControl},
		{"C1 control", "/api%c2%85", errPathControl},
		{"raw control", "/api\x01", errPathByte},
		{"raw blank", "/api x", errPathByte},
		{"raw hash", "/api#x", errPathByte},
		{"overlong dot", "/a/%c0%ae%c0%ae/api", errPathUTF8},
		{"overlong slash", "/a%c0%afapi", errPathUTF8},
		{"overlong slash of three bytes", "/a%e0%80%afapi", errPathUTF8},
		{"Latin-1", "/caf%e9", errPathUTF8},
		{"surrogate", "/%ed%a0%80", errPathUTF8},
		{"division slash", "/a%e2%88%95api", errPathSlash},
		{"fullwidth slash", "/a%ef%bc%8fapi", errPathSlash},
		{"fullwidth dots", "/a/%ef%bc%8e%ef%bc%8e/api", errPathSlash},
		{"two dot leader", "/a/%e2%80%a5/api", errPathSlash},
		{"fullwidth percent sign", "/a/%ef%bc%852e", errPathSlash},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Normalise(tt.in)
			assert.ErrorIs(t, err, tt.want)
			assert.Empty(t, got)
		})
	}
}

func TestSplitTarget(t *testing.T) {
	for _, tt := range []struct {
		name, in, path, query string
		want                  error
	}{
		{"path", "/a", "/a", "", nil},
		{"query", "/a?b=c?d", "/a", "b=c?d", nil},
		{"two slashes are no authority", "//evil.example/a", "//evil.example/a", "", nil},
		{"absolute", "http://soc.example/a?b", "/a", "b", nil},
		{"absolute without a path", "HTTPS://soc.example?b", "/", "b", nil},
		{"absolute, host alone", "http://soc.example", "/", "", nil},
		{"another scheme", "ftp://soc.example/a", "", "", errPathForm},
		{"no authority", "http:/a", "", "", errPathForm},
		{"user", "http://soc.example@evil.example/a", "", "", errPathForm},
		{"asterisk", "*", "", "", errPathForm},
		{"host and port", "soc.example:443", "", "", errPathForm},
		{"blank in the query", "/a?b HTTP/1.1", "/a", "b HTTP/1.1", errQuery},
		{"hash in the query", "/a?b#c", "/a", "b#c", errQuery},
		{"tab in the query", "/a?b\tc", "/a", "b\tc", errQuery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, query, err := SplitTarget(tt.in)
			require.ErrorIs(t, err, tt.want)
			assert.Equal(t, tt.path, path)
			assert.Equal(t, tt.query, query)
		})
	}
}

// FuzzNormalise checks that what goes to a backend is a form of its own, and that the
// standard library and browsers read it as we do.
func FuzzNormalise(f *testing.F) {
	for _, seed := range []string{
		"/", "/api", "/public/../private/x", "//private", "/%2e%2e/private", "/public/%2e%2e/private",
		"/public%2f..%2fprivate", `/public\..\private`, "/public/..;/private", "/%252e%252e/private", "/%c0%ae/private",
		"/public/.%2e/./private//", "/a+b%2B", "/a+%2b/%2E%2e/+", "/%E2%88%95private", "/caf%C3%A9", "/public/%25%32e", "/privat%65", "*", "",
		"/private%3fx", "/private%23", "/private.", "/private%20/x", "/public/..%20/private", "/public/..%20../x", "/a.%20.%20/b", "/..%20/private",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		normal, err := Normalise(in)
		if err != nil {
			require.Empty(t, normal)
			return
		}
		again, err := Normalise(normal)
		require.NoError(t, err)
		require.Equal(t, normal, again, "idempotent")
		require.NotContains(t, normal, "//")
		for segment := range strings.SplitSeq(normal, "/") {
			require.NotContains(t, []string{".", ".."}, segment)
		}
		for i := range len(normal) {
			require.True(t, normal[i] == '%' || isPlain(normal[i]), "%q", normal)
		}
		asked, _, err := webauth.CanonicalTarget(normal, "")
		require.NoError(t, err)
		require.Equal(t, normal, asked, "browsers ask for it as it is")
		u, err := url.ParseRequestURI(normal)
		require.NoError(t, err)
		u.RawPath = normal
		require.Equal(t, normal, u.EscapedPath(), "package url sends it as it is")
	})
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{"/Private", "/PRIVATE/x", "/priv%C4%B1ate", "/%C5%BFtatic", "/%E2%84%AAing", "/private.", "/private%20/x", "/CAF%C3%89"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		normal, err := Normalise(in)
		if err != nil {
			return
		}
		folded, clear := Fold(normal)
		if !clear {
			return
		}
		again, clear := Fold(folded)
		require.True(t, clear)
		require.Equal(t, folded, again, "idempotent")
		decoded, err := url.PathUnescape(normal)
		require.NoError(t, err)
		for _, change := range []func(string) string{strings.ToLower, strings.ToUpper} {
			changed, err := Normalise(Escape(change(decoded)))
			if err != nil {
				continue
			}
			other, clear := Fold(changed)
			if clear {
				require.Equal(t, folded, other, "%q and %q are alike", decoded, changed)
			}
		}
	})
}
