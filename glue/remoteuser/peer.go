package remoteuser

import (
	"net"
	"net/http"
	"net/netip"
)

// trusts reports whether the other end of the connection is a front server.
func (u *RemoteUser) trusts(r *http.Request) bool {
	if overUnixSocket(r) {
		return u.cfg.UnixSocket
	}
	addr := otherEnd(r)
	for _, p := range u.cfg.Peers {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// otherEnd is the address of the other end of the connection; not valid where there is
// none. net/http always gives a port. What has none was put there by a handler that
// believes X-Forwarded-For.
func otherEnd(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// overUnixSocket reports whether a request came through a unix socket. The listener
// knows best: a client may bind its end to a file that is called like an address, and a
// handler may have written anything into RemoteAddr.
func overUnixSocket(r *http.Request) bool {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && a != nil {
		return a.Network() == "unix"
	}
	return r.RemoteAddr == "" || r.RemoteAddr == "@"
}
