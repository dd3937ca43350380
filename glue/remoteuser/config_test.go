package remoteuser_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/password"
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
	soc, err := site.New(site.Config{BaseURL: "https://soc.example", Secret: newSecret()})
	require.NoError(t, err)
	checker, err := password.New(password.Config{Site: soc, Check: onePassword})
	require.NoError(t, err)
	form, err := password.NewForm(checker, password.FormConfig{})
	require.NoError(t, err)
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
		{"a key of nothing", func(c *remoteuser.Config) { c.HMACKey = " \n" }, "HMACKey holds no key: make one with"},
		{"a key that means none", func(c *remoteuser.Config) { c.HMACKey = "None" }, "give no key to have none"},
		{"a gateway called like a password", func(c *remoteuser.Config) { c.Service = "password" }, "Service"},
		{"a service of strange letters", func(c *remoteuser.Config) { c.Service = "Raven!" }, "Service"},
		{"no site", func(c *remoteuser.Config) { c.Site = nil }, "Site is missing"},
		{"two ways in", func(c *remoteuser.Config) { c.Password, c.Form = checker, form }, "two ways in"},
		{"a realm with quotes", func(c *remoteuser.Config) { c.Password, c.Realm = checker, `a"b` }, "Realm"},
		{"a realm for a form", func(c *remoteuser.Config) { c.Form, c.Realm = form, "x" }, "Realm is for HTTP Basic"},
		{"a realm for nothing", func(c *remoteuser.Config) { c.Realm = "x" }, "Realm is for HTTP Basic"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := remoteuser.Config{Site: soc, Peers: []netip.Prefix{loopback}}
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
	_, err := remoteuser.New(remoteuser.Config{Header: "a b", HMACKey: " ", Service: "password", Realm: "x"})
	for _, field := range []string{"Site", "Peers", "Header", "HMACKey", "Service", "Realm"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
}

func TestNewAccepts(t *testing.T) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example"})
	require.NoError(t, err)
	for _, cfg := range []remoteuser.Config{
		{Site: soc, UnixSocket: true},
		{Site: soc, Peers: prefixes("10.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128")},
	} {
		_, err := remoteuser.New(cfg)
		assert.NoError(t, err)
	}
}

// What the caller does with its lists afterwards changes nothing.
func TestConfigIsCopied(t *testing.T) {
	peers := []netip.Prefix{nowhere}
	b := newBackend(t, setup{config: func(c *config) { c.Peers = peers }})
	peers[0] = loopback
	assert.NotEqual(t, 200, b.raw("/", "Remote-User: spqr1").StatusCode)
}
