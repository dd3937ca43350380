package serve

import (
	"cmp"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/listen"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/secretfile"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Values of Front.Header.
const (
	XForwarded = "x-forwarded"
	Forwarded  = "forwarded"
)

// SetDefaults replaces zero values by what they mean, and paths by absolute ones. It
// changes nothing that the caller's Config shares.
func (c *Config) SetDefaults() {
	c.Origins, c.Listen.Certificates = slices.Clone(c.Origins), slices.Clone(c.Listen.Certificates)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	SmallLetters(&c.Front.Header, &c.Front.URL, &c.Log.Format, &c.Log.Level)
	for _, word := range []string{observe.Stdout, observe.Off} {
		if strings.EqualFold(c.Log.Access, word) { // and no name of a file
			c.Log.Access = word
		}
	}
	if c.Listen.Unix != "" {
		SetDefault(&c.Listen.UnixMode, "0660")
	}
	if c.Front.trusted() {
		SetDefault(&c.Front.Header, XForwarded)
	}
	SetDefault(&c.Session.MaxLife, Duration(2*time.Hour))
	SetDefault(&c.Session.MaxAge, Duration(30*time.Second))
	SetDefault(&c.Session.Skew, Duration(5*time.Second))
	SetDefault(&c.Log.Access, observe.Stdout)
	SetDefault(&c.Log.Format, observe.Combined)
	SetDefault(&c.Log.Level, "info")
	c.setPaths()
}

// SetDefault replaces a zero value.
func SetDefault[T comparable](field *T, value T) { *field = cmp.Or(*field, value) }

// SmallLetters makes small letters of words, which may be in any in a configuration file.
func SmallLetters(words ...*string) {
	for _, word := range words {
		*word = strings.ToLower(*word)
	}
}

// setPaths makes the paths of files begin at the configuration file's directory.
func (c *Config) setPaths() {
	paths := []*string{&c.PageTemplate, &c.Listen.Unix}
	secrets := []*string{&c.SecretFile, &c.RedisURLFile}
	for i := range c.Listen.Certificates {
		secrets = append(secrets, &c.Listen.Certificates[i].Cert, &c.Listen.Certificates[i].Key)
	}
	if c.Log.Access != observe.Stdout && c.Log.Access != observe.Off {
		paths = append(paths, &c.Log.Access)
	}
	c.Admin.Listen = c.SocketPath(c.Admin.Listen)
	for _, p := range paths {
		*p = c.File.Path(*p)
	}
	for _, p := range secrets {
		*p = c.SecretPath(*p)
	}
}

// SocketPath is File.Path for "unix:" addresses; it leaves others as they are.
func (c *Config) SocketPath(address string) string {
	if path, ok := strings.CutPrefix(address, listen.Unix); ok && path != "" {
		return listen.Unix + c.File.Path(path)
	}
	return address
}

// SecretPath makes the path of a file that holds a secret absolute: a relative one that is there
// below $CREDENTIALS_DIRECTORY of systemd is that file, and another one begins at the
// configuration file's directory.
func (c *Config) SecretPath(path string) string {
	if credential := secretfile.Credential(path); credential != "" {
		return credential
	}
	return c.File.Path(path)
}

// Listening is Listen with what it means if it says nothing: the customary ports, or the one
// of an http BaseURL. Where systemd has passed sockets, it says with them where to listen, so
// that a silent configuration means nothing more.
func (c *Config) Listening(passed bool) Listen {
	l := c.Listen
	silent := l.HTTPS == nil && l.Redirect == nil && l.HTTP == nil && l.Unix == ""
	base, err := url.Parse(c.BaseURL)
	switch {
	case passed || !silent || err != nil:
	case base.Scheme == "http":
		l.HTTP = []string{net.JoinHostPort(base.Hostname(), cmp.Or(base.Port(), "80"))}
	default:
		l.HTTPS, l.Redirect = []string{":443"}, []string{":80"}
	}
	if len(l.HTTPS) > 0 {
		l.Certificates = c.certificates()
	}
	return l
}

// certificates returns those of Listen, or where they are by default.
func (c *Config) certificates() []Certificate {
	if len(c.Listen.Certificates) > 0 {
		return c.Listen.Certificates
	}
	return []Certificate{{Cert: c.SecretPath("cert.pem"), Key: c.SecretPath("key.pem")}}
}

// Hosts lists the hosts of BaseURL and Origins, with their ports unless those are the
// default ones.
func (c *Config) Hosts() []string {
	var hosts []string
	for _, raw := range append([]string{c.BaseURL}, c.Origins...) {
		if origin, err := webauth.Origin(raw); err == nil {
			hosts = append(hosts, HostOf(origin))
		}
	}
	return hosts
}

// HostOf returns the host of an origin, with its port.
func HostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}

// trusted reports whether any front server is believed.
func (f *Front) trusted() bool { return len(f.Proxies) > 0 || f.UnixSocket }

// Believed returns the front servers that are believed.
func (f *Front) Believed() site.Proxies {
	if !f.trusted() {
		return site.Proxies{}
	}
	p := site.Proxies{Ranges: f.Proxies, UnixSocket: f.UnixSocket, Host: f.Host, Header: site.XForwarded}
	if f.Header == Forwarded {
		p.Header = site.Forwarded
	}
	return p
}
