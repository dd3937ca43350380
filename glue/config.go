package glue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// OneUse remembers what has been used; see webauth.OneUse.
type OneUse = webauth.OneUse

// Config is everything a site can set. Service, BaseURL and one of SecretFile and
// Secret are required; every other field's zero value is the safe default.
type Config struct {
	// Service is where people log in: webauth.Raven(), webauth.Nevar(keys), ...
	Service webauth.Service
	// BaseURL is where browsers see the site, such as "https://soc.example", with a
	// path if the site begins below one. http is for loopback hosts. Nobody is sent to log
	// in for a request outside that path.
	BaseURL string
	// Origins are further origins that the same site answers to. A request for any
	// other host gets 421. Each origin has sessions of its own.
	Origins []string
	// PrefixStripped says that a front server removes the path of BaseURL before it
	// passes requests on.
	PrefixStripped bool

	// SecretFile names a file with the site's secret, made on first use; see
	// site.LoadSecret. Secret is the same text, for those who keep it elsewhere. Lines
	// are rotated by adding a new one on top.
	SecretFile, Secret string

	// Policy is what Require and Optional ask for, unless With changes it.
	Policy Policy
	// Session says how long a login lasts and where it is kept.
	Session Session

	// MaxAge is how old a response of the WLS may be (default 30 s), Skew how far the
	// clocks may disagree (default 5 s).
	MaxAge, Skew time.Duration
	// Versions of responses accepted as successes; nil means 3 alone. Versions 1 and 2
	// imply ptag "current" where the service has ptags. See webauth.VerifierConfig.
	Versions []int
	// OneUse remembers used responses and tokens; nil means in this process's memory.
	// All machines of a site must share one.
	OneUse OneUse
	// SingleMachine confirms that a custom Session.Store is used by one process only,
	// so that the memory of one process is enough for OneUse.
	SingleMachine bool

	// LogoutPath is where Logout is mounted, as browsers see it, for links on our pages;
	// empty for none. It is below BaseURL.
	LogoutPath string
	// LoginPath is where Login is mounted, as browsers see it: where a person logs in
	// again, in a new tab, while a page keeps the form that they sent, and where people come
	// back to from the login service if even the path of an address is too long for it.
	// Empty means at the address that the form went to, if it is one that has a page, or at
	// the page that the form came from (set it where these need no login themselves), and a
	// page that says that the address is too long. It is below BaseURL.
	LoginPath string
	// AfterLogout is the path to go to after logging out, as browsers see it; empty shows
	// a page. It is below BaseURL.
	AfterLogout string
	// LogoutAtWLS sends the person on to the WLS's logout page as well.
	LogoutAtWLS bool

	// KeepForms is the largest form, in bytes, that is kept while a person whose
	// session ended logs in again; 0 means 64 KiB, the most is 64 KiB, negative is off.
	KeepForms int

	// Page shows our pages in the site's own dress; nil means the built-in ones. It
	// writes the status, p.Status, and must escape what it writes. Our headers are set
	// already; Content-Security-Policy among them lets nothing in but our own style, so a
	// page with another replaces that header.
	Page func(w http.ResponseWriter, r *http.Request, p Page)
	// Logger gets what operators need to know; nil means slog.Default().
	Logger *slog.Logger
	// OnEvent is told of everything that is logged, for audit and metrics. It runs
	// before the answer is written and must be quick.
	OnEvent func(context.Context, Event)
	// OnPersonChange runs when a browser that had a session of one person gets one of
	// another, or of nobody (logout): clear what the application keeps of them. One of
	// the two may be the zero Identity. It does not run where the old session cannot be
	// read any more.
	OnPersonChange func(w http.ResponseWriter, r *http.Request, from, to Identity)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// InsecureAllowHTTP lets a site that is not on loopback use http: whoever is on the
	// way can read and use people's sessions.
	InsecureAllowHTTP bool
	// InsecureCookieDomain shares the session cookie with every host below a domain;
	// each of them can then read it and put its own in place. Never the login cookie:
	// a session made on one host does not work on another.
	InsecureCookieDomain string
}

// Session says how long a login lasts and where it is kept.
type Session struct {
	// MaxLife ends a session this long after login; zero means 2 hours. At least 1
	// minute.
	MaxLife time.Duration
	// IgnoreWLSLife keeps the session for MaxLife even if the WLS's own session ends
	// earlier.
	IgnoreWLSLife bool
	// Inactivity ends a session that was not used for this long; zero is off. At least
	// 2 minutes, because last use is noted once a minute.
	Inactivity time.Duration
	// ExpiredMsg is shown by the WLS when a session ended; empty for the default text.
	ExpiredMsg string
	// CookieName replaces "wls-session" in the cookie's name; a-z, 0-9, '-' and '_'.
	CookieName string
	// CookiePath limits the session cookie to a path below; empty means "/". Another
	// path costs the cookie its __Host- prefix.
	CookiePath string
	// BindBrowser ends a session that comes with another User-Agent header, BindAddress
	// one that comes from another network (the first 24 bits of an IPv4 address, 48 of
	// IPv6; behind a front server that needs site.Site, or all have the same). Both are
	// off: they stop only thieves who are careless, and cost honest people a login at
	// each browser update, or whenever they roam between networks.
	BindBrowser, BindAddress bool
	// Store keeps the sessions; nil means in sealed cookies, which cannot be revoked
	// before they expire.
	Store sessions.Store
}

const (
	defaultMaxLife = 2 * time.Hour
	minLife        = time.Minute
	maxKeptForm    = 64 << 10
	defaultExpired = "your session has ended, please log in again"
)

// normalise fills in defaults and reports every mistake at once.
func (c *Config) normalise() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("glue: "+format, args...)) }

	if err := c.Service.Check(); err != nil {
		errs = append(errs, err)
	}
	if c.SecretFile != "" && c.Secret != "" {
		bad("Config: set SecretFile or Secret, not both")
	}
	if c.Session.MaxLife == 0 {
		c.Session.MaxLife = defaultMaxLife
	}
	if c.Session.MaxLife < minLife {
		bad("Config.Session.MaxLife is %v, want at least %v", c.Session.MaxLife, minLife)
	}
	if d := c.Session.Inactivity; d != 0 && d < 2*time.Minute {
		bad("Config.Session.Inactivity is %v, want at least 2m0s, or 0 for none", d)
	}
	if c.Session.ExpiredMsg == "" {
		c.Session.ExpiredMsg = defaultExpired
	}
	if c.Session.Store != nil && c.OneUse == nil && !c.SingleMachine {
		bad("Config.OneUse: a custom Session.Store suggests several machines, which must share a OneUse; set SingleMachine if there is one process only")
	}
	switch {
	case c.KeepForms == 0:
		c.KeepForms = maxKeptForm
	case c.KeepForms > maxKeptForm:
		bad("Config.KeepForms is %d, the most is %d", c.KeepForms, maxKeptForm)
	}
	for _, f := range [][2]string{{"LogoutPath", c.LogoutPath}, {"LoginPath", c.LoginPath}, {"AfterLogout", c.AfterLogout}} {
		if f[1] != "" && !localpath.Is(f[1]) {
			bad("Config.%s: %q is not a path of this site", f[0], f[1])
		}
	}
	if c.OneUse == nil {
		c.OneUse = webauth.NewMemoryOneUse(0, c.Now)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Origins, c.Versions = slices.Clone(c.Origins), slices.Clone(c.Versions)
	errs = append(errs, c.checkCookies()...)
	if err := c.Policy.check(c.Service, "Config.Policy"); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) checkCookies() (errs []error) {
	if c.Session.CookieName == "" {
		c.Session.CookieName = "wls-session"
	}
	for _, r := range c.Session.CookieName {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r) {
			errs = append(errs, fmt.Errorf("glue: Config.Session.CookieName: %q: use a-z, 0-9, '-' and '_'", c.Session.CookieName))
			break
		}
	}
	switch c.Session.CookieName {
	case loginCookie, seenCookie, loopCookie, triedCookie, failedCookie, targetCookie, parkedCookie:
		errs = append(errs, fmt.Errorf("glue: Config.Session.CookieName: %q is the name of another cookie of ours", c.Session.CookieName))
	}
	if p := c.Session.CookiePath; p == "" {
		c.Session.CookiePath = "/"
	} else if !localpath.Is(p) || strings.ContainsAny(p, ";,?") {
		errs = append(errs, fmt.Errorf("glue: Config.Session.CookiePath: %q is not a path", p))
	}
	if d := c.InsecureCookieDomain; d != "" && strings.ContainsAny(d, ":/;, ") {
		errs = append(errs, fmt.Errorf("glue: Config.InsecureCookieDomain: %q is not a domain", d))
	}
	return errs
}

// secret reads the site's secret.
func (c *Config) secret() (*site.Secret, error) {
	switch {
	case c.SecretFile != "":
		return site.LoadSecret(c.SecretFile)
	case c.Secret != "":
		return site.ParseSecret(c.Secret)
	default:
		return nil, errors.New("glue: Config.SecretFile is missing: name a file that this program may write once, such as /var/lib/soc/secret")
	}
}
