package glue

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything about a login that can be set. Site and Service are required;
// every other field's zero value is the safe default.
type Config struct {
	// Site is what people log in to. It must have a secret. Each of its origins has
	// sessions of its own, a request for any other host gets 421, and nobody is sent to log
	// in for a request outside the path of its BaseURL.
	Site *site.Site
	// Service is where people log in: webauth.Raven(), webauth.Nevar(keys), ..., or a provider
	// of package glue/oidclogin, which needs LoginPath.
	Service webauth.LoginService
	// Also are services by which people could log in before, while a site moves from one
	// to another: sessions that began there are honoured until they end, and logins that began
	// there are finished. Nobody is sent there anew, but see ChooseService.
	Also []webauth.LoginService
	// ChooseService lets people choose between Service and those of Also, on a page with a link
	// for each, wherever they are sent to log in.
	ChooseService bool
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
	// SingleMachine confirms that a custom Session.Store is used by one process only,
	// so that the memory of one process is enough for what was used; see
	// site.Config.OneUse.
	SingleMachine bool

	// LogoutPath is where Logout is mounted, as browsers see it, for links on our pages;
	// empty for none. It is below BaseURL.
	LogoutPath string
	// LoginPath is where Login is mounted, as browsers see it: where a person logs in
	// again, in a new tab, while a page keeps the form that they sent; where a frame and htmx
	// send people, to come back to the page around; and where people come
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

	// OnPersonChange runs when a browser that had a session of one person gets one of
	// another, or of nobody (logout): clear what the application keeps of them. to is the
	// zero Identity after a logout. It does not run where the old session cannot be
	// read any more.
	OnPersonChange func(w http.ResponseWriter, r *http.Request, from, to Identity)

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
	// IPv6; behind a front server that needs site.Config.Proxies, or all have the same). Both are
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

// normalise fills in defaults and finds every mistake.
func (c *Config) normalise() (found site.Findings) {
	if c.Site == nil {
		found.Errorf("Site", "is missing: make it with site.New")
		return found
	}
	if c.Site.Keys("") == nil {
		found.Errorf("Site", "%v", site.ErrNoSecret)
	}
	servicesFit := c.checkServices(&found)
	if c.Session.MaxLife == 0 {
		c.Session.MaxLife = defaultMaxLife
	}
	if c.Session.MaxLife < minLife {
		found.Errorf("Session.MaxLife", "is %s, want at least %s", words.Duration(c.Session.MaxLife), words.Duration(minLife))
	}
	if d := c.Session.Inactivity; d != 0 && d < 2*time.Minute {
		found.Errorf("Session.Inactivity", "is %s, want at least 2 minutes, or 0 for none", words.Duration(d))
	}
	if c.Session.ExpiredMsg == "" {
		c.Session.ExpiredMsg = defaultExpired
	}
	if c.Session.Store != nil && !c.Site.SharesOneUse() && !c.SingleMachine {
		found.Errorf("Session.Store", "a custom Session.Store suggests several machines, which must share a OneUse; set SingleMachine if there is one process only")
	}
	switch {
	case c.KeepForms == 0:
		c.KeepForms = maxKeptForm
	case c.KeepForms > maxKeptForm:
		found.Errorf("KeepForms", "is %d, the most is %d", c.KeepForms, maxKeptForm)
	}
	for _, f := range [][2]string{{"LogoutPath", c.LogoutPath}, {"LoginPath", c.LoginPath}, {"AfterLogout", c.AfterLogout}} {
		if f[1] == "" {
			continue
		}
		if err := c.Site.CheckPath(f[1]); err != nil {
			found.Errorf(f[0], "%v", err)
		}
	}
	c.Versions = slices.Clone(c.Versions)
	c.checkCookies(&found)
	c.Policy.check(c.services(), "Policy", &found)
	if servicesFit { // or everything would say it again
		if err := c.tryOrigins(); err != nil {
			found.Errorf("", "%v", err)
		}
	}
	return found
}

// services are all by which somebody may be logged in, the one for new logins first.
func (c *Config) services() []webauth.LoginService {
	if c.Service == nil {
		return nil
	}
	return append([]webauth.LoginService{c.Service}, c.Also...)
}

// checkServices reports whether each can be used.
func (c *Config) checkServices(found *site.Findings) bool {
	if c.Service == nil {
		found.Errorf("Service", "is missing: where do people log in? For example webauth.Raven()")
		return false
	}
	fit := true
	ids := map[string]bool{}
	for i, s := range c.services() {
		if s == nil {
			found.Errorf(serviceKey(i), "is nil")
			c.Also = slices.DeleteFunc(slices.Clone(c.Also), func(s webauth.LoginService) bool { return s == nil })
			return false
		}
		if err := s.Check(); err != nil {
			found.Errorf(serviceKey(i), "%v", err)
			fit = false
		} else if ids[s.ID()] {
			found.Errorf(serviceKey(i), "is another one of %q: name each once", s.Info().Name)
			fit = false
		}
		ids[s.ID()] = true
	}
	if c.ChooseService && c.Also == nil {
		found.Errorf("ChooseService", "has nothing to choose from: name another service in Also")
	}
	return fit
}

// serviceKey is the field of the i-th of the services.
func serviceKey(i int) string {
	if i == 0 {
		return "Service"
	}
	return fmt.Sprintf("Also[%d]", i-1)
}

func (c *Config) checkCookies(found *site.Findings) {
	if c.Session.CookieName == "" {
		c.Session.CookieName = "wls-session"
	}
	if strings.Trim(c.Session.CookieName, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		found.Errorf("Session.CookieName", "%q: use a-z, 0-9, '-' and '_'", c.Session.CookieName)
	}
	switch c.Session.CookieName {
	case loginCookie, seenCookie, loopCookie, triedCookie, failedCookie, targetCookie, parkedCookie:
		found.Errorf("Session.CookieName", "%q is the name of another cookie of ours", c.Session.CookieName)
	}
	if p := c.Session.CookiePath; p == "" {
		c.Session.CookiePath = "/"
	} else if !localpath.Is(p) || strings.ContainsAny(p, ";,?") {
		found.Errorf("Session.CookiePath", "%q is not a path", p)
	} else if !covers(p, c.Site.Path()) && !covers(c.Site.Path(), p) {
		found.Errorf("Session.CookiePath", "%q has no page of the site, which is below %q: browsers would never send the cookie", p, c.Site.Path())
	}
	c.checkCookieDomain(found)
}

// covers reports whether a cookie with a path is sent to another (RFC 6265 section 5.1.4).
func covers(cookiePath, path string) bool {
	return strings.HasPrefix(path+"/", strings.TrimSuffix(cookiePath, "/")+"/")
}

// checkCookieDomain checks that browsers take a cookie for the domain from each of the site's
// hosts (RFC 6265 section 5.3).
func (c *Config) checkCookieDomain(found *site.Findings) {
	domain := strings.ToLower(strings.TrimPrefix(c.InsecureCookieDomain, "."))
	switch {
	case c.InsecureCookieDomain == "":
		return
	case strings.ContainsAny(domain, ":/;, ") || domain == "":
		found.Errorf("InsecureCookieDomain", "%q is not a domain", c.InsecureCookieDomain)
		return
	}
	for _, origin := range c.Site.Origins() {
		if !c.Site.Serves(origin) {
			continue // nobody gets a cookie there
		}
		u, err := url.Parse(origin)
		if err != nil || u.Hostname() != domain && !strings.HasSuffix(u.Hostname(), "."+domain) {
			found.Errorf("InsecureCookieDomain", "%s is not below %s: browsers would refuse its session cookie", origin, domain)
		}
	}
}

// tryOrigins derives everything under a secret that is thrown away.
func (c *Config) tryOrigins() error {
	secret, err := site.ParseSecret(rand.Text() + rand.Text())
	if err != nil {
		return err
	}
	_, err = newOrigins(c, secret)
	return err
}
