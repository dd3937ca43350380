package wls_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

const site = "https://soc.example/private/?a=b"

// atSite is a query with only what is required, to which tests append.
const atSite = "ver=3&url=https%3A%2F%2Fsoc.example%2Fprivate%2F%3Fa%3Db"

func TestParseRequest(t *testing.T) {
	everything := "ver=2&url=https://soc.example/&desc=A+%26%23233%3B%20B&aauth=pwd,x-card&iact=yes&msg=why&params=a%21b%25&date=20260102T030405Z&skew=0&fail=yes"
	tests := []struct {
		name, query string
		want        wls.Request
	}{
		{"only what is required", atSite, wls.Request{Ver: 3, URL: site}},
		{"everything", everything, wls.Request{
			Ver: 2, URL: "https://soc.example/", Desc: "A &#233; B", AAuth: []string{"pwd", "x-card"}, IAct: "yes", Msg: "why",
			Params: "a!b%", Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Skew: "0", Fail: true}},
		{"empty parameters are absent ones", atSite + "&desc=&aauth=&iact=&msg=&params=&date=&skew=&fail=", wls.Request{Ver: 3, URL: site}},
		{"a name alone is an empty parameter", atSite + "&desc", wls.Request{Ver: 3, URL: site}},
		{"any order", "iact=no&url=http://localhost:8080/&ver=1", wls.Request{Ver: 1, URL: "http://localhost:8080/", IAct: "no"}},
		{"an encoded name", "v%65r=3&url=http://localhost/", wls.Request{Ver: 3, URL: "http://localhost/"}},
		{"a url beyond ASCII", "ver=3&url=https%3A%2F%2Fsoc.example%2Fcaf%C3%A9%3Fa%3D%E2%82%AC", wls.Request{Ver: 3, URL: "https://soc.example/café?a=€"}},
		{"an upper-case scheme", "ver=3&url=HTTPS://soc.example/", wls.Request{Ver: 3, URL: "HTTPS://soc.example/"}},
		{"params beyond ASCII", atSite + "&params=%c3%a9%7f", wls.Request{Ver: 3, URL: site, Params: "é\x7f"}},
		{"an escaped semicolon", atSite + "&desc=a%3Bb", wls.Request{Ver: 3, URL: site, Desc: "a;b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wls.ParseRequest(tt.query)
			require.NoError(t, err)
			assert.Equal(t, tt.want, *got)
		})
	}
}

func TestParseRequestRefusals(t *testing.T) {
	ok := wls.Request{Ver: 3, URL: site}
	tests := []struct {
		name, query string
		status      int
		msg         string
		still       wls.Request // what an answer may use
	}{
		{"nothing at all", "", 530, "missing required parameter 'ver'", wls.Request{}},
		{"no ver", "url=http://localhost/", 530, "missing required parameter 'ver'", wls.Request{URL: "http://localhost/"}},
		{"ver 0", "ver=0&url=http://localhost/", 520, "unsupported protocol version", wls.Request{URL: "http://localhost/"}},
		{"ver 4", "ver=4&url=http://localhost/&fail=yes&params=p", 520, "unsupported protocol version", wls.Request{URL: "http://localhost/", Params: "p", Fail: true}},
		{"ver 03", "ver=03&url=http://localhost/", 520, "unsupported protocol version", wls.Request{URL: "http://localhost/"}},
		{"ver 3x", "ver=3x&url=http://localhost/", 520, "unsupported protocol version", wls.Request{URL: "http://localhost/"}},
		{"another version with other parameters", "ver=4&url=http://localhost/&new=1", 520, "unsupported protocol version", wls.Request{URL: "http://localhost/"}},
		{"ver twice", "ver=3&ver=3&url=http://localhost/", 530, "parameter 'ver' given more than once", wls.Request{URL: "http://localhost/"}},
		{"url twice", "ver=3&url=http://a/&url=http://b/", 530, "parameter 'url' given more than once", wls.Request{Ver: 3}},
		{"url three times", "ver=3&url=http://a/&url=http://b/&url=http://c/", 530, "parameter 'url' given more than once", wls.Request{Ver: 3}},
		{"an empty url", "ver=3&url=", 530, "missing required parameter 'url'", wls.Request{Ver: 3}},
		{"a relative url", "ver=3&url=/private/", 530, "parameter 'url' is not an absolute http or https URL", wls.Request{Ver: 3}},
		{"a url without a scheme", "ver=3&url=//soc.example/", 530, "parameter 'url' is not an absolute http or https URL", wls.Request{Ver: 3}},
		{"a url without a host", "ver=3&url=https:///x", 530, "parameter 'url' is not an absolute http or https URL", wls.Request{Ver: 3}},
		{"an opaque url", "ver=3&url=https:soc.example", 530, "parameter 'url' is not an absolute http or https URL", wls.Request{Ver: 3}},
		{"another scheme", "ver=3&url=javascript:alert(1)", 530, "parameter 'url' is not an absolute http or https URL", wls.Request{Ver: 3}},
		{"userinfo", "ver=3&url=https://raven.cam.ac.uk@evil.example/", 530, "parameter 'url' holds a user name or password", wls.Request{Ver: 3}},
		{"a backslash", "ver=3&url=https://evil.example%5C@soc.example/", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a blank in the url", "ver=3&url=https://soc.example/a+b", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a line break in the url", "ver=3&url=https://soc.example/%0d%0aX:1", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a line break in Unicode", "ver=3&url=https://soc.example/%C2%85", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"DEL in the url", "ver=3&url=https://soc.example/%7F", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a url that is no UTF-8", "ver=3&url=https://soc.example/%E9", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a slash in overlong UTF-8", "ver=3&url=https://soc.example%C0%AF", 530, "parameter 'url' is not a URL in UTF-8 without blanks, control characters and backslashes", wls.Request{Ver: 3}},
		{"a host beyond ASCII", "ver=3&url=https://soc.ex%C3%A4mple/", 530, "parameter 'url' has a host outside ASCII: write its xn-- form", wls.Request{Ver: 3}},
		{"a host with a wide dot", "ver=3&url=https://evil%EF%BC%8Eexample/", 530, "parameter 'url' has a host outside ASCII: write its xn-- form", wls.Request{Ver: 3}},
		{"an unknown parameter", atSite + "&foo=1", 530, "unknown parameter 'foo'", ok},
		{"an unknown parameter with a nasty name", atSite + "&%3Cscript%3E=1", 530, "unknown parameter", ok},
		{"a parameter in upper case", atSite + "&Desc=1", 530, "unknown parameter 'Desc'", ok},
		{"an empty pair", atSite + "&", 530, "unknown parameter", ok},
		{"a badly encoded name", atSite + "&%zz=1", 530, "unknown parameter", ok},
		{"a badly encoded value", atSite + "&desc=%zz", 530, "bad percent-encoding in parameter 'desc'", ok},
		{"a semicolon", atSite + ";desc=1", 530, "unescaped ';' in the query", wls.Request{}},
		{"desc beyond ASCII", atSite + "&desc=%C3%A9", 530, "parameter 'desc' is not printable ASCII", ok},
		{"a line break in msg", atSite + "&msg=a%0Ab", 530, "parameter 'msg' is not printable ASCII", ok},
		{"a control character in params", atSite + "&params=a%1fb", 530, "parameter 'params' holds a control character", ok},
		{"an empty entry in aauth", atSite + "&aauth=pwd,", 530, "parameter 'aauth' is not a list of authentication types", ok},
		{"a blank in aauth", atSite + "&aauth=pwd,+x", 530, "parameter 'aauth' is not a list of authentication types", ok},
		{"iact in upper case", atSite + "&iact=Yes", 530, "parameter 'iact' is neither 'yes' nor 'no'", ok},
		{"fail=no", atSite + "&fail=no", 530, "parameter 'fail' is not 'yes'", ok},
		{"a date with a fraction", atSite + "&date=20260102T030405.5Z", 530, "parameter 'date' is not of the form YYYYMMDDThhmmssZ", ok},
		{"a date that does not exist", atSite + "&date=20260230T030405Z", 530, "parameter 'date' is not of the form YYYYMMDDThhmmssZ", ok},
		{"a date with junk", atSite + "&date=20260102T030405Zx", 530, "parameter 'date' is not of the form YYYYMMDDThhmmssZ", ok},
		{"too long", atSite + "&desc=" + strings.Repeat("a", 8<<10), 530, "request longer than 8192 bytes", wls.Request{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wls.ParseRequest(tt.query)
			var refused *wls.RequestError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, wls.RequestError{Status: tt.status, Msg: tt.msg}, *refused)
			assert.Contains(t, err.Error(), tt.msg)
			assert.Equal(t, tt.still.Ver, got.Ver, "Ver")
			assert.Equal(t, tt.still.URL, got.URL, "URL")
			assert.Equal(t, tt.still.Params, got.Params, "Params")
			assert.Equal(t, tt.still.Fail, got.Fail, "Fail")
		})
	}
}

func TestRequest_Complaint(t *testing.T) {
	r, err := wls.ParseRequest("ver=3&url=https://soc.example/caf%C3%A9")
	require.NoError(t, err)
	assert.Equal(t, "parameter 'url' has characters outside ASCII: the site should percent-encode them", r.Complaint())
	r, err = wls.ParseRequest("ver=3&url=https://soc.example/caf%25C3%25A9")
	require.NoError(t, err)
	assert.Empty(t, r.Complaint())
	assert.Empty(t, wls.Request{}.Complaint())
}

func TestRequestAtTheSizeLimit(t *testing.T) {
	query := atSite + "&desc="
	query += strings.Repeat("a", 8<<10-len(query))
	_, err := wls.ParseRequest(query)
	assert.NoError(t, err)
	_, err = wls.ParseRequest(query + "a")
	assert.Error(t, err)
}

func TestEncodeWritesTheDocumentedOrder(t *testing.T) {
	r := wls.Request{
		Ver: 3, URL: site, Desc: "a b+c", AAuth: []string{"pwd", "x-card"}, IAct: "no", Msg: "m", Params: "p%&",
		Date: time.Date(2026, 1, 2, 4, 4, 5, 999, time.FixedZone("CET", 3600)), Skew: "1", Fail: true,
	}
	assert.Equal(t, "ver=3&url=https%3A%2F%2Fsoc.example%2Fprivate%2F%3Fa%3Db&desc=a%20b%2Bc&aauth=pwd%2Cx-card&iact=no"+
		"&msg=m&params=p%25%26&date=20260102T030405Z&skew=1&fail=yes", r.Encode())
	assert.Empty(t, wls.Request{}.Encode())
}

// FuzzParseRequest checks that what is accepted survives Encode and a second parse,
// and that a refusal leaves nothing that an answer could not use.
func FuzzParseRequest(f *testing.F) {
	f.Add(atSite)
	f.Add("ver=2&url=http://localhost/&desc=a+b%26&aauth=pwd,x-card&iact=yes&msg=m&params=%21&date=20260102T030405Z&skew=0&fail=yes")
	f.Add("ver=4&url=http://localhost/#f")
	f.Add("url=http://a/&url=http://b/;&%zz=%zz")
	f.Add("ver=3&url=https://soc.example/caf%C3%A9%3F%E2%82%AC%23%C3%A9")
	f.Add("ver=3&url=https%3A%2F%2F%5B%3A%3A1%5D%3A1%2F&params=%C3%A9")
	f.Fuzz(func(t *testing.T, query string) {
		got, err := wls.ParseRequest(query)
		require.NotNil(t, got)
		if got.URL != "" {
			back, err := wls.ReturnURL(got.URL, got.Ver, "v")
			require.NoError(t, err, "a URL that is given can be answered")
			require.NotRegexp(t, `[^!-~]`, back, "in a header")
		}
		if err != nil {
			var refused *wls.RequestError
			require.ErrorAs(t, err, &refused)
			require.Contains(t, []int{wls.StatusVersion, wls.StatusRequest}, refused.Status)
			r := wls.Response{Ver: 1, Status: refused.Status, Msg: refused.Msg, Issue: time.Unix(0, 0), ID: "1", URL: "http://localhost/", Params: got.Params}
			require.NoError(t, r.Check(), "Msg and Params fit a response")
			return
		}
		again, err := wls.ParseRequest(got.Encode())
		require.NoError(t, err)
		require.Equal(t, got, again)
	})
}
