package glue

import (
	"net/http"
	"net/url"

	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/internal/seal"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// cookieJar knows the names and attributes of our cookies at one origin.
//
//	login    the browser's secret; written when made and at logout, never otherwise
//	session  the session, or its id in a foreign store
//	seen     when the session was last used; only with Session.Inactivity
//	loop     recent logins, to stop redirect loops
//	tried    silent sign-in was tried, or the person logged out
//	failed   requests to the WLS that failed
//	target   begins the names of the cookies that hold long targets; see target.go
//	parked   which those are
type cookieJar struct {
	login, session, seen, loop, tried, failed, target, parked string

	secure       bool
	path, domain string // of the session cookie
}

// Names, without prefix and suffix, of the cookies beside the session's.
const (
	loginCookie  = "wls-login"
	seenCookie   = "wls-seen"
	loopCookie   = "wls-loop"
	triedCookie  = "wls-tried"
	failedCookie = "wls-failed"
	targetCookie = "wls-target"
	parkedCookie = "wls-parked"
)

// newCookieJar chooses the strictest names that the origin allows. On https they
// begin with __Host-, which no other host can set; on http browsers would refuse that.
func newCookieJar(cfg *Config, origin, prefix string) cookieJar {
	u, _ := url.Parse(origin) // origin is in normal form
	j := cookieJar{secure: u.Scheme == "https", path: cfg.Session.CookiePath, domain: cfg.InsecureCookieDomain}
	suffix := cookie.Suffix(prefix, u.Port())
	before := "__Host-"
	if !j.secure {
		before = ""
	}
	name := func(s string) string { return before + s + suffix }
	j.login, j.seen, j.loop, j.tried = name(loginCookie), name(seenCookie), name(loopCookie), name(triedCookie)
	j.failed = name(failedCookie)
	j.parked, j.target = name(parkedCookie), targetCookie+suffix
	if j.secure {
		j.target = "__Secure-" + j.target // their path is not "/"
	}
	j.session = name(cfg.Session.CookieName)
	if j.secure && (j.path != "/" || j.domain != "") {
		j.session = "__Secure-" + cfg.Session.CookieName + suffix
	}
	return j
}

// names lists the cookies.
func (j *cookieJar) names() []string {
	return []string{j.login, j.session, j.seen, j.loop, j.tried, j.failed, j.target, j.parked}
}

// make returns a cookie that lasts as long as the browser runs.
func (j *cookieJar) make(name, value string) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if name == j.session {
		c.Path, c.Domain = j.path, j.domain
	}
	return c
}

func (j *cookieJar) set(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, j.make(name, value))
}

func (j *cookieJar) clear(w http.ResponseWriter, name string) {
	c := j.make(name, "")
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// opened returns what a sealed cookie holds; empty where the browser has none that is good.
func (q *request) opened(codec *seal.Codec, name string) string {
	plain, _, err := codec.Open(name, cookie.Get(q.r, name), q.now)
	if err != nil {
		return ""
	}
	return plain
}

// secret reads the browser's secret; empty where it brought none.
func (j *cookieJar) secret(r *http.Request) webauth.BrowserSecret {
	if s := webauth.BrowserSecret(cookie.Get(r, j.login)); s.Valid() {
		return s
	}
	return ""
}

// setSecret sets a new secret.
func (j *cookieJar) setSecret(w http.ResponseWriter, s webauth.BrowserSecret) {
	j.set(w, j.login, string(s))
}
