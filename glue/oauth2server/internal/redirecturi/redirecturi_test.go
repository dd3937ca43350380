package redirecturi

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckRedirectURI(t *testing.T) {
	const both, public, never = 2, 1, 0
	long := "https://app.example/" + strings.Repeat("x", maxLength-20)
	for _, tt := range []struct {
		name, uri string
		who       int
	}{
		{"https", "https://app.example/cb", both},
		{"https with a port", "https://app.example:8443/cb", both},
		{"https with a query", "https://app.example/cb?tenant=1&x", both},
		{"https without a path", "https://app.example", both},
		{"https with a query and no path", "https://app.example?x=1", both},
		{"https with escapes", "https://app.example/a%2Fb%20c", both},
		{"https on an address", "https://192.0.2.1/cb", both},
		{"as long as can be", long, both},
		{"loopback", "http://127.0.0.1/cb", both},
		{"loopback with a port", "http://127.0.0.1:9000/cb", both},
		{"loopback, IPv6", "http://[::1]:9000/cb", both},
		{"loopback by name", "http://localhost:9000/cb", both},
		{"private-use scheme", "com.example.app:/cb", public},
		{"private-use scheme with a host", "com.example.app://cb", public},
		{"private-use scheme with digits", "uk.4example.my-app2:/cb", public},

		{"empty", "", never},
		{"too long", long + "x", never},
		{"path alone", "/cb", never},
		{"host alone", "app.example/cb", never},
		{"relative to the scheme", "//app.example/cb", never},
		{"http", "http://app.example/cb", never},
		{"http on a private address", "http://192.168.1.1/cb", never},
		{"http that looks like loopback", "http://127.0.0.1.evil.example/cb", never},
		{"http that looks like localhost", "http://localhost.evil.example/cb", never},
		{"fragment", "https://app.example/cb#x", never},
		{"empty fragment", "https://app.example/cb#", never},
		{"userinfo", "https://user@app.example/cb", never},
		{"empty userinfo", "https://@app.example/cb", never},
		{"userinfo and password", "https://user:pass@app.example/cb", never},
		{"userinfo on loopback", "http://127.0.0.1:80@evil.example/cb", never},
		{"userinfo in a private-use scheme", "com.example.app://user@host/cb", never},
		{"port in a private-use scheme", "com.example.app://host:80/cb", never},
		{"capital host in a private-use scheme", "com.example.app://Host/cb", never},
		{"nothing in a private-use scheme", "com.example.app:", never},
		{"no slash in a private-use scheme", "com.example.app:cb", never},
		{"no slash in https", "https:app.example/cb", never},
		{"no host", "https:///cb", never},
		{"scheme without a dot", "app:/cb", never},
		{"scheme of capitals", "COM.example.app:/cb", never},
		{"scheme with an empty part", "com..app:/cb", never},
		{"scheme that begins with a dot", ".com.app:/cb", never},
		{"scheme that begins with a digit", "4com.app:/cb", never},
		{"javascript", "javascript:alert(1)", never},
		{"javascript with slashes", "javascript://app.example/%0Aalert(1)", never},
		{"javascript in capitals", "JavaScript:alert(1)", never},
		{"data", "data:text/html,x", never},
		{"vbscript", "vbscript:x", never},
		{"file", "file:///etc/passwd", never},
		{"blob", "blob:https://app.example/x", never},
		{"about", "about:blank", never},
		{"mailto", "mailto:a@app.example", never},
		{"ftp", "ftp://app.example/cb", never},
		{"urn", "urn:ietf:wg:oauth:2.0:oob", never},
		{"capital scheme", "HTTPS://app.example/cb", never},
		{"capital host", "https://App.example/cb", never},
		{"default port", "https://app.example:443/cb", never},
		{"default port of http", "http://127.0.0.1:80/cb", never},
		{"empty port", "https://app.example:/cb", never},
		{"port too high", "https://app.example:65536/cb", never},
		{"final dot", "https://app.example./cb", never},
		{"IPv6", "https://[2001:db8::1]/cb", both},
		{"IPv6 in another spelling", "https://[2001:db8:0::1]/cb", never},
		{"loopback in another spelling", "http://[0:0:0:0:0:0:0:1]/cb", never},
		{"IPv4 within IPv6", "https://[::ffff:192.0.2.1]/cb", never},
		{"an address as one number", "https://2130706433/cb", never},
		{"an address in hexadecimal", "https://0x7f.1/cb", never},
		{"an address in octal", "https://0300.0.2.1/cb", never},
		{"a name with numbers", "https://127.example/cb", both},
		{"wildcard host", "https://*.app.example/cb", never},
		{"backslash", `https://app.example\@evil.example/`, never},
		{"blank", "https://app.example/a b", never},
		{"blank before", " https://app.example/cb", never},
		{"line break", "https://app.example/cb\n", never},
		{"NUL", "https://app.example/\x00", never},
		{"outside ASCII", "https://app.example/é", never},
		{"host outside ASCII", "https://аpp.example/cb", never},
		{"quotation mark", `https://app.example/"`, never},
		{"angle brackets", "https://app.example/<script>", never},
		{"broken escape", "https://app.example/%2", never},
		{"escape that is none", "https://app.example/%zz", never},
		{"escaped host", "https://app%2eexample/cb", never},
		{"dot segments", "https://app.example/a/../cb", never},
		{"escaped dot segments", "https://app.example/a/%2e%2E/cb", never},
		{"dot segment", "https://app.example/./cb", never},
		{"backslashed dot segments", "https://app.example/a%5c..%5ccb", never},
		{"code in the query", "https://app.example/cb?code=x", never},
		{"state in the query", "https://app.example/cb?a=1&state=x", never},
		{"iss in the query", "https://app.example/cb?iss", never},
		{"escaped error in the query", "https://app.example/cb?%65rror=x", never},
		{"semicolon in the query", "https://app.example/cb?a=1;b=2", never},
		{"IPv6 with a zone", "http://[::1%25lo]/cb", never},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for confidential, want := range map[bool]bool{false: tt.who >= public, true: tt.who == both} {
				err := Check(tt.uri, confidential)
				assert.Equal(t, want, err == nil, "confidential %v: %v", confidential, err)
				if err == nil {
					assert.NotEqual(t, None, KindOf(tt.uri))
					assert.NotEmpty(t, Destination(tt.uri))
				}
			}
		})
	}
}

func TestDestination(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/cb?x=1":  "https://app.example",
		"http://127.0.0.1:9000/cb":    "http://127.0.0.1:9000",
		"com.example.app://host/path": "com.example.app",
	} {
		assert.Equal(t, want, Destination(uri))
	}
}

// FuzzRedirectURI matches what anybody may send against what can be registered. What
// matches leads to the same place, for every parser that we know of.
func FuzzRedirectURI(f *testing.F) {
	for _, known := range []string{"https://app.example/cb?tenant=1", "http://127.0.0.1/cb", "http://[::1]:9000/cb?x=1", "http://localhost:9000/cb", "com.example.app:/cb"} {
		for _, uri := range []string{
			known, "http://127.0.0.1:51004/cb", "http://[::1]:51004/cb?x=1", "http://localhost:51004/cb", "http://localhost:80@evil.example/cb", "http://localhost.evil.example/cb", "http://127.0.0.1:80@evil.example/cb", `http://127.0.0.1\@evil.example/cb`,
			"http://127.0.0.1:0x50/cb", "http://127.0.0.1:+80/cb", "http://127.0.0.1:8 0/cb", "http://127.0.0.1#@evil.example/cb", known + "#", known + "/", "//evil.example",
		} {
			f.Add(known, uri)
		}
	}
	f.Fuzz(func(t *testing.T, known, uri string) {
		if Check(known, false) != nil {
			return
		}
		require.True(t, Matches([]string{known}, known))
		if !Matches([]string{known}, uri) {
			return
		}
		a, err := url.Parse(known)
		require.NoError(t, err)
		b, err := url.Parse(uri)
		require.NoError(t, err)
		require.True(t, IsText(uri))
		require.Equal(t, a.Hostname(), b.Hostname())
		require.Nil(t, b.User)
		require.NotContains(t, uri, "#")
		if known != uri {
			require.Equal(t, "http", b.Scheme)
			require.Contains(t, []string{"127.0.0.1", "::1", "localhost"}, b.Hostname())
		}
		a.Host, b.Host = "", ""
		require.Equal(t, a, b)
	})
}
