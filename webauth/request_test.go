package webauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

const authURL = "https://wls.example/authenticate"

// loginQuery builds the login URL and takes its query apart.
func loginQuery(t *testing.T, r webauth.Request) url.Values {
	t.Helper()
	location, err := testService(t).LoginURL(r)
	require.NoError(t, err)
	rest, found := strings.CutPrefix(location, authURL+"?")
	require.True(t, found, location)
	values, err := url.ParseQuery(rest)
	require.NoError(t, err)
	for name, all := range values {
		require.Len(t, all, 1, name)
	}
	_, err = wls.ParseRequest(rest)
	require.NoError(t, err, "a WLS takes what we send")
	return values
}

func TestLoginURLParameters(t *testing.T) {
	base := webauth.Request{URL: pageURL, Date: testNow}
	for _, row := range []struct {
		name  string
		edit  func(*webauth.Request)
		param string
		want  string // empty: not sent
	}{
		{"version", func(*webauth.Request) {}, "ver", "3"},
		{"url, byte for byte", func(r *webauth.Request) { r.URL = siteOrigin + "/a%2Fb/%41?q=a+b%20c&&x=" }, "url", siteOrigin + "/a%2Fb/%41?q=a+b%20c&&x="},
		{"desc", func(r *webauth.Request) { r.Desc = "The Society" }, "desc", "The Society"},
		{"no desc", func(*webauth.Request) {}, "desc", ""},
		{"msg", func(r *webauth.Request) { r.Msg = "why? because" }, "msg", "why? because"},
		{"no msg", func(*webauth.Request) {}, "msg", ""},
		{"aauth", func(r *webauth.Request) { r.AAuth = []string{"pwd", "x-otp"} }, "aauth", "pwd,x-otp"},
		{"no aauth", func(*webauth.Request) {}, "aauth", ""},
		{"iact yes", func(r *webauth.Request) { r.IAct = webauth.IActYes }, "iact", "yes"},
		{"iact no", func(r *webauth.Request) { r.IAct = webauth.IActNo }, "iact", "no"},
		{"iact as needed", func(r *webauth.Request) { r.IAct = webauth.IActAsNeeded }, "iact", ""},
		{"params", func(r *webauth.Request) { r.Params = "a!b%&=+ ~" }, "params", "a!b%&=+ ~"},
		{"no params", func(*webauth.Request) {}, "params", ""},
		{"date", func(*webauth.Request) {}, "date", "20260301T120000Z"},
		{"date in UTC", func(r *webauth.Request) { r.Date = testNow.In(time.FixedZone("x", 5400)) }, "date", "20260301T120000Z"},
		{"date, fraction cut", func(r *webauth.Request) { r.Date = testNow.Add(999 * time.Millisecond) }, "date", "20260301T120000Z"},
		{"fail", func(r *webauth.Request) { r.Fail = true }, "fail", "yes"},
		{"no fail", func(*webauth.Request) {}, "fail", ""},
		{"never skew", func(*webauth.Request) {}, "skew", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := base
			row.edit(&r)
			values := loginQuery(t, r)
			assert.Equal(t, row.want, values.Get(row.param))
			assert.Equal(t, row.want != "", values.Has(row.param), "an empty parameter is left out")
		})
	}
}

func TestLoginURLWhole(t *testing.T) {
	location, err := testService(t).LoginURL(webauth.Request{
		URL: siteOrigin + "/a?b=c", Desc: "Café", Msg: "m", AAuth: []string{"pwd"}, IAct: webauth.IActYes,
		Params: "p", Date: testNow, Fail: true,
	})
	require.NoError(t, err)
	assert.Equal(t, authURL+"?ver=3&url=https%3A%2F%2Fsoc.example%2Fa%3Fb%3Dc&desc=Caf%26%23233%3B&aauth=pwd&iact=yes&msg=m&params=p&date=20260301T120000Z&fail=yes", location)
}

func TestLoginURLSendsTheTime(t *testing.T) {
	before := time.Now().UTC().Truncate(time.Second)
	sent, err := time.Parse("20060102T150405Z", loginQuery(t, webauth.Request{URL: pageURL}).Get("date"))
	require.NoError(t, err)
	assert.WithinRange(t, sent, before, time.Now())
}

func TestLoginURLText(t *testing.T) {
	for _, row := range []struct{ name, text, want, refusal string }{
		{"plain", "Pembroke College", "Pembroke College", ""},
		{"all of ASCII that needs nothing", `!"#$%'()*+,-./09:;<=>?@AZ[\]^_` + "`az{|}~", `!"#$%'()*+,-./09:;<=>?@AZ[\]^_` + "`az{|}~", ""},
		{"ampersand", "Gonville & Caius", "Gonville &#38; Caius", ""},
		{"what looks like a reference", "&amp; &#38;", "&#38;amp; &#38;#38;", ""},
		{"accent", "Café", "Caf&#233;", ""},
		{"beyond the first plane", "𝒜😀", "&#119964;&#128512;", ""},
		{"no-break space", "a\u00a0b", "a&#160;b", ""},
		{"replacement character", "\ufffd", "&#65533;", ""},
		{"angle brackets are the service's task", "<b>", "<b>", ""},
		{"line break", "a\nb", "", "control character"},
		{"NUL", "a\x00", "", "control character"},
		{"DEL", "a\x7f", "", "control character"},
		{"C1 control, which HTML would read as another", "a\u0080", "", "control character"},
		{"invalid UTF-8", "a\xff", "", "UTF-8"},
		{"surrogate in UTF-8", "\xed\xa0\x80", "", "UTF-8"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for param, r := range map[string]webauth.Request{
				"desc": {URL: pageURL, Desc: row.text},
				"msg":  {URL: pageURL, Msg: row.text},
			} {
				if row.refusal != "" {
					_, err := testService(t).LoginURL(r)
					require.ErrorContains(t, err, row.refusal)
					assert.ErrorContains(t, err, "Request."+strings.ToUpper(param[:1])+param[1:])
					continue
				}
				assert.Equal(t, row.want, loginQuery(t, r).Get(param))
			}
		})
	}
}

func TestLoginURLRefusals(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*webauth.Request)
		want string
	}{
		{"no URL", func(r *webauth.Request) { r.URL = "" }, "Request.URL"},
		{"relative URL", func(r *webauth.Request) { r.URL = "/private" }, "Request.URL"},
		{"URL with a fragment", func(r *webauth.Request) { r.URL += "#x" }, "Request.URL"},
		{"URL with a user", func(r *webauth.Request) { r.URL = "https://a:b@soc.example/" }, "Request.URL"},
		{"URL with a response", func(r *webauth.Request) { r.URL = siteOrigin + "/?a&WLS-Response=3" }, "StripResponse"},
		{"URL with an encoded response", func(r *webauth.Request) { r.URL = siteOrigin + "?WLS%2DResponse" }, "StripResponse"},
		{"URL with two responses", func(r *webauth.Request) { r.URL = siteOrigin + "?WLS-Response&WLS-Response" }, "StripResponse"},
		{"URL outside ASCII", func(r *webauth.Request) { r.URL += "é" }, "Request.URL"},
		{"URL with a line break", func(r *webauth.Request) { r.URL += "\n" }, "Request.URL"},
		{"URL with dot segments", func(r *webauth.Request) { r.URL = siteOrigin + "/private/../public" }, "Request.URL: the path has a dot segment"},
		{"URL with encoded dot segments", func(r *webauth.Request) { r.URL = siteOrigin + "/private/.%2E/public" }, "Request.URL: the path has a dot segment"},
		{"URL that ends in a dot segment", func(r *webauth.Request) { r.URL = siteOrigin + "/private/%2e" }, "Request.URL: the path has a dot segment"},
		{"URL that browsers encode", func(r *webauth.Request) { r.URL = siteOrigin + "/private?q='a'" }, "CanonicalURL"},
		{"empty aauth", func(r *webauth.Request) { r.AAuth = []string{} }, "AAuth: an empty list"},
		{"empty type", func(r *webauth.Request) { r.AAuth = []string{""} }, "AAuth"},
		{"type with a comma", func(r *webauth.Request) { r.AAuth = []string{"pwd,x"} }, "AAuth"},
		{"type with a tilde", func(r *webauth.Request) { r.AAuth = []string{"a~b"} }, "AAuth"},
		{"type with a point", func(r *webauth.Request) { r.AAuth = []string{"a.b"} }, "AAuth"},
		{"type with a line break", func(r *webauth.Request) { r.AAuth = []string{"pwd\n"} }, "AAuth"},
		{"type too long", func(r *webauth.Request) { r.AAuth = []string{strings.Repeat("a", 33)} }, "AAuth"},
		{"nine types", func(r *webauth.Request) { r.AAuth = strings.Split("a,b,c,d,e,f,g,h,i", ",") }, "AAuth: at most 8"},
		{"unknown iact", func(r *webauth.Request) { r.IAct = "maybe" }, "IAct"},
		{"params with a control character", func(r *webauth.Request) { r.Params = "a\x1f" }, "Request.Params"},
		{"params outside ASCII", func(r *webauth.Request) { r.Params = "é" }, "Request.Params"},
		{"params with DEL", func(r *webauth.Request) { r.Params = "\x7f" }, "Request.Params"},
		{"date past the year 9999", func(r *webauth.Request) { r.Date = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "Request.Date"},
		{"date before the year 0", func(r *webauth.Request) { r.Date = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }, "Request.Date"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := webauth.Request{URL: pageURL, Date: testNow}
			row.edit(&r)
			location, err := testService(t).LoginURL(r)
			require.ErrorContains(t, err, row.want)
			assert.Empty(t, location)
		})
	}
}

func TestLoginURLBound(t *testing.T) {
	r := webauth.Request{URL: pageURL, Date: testNow}
	short, err := testService(t).LoginURL(r)
	require.NoError(t, err)
	r.Params = strings.Repeat("p", 2048-len(short)-len("&params="))
	exact, err := testService(t).LoginURL(r)
	require.NoError(t, err)
	assert.Len(t, exact, 2048)

	r.Params += "p"
	_, err = testService(t).LoginURL(r)
	require.ErrorContains(t, err, "2049 bytes")
	assert.ErrorContains(t, err, "shorten Params")
	r.Params, r.URL = "", pageURL+strings.Repeat("x", 2048)
	_, err = testService(t).LoginURL(r)
	assert.ErrorContains(t, err, "shorten URL")
	r.URL, r.Desc = pageURL, strings.Repeat("😀", 200) // nine characters each, more when escaped
	_, err = testService(t).LoginURL(r)
	assert.ErrorContains(t, err, "shorten Desc")
}

func TestLoginURLServiceMustBeSound(t *testing.T) {
	for _, bad := range []string{"", "http://wls.example/a", authURL + "?a", "javascript:alert(1)"} {
		s := testService(t)
		s.AuthURL = bad
		_, err := s.LoginURL(webauth.Request{URL: pageURL})
		require.ErrorContains(t, err, "AuthURL", bad)
	}
}
