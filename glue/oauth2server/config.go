package oauth2server

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Dialect says how SQL is written for a database.
type Dialect string

// The dialects.
const (
	// SQLite, embedded, for sites of one machine: say
	// "file:/var/lib/soc/api.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"
	// to modernc.org/sqlite. New refuses it without a busy_timeout, because two requests
	// that write at once would fail one another, and in memory, where every connection
	// would have a database of its own. Requests of one Server wait for one another in a
	// queue, without a limit of time but their own.
	SQLite Dialect = "sqlite"
	// PostgreSQL, 12 or later, for one machine or several.
	PostgreSQL Dialect = "postgresql"
)

// Config is everything that can be set. DB, Dialect, Auth, Guard and Scopes are
// required; every other field's zero value is the safe default.
type Config struct {
	// DB is where clients, codes and tokens are kept, in tables whose names begin with
	// "wlsoauth_", which New makes. The caller opens and closes it, and says how many
	// connections it may have: 8 to 16, by SetMaxOpenConns and SetMaxIdleConns, are as fast
	// as more. By default it has any number, but keeps two and opens the others for one
	// request each; with PostgreSQL, New logs a warning of that. One is enough for everything
	// to work. Through a PgBouncer that hands out connections for a transaction, say
	// default_query_exec_mode=exec to pgx.
	//
	// A commit must wait until it is on the disk, as both databases have it by default (SQLite's
	// synchronous=FULL, PostgreSQL's synchronous_commit=on). Otherwise a power cut, or a
	// failover to a replica that lags, brings back what was revoked or used a moment before.
	DB *sql.DB
	// Dialect says what kind of database it is.
	Dialect Dialect
	// Auth is the site's login, for the pages and for API calls of a browser.
	Auth *glue.Auth
	// Guard checks the forms of the pages, and API calls made with the browser session.
	Guard *xsrf.Guard

	// Issuer identifies the server to clients (RFC 8414 section 2): https, or http on
	// loopback, without query and fragment. Empty means the origin of the site's BaseURL.
	Issuer string
	// Path is where Handler is mounted, as browsers see it; empty means "/oauth".
	Path string

	// Home is the path of the page of the site that the settings lead back to, as browsers
	// see it; empty means the site's start.
	Home string

	// Scopes are what tokens may allow; at least one.
	Scopes []Scope
	// ClientScopes are what confidential clients may get for themselves, without a person
	// (client credentials, RFC 6749 section 4.4): every one of them, whatever person registered
	// it. Empty turns that grant off. A scope that is Internal needs MayRegister, because
	// otherwise everybody who can log in could help themselves.
	ClientScopes []string

	// ResourceServers are the applications that check other applications' tokens, and
	// personal ones, by introspection (RFC 7662), because they serve a part of the API in
	// another process: the scopes that each serves, by its client ID. They are confidential
	// clients that somebody has registered like any other; only this names them. Of a token
	// with one of these scopes they learn whose it is and which of these it has, and of all
	// others nothing. But who is shown a token can use it for all that it is good for: name
	// those that you trust with that.
	ResourceServers map[string][]string

	// Active reports whether a person may still use the site. It is asked at each use of a
	// token, about the person whom it stands for, or about the owner of the application
	// where it stands for nobody: false ends that use at once; an error is answered with
	// 503. It must be quick. Nil means that everybody is.
	Active func(ctx context.Context, principal string) (bool, error)
	// MayRegister reports whether a person may register applications; nil means that everybody
	// who can log in may. It is asked again when they edit one and when they make a new secret,
	// but not at each use of a token, as Active is. A person who may gets all of ClientScopes
	// by a confidential client, and keeps them until that is deleted.
	MayRegister func(r *http.Request, id glue.Identity) bool

	// AccessLife is how long an application's access token lasts; zero means 1 hour. 1
	// minute to 24 hours.
	AccessLife time.Duration
	// RefreshLife is how long a refresh token lasts if it is not used; zero means 90
	// days. At least AccessLife.
	RefreshLife time.Duration
	// GrantLife ends the tokens of what a person authorised, however often they were
	// refreshed; zero means 365 days. At least RefreshLife. The consent itself does not
	// end: when the person comes by way of the application again, it gets new tokens
	// without their being asked, until they revoke it on their pages.
	GrantLife time.Duration
	// CodeLife is how long an authorization code can be redeemed; zero means 1 minute.
	// 10 seconds to 10 minutes.
	CodeLife time.Duration
	// RefreshLeeway lets a refresh token be used again for this long after its first
	// use, for clients that lose answers on a bad network, unless the token that the
	// first use gave was used since. A thief who uses it in that time gets a line of
	// refresh tokens of their own beside the client's, which nothing gives away, until
	// GrantLife ends or somebody revokes the grant. At most 1 minute, in whole seconds.
	// Zero, the default, takes any second use for theft and ends the grant.
	RefreshLeeway time.Duration
	// PersonalMaxLife bounds how long a personal token may last; zero is no bound, and
	// tokens that do not expire.
	PersonalMaxLife time.Duration
	// BasicPassword lets programs that know nothing but HTTP Basic, such as git, send a
	// personal token as the password, wherever they could send it as a bearer token. The
	// user name can be anything: nobody believes it, and the resource sees a bearer token.
	// Answers with 401 ask for Basic, too. What a browser sends as Basic counts for nothing,
	// because it would send it for the pages of other sites as well.
	BasicPassword bool
	// FreshFor is how long ago, at most, people typed their password when they make a
	// token or a client secret; zero means 5 minutes. At least 1 minute.
	FreshFor time.Duration

	// MaxPersonal is how many personal tokens a person may have at once, MaxClients how
	// many applications they may register; zero means 50 and 20.
	MaxPersonal, MaxClients int

	// InsecureAllowImplicit turns on the implicit grant (RFC 6749 section 4.2), for
	// parity with older systems. It puts access tokens into URLs, where history,
	// referrers and other scripts find them, and cannot bind them to the client that
	// asked; RFC 9700 section 2.1.2 says not to.
	InsecureAllowImplicit bool
	// InsecureAllowPassword turns on the resource owner password grant (RFC 6749 section
	// 4.3), for parity with older systems; it needs PasswordCheck. It teaches people to
	// type their password into other sites and goes past the WLS and whatever it asks
	// beside a password; RFC 9700 section 2.4 says that it must not be used.
	InsecureAllowPassword bool
	// PasswordCheck returns the principal that a user name and a password belong to, "" if they
	// are wrong. An error is answered with 503. It must be slow to guess at, and take as long
	// for users that do not exist.
	PasswordCheck func(ctx context.Context, username, password string) (principal string, err error)
}

// normalise fills in defaults and reports every mistake at once.
func (c *Config) normalise() error {
	if err := c.checkRequired(); err != nil {
		return err // the rest leans on these
	}
	c.Scopes, c.ClientScopes = slices.Clone(c.Scopes), slices.Clone(c.ClientScopes)
	c.ResourceServers = maps.Clone(c.ResourceServers)
	for id, scopes := range c.ResourceServers {
		c.ResourceServers[id] = slices.Clone(scopes)
	}
	c.Path = cmp.Or(c.Path, "/oauth")
	c.Home = cmp.Or(c.Home, c.Auth.Site().Path()+"/")
	c.Issuer = cmp.Or(c.Issuer, c.Auth.Site().Origins()[0])
	c.AccessLife = cmp.Or(c.AccessLife, time.Hour)
	c.RefreshLife = cmp.Or(c.RefreshLife, max(90*day, c.AccessLife))
	c.GrantLife = cmp.Or(c.GrantLife, max(365*day, c.RefreshLife))
	c.CodeLife = cmp.Or(c.CodeLife, time.Minute)
	c.FreshFor = cmp.Or(c.FreshFor, 5*time.Minute)
	c.MaxPersonal = cmp.Or(c.MaxPersonal, 50)
	c.MaxClients = cmp.Or(c.MaxClients, 20)
	return errors.Join(scopeSet(c.Scopes).check(), c.checkClientScopes(), c.checkResourceServers(), c.checkAddresses(), c.checkTimes(), c.checkInsecure())
}

func configError(format string, args ...any) error {
	return fmt.Errorf("oauth2server: Config."+format, args...)
}

func (c *Config) checkRequired() error {
	var errs []error
	if c.DB == nil {
		errs = append(errs, configError("DB is missing: open a database, for example by modernc.org/sqlite or pgx/v5/stdlib"))
	}
	if c.Dialect != SQLite && c.Dialect != PostgreSQL {
		errs = append(errs, configError("Dialect is %q, want %q or %q", c.Dialect, SQLite, PostgreSQL))
	}
	if c.Auth == nil {
		errs = append(errs, configError("Auth is missing: the site's *glue.Auth"))
	}
	if c.Guard == nil {
		errs = append(errs, configError("Guard is missing: an *xsrf.Guard made with the same Auth"))
	}
	return errors.Join(errs...)
}

func (c *Config) checkClientScopes() error {
	for _, name := range c.ClientScopes {
		switch scope, ok := scopeSet(c.Scopes).find(name); {
		case !ok:
			return configError("ClientScopes: %q is not in Scopes", name)
		case scope.Internal && c.MayRegister == nil:
			return configError("ClientScopes: %q is internal, but everybody who can log in may register an application and get it: set MayRegister", name)
		}
	}
	return nil
}

func (c *Config) checkResourceServers() error {
	for _, id := range slices.Sorted(maps.Keys(c.ResourceServers)) {
		scopes := c.ResourceServers[id]
		if len(scopes) == 0 {
			return configError("ResourceServers: %q serves no scope: name those whose tokens it checks", id)
		}
		for _, name := range scopes {
			if _, ok := scopeSet(c.Scopes).find(name); !ok {
				return configError("ResourceServers: %q of %q is not in Scopes", name, id)
			}
		}
	}
	return nil
}

func (c *Config) checkAddresses() error {
	var errs []error
	origin, err := webauth.Origin(c.Issuer)
	switch {
	case err != nil:
		errs = append(errs, configError("Issuer is %q: %v", c.Issuer, err))
	case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(c.Issuer):
		errs = append(errs, configError("Issuer is %q: want https, http is for loopback hosts", c.Issuer))
	case c.Issuer != origin && !validPath(strings.TrimPrefix(c.Issuer, origin)):
		// Clients compare it byte for byte, and it is quoted in headers.
		errs = append(errs, configError("Issuer is %q, want an origin such as %q, or that with a path, without a slash at its end", c.Issuer, origin))
	}
	if err := c.Auth.Site().CheckPath(c.Home); err != nil {
		errs = append(errs, configError("Home: %v", err))
	}
	if !validPath(c.Path) {
		errs = append(errs, configError("Path is %q, want a path such as %q, without a slash at its end", c.Path, "/oauth"))
	}
	return errors.Join(errs...)
}

// validPath reports whether a path needs no escapes and has a name in every part.
func validPath(path string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~"
	rest, rooted := strings.CutPrefix(path, "/")
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || strings.Trim(part, allowed) != "" {
			return false
		}
	}
	return rooted
}

func (c *Config) checkTimes() error {
	var errs []error
	between := func(name string, d, least, most time.Duration) {
		if d < least || d > most {
			errs = append(errs, configError("%s is %s, want %s to %s", name, words.Duration(d), words.Duration(least), words.Duration(most)))
		}
	}
	const years = 100 * 365 * 24 * time.Hour // as good as no limit
	between("AccessLife", c.AccessLife, time.Minute, 24*time.Hour)
	between("RefreshLife", c.RefreshLife, c.AccessLife, years)
	between("GrantLife", c.GrantLife, c.RefreshLife, years)
	between("CodeLife", c.CodeLife, 10*time.Second, 10*time.Minute)
	between("RefreshLeeway", c.RefreshLeeway, 0, time.Minute)
	between("PersonalMaxLife", c.PersonalMaxLife, 0, years)
	between("FreshFor", c.FreshFor, time.Minute, 24*time.Hour)
	if c.RefreshLeeway%time.Second != 0 {
		errs = append(errs, configError("RefreshLeeway is %s, want whole seconds", words.Duration(c.RefreshLeeway)))
	}
	if c.MaxPersonal < 0 || c.MaxClients < 0 {
		errs = append(errs, configError("MaxPersonal or MaxClients is negative"))
	}
	return errors.Join(errs...)
}

func (c *Config) checkInsecure() error {
	if c.InsecureAllowPassword && c.PasswordCheck == nil {
		return configError("InsecureAllowPassword needs PasswordCheck")
	}
	return nil
}
