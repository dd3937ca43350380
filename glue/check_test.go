package glue_test

import (
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"slices"
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

// check says all that is wrong or weak about a site and its login.
func check(cfg config) []site.Finding {
	found := site.Findings(site.Check(cfg.siteConfig))
	if cfg.SecretFile != "" { // to look is not to make
		cfg.SecretFile, cfg.Secret = "", rand.Text()+rand.Text()
	}
	soc, err := site.New(cfg.siteConfig)
	if err != nil {
		return found
	}
	cfg.Site = soc
	found = slices.DeleteFunc(found, func(f site.Finding) bool { // what no login has to do with
		return strings.HasPrefix(f.Key, "Headers.") || f.Key == "Redirect"
	})
	return append(found, glue.Check(cfg.glueConfig)...).Sorted()
}

// keySet has keys that nobody else knows.
func keySet(t *testing.T, kids ...string) *keys.Set {
	t.Helper()
	var all []keys.Key
	for _, kid := range kids {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		require.NoError(t, err)
		key, err := keys.New(kid, &private.PublicKey)
		require.NoError(t, err)
		all = append(all, key)
	}
	set, err := keys.NewSet(all...)
	require.NoError(t, err)
	return set
}

// found gives the findings as text, without those that a good configuration has too.
func found(cfg config) (lines []string) {
	usual := []string{
		"note: SecretFile: ", "note: Session.Store: cookie sessions cannot be revoked",
		"note: OneUse: used responses are remembered by this process only", "note: Service: key 2 of raven has 1024 bits",
	}
next:
	for _, f := range check(cfg) {
		for _, u := range usual {
			if strings.HasPrefix(f.String(), u) {
				continue next
			}
		}
		lines = append(lines, f.String())
	}
	return lines
}

func TestCheckOfAGoodConfiguration(t *testing.T) {
	cfg := goodConfig(t)
	var lines []string
	for _, f := range check(cfg) {
		assert.Equal(t, site.SeverityNote, f.Severity)
		lines = append(lines, f.String())
	}
	require.Len(t, lines, 4)
	assert.Contains(t, lines[0], "it will be made with mode 0600")
	assert.Contains(t, strings.Join(lines, "\n"), "Go in FIPS-only mode refuses it")
	assert.NoFileExists(t, cfg.SecretFile, "to look is not to make")

	// All machines share what is used, and sessions are kept at a server.
	cfg.Session.Store, cfg.OneUse = sessions.NewFilesystemStore(t.TempDir(), storeKey()), &brokenOneUse{}
	_, err := newAuth(cfg)
	require.NoError(t, err)
	require.Len(t, check(cfg), 1)
	assert.Equal(t, "Service", check(cfg)[0].Key)
}

func fakeAt(authURL string, k webauth.KeySource) webauth.Service {
	return webauth.Service{Name: "fake", AuthURL: authURL, Keys: k}
}

func TestCheckFindsWhatIsWeak(t *testing.T) {
	for _, tt := range []struct {
		name  string
		edit  func(c *config)
		wants []string
	}{
		{"loopback", func(c *config) { c.BaseURL = "http://localhost:8080" }, []string{"note: BaseURL: http: cookies have neither Secure nor __Host-"}},
		{"http", func(c *config) { c.BaseURL, c.InsecureAllowHTTP = "http://soc.example", true }, []string{
			"warning: InsecureAllowHTTP: whoever is on the way can read and change everything", "note: BaseURL: http",
		}},
		{"cookie domain", func(c *config) { c.InsecureCookieDomain = "soc.example" }, []string{"warning: InsecureCookieDomain: every host below soc.example can read"}},
		{"cookie path", func(c *config) { c.Session.CookiePath = "/private" }, []string{"warning: Session.CookiePath: a cookie with path /private cannot be __Host-"}},
		{"cookie path and domain", func(c *config) { c.InsecureCookieDomain, c.Session.CookiePath = ".Example", "/private" }, []string{
			"warning: InsecureCookieDomain: every host below .Example can read", "warning: Session.CookiePath: a cookie with path /private cannot",
			"warning: InsecureCookieDomain contradicts Session.CookiePath: the one gives the session cookie to other hosts, the other keeps it from this site's own pages outside /private"}},
		{"cookie path of all", func(c *config) { c.Session.CookiePath = "/" }, nil},
		{"cookie path above the site's", func(c *config) { c.BaseURL, c.LogoutPath, c.Session.CookiePath = "https://soc.example/a/b", "", "/a/" }, []string{"warning: Session.CookiePath: a cookie"}},
		{"cookie path below the site's", func(c *config) {
			c.BaseURL, c.LogoutPath, c.Session.CookiePath = "https://soc.example/a/b", "", "/a/b/c"
		}, []string{"warning: Session.CookiePath: a cookie"}},
		{"names", func(c *config) { c.Policy.Principals = []string{"spqr1", "SPQR2", " abc12", "abc12@cam.ac.uk", "Ada"} }, []string{
			`warning: Policy.Principals: "SPQR2" lets nobody in: raven reports CRSids, which are small letters and digits: write "spqr2"`,
			`warning: Policy.Principals: " abc12" lets nobody in: a principal is 1 to 255 printable ASCII characters without blanks: write "abc12"`,
			`warning: Policy.Principals: "abc12@cam.ac.uk" lets nobody in: raven reports CRSids, which are small letters and digits: write "abc12"`,
			`warning: Policy.Principals: "Ada" lets nobody in`}},
		{"names of people", func(c *config) { c.Policy.Principals = []string{"spqr1", "test0001", "ab"} }, nil},
		{"a ptag nobody has", func(c *config) { c.Policy.Ptags = []string{"currrent"} }, []string{
			`note: Policy.Ptags: "currrent" is not known of raven, which sends "current" for present staff and students`}},
		{"the ptag in capitals", func(c *config) { c.Policy.Ptags = []string{"Current"} }, nil},
		{"Nevar by http", func(c *config) { c.Service, c.BaseURL = webauth.Nevar(keySet(t, "9")), "http://localhost:8080" }, []string{
			"warning: Service: nevar refuses sites that are not https, so nobody can log in at http://localhost:8080; only http://localhost without a port", "note: BaseURL: http"}},
		{"Nevar at bare localhost", func(c *config) { c.Service, c.BaseURL = webauth.Nevar(keySet(t, "9")), "http://localhost" }, []string{"note: BaseURL: http"}},
		{"a service for tests", func(c *config) { c.Service = fakeAt("http://127.0.0.1:8081/auth/authenticate.html", keySet(t, "9")) }, []string{
			"warning: Service: fake is on this machine (AuthURL http://127.0.0.1:8081/auth/authenticate.html), where other people's browsers find nothing"}},
		{"a service for tests, at loopback", func(c *config) {
			c.Service, c.BaseURL = fakeAt("http://127.0.0.1:8081/auth/authenticate.html", keySet(t, "9")), "http://localhost:8080"
		}, []string{"note: BaseURL: http"}},
		{"Nevar by https", func(c *config) { c.Service = webauth.Nevar(keySet(t, "9")) }, nil},
		{"Goose by http", func(c *config) {
			c.Service, c.BaseURL = webauth.Goose(keySet(t, "500", "501")), "http://localhost:8080"
		}, []string{"note: BaseURL: http"}},
		{"keys of another service", func(c *config) {
			set, err := keys.NewSet(append(keySet(t, "500").Keys(), keys.Raven().Keys()...)...)
			require.NoError(t, err)
			c.Service = webauth.Goose(set)
		}, []string{
			"warning: Service: key 2 is that of raven: whoever raven logs in could log in here by that name, so take the key away", "note: Service: key 2 of goose has 1024 bits"}},
		{"demo service", func(c *config) { c.Service, c.BaseURL = webauth.RavenDemo(), "http://localhost" }, []string{
			"warning: Service: raven-demo signs with a key whose private half is public", "note: BaseURL: http",
		}},
		{"versions", func(c *config) { c.Versions = []int{3, 1} }, []string{`warning: Versions: version 1 lets whoever alters a request imply ptag "current"`}},
		{"MaxAge", func(c *config) { c.MaxAge = 3 * time.Minute }, []string{"warning: MaxAge: 3 minutes: a response that leaks can be used for that long"}},
		{"Skew", func(c *config) { c.Skew = 2 * time.Minute }, []string{"warning: Skew: 2 minutes: set the clock by NTP instead"}},
		{"MaxLife", func(c *config) { c.Session.MaxLife = 25 * time.Hour }, []string{"warning: Session.MaxLife: 1 day 1 hour: people who left the University stay logged in that long"}},
		{"IgnoreWLSLife", func(c *config) { c.Session.IgnoreWLSLife = true }, []string{"note: Session.IgnoreWLSLife: sessions outlive"}},
		{"AnyPtags", func(c *config) { c.Policy.AnyPtags = true }, []string{"note: Policy.AnyPtags: people who are no longer members"}},
		{"IAct", func(c *config) { c.Policy.IAct = webauth.IActYes }, []string{"note: Policy.IAct: the password may have been typed at any time"}},
		{"IAct and Fresh", func(c *config) { c.Policy.IAct, c.Policy.Fresh = webauth.IActYes, time.Hour }, nil},
		{"Fail", func(c *config) { c.Policy.Fail = true }, []string{"note: Policy.Fail: people whose login fails stay at the login service"}},
		{"Secret", func(c *config) { c.SecretFile, c.Secret = "", "kGkz3JxTfWqPz0nUe7Rw5yVbHs2LdMa8CoXi4QhNt6E" }, []string{"note: Secret: keep it out of the program's source"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := goodConfig(t)
			tt.edit(&cfg)
			got := found(cfg)
			require.Len(t, got, len(tt.wants), "%q", got)
			for i, wants := range tt.wants {
				assert.True(t, strings.HasPrefix(got[i], wants), got[i])
			}
		})
	}
}

// Check says all that New says, first, and each of it once.
func TestCheckFindsWhatNewRefuses(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			cfg := goodConfig(t)
			tt.edit(&cfg)
			if tt.name == "secret file in no directory" {
				return // Check makes no file, so it does not find out
			}
			var errors []string
			for i, f := range check(cfg) {
				if f.Severity == site.SeverityError {
					assert.Len(t, errors, i, "errors come first")
					line := "glue: Config." + strings.TrimPrefix(f.String(), "error: ")
					assert.NotContains(t, errors, line)
					errors = append(errors, line)
				}
			}
			assert.Contains(t, strings.Join(errors, "\n"), tt.wants)
		})
	}
}

func TestCheckReadsTheSecret(t *testing.T) {
	cfg := goodConfig(t)
	require.NoError(t, os.WriteFile(cfg.SecretFile, []byte("kGkz3JxTfWqPz0nUe7Rw5yVbHs2LdMa8CoXi4QhNt6E\n"), 0o600))
	assert.Empty(t, found(cfg))
	require.NoError(t, os.Chmod(cfg.SecretFile, 0o666))
	got := found(cfg)
	require.Len(t, got, 1)
	assert.Contains(t, got[0], "error: ")
	assert.Contains(t, got[0], "chmod 600 "+cfg.SecretFile)
	assert.Equal(t, "secret", filepath.Base(cfg.SecretFile))
}
