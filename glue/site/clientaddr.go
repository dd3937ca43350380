package site

import (
	"net"
	"net/http"
	"net/netip"
)

// peer is the address of the other end of the connection; not valid if it has none.
func peer(r *http.Request) netip.Addr {
	if overUnixSocket(r) {
		return netip.Addr{}
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return plain(ap.Addr())
	}
	addr, err := netip.ParseAddr(r.RemoteAddr) // as other middleware leaves it
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

// plain gives an address in the one form that ranges compare with.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// overUnixSocket reports whether a request came through a unix socket. The listener
// knows best: a client may bind its end to a file that is called like an address.
func overUnixSocket(r *http.Request) bool {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a != nil {
		return a.Network() == "unix"
	}
	return r.RemoteAddr == "" || r.RemoteAddr == "@"
}

func ownScheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// AddressPrefix is the network that an address is in: its first v4bits bits for IPv4,
// its first v6bits for IPv6. Something that shall work only from about where it was
// made, such as a session, can be bound to it; 24 and 48 are customary. It costs
// people who roam, or whose provider gives them changing addresses, and it does not
// keep out whoever shares their network.
//
// The prefix is not valid if the address is not, or if there are not as many bits:
// treat that as no match, not as one more network.
func AddressPrefix(addr netip.Addr, v4bits, v6bits int) netip.Prefix {
	addr = plain(addr)
	bits := v6bits
	if addr.Is4() {
		bits = v4bits
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
