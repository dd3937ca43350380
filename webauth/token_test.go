package webauth_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestNewRequestSignerRefusals(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*webauth.SignerConfig)
		want string
	}{
		{"no service", func(c *webauth.SignerConfig) { c.Service = webauth.Service{} }, "service name"},
		{"no origin", func(c *webauth.SignerConfig) { c.Origin = "" }, "Origin"},
		{"origin without a scheme", func(c *webauth.SignerConfig) { c.Origin = "soc.example" }, "Origin"},
		{"no keys", func(c *webauth.SignerConfig) { c.Keys = nil }, "Keys"},
		{"short key", func(c *webauth.SignerConfig) { c.Keys = [][]byte{make([]byte, 31)} }, "Keys[0]: 31 bytes"},
		{"short second key", func(c *webauth.SignerConfig) { c.Keys = append(c.Keys, []byte("x")) }, "Keys[1]"},
		{"short TTL", func(c *webauth.SignerConfig) { c.TTL = time.Minute - 1 }, "TTL"},
		{"negative TTL", func(c *webauth.SignerConfig) { c.TTL = -time.Hour }, "TTL"},
		{"long TTL", func(c *webauth.SignerConfig) { c.TTL = 24*time.Hour + 1 }, "TTL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := webauth.SignerConfig{Service: testService(t), Origin: siteOrigin, Keys: [][]byte{secretBytes("k")}}
			row.edit(&cfg)
			s, err := webauth.NewRequestSigner(cfg)
			require.ErrorContains(t, err, row.want)
			assert.Nil(t, s)
		})
	}
}

func TestSign(t *testing.T) {
	signer, secret := newSigner(t, nil), webauth.NewBrowserSecret()
	in := webauth.Request{
		URL: pageURL, Desc: "d", Msg: "m", AAuth: []string{"pwd", "x-otp"}, IAct: webauth.IActYes, Fail: true,
		Date: testNow.Add(-time.Hour),
	}
	out, err := signer.Sign(secret, in)
	require.NoError(t, err)
	assert.Regexp(t, `^1\.1772366400\.y~pwd~x-otp\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$`, out.Params)
	assert.Equal(t, testNow, out.Date)
	assert.NotContains(t, out.Params, string(secret))
	assert.Equal(t, out.Params, url.QueryEscape(out.Params), "nothing in it that anybody on the way could mangle")
	in.Params, in.Date = out.Params, out.Date
	assert.Equal(t, in, out, "nothing else changes")

	token, err := signer.Check(secret, pageURL, out.Params)
	require.NoError(t, err)
	assert.True(t, testNow.Equal(token.Issued))
	assert.Equal(t, webauth.IActYes, token.IAct)
	assert.Equal(t, []string{"pwd", "x-otp"}, token.AAuth)
	assert.Len(t, token.Nonce, 22)

	again, err := signer.Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	assert.NotEqual(t, out.Params, again.Params)
	token, err = signer.Check(secret, pageURL, again.Params)
	require.NoError(t, err)
	assert.Nil(t, token.AAuth, "the default stays the default")
}

func TestSignRefusals(t *testing.T) {
	for _, row := range []struct {
		name   string
		secret webauth.BrowserSecret
		r      webauth.Request
		want   string
	}{
		{"no secret", "", webauth.Request{URL: pageURL}, "browser secret"},
		{"bad secret", "short", webauth.Request{URL: pageURL}, "browser secret"},
		{"params in use", webauth.NewBrowserSecret(), webauth.Request{URL: pageURL, Params: "p"}, "Params"},
		{"another origin", webauth.NewBrowserSecret(), webauth.Request{URL: "https://evil.example/"}, "not of the origin"},
		{"another port", webauth.NewBrowserSecret(), webauth.Request{URL: siteOrigin + ":8443/"}, "not of the origin"},
		{"http", webauth.NewBrowserSecret(), webauth.Request{URL: "http://soc.example/"}, "not of the origin"},
		{"sub-domain", webauth.NewBrowserSecret(), webauth.Request{URL: "https://soc.example.evil.example/"}, "not of the origin"},
		{"no URL", webauth.NewBrowserSecret(), webauth.Request{}, "Request.URL"},
		{"empty aauth", webauth.NewBrowserSecret(), webauth.Request{URL: pageURL, AAuth: []string{}}, "AAuth"},
		{"aauth that would break the token", webauth.NewBrowserSecret(), webauth.Request{URL: pageURL, AAuth: []string{"a~b"}}, "AAuth"},
		{"unknown iact", webauth.NewBrowserSecret(), webauth.Request{URL: pageURL, IAct: "x"}, "IAct"},
	} {
		t.Run(row.name, func(t *testing.T) {
			out, err := newSigner(t, nil).Sign(row.secret, row.r)
			require.ErrorContains(t, err, row.want)
			assert.Empty(t, out)
		})
	}
}

func TestSignAcceptsOtherSpellingsOfTheOrigin(t *testing.T) {
	signer, secret := newSigner(t, func(c *webauth.SignerConfig) { c.Origin = "HTTPS://Soc.Example:443/ignored" }), webauth.NewBrowserSecret()
	for _, url := range []string{siteOrigin, siteOrigin + "/a", "https://SOC.example:443/?q"} {
		out, err := signer.Sign(secret, webauth.Request{URL: url})
		require.NoError(t, err)
		_, err = signer.Check(secret, url, out.Params)
		require.NoError(t, err)
	}
}

func TestCheckRefusesEverythingElse(t *testing.T) {
	secret := webauth.NewBrowserSecret()
	signed, err := newSigner(t, nil).Sign(secret, webauth.Request{URL: pageURL, IAct: webauth.IActYes, AAuth: []string{"pwd"}})
	require.NoError(t, err)
	params := signed.Params
	part := strings.Split(params, ".")
	edit := func(i int, s string) string {
		changed := append([]string{}, part...)
		changed[i] = s
		return strings.Join(changed, ".")
	}
	good := func(*webauth.SignerConfig) {}
	_, err = newSigner(t, good).Check(secret, pageURL, params)
	require.NoError(t, err, "another signer of the same configuration")

	for _, row := range []struct {
		name   string
		signer func(*webauth.SignerConfig)
		secret webauth.BrowserSecret
		url    string
		params string
	}{
		{"another browser", good, webauth.NewBrowserSecret(), pageURL, params},
		{"no browser secret", good, "", pageURL, params},
		{"a secret of another form", good, secret + "=", pageURL, params},
		{"another path", good, secret, siteOrigin + "/private/other?n=1&m=", params},
		{"another query", good, secret, siteOrigin + "/private/page?n=1", params},
		{"another spelling of the url", good, secret, "https://SOC.example/private/page?n=1&m=", params},
		{"another origin", func(c *webauth.SignerConfig) { c.Origin = "https://other.example" }, secret, pageURL, params},
		{"another service", func(c *webauth.SignerConfig) { c.Service.Name = "other" }, secret, pageURL, params},
		{"a service of this name elsewhere", func(c *webauth.SignerConfig) { c.Service.AuthURL += "2" }, secret, pageURL, params},
		{"another key", func(c *webauth.SignerConfig) { c.Keys = [][]byte{secretBytes("x")} }, secret, pageURL, params},
		{"expired", func(c *webauth.SignerConfig) { c.Now = clock(testNow.Add(time.Hour + time.Second)) }, secret, pageURL, params},
		{"expired under a short TTL", func(c *webauth.SignerConfig) {
			c.TTL, c.Now = time.Minute, clock(testNow.Add(time.Minute+time.Second))
		}, secret, pageURL, params},
		{"made in the future", func(c *webauth.SignerConfig) { c.Now = clock(testNow.Add(-time.Minute - time.Second)) }, secret, pageURL, params},
		{"strength lowered", good, secret, pageURL, edit(2, "a~pwd")},
		{"types added", good, secret, pageURL, edit(2, "y~pwd~x-otp")},
		{"types removed", good, secret, pageURL, edit(2, "y")},
		{"time moved", good, secret, pageURL, edit(1, "1772366401")},
		{"version changed", good, secret, pageURL, edit(0, "2")},
		{"nonce changed", good, secret, pageURL, edit(3, "AAAAAAAAAAAAAAAAAAAAAA")},
		{"MAC empty", good, secret, pageURL, edit(4, "")},
		{"MAC short", good, secret, pageURL, params[:len(params)-1]},
		{"MAC long", good, secret, pageURL, params + "A"},
		{"MAC padded", good, secret, pageURL, params + "="},
		{"part moved over the point", good, secret, pageURL, strings.Replace(params, ".y", "y.", 1)},
		{"blank before", good, secret, pageURL, " " + params},
		{"blank after", good, secret, pageURL, params + " "},
		{"empty", good, secret, pageURL, ""},
		{"points", good, secret, pageURL, "...."},
		{"somebody else's params", good, secret, pageURL, "For babies"},
	} {
		t.Run(row.name, func(t *testing.T) {
			token, err := newSigner(t, row.signer).Check(row.secret, row.url, row.params)
			require.Error(t, err)
			assert.Empty(t, token)
			assert.NotContains(t, err.Error(), part[3])
			assert.NotContains(t, err.Error(), part[4])
			assert.NotContains(t, err.Error(), string(secret))
		})
	}
}

func TestCheckEveryByte(t *testing.T) {
	signer, secret := newSigner(t, nil), webauth.NewBrowserSecret()
	signed, err := signer.Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	for name, at := range map[string]func(string) error{
		"params": func(s string) error { _, err := signer.Check(secret, pageURL, s); return err },
		"url":    func(s string) error { _, err := signer.Check(secret, s, signed.Params); return err },
		"secret": func(s string) error {
			_, err := signer.Check(webauth.BrowserSecret(s), pageURL, signed.Params)
			return err
		},
	} {
		whole := map[string]string{"params": signed.Params, "url": pageURL, "secret": string(secret)}[name]
		require.NoError(t, at(whole))
		for i := range len(whole) {
			require.Error(t, at(whole[:i]), "%s cut at %d", name, i)
			require.Error(t, at(whole[:i]+whole[i+1:]), "%s without byte %d", name, i)
			for c := range 256 {
				if byte(c) != whole[i] {
					require.Error(t, at(whole[:i]+string([]byte{byte(c)})+whole[i+1:]), "%s, byte %d as %q", name, i, byte(c))
				}
			}
		}
	}
}

func TestCheckTimes(t *testing.T) {
	secret := webauth.NewBrowserSecret()
	signed, err := newSigner(t, nil).Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	for _, row := range []struct {
		name  string
		after time.Duration
		ok    bool
	}{
		{"at once", 0, true},
		{"at the end of its hour", time.Hour, true},
		{"just past it", time.Hour + time.Millisecond, false},
		{"another machine's clock is a minute slow", -time.Minute, true},
		{"and more than a minute", -time.Minute - time.Millisecond, false},
		{"years later", 20 * 365 * 24 * time.Hour, false},
	} {
		at := func(c *webauth.SignerConfig) { c.Now = clock(testNow.Add(row.after)) }
		_, err := newSigner(t, at).Check(secret, pageURL, signed.Params)
		assert.Equal(t, row.ok, err == nil, "%s: %v", row.name, err)
	}
}

func TestSignerKeyRotation(t *testing.T) {
	secret := webauth.NewBrowserSecret()
	old := newSigner(t, func(c *webauth.SignerConfig) { c.Keys = [][]byte{secretBytes("old")} })
	both := newSigner(t, func(c *webauth.SignerConfig) { c.Keys = [][]byte{secretBytes("new"), secretBytes("old")} })
	fresh := newSigner(t, func(c *webauth.SignerConfig) { c.Keys = [][]byte{secretBytes("new")} })

	byOld, err := old.Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	byBoth, err := both.Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)

	_, err = both.Check(secret, pageURL, byOld.Params)
	require.NoError(t, err, "all keys verify")
	_, err = fresh.Check(secret, pageURL, byBoth.Params)
	require.NoError(t, err, "the first signs")
	_, err = fresh.Check(secret, pageURL, byOld.Params)
	require.Error(t, err, "a key that is gone verifies nothing")
	_, err = old.Check(secret, pageURL, byBoth.Params)
	require.Error(t, err)
}

func TestSignerHidesItsKeys(t *testing.T) {
	signer := newSigner(t, nil)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, "RequestSigner(test https://wls.example/authenticate https://soc.example)", fmt.Sprintf(format, signer))
	}
}

func TestSignerCopiesItsKeys(t *testing.T) {
	key := secretBytes("k")
	signer := newSigner(t, func(c *webauth.SignerConfig) { c.Keys = [][]byte{key} })
	secret := webauth.NewBrowserSecret()
	signed, err := signer.Sign(secret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	clear(key)
	_, err = signer.Check(secret, pageURL, signed.Params)
	require.NoError(t, err)
}

// TestTokenNote: a note comes back under the MAC, and changes the token's form only where
// there is one.
func TestTokenNote(t *testing.T) {
	signer, secret := newSigner(t, nil), webauth.NewBrowserSecret()
	for _, row := range []struct{ name, note, version, fault string }{
		{"none", "", "1.", ""},
		{"a word", "silent", "2.", ""},
		{"all letters", "Az09-_", "2.", ""},
		{"as long as can be", strings.Repeat("n", 32), "2.", ""},
		{"too long", strings.Repeat("n", 33), "", "Request.Note"},
		{"a point", "a.b", "", "Request.Note"},
		{"a blank", "a b", "", "Request.Note"},
		{"a line", "silent\n", "", "Request.Note"},
		{"not ASCII", "é", "", "Request.Note"},
	} {
		t.Run(row.name, func(t *testing.T) {
			req, err := signer.Sign(secret, webauth.Request{URL: pageURL, Note: row.note})
			if row.fault != "" {
				require.ErrorContains(t, err, row.fault)
				return
			}
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(req.Params, row.version), req.Params)
			token, err := signer.Check(secret, pageURL, req.Params)
			require.NoError(t, err)
			assert.Equal(t, row.note, token.Note)
			if row.note == "" {
				return
			}
			other := strings.Replace(req.Params, "."+row.note+".", ".other.", 1)
			_, err = signer.Check(secret, pageURL, other)
			require.ErrorContains(t, err, "not made here", "the note is under the MAC")
			bare := "1" + strings.TrimPrefix(strings.Replace(req.Params, "."+row.note+".", ".", 1), "2")
			_, err = signer.Check(secret, pageURL, bare)
			require.ErrorContains(t, err, "not made here", "nor can it be taken out")
		})
	}
}
