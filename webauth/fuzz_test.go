package webauth_test

import (
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// FuzzResponseFrom: StripResponse leaves nothing that ResponseFrom would find, and
// touches nothing else.
func FuzzResponseFrom(f *testing.F) {
	for _, seed := range []string{
		"", "a=1", "WLS-Response=3%21200", "a=1&WLS-Response=x+y&b=%41", "%57LS-Response=v", "WLS-Response", "&&WLS-Response=&",
		"WLS-Response=1&WLS-Response=2", "WLS-Response=%", "WLS-Response=%zz&a", "a;WLS-Response=v", "WLS-Response=v;a", "%=&WLS%2dResponse==",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		value, found, err := webauth.ResponseFrom(query)
		stripped := webauth.StripResponse(query)
		_, again, _ := webauth.ResponseFrom(stripped)
		require.False(t, again)
		require.Equal(t, stripped, webauth.StripResponse(stripped))
		require.LessOrEqual(t, len(value), 8192)
		switch {
		case !found:
			require.NoError(t, err)
			require.Empty(t, value)
			require.Equal(t, query, stripped)
		case err != nil:
			require.Empty(t, value)
			require.Equal(t, webauth.ReasonMalformed, webauth.ReasonOf(err))
		case !strings.Contains(query, ";"): // net/url drops parts with ;
			values, _ := url.ParseQuery(query)
			require.Equal(t, []string{value}, values[webauth.ResponseParam])
		}
	})
}

// FuzzLoginURL: a WLS understands what LoginURL builds, and as it was meant.
func FuzzLoginURL(f *testing.F) {
	f.Add(pageURL, "The Society", "because", "pwd,x-otp", "yes", "1.2.a.b", int64(1772366400), true)
	f.Add("http://localhost:8080", "Gonville & Caius <b> &amp; é😀", "a+b%20c;d=e&f#g", "", "", "!%&=+ ~", int64(0), false)
	f.Add("https://[::1]/?a=1&b=;c", "", "", "pwd", "no", "", int64(-62135596800), false)
	f.Add("HTTPS://A_B.example:0080/%2e%2e//\"'<>{}|^`?", "\u0080", "\xff", "-", "maybe", "\x00", int64(253402300800), true)
	service := testService(f)
	f.Fuzz(func(t *testing.T, pageURL, desc, msg, aauth, iact, params string, date int64, fail bool) {
		in := webauth.Request{
			URL: pageURL, Desc: desc, Msg: msg, IAct: webauth.Interact(iact), Params: params,
			Date: time.Unix(date, 0), Fail: fail,
		}
		if aauth != "" {
			in.AAuth = strings.Split(aauth, ",")
		}
		location, err := service.LoginURL(in)
		if err != nil {
			require.Empty(t, location)
			return
		}
		require.LessOrEqual(t, len(location), 2048)
		query, found := strings.CutPrefix(location, authURL+"?")
		require.True(t, found)
		require.NotContains(t, query, "#")
		out, err := wls.ParseRequest(query)
		require.NoError(t, err)
		assert.Equal(t, 3, out.Ver)
		assert.Equal(t, pageURL, out.URL)
		assert.Equal(t, desc, html.UnescapeString(out.Desc))
		assert.Equal(t, msg, html.UnescapeString(out.Msg))
		assert.Equal(t, aauth, strings.Join(out.AAuth, ","))
		assert.Equal(t, iact, out.IAct)
		assert.Equal(t, params, out.Params)
		assert.Equal(t, fail, out.Fail)
		assert.Empty(t, out.Skew)
		if !in.Date.IsZero() {
			assert.Equal(t, date, out.Date.Unix())
		}
	})
}

// FuzzToken: what Sign made Check knows again, and nothing else.
func FuzzToken(f *testing.F) {
	f.Add("/private?a=b", "yes", "pwd,x-otp", uint16(3), byte(1), "x", "AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("", "", "", uint16(0), byte(255), "1.1772366400.a.AAAAAAAAAAAAAAAAAAAAAA.", "")
	f.Add("/%41/../?!", "no", "a~b", uint16(60), byte('.'), "....", "AAAAAAAAAAAAAAAAAAAAAB")
	service, signer, secret := testService(f), newSigner(f, nil), oldSecret
	f.Fuzz(func(t *testing.T, path, iact, aauth string, at uint16, flip byte, otherParams, otherSecret string) {
		in := webauth.Request{URL: siteOrigin + path, IAct: webauth.Interact(iact)}
		if aauth != "" {
			in.AAuth = strings.Split(aauth, ",")
		}
		_, err := signer.Check(secret, in.URL, otherParams)
		require.Error(t, err, "nobody guesses a token")
		out, err := signer.Sign(secret, in)
		if err != nil {
			require.Empty(t, out)
			return
		}
		token, err := signer.Check(secret, in.URL, out.Params)
		require.NoError(t, err)
		require.Equal(t, in.IAct, token.IAct)
		require.Equal(t, in.AAuth, token.AAuth)
		_, err = service.LoginURL(out)
		switch canonical, errCanonical := webauth.CanonicalURL(in.URL); {
		case errCanonical != nil:
			require.Error(t, err, "no browser would come back to its URL")
		case canonical == in.URL && len(path) < 500:
			require.NoError(t, err, "a token fits into a request")
		}

		changed := []byte(out.Params)
		changed[int(at)%len(changed)] ^= flip
		_, err = signer.Check(secret, in.URL, string(changed))
		require.Equal(t, string(changed) == out.Params, err == nil)
		_, err = signer.Check(secret, in.URL+otherParams, out.Params)
		require.Equal(t, otherParams == "", err == nil)
		_, err = signer.Check(webauth.BrowserSecret(otherSecret), in.URL, out.Params)
		require.Equal(t, otherSecret == string(secret), err == nil)
		_, err = signer.Check(secret, in.URL, out.Params+otherParams)
		require.Equal(t, otherParams == "", err == nil)
	})
}
