// Package serve has what programs share that serve a site as a configuration file says:
// what stands in it of addresses, front servers, sessions and logs, the checks of that, the
// sockets, certificates and servers, and what outlives a reload.
package serve

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
)

// Config is what a configuration says of a site whatever is served there.
type Config struct {
	// BaseURL is where browsers see the site: "https://soc.example", without a path.
	// http is for loopback hosts.
	BaseURL string `toml:"base-url,omitempty"`
	// SiteName is what people know the site as, such as "Quiz Society": its pages say so. It is
	// one line of at most 60 characters; the default is the host of BaseURL.
	SiteName string `toml:"site-name,omitempty"`
	// Origins are further origins of the same site.
	Origins []string `toml:"-"`
	// SecretFile holds the site's secret; it is made on first use, but not on reload. Its first
	// line seals what is new, and all of them open what is old: to rotate it, add a line below
	// and reload on every machine, then move it to the top, and remove the old one when
	// sessions of it have ended.
	SecretFile string `toml:"secret-file,omitempty"`
	// RedisURL keeps sessions and what was used once in Redis, for several machines:
	// "redis://user:password@host:port/database", "rediss://..." for TLS, or
	// "unix:///path/of/socket". Empty means sealed cookies and this process's memory.
	RedisURL string `toml:"redis-url,omitempty"`
	// RedisURLFile is a file that holds RedisURL, and its password, in the place of that; it
	// is read again on reload.
	RedisURLFile string `toml:"redis-url-file,omitempty"`
	// PageTemplate is a file with a template for pages, in the language of Go's html/template,
	// to show them in the site's own dress; empty means the built-in ones.
	PageTemplate string `toml:"page-template,omitempty"`

	// Listen says where the program listens. With nothing set, and no socket from systemd,
	// that is https at ":443" and redirects at ":80", or the host and port of an http
	// BaseURL. An empty list is none of a kind.
	Listen Listen `toml:"listen,omitempty"`
	// Front are front servers whose word about a request is believed.
	Front Front `toml:"front,omitempty"`
	// Session says how long a login lasts.
	Session Session `toml:"session,omitempty"`
	// Log says what is logged and where.
	Log Log `toml:"log,omitempty"`
	// Admin is the endpoint for operators: health and metrics.
	Admin Admin `toml:"admin,omitempty"`

	// Program begins the lines of the program in the log, such as "wls gateway".
	Program string `toml:"-"`
	// Logger gets what operators need to know; nil means slog.Default().
	Logger *slog.Logger `toml:"-"`
	// Now is the clock; nil means time.Now.
	Now func() time.Time `toml:"-"`
	// File is what it was read from; nil for none.
	File *config.File `toml:"-"`
}

// Listen says where a program listens; see [Config.Listen].
type Listen struct {
	// HTTPS are addresses for https, such as ":443".
	HTTPS []string `toml:"https"`
	// Redirect are addresses for plain http, all of which is sent on to BaseURL.
	Redirect []string `toml:"redirect"`
	// HTTP are addresses for plain http that is served: on loopback, or to front servers
	// that are named in Front. Others who connect are sent on to BaseURL.
	HTTP []string `toml:"http"`
	// Unix is the path of a unix socket for a front server on the same machine, and
	// UnixMode its permissions, by default "0660".
	Unix     string `toml:"unix,omitempty"`
	UnixMode string `toml:"unix-mode,omitempty"`
	// Certificates are for HTTPS; the default is cert.pem and key.pem. Files are read
	// again when they change, credentials of systemd when the program starts.
	Certificates []Certificate `toml:"certificate,omitempty"`
}

// Certificate names two PEM files: the chain, its own certificate first, and the key.
type Certificate struct {
	// Cert is a PEM file with the chain, the site's own certificate first, and Key one with the
	// private key.
	Cert string `toml:"cert,omitempty"`
	Key  string `toml:"key,omitempty"`
}

// Front are front servers whose word about a request is believed; see site.Proxies.
type Front struct {
	// Proxies are their addresses, such as "127.0.0.0/8". Every one of them must write the
	// scheme, X-Forwarded-Proto, which Apache does only if it is told to: where an https site
	// misses that, people get an error page, and the log says what to add.
	Proxies []netip.Prefix `toml:"proxies,omitempty"`
	// UnixSocket says that every client of a unix socket is one.
	UnixSocket bool `toml:"unix-socket,omitempty"`
	// Header says what they write: "x-forwarded" (the default) or "forwarded".
	Header string `toml:"header,omitempty"`
	// URL is how they tell what they ask about, with forward-auth of a gateway. Empty means
	// X-Original-URI and X-Original-Method, or X-Forwarded-Uri and X-Forwarded-Method, of
	// which they write the one pair and remove the other. "x-original-url" is X-Original-URL,
	// which has scheme and host as well, and X-Original-Method: ingress-nginx. "path" is the
	// method of the question, and what stands behind its path: Envoy, with path_prefix
	// "/.wls/auth-or-login". Whatever else is there than what is named here is refused, unless
	// it says the same: clients could have written it.
	URL string `toml:"url,omitempty"`
	// Host believes them about the host too, by X-Forwarded-Host or the host of Forwarded.
	Host bool `toml:"host,omitempty"`
}

// Session says how long a login lasts; see glue.Session.
type Session struct {
	// MaxLife ends a session this long after login; default 2h.
	MaxLife Duration `toml:"max-life,omitempty"`
	// Inactivity ends a session that was not used for this long; default off, else at least 2m.
	Inactivity Duration `toml:"inactivity,omitempty"`
	// IgnoreWLSLife keeps a session for MaxLife even if that of the login service ends earlier.
	IgnoreWLSLife bool `toml:"ignore-wls-life,omitempty"`
	// BindAddress ends a session that comes from another network (the first 24 bits of an IPv4
	// address, 48 of IPv6), and BindBrowser one that comes with another User-Agent header. They
	// stop only thieves who are careless, and cost honest people a login at each browser
	// update, or whenever they roam between networks.
	BindAddress bool `toml:"bind-address,omitempty"`
	BindBrowser bool `toml:"bind-browser,omitempty"`
	// LogoutAtWLS sends people on to the login service's logout page as well.
	LogoutAtWLS bool `toml:"logout-at-wls,omitempty"`
	// AfterLogout is the path to go to after logging out; empty shows a page.
	AfterLogout string `toml:"after-logout,omitempty"`
	// MaxAge is how old a response of the login service may be; default 30s.
	MaxAge Duration `toml:"response-max-age,omitempty"`
	// Skew is how far its clock and this machine's may disagree; default 5s.
	Skew Duration `toml:"clock-skew,omitempty"`
}

// Log says what is logged and where.
type Log struct {
	// Access is where the access log goes: a file, "stdout", or "off" (the default
	// where it is empty is "stdout"). A file is opened again on reload.
	Access string `toml:"access,omitempty"`
	// Format is "combined" (the default) or "json". In neither does what a client sent
	// stand as it is where it could change how a line looks: controls, marks that turn the
	// direction of a text, and what else does not show, are escaped.
	Format string `toml:"format,omitempty"`
	// Level is the least that the program's own log on stderr has: "debug", "info" (the
	// default), "warn" or "error".
	Level string `toml:"level,omitempty"`
}

// Admin is the endpoint for operators: health and metrics.
type Admin struct {
	// Listen is an address, or "unix:" and a path, for /healthz, /readyz and /metrics;
	// empty for none. Whoever reaches it may ask: keep it to yourself. Programs ask for
	// it by address, as localhost, or by the host that is written here; pages of other
	// sites could bring any other name along, which gets 421.
	Listen string `toml:"listen,omitempty"`
	// Hosts are further names that programs may ask by, such as "gateway.monitoring.svc",
	// without a port.
	Hosts []string `toml:"hosts,omitempty"`
}

// Duration is a time.Duration, written such as "90s" or "2h30m" in a file.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is no duration: write it such as 90s, 5m or 2h", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes a duration as UnmarshalText reads it.
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}
