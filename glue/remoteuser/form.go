package remoteuser

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Form is a login form and the sessions that it starts. Mount RemoteUser.Login and Logout
// at its paths, outside of Require.
//
// Sessions are sealed cookies, bound to the browser, and cannot be revoked before they
// end; Config.Lookup still decides on every request. They work at the host of
// Config.BaseURL only, so a front server must pass the Host header on.
type Form struct {
	// Secret is the site's secret, of site.LoadSecret; required. Sessions are sealed with
	// keys derived from it for BaseURL.
	Secret *site.Secret
	// Path is where browsers see Login, LogoutPath where they see Logout; empty means
	// /login and /logout.
	Path, LogoutPath string
	// MaxLife ends a session this long after the login; zero means 2 hours. At least 1
	// minute.
	MaxLife time.Duration
}

const (
	defaultPath       = "/login"
	defaultLogoutPath = "/logout"
	defaultMaxLife    = 2 * time.Hour
	minLife           = time.Minute
)

func (f *Form) normalise() (errs []error) {
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("remoteuser: Config.Form."+format, args...))
	}
	if f.Secret == nil || len(f.Secret.Derive("test")) == 0 {
		bad("Secret is missing: take the site's, of site.LoadSecret")
	}
	if f.Path == "" {
		f.Path = defaultPath
	}
	if f.LogoutPath == "" {
		f.LogoutPath = defaultLogoutPath
	}
	for _, p := range [][2]string{{"Path", f.Path}, {"LogoutPath", f.LogoutPath}} {
		if !localpath.Is(p[1]) || strings.Contains(p[1], "?") {
			bad("%s: %q is not a path of this site", p[0], p[1])
		}
	}
	if f.Path == f.LogoutPath {
		bad("Path and LogoutPath are one: %q", f.Path)
	}
	if f.MaxLife == 0 {
		f.MaxLife = defaultMaxLife
	}
	if f.MaxLife < minLife {
		bad("MaxLife is %v, want at least %v", f.MaxLife, minLife)
	}
	return errs
}

// checkBaseURL wants an origin where passwords may be sent.
func checkBaseURL(raw string, allowHTTP bool) error {
	if raw == "" {
		return errors.New("it is missing: say where browsers see the site, such as https://soc.example")
	}
	origin, err := webauth.Origin(raw)
	switch {
	case err != nil:
		return fmt.Errorf("%q: %v", raw, err)
	case strings.TrimSuffix(raw, "/") != origin:
		return fmt.Errorf("%q is not an origin in its usual form (%q)", raw, origin)
	case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin) && !allowHTTP:
		return fmt.Errorf("%s is http, and passwords are sent there: use https, or http://localhost for trying things out", origin)
	}
	return nil
}

// formLogin is a Form at its site's origin.
type formLogin struct {
	cfg          Form
	origin, host string // "https://soc.example", "soc.example"
	secure       bool

	session, token *seal.Codec
	sessionCookie  string // the session
	browserCookie  string // the browser's secret, which sessions and forms are bound to
}

func newFormLogin(cfg *Config) (*formLogin, error) {
	origin, err := webauth.Origin(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	f := &formLogin{cfg: *cfg.Form, origin: origin, host: u.Host, secure: u.Scheme == "https"}
	for purpose, codec := range map[string]**seal.Codec{"remoteuser session": &f.session, "remoteuser form": &f.token} {
		if *codec, err = seal.New(purpose, f.cfg.Secret.Derive(purpose, origin)); err != nil {
			return nil, fmt.Errorf("remoteuser: %w", err)
		}
	}
	// On https the names begin with __Host-, which no other host can set; on http browsers
	// would refuse that. Ports share cookies.
	prefix, suffix := "__Host-", ""
	if !f.secure {
		prefix = ""
	}
	if port := u.Port(); port != "" {
		suffix = "-" + port
	}
	f.sessionCookie, f.browserCookie = prefix+"remoteuser-session"+suffix, prefix+"remoteuser-browser"+suffix
	return f, nil
}

// url makes an absolute URL of a local path.
func (f *formLogin) url(path string) string { return f.origin + path }

// loginURL is the form's, to go on to a local path.
func (f *formLogin) loginURL(next string) string {
	if next == "" {
		return f.url(f.cfg.Path)
	}
	return f.url(f.cfg.Path) + "?next=" + url.QueryEscape(next)
}

// isHere reports whether a request is for the host whose cookies and forms are ours.
func (f *formLogin) isHere(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if f.secure {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return host == f.host
}

// cookie reads a cookie. A name that appears twice counts as absent: one of the two was
// put there by somebody else, and nobody can tell which.
func (f *formLogin) cookie(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

func (f *formLogin) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, f.newCookie(name, value))
}

func (f *formLogin) clearCookie(w http.ResponseWriter, name string) {
	c := f.newCookie(name, "")
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// newCookie lasts as long as the browser runs.
func (f *formLogin) newCookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Secure: f.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// secret reads the browser's secret; empty where it brought none.
func (f *formLogin) secret(r *http.Request) webauth.BrowserSecret {
	if s := webauth.BrowserSecret(f.cookie(r, f.browserCookie)); s.Valid() {
		return s
	}
	return ""
}
