// Package peer finds out who is at the other end of a request's connection.
package peer

import (
	"net"
	"net/http"
	"net/netip"
)

// Addr returns the address of the other end; not valid where there is none. net/http
// always has a port. What has none was put there by a handler that believes
// X-Forwarded-For.
func Addr(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return Plain(ap.Addr())
}

// Plain returns an address in the one form that ranges compare with.
func Plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// OverUnixSocket reports whether a request came through a unix socket. The listener
// knows best: a client may bind its end to a file that is called like an address, and a
// handler may have written anything into RemoteAddr.
func OverUnixSocket(r *http.Request) bool {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a != nil {
		return a.Network() == "unix"
	}
	return r.RemoteAddr == "" || r.RemoteAddr == "@"
}
