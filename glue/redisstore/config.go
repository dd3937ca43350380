package redisstore

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/sessions"
	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

// Config configures a [Store]. Site and one of URL and Redis are required;
// every other field's zero value is the safe default.
type Config struct {
	// URL is the address of Redis: "redis://[user:password@]host[:port][/database]",
	// "rediss://..." for TLS, or "unix:///path/of/socket".
	URL string
	// Redis has the options that a URL cannot express: for a cluster, Sentinel, client
	// certificates, credentials that change. It is copied. New sets time limits, retries
	// and the routing of reads.
	Redis *redis.UniversalOptions
	// Site names the site's keys, which all begin with "wls1:{Site:": the same on all
	// machines of the site, another for every other site that uses the same Redis. 1 to
	// 64 of a-z, A-Z, 0-9, '.', '-' and '_'.
	Site string

	// Timeout bounds the wait for Redis in each operation, retries included; zero means
	// 500 ms, the least is 10 ms, the most 10 s.
	Timeout time.Duration

	// MaxLife ends a session this long after it was made, however often it is saved.
	// Zero means 24 hours, or the session's own Options.MaxAge where that is longer.
	// Options.MaxAge ends a session that long after it was last saved; 0 makes a cookie
	// that lasts as long as the browser runs, and leaves the end to MaxLife.
	MaxLife time.Duration
	// Inactivity ends a session that was not used for this long, plus or minus a minute,
	// because a use is noted once a minute; zero is off. At least 2 minutes. Sites that
	// use package glue set glue.Session.Inactivity instead, which can name the
	// person on its page.
	Inactivity time.Duration

	// NoteBrowsers stores with each session the family of its browser, such as "Firefox on
	// Windows", so that people know their own in a list: see [Session]. Nothing else of the
	// User-Agent is kept, and no address.
	NoteBrowsers bool

	// LoginsPerHour is how many logins all machines together remember in an hour, about 530
	// bytes each, so that a flood cannot fill Redis; beyond it, logins are refused until the
	// hour is over. The share of a sixteenth that each shard has is approximate: leave a
	// tenth to spare. Zero means 500,000, the least is 10,000, the most 1,000,000,000. Of signed failures half as
	// many are remembered, and of anything else a fifth.
	LoginsPerHour int

	// Cookie has the attributes of the cookies of sessions without Options; nil means the
	// path "/", Secure, HttpOnly, SameSite=Lax, and no MaxAge.
	Cookie *sessions.Options

	// Logger is for warnings to operators; nil means slog.Default().
	Logger *slog.Logger
	// Now is the clock; nil means time.Now. It must be the one of glue.Config.
	Now func() time.Time
}

const (
	defaultTimeout = 500 * time.Millisecond
	defaultLife    = 24 * time.Hour
	defaultLogins  = 500_000
)

// normalise fills in defaults and reports every mistake at once.
func (c *Config) normalise() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("redisstore: Config."+format, args...))
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Timeout < 10*time.Millisecond || c.Timeout > 10*time.Second {
		bad("Timeout is %s, want 10 milliseconds to 10 seconds", words.Duration(c.Timeout))
	}
	if !validSite(c.Site) {
		bad("Site is %q, want a name of the site in 1 to 64 of a-z, A-Z, 0-9, '.', '-' and '_'", c.Site)
	}
	if c.MaxLife != 0 && c.MaxLife < time.Minute {
		bad("MaxLife is %s, want at least 1 minute, or 0 for the default", words.Duration(c.MaxLife))
	}
	if c.Inactivity != 0 && c.Inactivity < 2*time.Minute {
		bad("Inactivity is %s, want at least 2 minutes, or 0 for none", words.Duration(c.Inactivity))
	}
	if c.LoginsPerHour == 0 {
		c.LoginsPerHour = defaultLogins
	}
	if c.LoginsPerHour < 10_000 || c.LoginsPerHour > 1_000_000_000 {
		bad("LoginsPerHour is %d, want 10,000 to 1,000,000,000, or 0 for the default", c.LoginsPerHour)
	}
	if c.Cookie == nil {
		c.Cookie = &sessions.Options{Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	}
	cookie := *c.Cookie
	c.Cookie = &cookie
	if c.Cookie.MaxAge < 0 {
		bad("Cookie.MaxAge is %d: no session would ever be kept", c.Cookie.MaxAge)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := c.normaliseRedis(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func validSite(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
	return s != "" && len(s) <= 64 && strings.Trim(s, allowed) == ""
}

// normaliseRedis sets c.Redis from either of URL and Redis.
func (c *Config) normaliseRedis() error {
	switch {
	case c.URL != "" && c.Redis != nil:
		return errors.New("redisstore: Config: set URL or Redis, not both")
	case c.URL == "" && c.Redis == nil:
		return errors.New("redisstore: Config.URL is missing: say where Redis is, such as redis://127.0.0.1:6379")
	case c.Redis != nil:
		o := *c.Redis
		c.Redis = &o
	default:
		o, err := parseURL(c.URL)
		if err != nil {
			return err
		}
		c.Redis = o
	}
	if len(c.Redis.Addrs) == 0 {
		return errors.New("redisstore: Config.Redis.Addrs is empty: say where Redis is, such as 127.0.0.1:6379")
	}
	return nil
}

// parseURL reads Config.URL. Its errors hold no part of the URL, which may hold a
// password.
func parseURL(text string) (*redis.UniversalOptions, error) {
	o, err := redis.ParseURL(text)
	if err != nil {
		return nil, errors.New("redisstore: Config.URL cannot be read: want redis://[user:password@]host[:port][/database], rediss://... or unix:///path, with reserved characters in a password written as %XX")
	}
	if u, err := url.Parse(text); err != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("redisstore: Config.URL has a query or a fragment: set Config.Redis for what the rest of a URL cannot say")
	}
	return &redis.UniversalOptions{
		Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
	}, nil
}
