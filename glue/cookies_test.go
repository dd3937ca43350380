package glue_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCookieNames(t *testing.T) {
	for _, tt := range []struct {
		name, host string // host of BaseURL
		config     func(c *config)
		login      string
		session    string
		attributes string // of the session's, beside HttpOnly and SameSite=Lax
	}{
		{"https", "https://soc.example", nil, "__Host-wls-login", "__Host-wls-session", "Path=/ Secure"},
		{"https with a port", "https://soc.example:8443", nil, "__Host-wls-login-8443", "__Host-wls-session-8443", "Path=/ Secure"},
		{"https below a path", "https://soc.example/my_app/v2/", nil, "__Host-wls-login.my~5fapp.v2", "__Host-wls-session.my~5fapp.v2", "Path=/ Secure"},
		{"https, another name", "https://soc.example", func(c *config) { c.Session.CookieName = "my_app-2" }, "__Host-wls-login", "__Host-my_app-2", "Path=/ Secure"},
		{"https, a path", "https://soc.example", func(c *config) { c.Session.CookiePath = "/private" }, "__Host-wls-login", "__Secure-wls-session", "Path=/private Secure"},
		{"https, the usual path", "https://soc.example", func(c *config) { c.Session.CookiePath = "/" }, "__Host-wls-login", "__Host-wls-session", "Path=/ Secure"},
		{"https, a domain", "https://soc.example", func(c *config) { c.InsecureCookieDomain = "soc.example" }, "__Host-wls-login", "__Secure-wls-session", "Path=/ Domain=soc.example Secure"},
		{"http on loopback", "http://localhost", nil, "wls-login", "wls-session", "Path=/"},
		{"http on loopback with a port", "http://127.0.0.1:8080", nil, "wls-login-8080", "wls-session-8080", "Path=/"},
		{"http on loopback below a path", "http://[::1]:8080/app", nil, "wls-login.app-8080", "wls-session.app-8080", "Path=/"},
		{"insecure http", "http://soc.example", func(c *config) { c.InsecureAllowHTTP = true }, "wls-login", "wls-session", "Path=/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, setup{})
			cfg := s.config(tt.host)
			cfg.LogoutPath = ""
			if tt.config != nil {
				tt.config(&cfg)
			}
			cfg.Session.Inactivity = time.Hour
			auth, err := newAuth(cfg)
			require.NoError(t, err)
			base, err := url.Parse(tt.host)
			require.NoError(t, err)
			path := strings.TrimSuffix(base.Path, "/") + "/private/x"

			there := roundTrip(auth.Require(echo), base.Host, path)
			require.Equal(t, http.StatusSeeOther, there.StatusCode)
			require.Len(t, there.Cookies(), 1)
			login := there.Cookies()[0]
			assert.Equal(t, tt.login, login.Name)

			back := s.respond(there.Header.Get("Location"), "test0001")
			back = strings.TrimPrefix(back, base.Scheme+"://"+base.Host)
			here := roundTrip(auth.Require(echo), base.Host, back, login)
			require.Equal(t, http.StatusSeeOther, here.StatusCode)
			var names []string
			for _, c := range here.Cookies() {
				names = append(names, c.Name)
				attributes := "Path=/"
				if base.Scheme == "https" {
					attributes += " Secure"
				}
				if c.Name == tt.session {
					attributes = tt.attributes
				}
				assert.Equal(t, attributes, describe(c), c.Name)
			}
			assert.Equal(t, []string{
				tt.session, strings.Replace(tt.login, "login", "seen", 1), strings.Replace(tt.login, "login", "loop", 1),
			}, names)
			for _, name := range append(names, tt.login, strings.Replace(tt.login, "login", "tried", 1)) {
				assert.True(t, auth.Site().OwnCookie(name), name)
				assert.False(t, auth.Site().OwnCookie("x"+name), name)
			}
			in := roundTrip(auth.Require(echo), base.Host, path, append(here.Cookies(), login)...)
			assert.Equal(t, http.StatusOK, in.StatusCode)
		})
	}
}

func TestOwnCookie(t *testing.T) {
	s := startSite(t, setup{})
	cfg := s.config("https://soc.example")
	cfg.Hosts = []string{"www.soc.example:8443"}
	auth, err := newAuth(cfg)
	require.NoError(t, err)
	for name, own := range map[string]bool{
		"__Host-wls-session": true, "__Host-wls-session-8443": true, "__Host-wls-login-8443": true,
		"__Host-wls-session-9443": false, "wls-session": false, "__host-wls-session": false, "": false,
	} {
		assert.Equal(t, own, auth.Site().OwnCookie(name), name)
	}
}

// describe gives a cookie's attributes but for HttpOnly and SameSite=Lax, without which
// it gives nothing.
func describe(c *http.Cookie) string {
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 || !c.Expires.IsZero() {
		return ""
	}
	text := "Path=" + c.Path
	if c.Domain != "" {
		text += " Domain=" + c.Domain
	}
	if c.Secure {
		text += " Secure"
	}
	return text
}

// roundTrip navigates without a network, for hosts that are not on this machine.
func roundTrip(h http.Handler, host, target string, cookies ...*http.Cookie) *http.Response {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = host
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestSessionThatIsNoSession(t *testing.T) { eachKind(t, testSessionThatIsNoSession) }

func testSessionThatIsNoSession(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	good := s.loggedIn("test0001")
	secret, session := good.cookie("login"), good.cookie("session")
	flipped := []byte(session.Value)
	flipped[len(flipped)/2] ^= 1
	for _, tt := range []struct {
		name   string
		cookie string // the Cookie header
		known  bool
	}{
		{"as it is", secret.String() + "; " + session.String(), true},
		{"among others", "a=b; " + session.String() + "; " + secret.String() + "; wls-session=x; WLS-SESSION=y", true},
		{"without the secret", session.String(), false},
		{"without the session", secret.String(), false},
		{"the session twice", secret.String() + "; " + session.String() + "; " + session.String(), false},
		{"another session beside it", secret.String() + "; " + session.String() + "; " + session.Name + "=x", false},
		{"the secret twice", secret.String() + "; " + session.String() + "; " + secret.String(), false},
		{"a second secret in front", secret.Name + "=x; " + secret.String() + "; " + session.String(), false},
		{"an empty session", secret.String() + "; " + session.Name + "=", false},
		{"one bit flipped", secret.String() + "; " + session.Name + "=" + string(flipped), false},
		{"cut short", secret.String() + "; " + session.Name + "=" + session.Value[:len(session.Value)-1], false},
		{"lengthened", secret.String() + "; " + session.String() + "A", false},
		{"the seal of another cookie", secret.String() + "; " + session.Name + "=" + good.cookie("loop").Value, false},
		{"under another name", secret.String() + "; " + "wls-session=" + session.Value, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.in(t)
			b := s.browser("test0001")
			a := b.do("GET", "/optional", nil, func(r *http.Request) { r.Header.Set("Cookie", tt.cookie) })
			if tt.known {
				a.requireEcho("test0001")
			} else {
				a.requireEcho("") // anonymous, and no error
			}
		})
	}
	other := s.loggedIn("test0002")
	other.setCookie(session.Name, session.Value)
	other.get("/optional").requireEcho("") // bound to the other browser's secret
}
