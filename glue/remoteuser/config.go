package remoteuser

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Config is everything that can be set. Site, and Peers or UnixSocket, are required; every
// other field's zero value is the safe default.
type Config struct {
	// Site is the site that the program is, or is a part of.
	Site *site.Site
	// Peers are the addresses of the front servers, such as 127.0.0.1/32: of the other
	// end of the connection, never of what a header says. A range that would trust much
	// of the Internet (less than 8 bits of IPv4, 7 of IPv6) is refused.
	Peers []netip.Prefix
	// UnixSocket says that every client of a unix socket is a front server: look
	// after who may open it. For such a connection RemoteAddr is "@" or empty.
	UnixSocket bool

	// Header has the principal; empty means Remote-User. X-AAPrincipal and
	// X-Forwarded-User are others that front servers write. A value that is empty, or
	// "(null)" as Apache writes for a variable that is not set, is nobody.
	Header string
	// HMACKey is the key of AAHeaderKey in mod_ucam_webauth, all of it. With it, a value that is not
	// signed is refused. See the package's documentation for how little that proves. One of
	// less than 16 bytes gets a warning in the log.
	HMACKey string
	// HMACKeyFile is a file with that key, read as mod_ucam_webauth (and wlsgateway) reads
	// that of AAHeaderKey file:...: the first 64 bytes, a newline at the end included, and NUL
	// as '@'. Who may be able to read it, and where a relative name leads, is as in
	// [site.ReadSecretFile]. Set one of the two.
	HMACKeyFile string
	// AAHeaders has X-AAPtags, X-AAAuth, X-AASSO, X-AAIssue, X-AALife and X-AAID fill in
	// the rest of the Identity, where they are sent; X-AAPrincipal must then name the same
	// person, if it is sent beside Header. HMACKey counts for them too.
	AAHeaders bool
	// Strip are further headers that only the front server may set. They are removed from
	// every request, as are Remote-*, X-Remote-*, X-AA*, X-Auth-Request-*, X-Forwarded-User,
	// OIDC-*, Shib-*, SSL-Client-* and their like, whoever sends them.
	Strip []string
	// Service is what Identity.Service says of whom the front server vouches for, such as
	// "raven"; a-z, 0-9 and '-'. Empty means ServiceHeader; password.Service is refused.
	Service string

	// Lookup finds the site's own user for a person, on every request: cache it if that
	// is costly. The value is for UserFrom. ErrUnknown and ErrInactive get a page with
	// 403; any other error means that nobody can be looked up just now (503). Nil lets
	// everybody in. Mind id.Service: a principal of the front server and a local name that
	// are alike need not be one person.
	Lookup func(ctx context.Context, id glue.Identity) (any, error)

	// Password is another way in, for people who come past the front server: HTTP Basic (RFC
	// 7617), whose credentials browsers send until they are closed, for scripts and small
	// sites. Form is that way by a login form; mount its Login inside of Optional, so that
	// whom the front server knows just goes on. At most one of them. Where the front server
	// named somebody, that counts, whatever else the request brings.
	//
	// Wrong passwords are limited per name and per client's address. THE ADDRESS IS KNOWN
	// ONLY INSIDE OF site.Handler, with the site's Proxies: without, everybody seems to come
	// from the front server, whose address is not counted, so anybody can lock out the owner
	// of any name, and try one password with as many names as they like. The log has a
	// warning (password.EventNoAddress) when that is so.
	Password *password.Checker
	Form     *password.Form
	// Realm is that of HTTP Basic, in printable ASCII; empty means "Log in".
	Realm string
}

// ServiceHeader is the default of [Config].Service. Of people who came in by a password,
// [glue.Identity].Service is [password.Service].
const ServiceHeader = "remote-user"

const (
	defaultHeader = "Remote-User"
	defaultRealm  = "Log in"
	// The widest private networks that there are: 10.0.0.0/8 and fc00::/7.
	minBits4, minBits6 = 8, 7
)

var (
	headerName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)
	realmText  = regexp.MustCompile(`^[ !#-\[\]-~]+$`) // no quotes, no backslashes
)

// normalise fills in defaults and reports every mistake at once. It returns the key that
// values are signed with.
func (c *Config) normalise() (aaheader.Key, error) {
	var found site.Findings
	if c.Site == nil {
		found.Errorf("Site", "is missing: make it with site.New")
	}
	if len(c.Peers) == 0 && !c.UnixSocket {
		found.Errorf("Peers", "nobody is trusted: name the front server's address, such as 127.0.0.1/32, or set UnixSocket")
	}
	for _, p := range c.Peers {
		if err := checkPeers(p); err != nil {
			found.Errorf("Peers", "%v: %v", p, err)
		}
	}
	if c.Header == "" {
		c.Header = defaultHeader
	}
	for field, names := range map[string][]string{"Header": {c.Header}, "Strip": c.Strip} {
		for _, name := range names {
			if err := checkHeaderName(name); err != nil {
				found.Errorf(field, "%q: %v", name, err)
			}
		}
	}
	key := c.readKey(&found)
	if c.Service == "" {
		c.Service = ServiceHeader
	}
	if c.Service == password.Service || !webauth.IsServiceName(c.Service) {
		found.Errorf("Service", "%q: want 1 to 32 of a-z, 0-9 and '-', and not %q", c.Service, password.Service)
	}
	if c.Password != nil && c.Form != nil {
		found.Errorf("", "Password and Form are two ways in past the front server: set one")
	}
	if c.Realm != "" && c.Password == nil {
		found.Errorf("Realm", "is for HTTP Basic, but there is no Password")
	}
	if c.Realm == "" {
		c.Realm = defaultRealm
	}
	if !realmText.MatchString(c.Realm) {
		found.Errorf("Realm", "%q: want printable ASCII without quotes and backslashes", c.Realm)
	}
	c.Peers, c.Strip = slices.Clone(c.Peers), slices.Clone(c.Strip)
	return key, found.Err("remoteuser: Config.")
}

func checkPeers(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("make it with netip.MustParsePrefix, as 192.0.2.7/32")
	case p.Addr().Is4In6():
		return errors.New("write an IPv4 range as IPv4")
	case p.Addr().Is4() && p.Bits() < minBits4, p.Addr().Is6() && p.Bits() < minBits6:
		return errors.New("it trusts everybody, or nearly: name the front servers")
	case p != p.Masked():
		return fmt.Errorf("it has bits beyond its length: write %v", p.Masked())
	}
	return nil
}

// neverIdentity are names that a Config must not give, beside those by which HTTP or this
// package works: they tell an address, which is for package site.
var neverIdentity = map[string]bool{
	"forwarded": true, "x-forwarded-for": true, "x-forwarded-host": true, "x-forwarded-proto": true,
}

func checkHeaderName(name string) error {
	switch folded := headername.FoldString(name); {
	case !headerName.MatchString(name) || len(name) > headername.MaxName:
		return errors.New("want letters, digits and single hyphens, 64 at most: software does not agree on other names")
	case len(folded) != len(name):
		return errors.New("a name that begins with Http- is what some software makes of another")
	case neverIdentity[folded], headername.Lookup(name).Class&(headername.Frames|headername.Judged) != 0:
		return errors.New("this header has another purpose, and is not to be removed")
	}
	return nil
}
