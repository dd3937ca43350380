package remoteuser

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/internal/peer"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// trusts reports whether the other end of the connection is a front server.
func (u *RemoteUser) trusts(r *http.Request) bool {
	if peer.OverUnixSocket(r) {
		return u.cfg.UnixSocket
	}
	addr := peer.Addr(r)
	return slices.ContainsFunc(u.cfg.Peers, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// hidesClient reports whether the only address that a request has is the front server's.
func (u *RemoteUser) hidesClient(r *http.Request) bool {
	addr := site.ClientIP(r)
	return !addr.IsValid() || u.trusts(r) && addr == peer.Addr(r)
}
