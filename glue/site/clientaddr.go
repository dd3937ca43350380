package site

import (
	"net/http"
	"net/netip"

	"github.com/ucam-webauth/go-webauth/glue/internal/peer"
)

// otherEnd returns the address of the other end of the connection, in the form in which
// other middleware leaves it, too; not valid if it has none.
func otherEnd(r *http.Request) netip.Addr {
	if peer.OverUnixSocket(r) {
		return netip.Addr{}
	}
	if addr := peer.Addr(r); addr.IsValid() {
		return addr
	}
	addr, err := netip.ParseAddr(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Plain(addr)
}

func ownScheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// AddressPrefix returns the network that an address is in: its first v4bits bits for IPv4, its
// first v6bits for IPv6. Something that shall work only from about where it was made, such as a
// session, can be bound to it; 24 and 48 are customary. It costs people who roam, or whose
// provider gives them changing addresses, and it does not keep out others who share their
// network.
//
// The prefix is not valid if the address is not, or if there are not as many bits:
// treat that as no match, not as one more network.
func AddressPrefix(addr netip.Addr, v4bits, v6bits int) netip.Prefix {
	addr = peer.Plain(addr)
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
