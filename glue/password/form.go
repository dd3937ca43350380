package password

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// FormConfig is what can be set of a [Form]; the zero value will do.
type FormConfig struct {
	// Path is where browsers see [Form.Login], LogoutPath where they see [Form.Logout];
	// empty means /login and /logout, below the path of the site's BaseURL.
	Path, LogoutPath string
	// MaxLife ends a session this long after the login; zero means 2 hours. At least 1
	// minute.
	MaxLife time.Duration
}

// Form is a login form and the sessions that it starts. It is made by [NewForm], and safe
// for concurrent use.
//
// Sessions are sealed cookies, bound to the browser, and cannot be revoked before they end.
// They work at the host of the site's BaseURL only, so a front server must pass the Host
// header on.
type Form struct {
	checker *Checker
	site    *site.Site
	cfg     FormConfig
	origin  string // "https://soc.example"
	secure  bool

	seals         atomic.Pointer[seals]
	sessionCookie string // the session
	browserCookie string // the browser's secret, which sessions and forms are bound to
}

// seals are what sessions and the proofs in forms are sealed with.
type seals struct{ session, token *seal.Codec }

const (
	defaultMaxLife = 2 * time.Hour
	minLife        = time.Minute
)

// NewForm returns a Form for the passwords of a Checker, whose site must have a secret. Mount
// its handlers at the paths of the configuration.
func NewForm(c *Checker, cfg FormConfig) (*Form, error) {
	if c == nil {
		return nil, errors.New("password: NewForm: there is no Checker: make it with password.New")
	}
	if err := cfg.normalise(c.site); err != nil {
		return nil, err
	}
	f := &Form{checker: c, site: c.site, cfg: cfg, origin: c.site.Origins()[0]}
	u, err := url.Parse(f.origin)
	if err != nil {
		return nil, err
	}
	// On https the names begin with __Host-, which no other host can set; on http browsers
	// would refuse that. The sites of one host share cookies.
	f.secure = u.Scheme == "https"
	prefix, suffix := "", cookie.Suffix(c.site.Path(), u.Port())
	if f.secure {
		prefix = "__Host-"
	}
	f.sessionCookie, f.browserCookie = prefix+"password-session"+suffix, prefix+"password-browser"+suffix
	if err := c.site.OnSecret(f.derive); err != nil {
		return nil, err
	}
	c.site.AddCookies(site.Cookies{
		Sessions: []string{f.sessionCookie},
		Own:      func(name string) bool { return name == f.sessionCookie || name == f.browserCookie },
	})
	return f, nil
}

// normalise fills in defaults and reports every mistake at once.
func (cfg *FormConfig) normalise(s *site.Site) error {
	var found site.Findings
	if cfg.Path == "" {
		cfg.Path = s.Path() + "/login"
	}
	if cfg.LogoutPath == "" {
		cfg.LogoutPath = s.Path() + "/logout"
	}
	for field, path := range map[string]string{"Path": cfg.Path, "LogoutPath": cfg.LogoutPath} {
		if err := s.CheckPath(path); err != nil {
			found.Errorf(field, "%v", err)
		} else if strings.Contains(path, "?") {
			found.Errorf(field, "%q must not have a query", path)
		}
	}
	if cfg.Path == cfg.LogoutPath {
		found.Errorf("", "Path and LogoutPath are one: %q", cfg.Path)
	}
	if cfg.MaxLife == 0 {
		cfg.MaxLife = defaultMaxLife
	}
	if cfg.MaxLife < minLife {
		found.Errorf("MaxLife", "is %s, want at least %s", words.Duration(cfg.MaxLife), words.Duration(minLife))
	}
	return found.Err("password: FormConfig.")
}

// derive makes what values are sealed with, from the site's secret and for its origin.
func (f *Form) derive(secret *site.Secret) error {
	var made seals
	for purpose, codec := range map[string]**seal.Codec{"password session": &made.session, "password form": &made.token} {
		var err error
		if *codec, err = seal.New(purpose, secret.Derive(purpose, f.origin)); err != nil {
			return fmt.Errorf("password: %w", err)
		}
	}
	f.seals.Store(&made)
	return nil
}

// now is the time in whole seconds, as sessions have it.
func (f *Form) now() time.Time { return time.Unix(f.site.Now().Unix(), 0).UTC() }

// url makes an absolute URL of a path of the site; empty is its start.
func (f *Form) url(path string) string {
	if path == "" {
		path = f.site.Path() + "/"
	}
	return f.origin + path
}

// loginURL is the form's, to go on to a path of the site.
func (f *Form) loginURL(next string) string {
	if next == "" {
		return f.url(f.cfg.Path)
	}
	return f.url(f.cfg.Path) + "?next=" + url.QueryEscape(next)
}

// Checker returns what checks the form's passwords.
func (f *Form) Checker() *Checker { return f.checker }

// LogoutURL returns where people log out.
func (f *Form) LogoutURL() string { return f.url(f.cfg.LogoutPath) }

// isHere reports whether a request is for the host whose cookies and forms are ours.
func (f *Form) isHere(r *http.Request) bool {
	origin, ok := f.site.OriginOf(r.Host)
	return ok && origin == f.origin
}

// setCookie sets a cookie that lasts as long as the browser runs; without a value it ends.
func (f *Form) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: f.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// browser reads the browser's secret; empty where it brought none.
func (f *Form) browser(r *http.Request) webauth.BrowserSecret {
	if s := webauth.BrowserSecret(cookie.Get(r, f.browserCookie)); s.Valid() {
		return s
	}
	return ""
}
