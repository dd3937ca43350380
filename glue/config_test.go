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
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// goodConfig is a real site's.
func goodConfig(t *testing.T) glue.Config {
	return glue.Config{
		Service:    webauth.Raven(),
		BaseURL:    "https://soc.example",
		SecretFile: filepath.Join(t.TempDir(), "secret"),
		LogoutPath: "/logout",
	}
}

func TestNew(t *testing.T) {
	cfg := goodConfig(t)
	auth, err := glue.New(cfg)
	require.NoError(t, err)
	require.NoError(t, auth.Err())
	info, err := os.Stat(cfg.SecretFile)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
	_, err = glue.New(cfg)
	require.NoError(t, err, "with the file that is there now")
}

// mistakes are configurations that New refuses, each with words of the refusal.
var mistakes = []struct {
	name  string
	edit  func(c *glue.Config)
	wants string
}{
	{"no service", func(c *glue.Config) { c.Service = webauth.Service{} }, `service name ""`},
	{"no keys", func(c *glue.Config) { c.Service = webauth.Goose(nil) }, `service "goose" has no keys: load them with keys.LoadDir or keys.LoadFile`},
	{"WLS on http", func(c *glue.Config) { c.Service.AuthURL = "http://wls.example/" }, "must be https"},
	{"no BaseURL", func(c *glue.Config) { c.BaseURL = "" }, "Config.BaseURL is missing or no URL: say where browsers see the site, such as https://soc.example"},
	{"BaseURL is no URL", func(c *glue.Config) { c.BaseURL = "https://%zz" }, "Config.BaseURL is missing or no URL"},
	{"BaseURL without a scheme", func(c *glue.Config) { c.BaseURL = "soc.example" }, "not an absolute http or https URL"},
	{"BaseURL with a query", func(c *glue.Config) { c.BaseURL += "/?x=1" }, "Config.BaseURL must not have a query"},
	{"BaseURL with a fragment", func(c *glue.Config) { c.BaseURL += "/#x" }, "must not have a fragment"},
	{"BaseURL with a user", func(c *glue.Config) { c.BaseURL = "https://me@soc.example" }, "must not hold a user name or password"},
	{"BaseURL of another kind", func(c *glue.Config) { c.BaseURL = "ftp://soc.example" }, "not an absolute http or https URL"},
	{"http", func(c *glue.Config) { c.BaseURL = "http://soc.example" }, "origin http://soc.example is http: use https, or http://localhost for trying things out"},
	{"http as a further origin", func(c *glue.Config) { c.Origins = []string{"http://www.soc.example"} }, "origin http://www.soc.example is http"},
	{"origin with a path", func(c *glue.Config) { c.Origins = []string{"https://www.soc.example/x"} }, `Config.Origins: "https://www.soc.example/x" is not an origin in its usual form ("https://www.soc.example")`},
	{"origin in capitals", func(c *glue.Config) { c.Origins = []string{"https://WWW.soc.example"} }, "is not an origin in its usual form"},
	{"origin that is none", func(c *glue.Config) { c.Origins = []string{"www.soc.example"} }, `"www.soc.example": not an absolute http or https URL`},
	{"origin twice", func(c *glue.Config) { c.Origins = []string{"https://soc.example"} }, "host soc.example comes twice; requests could not be told apart"},
	{"two schemes of one host", func(c *glue.Config) { c.InsecureAllowHTTP, c.Origins = true, []string{"http://soc.example"} }, "host soc.example comes twice"},
	{"published key off loopback", func(c *glue.Config) { c.Service = webauth.RavenDemo() }, `service "raven-demo" trusts a key whose private half is public: good for loopback sites, not for https://soc.example`},
	{"published key at a further origin", func(c *glue.Config) {
		c.Service, c.BaseURL, c.Origins = webauth.RavenDemo(), "http://localhost:8080", []string{"https://soc.example"}
	}, "not for https://soc.example"},

	{"no secret", func(c *glue.Config) { c.SecretFile = "" }, "Config.SecretFile is missing: name a file that this program may write once, such as /var/lib/soc/secret"},
	{"two secrets", func(c *glue.Config) { c.Secret = "x" }, "set SecretFile or Secret, not both"},
	{"weak secret", func(c *glue.Config) { c.SecretFile, c.Secret = "", "change me" }, "line 1 is a placeholder"},
	{"secret file in no directory", func(c *glue.Config) { c.SecretFile = "/no/such/dir/secret" }, "its directory does not exist"},

	{"short MaxLife", func(c *glue.Config) { c.Session.MaxLife = 59 * time.Second }, "Config.Session.MaxLife is 59s, want at least 1m0s"},
	{"negative MaxLife", func(c *glue.Config) { c.Session.MaxLife = -time.Hour }, "Config.Session.MaxLife is -1h0m0s, want at least 1m0s"},
	{"short Inactivity", func(c *glue.Config) { c.Session.Inactivity = 119 * time.Second }, "Config.Session.Inactivity is 1m59s, want at least 2m0s, or 0 for none"},
	{"negative Inactivity", func(c *glue.Config) { c.Session.Inactivity = -time.Hour }, "Config.Session.Inactivity is -1h0m0s"},
	{"store for several machines", func(c *glue.Config) { c.Session.Store = sessions.NewCookieStore([]byte("x")) }, "a custom Session.Store suggests several machines, which must share a OneUse; set SingleMachine if there is one process only"},
	{"cookie name in capitals", func(c *glue.Config) { c.Session.CookieName = "Session" }, `Config.Session.CookieName: "Session": use a-z, 0-9, '-' and '_'`},
	{"cookie name with a blank", func(c *glue.Config) { c.Session.CookieName = "a b" }, "Config.Session.CookieName"},
	{"cookie name of ours", func(c *glue.Config) { c.Session.CookieName = "wls-login" }, `"wls-login" is the name of another cookie of ours`},
	{"another one", func(c *glue.Config) { c.Session.CookieName = "wls-seen" }, "another cookie of ours"},
	{"a third", func(c *glue.Config) { c.Session.CookieName = "wls-loop" }, "another cookie of ours"},
	{"a fourth", func(c *glue.Config) { c.Session.CookieName = "wls-tried" }, "another cookie of ours"},
	{"cookie path that is none", func(c *glue.Config) { c.Session.CookiePath = "private" }, `Config.Session.CookiePath: "private" is not a path`},
	{"cookie path with attributes", func(c *glue.Config) { c.Session.CookiePath = "/;Domain=x" }, "is not a path"},
	{"cookie domain with a port", func(c *glue.Config) { c.InsecureCookieDomain = "soc.example:80" }, `Config.InsecureCookieDomain: "soc.example:80" is not a domain`},
	{"cookie domain that is a URL", func(c *glue.Config) { c.InsecureCookieDomain = "https://soc.example" }, "is not a domain"},

	{"long MaxAge", func(c *glue.Config) { c.MaxAge = 11 * time.Minute }, "MaxAge and Skew above 10 minutes hide a wrong clock: set it by NTP"},
	{"negative Skew", func(c *glue.Config) { c.Skew = -1 }, "MaxAge and Skew must not be negative"},
	{"unknown version", func(c *glue.Config) { c.Versions = []int{4} }, "there is no version 4"},
	{"no version", func(c *glue.Config) { c.Versions = []int{} }, "an empty list accepts nothing; leave it nil for version 3"},
	{"large KeepForms", func(c *glue.Config) { c.KeepForms = 65537 }, "Config.KeepForms is 65537, the most is 65536"},
	{"LogoutPath that is none", func(c *glue.Config) { c.LogoutPath = "logout" }, `Config.LogoutPath: "logout" is not a path of this site`},
	{"AfterLogout elsewhere", func(c *glue.Config) { c.AfterLogout = "//evil.example" }, `Config.AfterLogout: "//evil.example" is not a path of this site`},
	{"nobody may come in", func(c *glue.Config) { c.Policy.Principals = []string{} }, "glue: Config.Policy.Principals: an empty list lets nobody in"},
	{"ptags where there are none", func(c *glue.Config) { c.Service, c.Policy.Ptags = webauth.Goose(keys.Raven()), []string{"current"} }, `glue: Config.Policy.Ptags: service "goose" sets no ptags, nobody would get in`},
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			cfg := goodConfig(t)
			tt.edit(&cfg)
			_, err := glue.New(cfg)
			require.ErrorContains(t, err, tt.wants)
			for line := range strings.Lines(err.Error()) {
				assert.Regexp(t, `^(glue|webauth|site): `, line)
			}
			if cfg.SecretFile != "" {
				assert.NoFileExists(t, cfg.SecretFile, "nothing is made for a configuration that is wrong")
			}
		})
	}
}

func TestNewReportsAllMistakesAtOnce(t *testing.T) {
	cfg := goodConfig(t)
	cfg.BaseURL = "http://soc.example"
	cfg.Session.MaxLife = time.Second
	cfg.LogoutPath = "logout"
	cfg.Policy.Fresh = time.Second
	_, err := glue.New(cfg)
	for _, wants := range []string{"http://soc.example is http", "MaxLife", "LogoutPath", "Fresh"} {
		assert.ErrorContains(t, err, wants)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 4)
}

// What the caller changes afterwards does not matter.
func TestNewCopiesItsConfig(t *testing.T) {
	versions, origins := []int{3}, []string{"http://127.0.0.1:1"}
	s := startSite(t, setup{config: func(c *glue.Config) { c.Versions, c.Origins = versions, origins }})
	versions[0], origins[0] = 1, "http://evil.example"
	require.NoError(t, s.auth.SetSecret(newSecret(t))) // reads it all again
	s.loggedIn("test0001")
}
