package gateway

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/config"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/listen"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Finding is something wrong or weak about a configuration.
type Finding struct {
	Severity site.Severity
	Problem
}

func (f Finding) String() string {
	where := ""
	if f.File != "" {
		where = fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
	}
	if f.Key != "" {
		return fmt.Sprintf("%s%s: %s: %s", where, f.Severity, f.Key, f.Text)
	}
	return fmt.Sprintf("%s%s: %s", where, f.Severity, f.Text)
}

// Findings are the mistakes of a configuration that New, NewServer or Load refused.
func Findings(err error) []Finding {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var found []Finding
		for _, e := range many.Unwrap() {
			found = append(found, Findings(e)...)
		}
		return found
	}
	if c := (*site.ConfigError)(nil); errors.As(err, &c) {
		var found []Finding
		for _, f := range c.Findings {
			found = append(found, Finding{f.Severity, Problem{Key: f.Key, Text: f.Text}})
		}
		return found
	}
	if p := (*Problem)(nil); errors.As(err, &p) {
		return []Finding{{site.SeverityError, *p}}
	}
	if err == nil {
		return nil
	}
	return []Finding{{site.SeverityError, Problem{Text: err.Error()}}}
}

// Check lists everything wrong or weak about a configuration, errors first. It reads the
// files that are named, tries what New does, and leaves everything as it is: no secret is
// made, no log begun, no socket opened. An empty list is a good sign, not a proof.
func Check(cfg Config) []Finding {
	k := &weaknesses{Config: &cfg}
	if err := cfg.normalise(); err != nil {
		return Findings(err)
	}
	k.tryFiles()
	k.tryCertificates()
	k.lookAtSite()
	k.lookAtListeners()
	k.lookAtRules()
	order := []site.Severity{site.SeverityError, site.SeverityWarning, site.SeverityNote}
	slices.SortStableFunc(k.found, func(a, b Finding) int {
		return cmp.Or(slices.Index(order, a.Severity)-slices.Index(order, b.Severity), a.Line-b.Line, a.Column-b.Column)
	})
	return k.found
}

type weaknesses struct {
	*Config
	found []Finding
}

func (k *weaknesses) add(s site.Severity, key, format string, args ...any) {
	k.found = append(k.found, Finding{s, *k.file.Problem(key, format, args...)})
}

func (k *weaknesses) warn(key, format string, args ...any) {
	k.add(site.SeverityWarning, key, format, args...)
}

func (k *weaknesses) note(key, format string, args ...any) {
	k.add(site.SeverityNote, key, format, args...)
}

// tryFiles makes a gateway that writes nothing.
func (k *weaknesses) tryFiles() {
	cfg := *k.Config
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Log.Access = observe.Off
	if k.Log.Access != observe.Off && k.Log.Access != observe.Stdout {
		k.tryDirectory("log.access", k.Log.Access)
	}
	if !k.trySecret() {
		elsewhere, err := os.MkdirTemp("", "wlsgateway")
		if err != nil {
			k.add(site.SeverityError, "secret-file", "%v", err)
			return
		}
		defer os.RemoveAll(elsewhere)
		cfg.SecretFile = filepath.Join(elsewhere, "secret")
	}
	g, err := New(cfg)
	if err != nil {
		k.found = append(k.found, Findings(err)...)
		return
	}
	for _, f := range g.core.Load().site.Findings() {
		if f.Key == "Headers.HSTS" { // other headers are for the backends to decide
			k.add(site.Severity(f.Severity), "headers.hsts", "%s", f.Text)
		}
	}
	if err := g.Close(); err != nil {
		k.add(site.SeverityError, "", "%v", err)
	}
}

// trySecret reports whether there is a secret to go on with.
func (k *weaknesses) trySecret() bool {
	if _, err := os.Stat(k.SecretFile); errors.Is(err, fs.ErrNotExist) {
		if k.tryDirectory("secret-file", k.SecretFile) {
			k.note("secret-file", "%s is not there yet; it will be made with mode 0600", k.SecretFile)
		}
		return false
	}
	_, err := site.LoadSecret(k.SecretFile)
	if err != nil {
		k.add(site.SeverityError, "secret-file", "%v", err)
	}
	return err == nil
}

// tryDirectory reports a file that cannot be made because its directory is not there.
func (k *weaknesses) tryDirectory(key, file string) bool {
	info, err := os.Stat(filepath.Dir(file))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no directory", filepath.Dir(file))
	}
	if err != nil {
		k.add(site.SeverityError, key, "%v: make the directory, for the user that the gateway runs as", err)
	}
	return err == nil
}

// tryCertificates reads the certificates and compares them with the site's hosts.
func (k *weaknesses) tryCertificates() {
	listen := k.listening()
	if len(listen.HTTPS) == 0 {
		return
	}
	pairs, err := loadKeyPairs(k.Config, listen.Certificates)
	if err != nil {
		k.found = append(k.found, Findings(err)...)
		return
	}
	for i, p := range pairs {
		k.lookAtCertificate(config.Element("listen.certificate", i+1), p)
	}
	for _, host := range k.hosts() {
		name := host
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
		if !slices.ContainsFunc(pairs, func(p *keyPair) bool { return p.pair.Leaf.VerifyHostname(name) == nil }) {
			k.warn("listen.certificate", "no certificate is for %s: browsers will warn people", name)
		}
	}
}

func (k *weaknesses) lookAtCertificate(key string, p *keyPair) {
	switch left := p.pair.Leaf.NotAfter.Sub(k.Now()); {
	case left <= 0:
		k.warn(key, "%s expired on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	case left < 7*24*time.Hour:
		k.warn(key, "%s expires on %s", p.files.Cert, p.pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	if k.Now().Before(p.pair.Leaf.NotBefore) {
		k.warn(key, "%s is not good before %s", p.files.Cert, p.pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	if p.key != nil && p.key.Mode().Perm()&0o007 != 0 {
		k.warn(key, "%s can be used by everybody on this machine: take the rights of others away (chmod o=)", p.files.Key)
	}
	if len(p.pair.Certificate) == 1 && !isSelfSigned(p.pair) {
		k.warn(key, "%s has no certificates beside the site's own: most browsers need those in between too (fullchain.pem, as some call it)", p.files.Cert)
	}
}

func isSelfSigned(c *tls.Certificate) bool {
	return c.Leaf.CheckSignatureFrom(asAuthority(c.Leaf)) == nil
}

// asAuthority lets a certificate that is no authority be compared with its own signature.
func asAuthority(c *x509.Certificate) *x509.Certificate {
	own := *c
	own.BasicConstraintsValid, own.IsCA, own.KeyUsage = true, true, 0
	return &own
}

func (k *weaknesses) lookAtSite() {
	if k.WLS == "raven-demo" {
		k.warn("wls", "anybody can sign as raven-demo, so that anybody can be anybody: for trying things out")
	}
	if d := time.Duration(k.Session.MaxAge); d > 2*time.Minute {
		k.warn("session.response-max-age", "%v: a response that leaks can be used for that long where it was never seen", d)
	}
	if d := time.Duration(k.Session.Skew); d > time.Minute {
		k.warn("session.clock-skew", "%v: set the clock by NTP instead", d)
	}
	if d := time.Duration(k.Session.MaxLife); d > 24*time.Hour {
		k.warn("session.max-life", "%v: people who left stay logged in that long", d)
	}
	if u, err := url.Parse(k.RedisURL); err == nil && u.Scheme == "redis" && !isLoopbackHost(u.Hostname()) {
		k.warn("redis-url", "whoever is on the way to %s can read and make sessions: use rediss://", u.Host)
	}
}

func (k *weaknesses) lookAtListeners() {
	if k.Limits.HeaderTimeout < 0 {
		k.warn("limits.header-timeout", "none: clients that send nothing can take all connections")
	}
	if k.Limits.IdleTimeout < 0 {
		k.warn("limits.idle-timeout", "none: clients that send nothing can take all connections")
	}
	if (k.Limits.BodyRate < 0 || k.Limits.BodyGrace < 0) && k.Limits.BodyTimeout <= 0 {
		k.warn("limits.body-rate", "none: clients that send a body slowly can take all connections to a backend for as long as they like")
	}
	https := strings.HasPrefix(k.BaseURL, "https:")
	if l := k.listening(); len(l.HTTP) > 0 && https && len(k.Front.Proxies) == 0 {
		k.warn("listen.http", "no front server is named in front.proxies, so everything that comes here is redirected to %s", k.BaseURL)
	}
	if k.Listen.Unix != "" && https && !k.Front.UnixSocket {
		k.warn("listen.unix", "front.unix-socket is not set, so everything that comes here is redirected to %s", k.BaseURL)
	}
	if mode, err := strconv.ParseUint(k.Listen.UnixMode, 8, 32); err == nil && mode&0o002 != 0 {
		k.warn("listen.unix-mode", "everybody on this machine can pretend to be the front server")
	}
	if a := k.Admin.Listen; a != "" && !strings.HasPrefix(a, listen.Unix) && !isLoopbackAddress(a) {
		k.warn("admin.listen", "%s can be reached from other machines: see that only operators can", a)
	}
	for i, r := range k.Front.Proxies {
		if isWide(r) {
			k.warn(config.Element("front.proxies", i+1), "%v is many machines, each of which can say that it is anybody's front server", r)
		}
	}
}

// isWide reports whether a range has more addresses than one network of people's own.
func isWide(r netip.Prefix) bool {
	if r.Addr().IsLoopback() || r.Addr().IsPrivate() {
		return false
	}
	return r.Addr().Is4() && r.Bits() < 16 || r.Addr().Is6() && r.Bits() < 32
}

func isLoopbackHost(host string) bool { return isLoopbackAddress(net.JoinHostPort(host, "0")) }
