package webauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/keys"
)

// KeySource holds the public keys trusted for one service. [*keys.Set] (fixed) and
// [*keys.Dir] (re-read from a directory) are key sources.
type KeySource interface {
	// Lookup returns the key trusted now under kid.
	Lookup(kid string) (keys.Key, bool)
	// Keys returns every key trusted now.
	Keys() []keys.Key
}

// Service is one web login service (WLS) and the keys it signs with.
type Service struct {
	// Name is a short lower-case name for logs and key derivation, such as "raven".
	Name string
	// AuthURL is where browsers are sent to log in, without a query. It is https,
	// or http on a loopback host.
	AuthURL string
	// LogoutURL ends the person's session at the WLS; empty where there is none.
	LogoutURL string
	// Keys are the keys this service, and no other, is trusted to sign with.
	Keys KeySource
	// NoPtags says that the service sends no ptags. A policy requires "current" by
	// default; for such a service that would lock everybody out.
	NoPtags bool
}

// Raven returns the University of Cambridge's service at raven.cam.ac.uk (since
// December 2024 a proxy that speaks the same protocol), with the bundled key 2.
func Raven() Service {
	return Service{
		Name:      "raven",
		AuthURL:   "https://raven.cam.ac.uk/auth/authenticate.html",
		LogoutURL: "https://raven.cam.ac.uk/auth/logout.html",
		Keys:      keys.Raven(),
	}
}

// RavenDemo returns Raven's public test service, with the bundled key 901. The private
// half of that key is published, so only sites on a loopback address may use it.
func RavenDemo() Service {
	return Service{
		Name:      "raven-demo",
		AuthURL:   "https://demo.raven.cam.ac.uk/auth/authenticate.html",
		LogoutURL: "https://demo.raven.cam.ac.uk/auth/logout.html",
		Keys:      keys.RavenDemo(),
	}
}

// Nevar returns the Student-Run Computing Facility's bridge to University Accounts. Its
// key is handed out to operators; none is bundled.
func Nevar(k KeySource) Service {
	return Service{
		Name:      "nevar",
		AuthURL:   "https://nevar.srcf.net/wls/authenticate",
		LogoutURL: "https://nevar.srcf.net/oidc/logout",
		Keys:      k,
	}
}

// Goose returns the Student-Run Computing Facility's service for SRCF accounts. It sets
// no ptags. Its key is handed out to operators; none is bundled.
func Goose(k KeySource) Service {
	return Service{
		Name:      "goose",
		AuthURL:   "https://auth.srcf.net/wls/authenticate",
		LogoutURL: "https://auth.srcf.net/logout",
		Keys:      k,
		NoPtags:   true,
	}
}

// ID returns what names the service in key derivation and in one-use marks: name and
// authenticate URL, so that two services of one name differ.
func (s Service) ID() string { return s.Name + " " + s.AuthURL }

var serviceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// IsServiceName reports whether a login service can be called so: 1 to 32 of a-z, 0-9 and '-',
// which is not the first.
func IsServiceName(name string) bool { return serviceName.MatchString(name) }

// Check returns everything that makes the service unusable, joined, or nil.
func (s Service) Check() error {
	var errs []error
	if !IsServiceName(s.Name) {
		errs = append(errs, fmt.Errorf("webauth: service name %q: want 1 to 32 of a-z, 0-9 and '-'", s.Name))
	}
	if err := checkServiceURL(s.AuthURL); err != nil {
		errs = append(errs, fmt.Errorf("webauth: AuthURL of service %q: %v", s.Name, err))
	}
	if s.LogoutURL != "" {
		if err := checkServiceURL(s.LogoutURL); err != nil {
			errs = append(errs, fmt.Errorf("webauth: LogoutURL of service %q: %v", s.Name, err))
		}
	}
	if !s.hasKeys() {
		errs = append(errs, fmt.Errorf("webauth: service %q has no keys: load them with keys.LoadDir or keys.LoadFile", s.Name))
	}
	return errors.Join(errs...)
}

func (s Service) hasKeys() bool {
	if dir, is := s.Keys.(*keys.Dir); s.Keys == nil || is && dir == nil {
		return false // nil where an error was overlooked; a nil *keys.Set has no keys
	}
	return len(s.Keys.Keys()) > 0
}

// HasPublishedKey reports whether the service trusts a key whose private half is
// public knowledge, so that anybody can sign as this service.
func (s Service) HasPublishedKey() bool {
	if !s.hasKeys() {
		return false
	}
	for _, k := range s.Keys.Keys() {
		if k.Published() {
			return true
		}
	}
	return false
}

func checkServiceURL(raw string) error {
	a, err := parseAddress(raw)
	switch {
	case err != nil:
		return err
	case a.query != "" || strings.HasSuffix(raw, "?"):
		return errors.New("must not have a query")
	case a.scheme == "http" && !a.loopback():
		return errors.New("must be https (http is for loopback hosts only)")
	}
	return nil
}

// Origin returns the origin of an absolute http or https URL in its one normal form:
// lower case, without a default port. It refuses URLs with userinfo, a fragment, white
// space, backslashes, characters outside ASCII, a host that is neither a plain name nor an
// address, or a port beyond 1 to 65535.
func Origin(rawURL string) (string, error) {
	a, err := parseAddress(rawURL)
	if err != nil {
		return "", err
	}
	return a.origin(), nil
}

// IsLoopback reports whether the URL's host is localhost, in 127.0.0.0/8, or [::1], as
// written: no name is resolved.
func IsLoopback(rawURL string) bool {
	a, err := parseAddress(rawURL)
	return err == nil && a.loopback()
}

// address is an absolute URL taken apart without changing a byte of path or query.
type address struct {
	scheme, host string // lower case; the default port removed
	path, query  string // as written; the path is "/" where none was written
}

func parseAddress(raw string) (address, error) {
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return address{}, fmt.Errorf("byte %#02x at position %d is not allowed in a URL", c, i)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, errors.New("not a valid URL")
	}
	a := address{scheme: u.Scheme, host: strings.ToLower(u.Host)}
	switch {
	case a.scheme != "http" && a.scheme != "https":
		return address{}, errors.New("not an absolute http or https URL")
	case u.Hostname() == "" || u.Opaque != "":
		return address{}, errors.New("has no host")
	case u.User != nil:
		return address{}, errors.New("must not hold a user name or password")
	case strings.Contains(raw, "#"):
		return address{}, errors.New("must not have a fragment")
	case !plainHost(a.host):
		return address{}, errors.New("has a host that is no name or address")
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return address{}, errors.New("has a port that is not 1 to 65535")
	}
	if port == "" || a.scheme == "http" && port == "80" || a.scheme == "https" && port == "443" {
		a.host = strings.TrimSuffix(strings.TrimSuffix(a.host, port), ":")
	}
	_, rest, _ := strings.Cut(raw, "://")
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		a.path, a.query, _ = strings.Cut(rest[i:], "?")
	}
	if a.path == "" {
		a.path = "/"
	}
	return a, nil
}

// plainHost reports whether a host, perhaps with a port, is made of the characters of
// names and addresses. net/url lets others through, some of them decoded from
// percent-escapes, and browsers would not agree on whose host that is.
func plainHost(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._:[]", c) >= 0:
		default:
			return false
		}
	}
	return true
}

func (a address) origin() string { return a.scheme + "://" + a.host }

func (a address) loopback() bool {
	name := (&url.URL{Host: a.host}).Hostname()
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback()
}
