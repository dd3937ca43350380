package glue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// goodConfig is a real site's.
func goodConfig(t *testing.T) (cfg config) {
	cfg.Service, cfg.LogoutPath = webauth.Raven(), "/logout"
	cfg.BaseURL, cfg.SecretFile = "https://soc.example", filepath.Join(t.TempDir(), "secret")
	return cfg
}

func TestNew(t *testing.T) {
	cfg := goodConfig(t)
	auth, err := newAuth(cfg)
	require.NoError(t, err)
	require.NoError(t, auth.Err())
	info, err := os.Stat(cfg.SecretFile)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
	_, err = newAuth(cfg)
	require.NoError(t, err, "with the file that is there now")
}

// mistakes are configurations that New refuses, each with words of the refusal.
var mistakes = []struct {
	name  string
	edit  func(c *config)
	wants string
}{
	{"no service", func(c *config) { c.Service = webauth.Service{} }, `service name ""`},
	{"no keys", func(c *config) { c.Service = webauth.Goose(nil) }, `service "goose" has no keys: load them with keys.LoadDir or keys.LoadFile`},
	{"WLS on http", func(c *config) { c.wls(func(s *webauth.Service) { s.AuthURL = "http://wls.example/" }) }, "must be https"},
	{"no BaseURL", func(c *config) { c.BaseURL = "" }, "Config.BaseURL is missing: say where browsers see the site, such as https://soc.example"},
	{"BaseURL is no URL", func(c *config) { c.BaseURL = "https://%zz" }, `Config.BaseURL: "https://%zz"`},
	{"BaseURL without a scheme", func(c *config) { c.BaseURL = "soc.example" }, "not an absolute http or https URL"},
	{"BaseURL with a query", func(c *config) { c.BaseURL += "/?x=1" }, "must not have a query"},
	{"BaseURL with a fragment", func(c *config) { c.BaseURL += "/#x" }, "must not have a fragment"},
	{"BaseURL with a user", func(c *config) { c.BaseURL = "https://me@soc.example" }, "must not hold a user name or password"},
	{"BaseURL of another kind", func(c *config) { c.BaseURL = "ftp://soc.example" }, "not an absolute http or https URL"},
	{"http", func(c *config) { c.BaseURL = "http://soc.example" }, "origin http://soc.example is http: use https, or http://localhost for trying things out"},
	{"http as a further origin", func(c *config) { c.BaseURL, c.Hosts = "http://localhost", []string{"www.soc.example"} }, "origin http://www.soc.example is http"},
	{"host with a path", func(c *config) { c.Hosts = []string{"www.soc.example/x"} }, "name only the host, without scheme and path"},
	{"host with a scheme", func(c *config) { c.Hosts = []string{"https://www.soc.example"} }, "name only the host, without scheme and path"},
	{"host twice", func(c *config) { c.Hosts = []string{"soc.example"} }, "host soc.example comes twice"},
	{"published key off loopback", func(c *config) { c.Service = webauth.RavenDemo() }, `service "raven-demo" trusts a key whose private half is public: good for loopback sites, not for https://soc.example`},
	{"published key at a further origin", func(c *config) {
		c.BaseURL, c.Hosts, c.InsecureAllowHTTP = "http://localhost:8080", []string{"soc.example"}, true
		c.Service = webauth.RavenDemo()
	}, "not for http://soc.example"},

	{"no secret", func(c *config) { c.SecretFile = "" }, "Config.SecretFile is missing: name a file that this program may write once, such as /var/lib/soc/secret"},
	{"two secrets", func(c *config) { c.Secret = "x" }, "set SecretFile or Secret, not both"},
	{"weak secret", func(c *config) { c.SecretFile, c.Secret = "", "change me" }, "line 1 is a placeholder"},
	{"secret file in no directory", func(c *config) { c.SecretFile = "/no/such/dir/secret" }, "its directory does not exist"},

	{"short MaxLife", func(c *config) { c.Session.MaxLife = 59 * time.Second }, "Config.Session.MaxLife is 59 seconds, want at least 1 minute"},
	{"negative MaxLife", func(c *config) { c.Session.MaxLife = -time.Hour }, "Config.Session.MaxLife is minus 1 hour, want at least 1 minute"},
	{"short Inactivity", func(c *config) { c.Session.Inactivity = 119 * time.Second }, "Config.Session.Inactivity is 1 minute 59 seconds, want at least 2 minutes, or 0 for none"},
	{"negative Inactivity", func(c *config) { c.Session.Inactivity = -time.Hour }, "Config.Session.Inactivity is minus 1 hour"},
	{"store for several machines", func(c *config) { c.Session.Store = sessions.NewCookieStore([]byte("x")) }, "a custom Session.Store suggests several machines, which must share a OneUse; set SingleMachine if there is one process only"},
	{"cookie name in capitals", func(c *config) { c.Session.CookieName = "Session" }, `Config.Session.CookieName: "Session": use a-z, 0-9, '-' and '_'`},
	{"cookie name with a blank", func(c *config) { c.Session.CookieName = "a b" }, "Config.Session.CookieName"},
	{"cookie name of ours", func(c *config) { c.Session.CookieName = "wls-login" }, `"wls-login" is the name of another cookie of ours`},
	{"another one", func(c *config) { c.Session.CookieName = "wls-seen" }, "another cookie of ours"},
	{"a third", func(c *config) { c.Session.CookieName = "wls-loop" }, "another cookie of ours"},
	{"a fourth", func(c *config) { c.Session.CookieName = "wls-tried" }, "another cookie of ours"},
	{"cookie path that is none", func(c *config) { c.Session.CookiePath = "private" }, `Config.Session.CookiePath: "private" is not a path`},
	{"cookie path with attributes", func(c *config) { c.Session.CookiePath = "/;Domain=x" }, "is not a path"},
	{"cookie domain with a port", func(c *config) { c.InsecureCookieDomain = "soc.example:80" }, `Config.InsecureCookieDomain: "soc.example:80" is not a domain`},
	{"cookie domain of others", func(c *config) { c.InsecureCookieDomain = "other.example" }, "Config.InsecureCookieDomain: https://soc.example is not below other.example: browsers would refuse its session cookie"},
	{"cookie domain that ends alike", func(c *config) { c.InsecureCookieDomain = "oc.example" }, "https://soc.example is not below oc.example"},
	{"cookie domain below", func(c *config) { c.InsecureCookieDomain = "www.soc.example" }, "https://soc.example is not below www.soc.example"},
	{"cookie domain of one host only", func(c *config) { c.Hosts, c.InsecureCookieDomain = []string{"alt.example"}, ".soc.example" }, "https://alt.example is not below soc.example"},
	{"cookie domain that is a dot", func(c *config) { c.InsecureCookieDomain = "." }, `"." is not a domain`},
	{"cookie path beside the site", func(c *config) { c.BaseURL, c.Session.CookiePath = "https://soc.example/club", "/clu" }, `Config.Session.CookiePath: "/clu" has no page of the site, which is below "/club": browsers would never send the cookie`},
	{"cookie domain that is a URL", func(c *config) { c.InsecureCookieDomain = "https://soc.example" }, "is not a domain"},

	{"long MaxAge", func(c *config) { c.MaxAge = 11 * time.Minute }, "MaxAge and Skew above 10 minutes hide a wrong clock: set it by NTP"},
	{"negative Skew", func(c *config) { c.Skew = -1 }, "MaxAge and Skew must not be negative"},
	{"unknown version", func(c *config) { c.Versions = []int{4} }, "there is no version 4"},
	{"no version", func(c *config) { c.Versions = []int{} }, "an empty list accepts nothing; leave it nil for version 3"},
	{"large KeepForms", func(c *config) { c.KeepForms = 65537 }, "Config.KeepForms is 65537, the most is 65536"},
	{"LogoutPath that is none", func(c *config) { c.LogoutPath = "logout" }, `Config.LogoutPath: "logout" is not a path of this site`},
	{"AfterLogout elsewhere", func(c *config) { c.AfterLogout = "//evil.example" }, `Config.AfterLogout: "//evil.example" is not a path of this site`},
	{"nobody may come in", func(c *config) { c.Policy.Principals = []string{} }, "glue: Config.Policy.Principals: an empty list lets nobody in"},
	{"ptags where there are none", func(c *config) { c.Service, c.Policy.Ptags = webauth.Goose(keys.Raven()), []string{"current"} }, `glue: Config.Policy.Ptags: service "goose" sets no ptags, nobody would get in`},
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			cfg := goodConfig(t)
			tt.edit(&cfg)
			_, err := newAuth(cfg)
			require.ErrorContains(t, err, tt.wants)
			for line := range strings.Lines(err.Error()) {
				assert.Regexp(t, `^(glue|webauth|site): `, line)
			}
			if cfg.SecretFile != "" && strings.HasPrefix(err.Error(), "site: ") {
				assert.NoFileExists(t, cfg.SecretFile, "nothing is made for a configuration that is wrong")
			}
		})
	}
}

func TestNewReportsAllMistakesAtOnce(t *testing.T) {
	cfg := goodConfig(t)
	cfg.KeepForms = 1 << 20
	cfg.Session.MaxLife = time.Second
	cfg.LogoutPath = "logout"
	cfg.Policy.Fresh = time.Second
	_, err := newAuth(cfg)
	for _, wants := range []string{"KeepForms", "MaxLife", "LogoutPath", "Fresh"} {
		assert.ErrorContains(t, err, wants)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 4)
}

// What the caller changes afterwards does not matter.
func TestNewCopiesItsConfig(t *testing.T) {
	versions, hosts := []int{3}, []string{"127.0.0.1:1"}
	s := startSite(t, setup{config: func(c *config) { c.Versions, c.Hosts = versions, hosts }})
	versions[0], hosts[0] = 1, "evil.example"
	require.NoError(t, s.auth.Site().SetSecret(newSecret(t))) // reads it all again
	s.loggedIn("test0001")
}

// Nobody gets a cookie at a host that RedirectCanonical empties.
func TestCookieDomainOfHostsThatOnlyRedirect(t *testing.T) {
	for redirect, ok := range map[site.Redirect]bool{site.RedirectCanonical: true, site.RedirectNone: false} {
		soc, err := site.New(site.Config{BaseURL: "https://www.soc.example", Hosts: []string{"old-name.example"}, Redirect: redirect, SecretFile: t.TempDir() + "/secret"})
		require.NoError(t, err)
		_, err = glue.New(glue.Config{Site: soc, Service: webauth.Raven(), InsecureCookieDomain: "soc.example"})
		assert.Equal(t, ok, err == nil, "%v", err)
	}
}
