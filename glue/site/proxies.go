package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/peer"
)

// Proxies are the front servers whose word about the client is believed, and how they
// give it. Set Count, or Ranges and UnixSocket; the zero value trusts nobody, and then
// the client is the other end of the connection.
//
// Every proxy must write its header on every request itself, by adding to what came or
// by replacing it. What a proxy merely passes on is the client's word: nginx, for one,
// passes on X-Forwarded-Proto unless proxy_set_header says otherwise.
//
// Headers are read from the right, where the nearest proxy writes, each entry only if
// the proxy that wrote it is trusted. The first entry that is malformed, or names no
// address, ends that: the client is the last one that was named, at worst the trusted
// proxy itself. How many proxies are known in this way is also how many entries of
// scheme and host are believed; where there are fewer, the leftmost counts.
type Proxies struct {
	// Count is through how many proxies every request comes, 32 at most. It trusts whoever
	// connects, so that only the proxies may be able to; Ranges need no such promise. Do not
	// count a proxy that some requests bypass.
	Count int
	// Ranges are the addresses of the proxies, such as 127.0.0.0/8 or 192.0.2.7/32.
	// Up to 32 of them are believed in a row.
	Ranges []netip.Prefix
	// UnixSocket says that every client of a unix socket is a proxy, with
	// Count the first of them: look after who may open the socket. For such a
	// connection RemoteAddr is "@" or empty.
	UnixSocket bool
	// Header says which header the proxies write. It is required where somebody is
	// trusted; other headers are never read.
	Header ProxyHeader
	// Host believes them about the host too, which then takes the place of the Host
	// header before that is checked. Leave it out where the proxies pass Host on.
	Host bool
}

// ProxyHeader is a way in which proxies tell where a request comes from.
type ProxyHeader string

// The headers.
const (
	// XForwarded is X-Forwarded-For, X-Forwarded-Proto and, with Proxies.Host,
	// X-Forwarded-Host.
	XForwarded ProxyHeader = "X-Forwarded"
	// Forwarded is the header of that name, as RFC 7239 has it.
	Forwarded ProxyHeader = "Forwarded"
)

// maxHops is how many proxies are believed in a row, so that a header full of trusted
// addresses costs little.
const maxHops = 32

// trustSomebody reports whether anybody's word is believed.
func (p *Proxies) trustSomebody() bool {
	return p.Count > 0 || len(p.Ranges) > 0 || p.UnixSocket
}

func (p *Proxies) check(found *Findings) {
	if p.Count < 0 || p.Count > maxHops {
		found.Errorf("Proxies.Count", "is %d, want 0 to %d", p.Count, maxHops)
	}
	if p.Count > 0 && len(p.Ranges) > 0 {
		found.Errorf("Proxies.Ranges", "set Count or Ranges, not both: Ranges if you know the addresses")
	}
	for _, r := range p.Ranges {
		if err := checkRange(r); err != nil {
			found.Errorf("Proxies.Ranges", "%v: %v", r, err)
		}
	}
	switch {
	case p.Header != "" && p.Header != XForwarded && p.Header != Forwarded:
		found.Errorf("Proxies.Header", "is %q, want site.XForwarded or site.Forwarded", p.Header)
	case p.Header == "" && p.trustSomebody():
		found.Errorf("Proxies.Header", "is missing: say whether the proxies write site.XForwarded or site.Forwarded")
	case !p.trustSomebody() && (p.Header != "" || p.Host):
		found.Errorf("Proxies.Header", "is set, or Host is, but nobody is trusted: set Count, Ranges or UnixSocket too")
	}
}

func checkRange(r netip.Prefix) error {
	switch {
	case !r.IsValid():
		return errors.New("make it with netip.MustParsePrefix, as 192.0.2.0/24")
	case r.Bits() == 0:
		return errors.New("it trusts everybody: name the proxies")
	case r != r.Masked():
		return fmt.Errorf("it has bits beyond its length: write %v", r.Masked())
	case r.Addr().Is4In6():
		return errors.New("write an IPv4 range as IPv4")
	}
	return nil
}

// believe finds out where a request comes from.
func (p *Proxies) believe(r *http.Request) hop {
	h := hop{client: otherEnd(r), scheme: ownScheme(r), host: r.Host}
	if !p.Trusts(r) {
		return h
	}
	h.trusted = true
	if p.Header == Forwarded {
		p.believeForwarded(r.Header["Forwarded"], &h)
	} else {
		p.believeXForwarded(r.Header, &h)
	}
	return h
}

// Trusts reports whether the other end of a request's connection is one of the proxies.
func (p *Proxies) Trusts(r *http.Request) bool {
	if peer.OverUnixSocket(r) {
		return p.UnixSocket
	}
	return p.Count > 0 || p.inRanges(otherEnd(r))
}

// trust reports whether the client at addr, named by the trusted proxy number hop, is
// the next proxy.
func (p *Proxies) trust(addr netip.Addr, hop int) bool {
	if p.Count > 0 {
		return hop < p.Count
	}
	return hop < maxHops && p.inRanges(addr)
}

func (p *Proxies) inRanges(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Ranges, func(r netip.Prefix) bool { return r.Contains(addr) })
}

// believeForwarded goes through the elements of Forwarded. Each proxy tells all it
// knows in its own.
func (p *Proxies) believeForwarded(lines []string, h *hop) {
	list := fromRight{lines: lines, quoted: true}
	for n := 1; ; n++ {
		text, ok := list.next()
		if !ok {
			return
		}
		e, err := parseElement(text)
		if err != nil {
			return
		}
		if scheme, ok := parseScheme(e.proto); ok {
			h.scheme, h.saysScheme = scheme, true
		}
		if e.host != "" && p.Host {
			h.host, h.saysHost = e.host, true
		}
		if !e.client.IsValid() {
			return
		}
		h.client = e.client
		if !p.trust(e.client, n) {
			return
		}
	}
}

// believeXForwarded goes through X-Forwarded-For, and then as far through the others.
func (p *Proxies) believeXForwarded(header http.Header, h *hop) {
	trusted := 1
	list := fromRight{lines: header["X-Forwarded-For"]}
	for ; ; trusted++ {
		text, ok := list.next()
		if !ok {
			break
		}
		addr, ok := parseForwardedFor(text)
		if !ok {
			break
		}
		h.client = addr
		if !p.trust(addr, trusted) {
			break
		}
	}
	list = fromRight{lines: header["X-Forwarded-Proto"]}
	for range trusted {
		text, _ := list.next()
		scheme, ok := parseScheme(text)
		if !ok {
			break
		}
		h.scheme, h.saysScheme = scheme, true
	}
	if !p.Host {
		return
	}
	list = fromRight{lines: header["X-Forwarded-Host"]}
	for range trusted {
		text, _ := list.next()
		if text == "" {
			break
		}
		h.host, h.saysHost = text, true
	}
}

// parseScheme reads a scheme. Some proxies tell WebSockets apart.
func parseScheme(s string) (string, bool) {
	switch strings.ToLower(s) {
	case "https", "wss":
		return "https", true
	case "http", "ws":
		return "http", true
	default:
		return "", false
	}
}
