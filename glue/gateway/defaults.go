package gateway

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
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The ways of Identity.Send.
const (
	sendRemoteUser     = "remote-user"
	sendXForwardedUser = "x-forwarded-user"
	sendXAA            = "x-aa"
)

// Words of a configuration file.
const (
	frontXForwarded = "x-forwarded"
	frontForwarded  = "forwarded"

	hostKeep    = "keep"
	hostBackend = "backend"
)

// setDefaults replaces zero values by what they mean, and paths by absolute ones. It
// changes nothing that the caller's Config shares.
func (c *Config) setDefaults() {
	c.Origins, c.Rules = slices.Clone(c.Origins), slices.Clone(c.Rules)
	c.Listen.Certificates = slices.Clone(c.Listen.Certificates)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Identity.Send == nil {
		c.Identity.Send = []string{sendRemoteUser}
	}
	if c.Listen.Unix != "" {
		setDefault(&c.Listen.UnixMode, "0660")
	}
	if len(c.Front.Proxies) > 0 || c.Front.UnixSocket {
		setDefault(&c.Front.Header, frontXForwarded)
	}
	setDefault(&c.Session.MaxLife, Duration(2*time.Hour))
	setDefault(&c.Session.MaxAge, Duration(30*time.Second))
	setDefault(&c.Session.Skew, Duration(5*time.Second))
	c.Limits.setDefaults()
	setDefault(&c.Log.Access, observe.Stdout)
	setDefault(&c.Log.Format, observe.Combined)
	setDefault(&c.Log.Level, "info")
	for i := range c.Rules {
		setDefault(&c.Rules[i].Access, Login)
		c.Rules[i].Host = strings.ToLower(c.Rules[i].Host)
		if c.Rules[i].To != "" {
			setDefault(&c.Rules[i].BackendHost, hostKeep)
		}
	}
	c.setPaths()
}

func (l *Limits) setDefaults() {
	setDefault(&l.HeaderBytes, 64<<10)
	setDefault(&l.HeaderTimeout, Duration(10*time.Second))
	setDefault(&l.BodyRate, 500) // a bad line has some hundreds of times that
	setDefault(&l.BodyGrace, Duration(20*time.Second))
	setDefault(&l.IdleTimeout, Duration(2*time.Minute))
	setDefault(&l.StopTimeout, Duration(30*time.Second))
	setDefault(&l.DialTimeout, Duration(5*time.Second))
	setDefault(&l.ResponseTimeout, Duration(60*time.Second))
	setDefault(&l.IdleConnections, 64)
	setDefault(&l.BackendIdleTimeout, Duration(1500*time.Millisecond)) // gunicorn has 2 s, Node, Apache and uvicorn have 5 s
}

func setDefault[T comparable](field *T, value T) { *field = cmp.Or(*field, value) }

// setPaths makes the paths of files begin at the configuration file's directory.
func (c *Config) setPaths() {
	paths := []*string{&c.KeyDir, &c.PageTemplate, &c.Listen.Unix}
	secrets := []*string{&c.SecretFile, &c.RedisURLFile, &c.Identity.HMACKeyFile}
	for i := range c.Listen.Certificates {
		secrets = append(secrets, &c.Listen.Certificates[i].Cert, &c.Listen.Certificates[i].Key)
	}
	if c.Log.Access != observe.Stdout && c.Log.Access != observe.Off {
		paths = append(paths, &c.Log.Access)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		paths = append(paths, &r.GroupFile, &r.Htpasswd, &r.BackendCA)
		secrets = append(secrets, &r.BackendCert, &r.BackendKey)
		r.To = c.socketPath(r.To)
	}
	c.Admin.Listen = c.socketPath(c.Admin.Listen)
	for _, p := range paths {
		*p = c.file.Path(*p)
	}
	for _, p := range secrets {
		*p = c.secretPath(*p)
	}
}

// socketPath is File.Path for "unix:" addresses; it leaves others as they are.
func (c *Config) socketPath(address string) string {
	if path, ok := strings.CutPrefix(address, listen.Unix); ok && path != "" {
		return listen.Unix + c.file.Path(path)
	}
	return address
}

// listening is Listen with what it means if it says nothing: the customary ports, or the one
// of an http BaseURL. Where systemd has passed sockets, it says with them where to listen, so
// that a silent configuration means nothing more.
func (c *Config) listening(passed bool) Listen {
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
	return []Certificate{{Cert: c.secretPath("cert.pem"), Key: c.secretPath("key.pem")}}
}

// hosts lists the hosts of BaseURL and Origins, with their ports unless those are the
// default ones.
func (c *Config) hosts() []string {
	var hosts []string
	for _, raw := range append([]string{c.BaseURL}, c.Origins...) {
		if origin, err := webauth.Origin(raw); err == nil {
			hosts = append(hosts, hostOf(origin))
		}
	}
	return hosts
}
