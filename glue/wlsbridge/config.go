package wlsbridge

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything about a login service that can be set. Auth, Keys and Sites are
// required; every other field's zero value is the safe default.
type Config struct {
	// Auth logs people in here. People whom its policy does not let in are told so on a page,
	// and no site hears of them.
	Auth *glue.Auth
	// Keys sign responses: the first those that are made now. The public halves of all are
	// published, so that sites can trust the next one before it signs.
	Keys []Key
	// Sites may ask for logins.
	Sites []Site

	// Confirm says when people are asked whether a site may be told who they are.
	Confirm Confirm

	// Ptags are the ptags of the protocol by those that Auth reports, such as the identifier of
	// a group: {"0c54…": "current"}. Others are told to nobody. Nil means that they are
	// told as they are. Sites take "current" for members of the University: only what says
	// that of a person may become it.
	Ptags map[string]string
	// AAuth are the authentication types of the protocol by those that Auth reports, such as
	// {"mfa": "pwd"}; the key "" is for all others. Types that have no line are told to nobody.
	// Nil means that they are told as they are, as another WLS is asked for them. Most sites
	// accept "pwd" alone, and OpenID Connect providers rarely say that: with one of those
	// behind, {"": "pwd"} is what lets people in.
	AAuth map[string]string

	// Skew is how far the clock of a site may be off before the log says so; zero means 30 s.
	// Nobody is refused for it.
	Skew time.Duration

	// Path is where sites send people to log in, as browsers see it; empty means
	// /auth/authenticate.html below BaseURL. The public keys are beside it, as pubkeyN.
	Path string
	// LogoutPath is where people log out, which is what glue.Config.LogoutPath should be too;
	// empty means /auth/logout.html below BaseURL.
	LogoutPath string
}

// Key is a key that signs responses, under the id by which sites know it.
type Key struct {
	Kid     string
	Private *rsa.PrivateKey
}

// Confirm says when people are asked whether a site may be told who they are.
type Confirm string

// The values of Confirm. A request with iact=no fails where somebody would be asked.
const (
	// ConfirmEachSite asks the first time for each site in a browser session.
	ConfirmEachSite Confirm = ""
	// ConfirmFirst asks the first time in a browser session, whichever site that is for.
	ConfirmFirst Confirm = "first"
	// ConfirmNever does not ask: any page can have a browser tell any of the sites who uses it.
	ConfirmNever Confirm = "never"
)

const (
	defaultPath   = "/auth/authenticate.html"
	defaultLogout = "/auth/logout.html"
	defaultSkew   = 30 * time.Second
	defaultAAuth  = "pwd"

	minKeyBits = 2048
	maxAAuth   = 8 // as requests of package webauth have
)

var authType = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// normalise fills in defaults and finds every mistake.
func (c *Config) normalise() (found site.Findings) {
	if c.Auth == nil {
		found.Errorf("Auth", "is missing: make it with glue.New")
		return found
	}
	c.checkKeys(&found)
	switch c.Confirm {
	case ConfirmEachSite, ConfirmFirst, ConfirmNever:
	default:
		found.Errorf("Confirm", `is %q, want "", "first" or "never"`, string(c.Confirm))
	}
	c.Ptags, c.AAuth = maps.Clone(c.Ptags), maps.Clone(c.AAuth)
	c.checkNames(&found)
	if c.Skew == 0 {
		c.Skew = defaultSkew
	}
	if c.Skew < 0 {
		found.Errorf("Skew", "is negative")
	}
	home := c.Auth.Site()
	for _, f := range []struct {
		name, usual string
		path        *string
	}{{"Path", defaultPath, &c.Path}, {"LogoutPath", defaultLogout, &c.LogoutPath}} {
		if *f.path == "" {
			*f.path = home.Path() + f.usual
		}
		if err := home.CheckPath(*f.path); err != nil {
			found.Errorf(f.name, "%v", err)
		} else if strings.Contains(*f.path, "?") {
			found.Errorf(f.name, "%q must not have a query", *f.path)
		}
	}
	if c.Path == c.LogoutPath {
		found.Errorf("LogoutPath", "is %q, as Path is", c.Path)
	}
	c.checkSites(&found)
	return found
}

// checkKeys wants keys that nobody else can sign with. The fake's is for trying things out.
func (c *Config) checkKeys(found *site.Findings) {
	c.Keys = slices.Clone(c.Keys)
	if len(c.Keys) == 0 {
		found.Errorf("Keys", "is missing: a service signs with at least one key")
	}
	kids := map[string]bool{}
	for i, k := range c.Keys {
		key := fmt.Sprintf("Keys[%d]", i)
		if k.Private == nil {
			found.Errorf(key+".Private", "is missing")
			continue
		}
		public, err := keys.New(k.Kid, &k.Private.PublicKey)
		switch {
		case err != nil:
			found.Errorf(key, "%v", err)
			continue
		case kids[k.Kid]:
			found.Errorf(key+".Kid", "is %s, as another key's is", k.Kid)
		case public.Bits() < minKeyBits:
			found.Errorf(key+".Private", "has %d bits, want at least %d", public.Bits(), minKeyBits)
		case public.Published() && !c.onLoopback():
			found.Errorf(key+".Private", "is public knowledge, so that anybody can sign with it: it is for trying things out on loopback only")
		default:
			if err := k.Private.Validate(); err != nil {
				found.Errorf(key+".Private", "does not work: %v", err)
			}
		}
		kids[k.Kid] = true
	}
}

// onLoopback reports whether the service and all its sites are on this machine.
func (c *Config) onLoopback() bool {
	for _, origin := range c.Auth.Site().Origins() {
		if !webauth.IsLoopback(origin) {
			return false
		}
	}
	return !slices.ContainsFunc(c.Sites, func(s Site) bool { return !webauth.IsLoopback(s.URLPrefix) })
}

// checkNames checks the tables that rename ptags and authentication types.
func (c *Config) checkNames(found *site.Findings) {
	for from, to := range c.Ptags {
		if from == "" || !webauth.IsPtag(to) {
			found.Errorf("Ptags", "%q = %q: want a ptag for a ptag, of printable ASCII without blanks and commas", from, to)
		}
	}
	for from, to := range c.AAuth {
		if !authType.MatchString(to) {
			found.Errorf("AAuth", "%q = %q: want an authentication type of letters, digits, '.', '_' and '-'", from, to)
		}
	}
}

// names reports whether anything is told as an authentication type of the protocol.
func (c *Config) names(kind string) bool {
	return c.AAuth == nil || slices.Contains(slices.Collect(maps.Values(c.AAuth)), kind)
}
