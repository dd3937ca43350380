package remoteuser_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

func TestNewRefuses(t *testing.T) {
	secret := newSecret(t)
	form := func(f remoteuser.Form) func(c *remoteuser.Config) {
		return func(c *remoteuser.Config) {
			c.Password, c.BaseURL = onePassword, "https://soc.example"
			if f.Secret == nil {
				f.Secret = secret
			}
			c.Form = &f
		}
	}
	for _, tc := range []struct {
		name string
		edit func(c *remoteuser.Config)
		says string
	}{
		{"nobody trusted", func(c *remoteuser.Config) { c.Peers = nil }, "Peers: nobody is trusted"},
		{"everybody trusted", func(c *remoteuser.Config) { c.Peers = prefixes("0.0.0.0/0") }, "0.0.0.0/0: it trusts everybody"},
		{"everybody trusted, IPv6", func(c *remoteuser.Config) { c.Peers = prefixes("::/0") }, "::/0: it trusts everybody"},
		{"everybody trusted, in halves", func(c *remoteuser.Config) { c.Peers = prefixes("0.0.0.0/1", "128.0.0.0/1") }, "128.0.0.0/1: it trusts everybody"},
		{"everybody trusted, beside somebody", func(c *remoteuser.Config) { c.Peers = append(c.Peers, prefixes("2000::/3")...) }, "2000::/3: it trusts everybody"},
		{"no range", func(c *remoteuser.Config) { c.Peers = []netip.Prefix{{}} }, "make it with netip.MustParsePrefix"},
		{"bits beyond the length", func(c *remoteuser.Config) { c.Peers = prefixes("192.0.2.7/24") }, "write 192.0.2.0/24"},
		{"IPv4 in IPv6", func(c *remoteuser.Config) { c.Peers = prefixes("::ffff:192.0.2.7/128") }, "write an IPv4 range as IPv4"},
		{"a name with an underscore", func(c *remoteuser.Config) { c.Header = "Remote_User" }, `Header: "Remote_User": want letters`},
		{"a name with a blank", func(c *remoteuser.Config) { c.Header = "Remote User" }, "want letters"},
		{"a name with two hyphens", func(c *remoteuser.Config) { c.Header = "Remote--User" }, "want letters"},
		{"a long name", func(c *remoteuser.Config) { c.Header = strings.Repeat("x", 65) }, "want letters"},
		{"a variable's name", func(c *remoteuser.Config) { c.Header = "Http-Remote-User" }, "begins with Http-"},
		{"another header's name", func(c *remoteuser.Config) { c.Header = "authorization" }, "another purpose"},
		{"another header's name to strip", func(c *remoteuser.Config) { c.Strip = []string{"X-Role", "Cookie"} }, `Strip: "Cookie": this header has another purpose`},
		{"a short key", func(c *remoteuser.Config) { c.HMACKey = "secret" }, "HMACKey: 6 characters are too few"},
		{"a key that means none", func(c *remoteuser.Config) { c.HMACKey = "none" }, "leave it empty here"},
		{"a key with the end of its line", func(c *remoteuser.Config) { c.HMACKey = "0123456789abcdef\n" }, "line break"},
		{"a gateway called like a password", func(c *remoteuser.Config) { c.Service = "password" }, "Service"},
		{"a service of strange letters", func(c *remoteuser.Config) { c.Service = "Raven!" }, "Service"},
		{"a form without a checker", func(c *remoteuser.Config) { c.Form = &remoteuser.Form{Secret: secret} }, "Password is nil"},
		{"a base URL without a checker", func(c *remoteuser.Config) { c.BaseURL = "https://soc.example" }, "Password is nil"},
		{"no base URL", func(c *remoteuser.Config) { c.Password = onePassword }, "BaseURL: it is missing"},
		{"a base URL with a path", func(c *remoteuser.Config) { c.Password, c.BaseURL = onePassword, "https://soc.example/app" }, "not an origin"},
		{"no URL", func(c *remoteuser.Config) { c.Password, c.BaseURL = onePassword, "soc.example" }, "BaseURL"},
		{"http", func(c *remoteuser.Config) { c.Password, c.BaseURL = onePassword, "http://soc.example" }, "passwords are sent there"},
		{"a realm with quotes", func(c *remoteuser.Config) { c.Password, c.BaseURL, c.Realm = onePassword, "https://soc.example", `a"b` }, "Realm"},
		{"a realm for a form", func(c *remoteuser.Config) { form(remoteuser.Form{})(c); c.Realm = "x" }, "Realm is for HTTP Basic"},
		{"no secret", func(c *remoteuser.Config) { form(remoteuser.Form{})(c); c.Form.Secret = nil }, "Secret is missing"},
		{"an empty secret", form(remoteuser.Form{Secret: new(site.Secret)}), "Secret is missing"},
		{"a path elsewhere", form(remoteuser.Form{Path: "//evil.example"}), "Form.Path"},
		{"a path with a query", form(remoteuser.Form{Path: "/login?x"}), "Form.Path"},
		{"no path", form(remoteuser.Form{LogoutPath: "logout"}), "Form.LogoutPath"},
		{"one path for both", form(remoteuser.Form{LogoutPath: "/login"}), "are one"},
		{"a short life", form(remoteuser.Form{MaxLife: time.Second}), "MaxLife is 1s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := remoteuser.Config{Peers: []netip.Prefix{loopback}}
			tc.edit(&cfg)
			u, err := remoteuser.New(cfg)
			require.ErrorContains(t, err, tc.says)
			assert.Nil(t, u)
			if len(cfg.HMACKey) > 6 {
				assert.NotContains(t, err.Error(), cfg.HMACKey)
			}
		})
	}
}

func TestNewReportsEverything(t *testing.T) {
	_, err := remoteuser.New(remoteuser.Config{Header: "a b", HMACKey: "x", Service: "password", Password: onePassword})
	for _, field := range []string{"Peers", "Header", "HMACKey", "Service", "BaseURL"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
}

func TestNewAccepts(t *testing.T) {
	for _, edit := range []func(c *remoteuser.Config){
		func(c *remoteuser.Config) { c.Peers, c.UnixSocket = nil, true },
		func(c *remoteuser.Config) { c.Peers = prefixes("10.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128") },
		func(c *remoteuser.Config) { c.Password, c.BaseURL = onePassword, "http://localhost:8080/" },
		func(c *remoteuser.Config) {
			c.Password, c.BaseURL, c.InsecureAllowHTTP = onePassword, "http://soc.example", true
		},
	} {
		cfg := remoteuser.Config{Peers: []netip.Prefix{loopback}}
		edit(&cfg)
		_, err := remoteuser.New(cfg)
		assert.NoError(t, err)
	}
}

// What the caller does with its lists afterwards changes nothing.
func TestConfigIsCopied(t *testing.T) {
	peers, form := []netip.Prefix{nowhere}, &remoteuser.Form{Secret: newSecret(t)}
	b := newBackend(t, setup{config: func(c *remoteuser.Config) { c.Peers, c.Form, c.Password = peers, form, onePassword }})
	peers[0] = loopback
	assert.Empty(t, form.Path)
	assert.NotEqual(t, 200, b.raw("/", "Remote-User: spqr1").StatusCode)
}
