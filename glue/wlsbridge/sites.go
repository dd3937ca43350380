package wlsbridge

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Site is a site that may ask for logins, and what it may be told of a person beside the
// principal.
type Site struct {
	// URLPrefix is where the site is: its origin and, where others share that, its path, such as
	// "https://soc.example/" or "https://people.example/~soc/". A path ends at a segment.
	URLPrefix string
	// Name is what people know the site as; empty shows its address alone.
	Name string
	// Ptags it may be told. Nil is none.
	Ptags []string
	// AAuth are the authentication types that it may be told; nil means "pwd".
	AAuth []string

	// InsecureHTTP allows a URLPrefix of http that is not on loopback: anybody on the way can
	// read responses, and log in there as the person.
	InsecureHTTP bool
	// InsecureImplyCurrent answers the site in versions 1 and 2 for people without the ptag
	// "current", too. Those versions have no ptags, and most sites that speak them take
	// everybody who comes back for a current member of the University, as Raven had it.
	InsecureImplyCurrent bool
}

// relyingSite is a Site taken apart.
type relyingSite struct {
	Site
	origin string
	path   string // of URLPrefix in the form of normalPath, with a final slash
}

// checkSites takes all sites apart.
func (c *Config) checkSites(found *site.Findings) {
	c.Sites = slices.Clone(c.Sites)
	if len(c.Sites) == 0 {
		found.Errorf("Sites", "is missing: name the sites that may ask")
	}
	seen := map[string]bool{}
	for i := range c.Sites {
		s := &c.Sites[i]
		key := fmt.Sprintf("Sites[%d]", i)
		s.Ptags, s.AAuth = slices.Clone(s.Ptags), slices.Clone(s.AAuth)
		r, err := s.read()
		switch {
		case err != nil:
			found.Errorf(key+".URLPrefix", "%q: %v", s.URLPrefix, err)
		case strings.HasPrefix(r.origin, "http:") && !webauth.IsLoopback(r.origin) && !s.InsecureHTTP:
			found.Errorf(key+".URLPrefix", "%q is http: whoever is on the way could log in there as anybody who comes from here", s.URLPrefix)
		case seen[r.origin+r.path]:
			found.Errorf(key+".URLPrefix", "%q is another site's already", s.URLPrefix)
		}
		seen[r.origin+r.path] = true
		c.checkTold(s, key, found)
	}
}

func (c *Config) checkTold(s *Site, key string, found *site.Findings) {
	for _, t := range s.Ptags {
		if !webauth.IsPtag(t) {
			found.Errorf(key+".Ptags", "%q is not a ptag: want printable ASCII without blanks and commas", t)
		}
	}
	if s.AAuth == nil {
		s.AAuth = []string{defaultAAuth}
	}
	if n := len(s.AAuth); n == 0 || n > maxAAuth {
		found.Errorf(key+".AAuth", "holds %d types, want 1 to %d; leave it nil for %q", n, maxAAuth, defaultAAuth)
	}
	for _, t := range s.AAuth {
		if !authType.MatchString(t) {
			found.Errorf(key+".AAuth", "%q is not an authentication type: want letters, digits, '.', '_' and '-'", t)
		}
	}
	if !slices.ContainsFunc(s.AAuth, c.names) {
		found.Errorf(key+".AAuth", "%q: Config.AAuth gives no type that name, so that nobody could log in to the site", s.AAuth)
	}
}

func (s *Site) read() (relyingSite, error) {
	if strings.ContainsAny(s.URLPrefix, "?#") {
		return relyingSite{}, errors.New("must not have a query or a fragment")
	}
	origin, path, err := readURL(s.URLPrefix)
	if err != nil {
		return relyingSite{}, err
	}
	if err := checkHost(origin); err != nil {
		return relyingSite{}, err
	}
	if strings.Contains(path, "//") {
		return relyingSite{}, errors.New("the path has an empty segment")
	}
	return relyingSite{*s, origin, strings.TrimSuffix(path, "/") + "/"}, nil
}

// label returns how people are shown the site: its host, and the rest of its address.
func (s *relyingSite) label() (host, rest string) {
	host = strings.TrimPrefix(s.origin, "https://")
	if s.path != "/" {
		rest = s.path
	}
	return host, rest
}

// readURL returns the origin of a URL and its path in the form of normalPath, as a browser
// understands them. It is an error where programs do not agree on what the URL leads to.
func readURL(raw string) (origin, path string, err error) {
	whole, _, _ := strings.Cut(raw, "#") // which no server sees
	canonical, err := webauth.CanonicalURL(whole)
	if err != nil {
		return "", "", err
	}
	if origin, err = webauth.Origin(canonical); err != nil {
		return "", "", err
	}
	path, _, _ = strings.Cut(strings.TrimPrefix(canonical, origin), "?")
	if err := checkPath(path); err != nil {
		return "", "", err
	}
	return origin, normalPath(path), nil
}

// checkHost refuses hosts that browsers ask for under another name. Requests are compared with
// what it has accepted, letter by letter.
func checkHost(origin string) error {
	u, err := url.Parse(origin)
	if err != nil {
		return err
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" || addr.String() != host {
			return fmt.Errorf("the address is written %s", addr.WithZone(""))
		}
		return nil
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		// A final dot is another host; a number at the end makes an IPv4 address of it, in one
		// of a dozen forms (WHATWG URL Standard, "ends in a number checker").
		return errors.New("the host is neither a plain name nor an address in its usual form")
	}
	return nil
}

// checkPath refuses what servers may take for another path than browsers do: some decode
// slashes and dots once more, take a backslash for a slash, or cut parameters off a segment
// before they look for dot segments. Below a prefix that others share, such a path would be
// theirs.
func checkPath(path string) error {
	for range 5 { // nobody decodes as often as that
		for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '\\' }) {
			if segment = bareSegment(segment); segment == "." || segment == ".." {
				return errors.New("the path has a dot segment")
			}
		}
		decoded := decode(path, func(byte) bool { return true })
		if decoded == path {
			return nil
		}
		path = decoded
	}
	return errors.New("the path is encoded too often")
}

// bareSegment returns a segment without parameters, and without what begins a query or fragment for
// those who decode once more, or ends a string in C.
func bareSegment(segment string) string {
	if i := strings.IndexAny(segment, ";?#\x00"); i >= 0 {
		segment = segment[:i]
	}
	return strings.TrimRight(segment, " ")
}

// loosePath returns a path as the most generous of servers read it: decoded as often as it can
// be, without empty segments and parameters, whatever the letter case. checkPath has accepted it.
func loosePath(path string) string {
	for decoded := ""; decoded != path; {
		decoded, path = path, decode(path, func(byte) bool { return true })
	}
	loose := "/"
	for segment := range strings.FieldsFuncSeq(strings.ToLower(path), func(c rune) bool { return c == '/' || c == '\\' }) {
		if segment = bareSegment(segment); segment != "" {
			loose += segment + "/"
		}
	}
	return loose
}

// normalPath returns a canonical path with the escapes decoded that need not be there, and the
// others in capitals (RFC 3986 section 6.2.2): no server distinguishes those.
func normalPath(path string) string { return decode(path, isUnreserved) }

// decode decodes the escapes of some bytes, once, and writes the others in capitals. What is
// no escape stays.
func decode(path string, which func(c byte) bool) string {
	var b strings.Builder
	for path != "" {
		n := 1
		if path[0] == '%' && len(path) >= 3 {
			if decoded, err := url.PathUnescape(path[:3]); err == nil {
				n = 3
				if which(decoded[0]) {
					b.WriteString(decoded)
				} else {
					b.WriteString(strings.ToUpper(path[:3]))
				}
			}
		}
		if n == 1 {
			b.WriteByte(path[0])
		}
		path = path[n:]
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

var (
	errNoSite   = errors.New("it is below no URLPrefix of the sites that may ask")
	errWhichOne = errors.New("servers do not agree on which site's it is: its path is written oddly")
)

// siteOf returns the site that a URL is of: that with the longest path. There is none where a
// server may take the URL for a page of a site within that one, which is told something else:
// most merge slashes, and some do more.
func (b *Bridge) siteOf(raw string) (*relyingSite, error) {
	origin, path, err := readURL(raw)
	if err != nil {
		return nil, err
	}
	var best *relyingSite
	for i := range b.sites {
		s := &b.sites[i]
		if s.origin == origin && (strings.HasPrefix(path, s.path) || path+"/" == s.path) && (best == nil || len(s.path) > len(best.path)) {
			best = s
		}
	}
	if best == nil {
		return nil, errNoSite
	}
	loose, most := loosePath(path), len(loosePath(best.path))
	for i := range b.sites {
		if s := &b.sites[i]; s.origin == origin && len(s.path) > 1 {
			if within := loosePath(s.path); strings.HasPrefix(loose, within) && len(within) > most {
				return nil, errWhichOne
			}
		}
	}
	return best, nil
}
