// Package redirecturi judges the URIs that clients have people sent back to.
package redirecturi

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Bounds of what may be registered.
const (
	maxLength = 1024 // bytes
	// Max is how many URIs an application can have.
	Max = 10
)

// Kind is what a redirect URI leads to.
type Kind int

// The kinds.
const (
	None     Kind = iota // none that can be registered
	HTTPS                // a web site
	Loopback             // a program on the person's own machine that listens (RFC 8252 section 7.3)
	Private              // one that owns a scheme there (RFC 8252 section 7.1)
)

// KindOf returns what a URI leads to, as its scheme says.
func KindOf(uri string) Kind {
	scheme, _, found := strings.Cut(uri, ":")
	switch {
	case !found:
		return None
	case scheme == "https":
		return HTTPS
	case scheme == "http":
		return Loopback
	case privateScheme.MatchString(scheme):
		return Private
	}
	return None
}

// privateScheme matches schemes that can be made of a domain name that somebody owns,
// turned around, such as "uk.example.soc". None of those that browsers act upon has a dot.
var privateScheme = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$`)

// Check returns what is wrong with a redirect URI that is registered, in words for the
// person who does so.
func Check(uri string, confidential bool) error {
	if uri == "" || len(uri) > maxLength {
		return errors.New("want an absolute URL of at most " + strconv.Itoa(maxLength) + " characters")
	}
	if !IsText(uri) {
		return errors.New("the URL holds characters that must be escaped in URLs, or a broken escape")
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return errors.New("this is no absolute URL")
	case strings.Contains(uri, "#"):
		return errors.New("leave out the fragment, “#” and what follows it")
	case u.User != nil:
		return errors.New("leave out the user name and password before the “@”")
	case u.Opaque != "":
		return errors.New("there must be a slash after the scheme, as in “com.example.app:/callback”")
	case dotSegment.MatchString(u.Path):
		return errors.New("leave “.” and “..” out of the path")
	}
	if err := checkQuery(u); err != nil {
		return err
	}
	return checkTarget(uri, u, confidential)
}

// checkTarget checks scheme and host.
func checkTarget(uri string, u *url.URL, confidential bool) error {
	switch KindOf(uri) {
	case HTTPS:
		return checkOrigin(uri, u)
	case Loopback:
		if !webauth.IsLoopback(uri) {
			return errors.New("want https: http is for loopback addresses, such as “http://127.0.0.1/callback”")
		}
		return checkOrigin(uri, u)
	case Private:
		if confidential {
			return errors.New("a scheme of its own is for public applications on people’s devices: want https")
		}
		if u.Port() != "" || strings.ToLower(u.Host) != u.Host || u.Path == "" && u.Host == "" {
			return errors.New("want a lower-case URL without a port, such as “com.example.app:/callback”")
		}
		return nil
	}
	return errors.New("want https, http on a loopback address, or, for a public application, a lower-case scheme made of a domain name, such as “com.example.app:/callback”")
}

// checkOrigin refuses spellings that no browser would send, which could only confuse:
// capitals, a default port, a final dot, another spelling of an address.
func checkOrigin(uri string, u *url.URL) error {
	origin, err := webauth.Origin(uri)
	if err != nil {
		return errors.New("the host is no plain name or address")
	}
	rest, found := strings.CutPrefix(uri, origin)
	if !found || rest != "" && rest[0] != '/' && rest[0] != '?' {
		return errors.New("write the host in lower case and leave out the default port: “" + origin + "”")
	}
	switch {
	case strings.HasSuffix(u.Hostname(), "."):
		return errors.New("leave out the dot after the host")
	case !asBrowsersWrite(u.Hostname()):
		return errors.New("write the address as browsers do, such as “127.0.0.1” or “[::1]”")
	case u.Port() != "" && !isPort(u.Port()):
		return errors.New("ports are numbers from 1 to 65535")
	}
	return nil
}

// asBrowsersWrite reports whether a host is a name, or an address in the form that the URL
// standard gives it: a browser takes all whose last part is a number for addresses.
func asBrowsersWrite(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if !strings.Contains(host, ":") && !number.MatchString(last) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.String() == host && !addr.Is4In6()
}

var number = regexp.MustCompile(`^([0-9]+|0x[0-9a-f]*)$`)

// isPort reports whether a text is the number of a port, as it is written.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text[0] != '0'
}

// checkQuery keeps the names of the answer's parameters out of the query: a client
// that finds one twice may believe the wrong one.
func checkQuery(u *url.URL) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("the query is malformed")
	}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "error_uri", "access_token", "token_type", "expires_in", "scope"} {
		if query.Has(name) {
			return errors.New("the query must not hold “" + name + "”, which is a parameter of the answer")
		}
	}
	return nil
}

// uriText matches what may stand in a URI (RFC 3986 section 2), with whole escapes.
var uriText = regexp.MustCompile(`^([-._~:/?#\[\]@!$&'()*+,;=a-zA-Z0-9]|%[0-9a-fA-F]{2})*$`)

// IsText reports whether a text holds only what may stand in a URI.
func IsText(uri string) bool { return uriText.MatchString(uri) }

// dotSegment matches a decoded path that servers take "." or ".." out of.
var dotSegment = regexp.MustCompile(`(^|[/\\])\.\.?([/\\]|$)`)

// Matches reports whether a redirect URI of a request is one of those that the
// client registered: byte for byte (RFC 9700 section 2.1), but for the port on the
// person's own machine, which a program cannot know in advance (RFC 8252 section 7.3).
func Matches(registered []string, uri string) bool {
	bare, loopback := cutLoopbackPort(uri)
	for _, known := range registered {
		if known == uri {
			return true
		}
		if knownBare, ok := cutLoopbackPort(known); ok && loopback && knownBare == bare {
			return true
		}
	}
	return false
}

// cutLoopbackPort takes the port out of a URI of one of the two loopback addresses, or of
// localhost, which the programs that people have use as well (RFC 9700 section 2.1).
// RFC 8252 section 8.3 warns of resolvers that send the name elsewhere: today's browsers
// ask none. None of the three stands for another.
func cutLoopbackPort(uri string) (bare string, ok bool) {
	for _, origin := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, found := strings.CutPrefix(uri, origin)
		if !found {
			continue
		}
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		if port, found := strings.CutPrefix(rest[:end], ":"); found && isPort(port) || rest[:end] == "" {
			return origin + rest[end:], true
		}
	}
	return "", false
}

// Destination returns where a redirect URI leads, in words for people.
func Destination(uri string) string {
	if KindOf(uri) == Private {
		scheme, _, _ := strings.Cut(uri, ":")
		return scheme
	}
	origin, _ := webauth.Origin(uri) // registered, so it has one
	return origin
}
