package site

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// host is a host in normal form.
type host struct {
	name string // lower case, no final dot; IPv6 in brackets, shortest form
	port string // "" for the default one
}

func (h host) String() string {
	if h.port == "" {
		return h.name
	}
	return h.name + ":" + h.port
}

// Why a host is none.
var (
	errHostEmpty  = errors.New("it is empty")
	errHostLength = errors.New("names have at most 253 characters, and 63 between two dots")
	errHostChars  = errors.New("use letters, digits, '-' and '_', and names in other scripts in their xn-- form")
	errHostPort   = errors.New("a port is a number from 1 to 65535")
	errHostIPv6   = errors.New("write IPv6 addresses in brackets, without a zone, as [2001:db8::1]")
	errHostIPv4   = errors.New("it ends in a number and is no IPv4 address")
)

// parseHost reads a host as it stands in a Host header.
func parseHost(s string) (host, error) {
	if strings.HasPrefix(s, "[") {
		return parseIPv6Host(s)
	}
	name, port, hasPort := strings.Cut(s, ":")
	if hasPort && strings.Contains(port, ":") {
		return host{}, errHostIPv6
	}
	if hasPort && !isPort(port) {
		return host{}, errHostPort
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return host{name, port}, checkName(name)
}

func parseIPv6Host(s string) (host, error) {
	text, after, closed := strings.Cut(s[1:], "]")
	addr, err := netip.ParseAddr(text)
	if err != nil || !closed || !addr.Is6() || addr.Zone() != "" {
		return host{}, errHostIPv6
	}
	port, hasPort := strings.CutPrefix(after, ":")
	if hasPort && !isPort(port) || !hasPort && after != "" {
		return host{}, errHostPort
	}
	return host{"[" + addr.String() + "]", port}, nil
}

// isPort reports whether s is a port as browsers write it.
func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil && s[0] != '0'
}

// checkName checks a name in lower case, or an IPv4 address.
func checkName(name string) error {
	if name == "" {
		return errHostEmpty
	}
	if len(name) > 253 {
		return errHostLength
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return errHostLength
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return errHostChars
		}
		last = label
	}
	// Browsers take such a name for an address, in one of many notations.
	if isNumber(last) {
		if _, err := netip.ParseAddr(name); err != nil {
			return errHostIPv4
		}
	}
	return nil
}

// isNumber reports whether a label is a decimal, octal or hexadecimal number.
func isNumber(label string) bool {
	if digits, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// hostTable knows the hosts that a site answers to.
type hostTable struct {
	base     allowed            // BaseURL's
	exact    map[string]allowed // by host in normal form
	named    []string           // those of Config.Hosts that are no suffixes, in their order
	suffixes []host             // names begin with a dot
}

// allowed is a host that the site answers to.
type allowed struct {
	host   string // in normal form
	origin string // of its absolute links
	secure string // the origin to go to from http; means something if BaseURL is https
}

// newHostTable reads Config.Hosts and adds BaseURL's host.
func newHostTable(origin string, entries []string, found *Findings) hostTable {
	scheme, base, _ := strings.Cut(origin, "://")
	t := hostTable{base: allowed{base, origin, origin}, exact: map[string]allowed{}}
	for _, entry := range entries {
		name, isSuffix := strings.CutPrefix(entry, ".")
		h, err := parseEntry(name, isSuffix)
		switch {
		case err != nil:
			found.Errorf("Hosts", "%q: %v", entry, err)
		case isSuffix:
			t.suffixes = append(t.suffixes, host{"." + h.name, h.port})
		default:
			a := allowed{host: h.String(), origin: scheme + "://" + h.String()}
			a.secure = a.origin
			if h.port != "" { // it speaks http or https, and https is elsewhere
				a.secure = origin
			}
			t.exact[a.host] = a
			t.named = append(t.named, a.host)
		}
	}
	t.exact[base] = t.base
	return t
}

// parseEntry reads an entry of Config.Hosts, without the dot in front of a suffix.
func parseEntry(name string, isSuffix bool) (host, error) {
	if strings.ContainsAny(name, "/@?#") {
		return host{}, errors.New("name only the host, without scheme and path, as www.soc.example")
	}
	if strings.Contains(name, "*") {
		return host{}, errors.New("name the hosts; for all below a domain put a dot in front, as .soc.example")
	}
	h, err := parseHost(name)
	if err != nil {
		return host{}, err
	}
	if h.port == "80" || h.port == "443" {
		return host{}, fmt.Errorf("leave port %s out: it is a default", h.port)
	}
	if isSuffix && isAddress(h.name) {
		return host{}, errors.New("an address has no names below it: remove the dot")
	}
	return h, nil
}

// isAddress reports whether the name of a host is an IP address.
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil
}

// find looks for the host of a request that came by scheme.
func (t *hostTable) find(raw, scheme string) (a allowed, ok bool) {
	if a, ok = t.exact[raw]; ok { // as browsers write it
		return a, true
	}
	h, err := parseHost(raw)
	if err != nil {
		return allowed{}, false
	}
	if a, ok = t.match(h); ok {
		return a, true
	}
	// A scheme's default port is as good as none. Both schemes count, because a front
	// server that ends TLS may be one that is not trusted to say so.
	own, _, _ := strings.Cut(t.base.origin, ":")
	if h.port == "" || h.port != defaultPort(scheme) && h.port != defaultPort(own) {
		return allowed{}, false
	}
	return t.match(host{name: h.name})
}

func (t *hostTable) match(h host) (allowed, bool) {
	if a, ok := t.exact[h.String()]; ok {
		return a, true
	}
	for _, s := range t.suffixes {
		if h.port == s.port && (h.name == s.name[1:] || strings.HasSuffix(h.name, s.name)) {
			return allowed{h.String(), t.base.origin, t.base.origin}, true
		}
	}
	return allowed{}, false
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}
