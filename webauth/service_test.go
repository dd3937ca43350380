package webauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
)

func TestServices(t *testing.T) {
	set := testService(t).Keys
	for _, row := range []struct {
		service                         webauth.Service
		name, authURL, logoutURL, keyID string
		ptags, published                bool
	}{
		{webauth.Raven(), "raven", "https://raven.cam.ac.uk/auth/authenticate.html", "https://raven.cam.ac.uk/auth/logout.html", "2", true, false},
		{webauth.RavenDemo(), "raven-demo", "https://demo.raven.cam.ac.uk/auth/authenticate.html", "https://demo.raven.cam.ac.uk/auth/logout.html", "901", true, true},
		{webauth.Nevar(set), "nevar", "https://nevar.srcf.net/wls/authenticate", "https://nevar.srcf.net/oidc/logout", testKid, true, false},
		{webauth.Goose(set), "goose", "https://auth.srcf.net/wls/authenticate", "https://auth.srcf.net/logout", testKid, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := row.service
			require.NoError(t, s.Check())
			assert.Equal(t, row.name, s.Name)
			assert.Equal(t, row.authURL, s.AuthURL)
			assert.Equal(t, row.logoutURL, s.LogoutURL)
			assert.Equal(t, row.ptags, !s.NoPtags)
			assert.Equal(t, row.published, s.HasPublishedKey())
			assert.Equal(t, row.name+" "+row.authURL, s.ID())
			require.Len(t, s.Keys.Keys(), 1)
			assert.Equal(t, row.keyID, s.Keys.Keys()[0].Kid())
		})
	}
}

func TestServiceCheck(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*webauth.Service)
		want string // in the error; empty where all is well
	}{
		{"as it is", func(*webauth.Service) {}, ""},
		{"without a logout URL", func(s *webauth.Service) { s.LogoutURL = "" }, ""},
		{"http on localhost", func(s *webauth.Service) { s.AuthURL = "http://localhost:8081/a" }, ""},
		{"http on 127.0.0.1", func(s *webauth.Service) { s.AuthURL = "http://127.0.0.1:8081/a" }, ""},
		{"http on ::1", func(s *webauth.Service) { s.AuthURL = "http://[::1]/a" }, ""},
		{"no name", func(s *webauth.Service) { s.Name = "" }, "service name"},
		{"name with a blank", func(s *webauth.Service) { s.Name = "my wls" }, "service name"},
		{"name in capitals", func(s *webauth.Service) { s.Name = "Raven" }, "service name"},
		{"name with a line break", func(s *webauth.Service) { s.Name = "raven\n" }, "service name"},
		{"name too long", func(s *webauth.Service) { s.Name = "a23456789012345678901234567890123" }, "service name"},
		{"no AuthURL", func(s *webauth.Service) { s.AuthURL = "" }, "AuthURL"},
		{"relative AuthURL", func(s *webauth.Service) { s.AuthURL = "/authenticate" }, "AuthURL"},
		{"http elsewhere", func(s *webauth.Service) { s.AuthURL = "http://wls.example/a" }, "must be https"},
		{"http on a look-alike", func(s *webauth.Service) { s.AuthURL = "http://localhost.example/a" }, "must be https"},
		{"AuthURL with a query", func(s *webauth.Service) { s.AuthURL += "?a=1" }, "query"},
		{"AuthURL with an empty query", func(s *webauth.Service) { s.AuthURL += "?" }, "query"},
		{"AuthURL with a fragment", func(s *webauth.Service) { s.AuthURL += "#a" }, "fragment"},
		{"AuthURL with a user", func(s *webauth.Service) { s.AuthURL = "https://a@wls.example/" }, "user name"},
		{"http LogoutURL", func(s *webauth.Service) { s.LogoutURL = "http://wls.example/out" }, "LogoutURL"},
		{"nil keys", func(s *webauth.Service) { s.Keys = nil }, "no keys"},
		{"nil set", func(s *webauth.Service) { s.Keys = (*keys.Set)(nil) }, "no keys"},
		{"nil directory", func(s *webauth.Service) { s.Keys = (*keys.Dir)(nil) }, "no keys"},
		{"empty set", func(s *webauth.Service) { s.Keys = &keys.Set{} }, "no keys"},
		{"source without keys", func(s *webauth.Service) { s.Keys = staticKeys{} }, "no keys"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := testService(t)
			row.edit(&s)
			err := s.Check()
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
			_, err = webauth.NewVerifier(webauth.VerifierConfig{Service: s, InsecureNoToken: true, InsecureNoReplayCheck: true})
			require.ErrorContains(t, err, row.want)
			_, err = webauth.NewRequestSigner(webauth.SignerConfig{Service: s, Origin: siteOrigin, Keys: [][]byte{secretBytes("k")}})
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestServiceCheckReportsEverything(t *testing.T) {
	err := webauth.Service{LogoutURL: "x"}.Check()
	for _, part := range []string{"service name", "AuthURL", "LogoutURL", "no keys"} {
		assert.ErrorContains(t, err, part)
	}
}

// staticKeys is a KeySource of another kind than *keys.Set.
type staticKeys map[string]keys.Key

func (s staticKeys) Lookup(kid string) (keys.Key, bool) { k, ok := s[kid]; return k, ok }

func (s staticKeys) Keys() []keys.Key {
	var all []keys.Key
	for _, k := range s {
		all = append(all, k)
	}
	return all
}

func TestHasPublishedKey(t *testing.T) {
	s := testService(t)
	assert.False(t, s.HasPublishedKey())
	s.Keys = keySet(t, "2", &testkeys.RSA2048().PublicKey)
	assert.True(t, s.HasPublishedKey(), "known by what it is, not by its kid")
	s.Keys = nil
	assert.False(t, s.HasPublishedKey())
}

func TestOrigin(t *testing.T) {
	for _, row := range []struct{ name, url, want, refusal string }{
		{"https", "https://soc.example", "https://soc.example", ""},
		{"with path and query", "https://soc.example/a/../b?c=//d", "https://soc.example", ""},
		{"capitals", "HTTPS://Soc.Example/A", "https://soc.example", ""},
		{"default https port", "https://soc.example:443/", "https://soc.example", ""},
		{"default http port", "http://soc.example:80", "http://soc.example", ""},
		{"empty port", "https://soc.example:/", "https://soc.example", ""},
		{"another port", "https://soc.example:80/", "https://soc.example:80", ""},
		{"port with a zero is another", "http://soc.example:080/", "http://soc.example:080", ""},
		{"port on localhost", "http://localhost:8080/", "http://localhost:8080", ""},
		{"IPv6", "http://[::1]:8080/", "http://[::1]:8080", ""},
		{"IPv6, default port", "https://[::1]:443/", "https://[::1]", ""},
		{"host that ends in its port", "http://host80:80/", "http://host80", ""},
		{"host that ends in a port that it has not", "http://host80/", "http://host80", ""},
		{"query right after the host", "https://soc.example?a=/b", "https://soc.example", ""},
		{"trailing point is another host", "https://soc.example./", "https://soc.example.", ""},
		{"empty", "", "", "absolute"},
		{"relative", "/a", "", "absolute"},
		{"scheme-relative", "//soc.example/", "", "absolute"},
		{"other scheme", "ws://soc.example/", "", "absolute"},
		{"javascript", "javascript://soc.example/%0aalert(1)", "", "absolute"},
		{"opaque", "https:soc.example", "", "no host"},
		{"no host", "https:///a", "", "no host"},
		{"port alone", "https://:443", "", "no host"},
		{"user", "https://soc.example@evil.example/", "", "user name"},
		{"empty user", "https://@soc.example/", "", "user name"},
		{"fragment", "https://soc.example/#a", "", "fragment"},
		{"blank", "https://soc.example/ a", "", "byte 0x20"},
		{"tab in the scheme", "ht\ttps://soc.example/", "", "byte 0x09"},
		{"line break", "https://soc.example/\r\nX: y", "", "byte 0x0d"},
		{"NUL", "https://soc.example\x00.evil/", "", "byte 0x00"},
		{"backslash", `https://soc.example\@evil.example/`, "", "byte 0x5c"},
		{"outside ASCII", "https://söc.example/", "", "byte 0xc3"},
		{"escaped outside ASCII", "https://s%C3%B6c.example/", "", "no name or address"},
		{"escaped point", "https://soc%2eexample/", "", "not a valid URL"},
		{"zone", "http://[fe80::1%25eth0]/", "", "no name or address"},
		{"quote in the host", `https://soc".example/`, "", "no name or address"},
		{"comma in the host", "https://soc.example,evil.example/", "", "no name or address"},
		{"bad port", "https://soc.example:1x/", "", "not a valid URL"},
		{"last port", "https://soc.example:65535/", "https://soc.example:65535", ""},
		{"port beyond the last", "https://soc.example:65536/", "", "1 to 65535"},
		{"port beyond all numbers", "https://soc.example:18446744073709551617/", "", "1 to 65535"},
		{"port 0", "http://localhost:0/", "", "1 to 65535"},
		{"bad escape in the path", "https://soc.example/%zz", "", "not a valid URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			origin, err := webauth.Origin(row.url)
			assert.Equal(t, row.want, origin)
			if row.refusal == "" {
				require.NoError(t, err)
				again, err := webauth.Origin(origin)
				require.NoError(t, err)
				assert.Equal(t, origin, again)
				return
			}
			require.ErrorContains(t, err, row.refusal)
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for url, want := range map[string]bool{
		"http://localhost":                   true,
		"http://LOCALHOST:8080/a":            true,
		"http://127.0.0.1":                   true,
		"https://127.255.0.9:1/":             true,
		"http://[::1]":                       true,
		"http://[::1]:8080/":                 true,
		"http://[::ffff:127.0.0.1]/":         true,
		"http://localhost./":                 false,
		"http://localhost.example/":          false,
		"http://notlocalhost/":               false,
		"http://127.0.0.1.example/":          false,
		"http://127.1/":                      false,
		"http://2130706433/":                 false,
		"http://0.0.0.0/":                    false,
		"http://10.0.0.1/":                   false,
		"http://[::]/":                       false,
		"http://localhost@soc.example/":      false,
		"http://soc.example/?http://[::1]":   false,
		"https://soc.example/localhost":      false,
		"localhost":                          false,
		"":                                   false,
		"http://[::1%25lo]/":                 false,
		"http://localhost\\@evil.example/":   false,
		"http://[::ffff:10.0.0.1]/127.0.0.1": false,
	} {
		assert.Equal(t, want, webauth.IsLoopback(url), url)
	}
}
