package gateway

import (
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// backChannelPath is where an OpenID Connect provider says that somebody has logged out there.
const backChannelPath = serve.ReservedPath + "/back-channel-logout"

// How often each client may say that somebody has logged out. A provider may log many people out
// at once; whoever sends more than this has the gateway verify signatures for nothing.
const (
	logoutsAtOnce = 200
	logoutRest    = 20 * time.Millisecond
)

// logoutClient returns what is limited: a client's address, of IPv6 the part that is not the
// client's own choice.
func logoutClient(addr netip.Addr) string { return site.AddressPrefix(addr, 32, 64).String() }

// backChannel serves backChannelPath. Where sessions are in cookies no provider can end them, so
// that there is no such path.
func (c *core) backChannel(w http.ResponseWriter, r *http.Request) {
	switch {
	case c.store == nil || c.cfg.login().Open() == nil:
		c.notFound(w, r)
	case c.logouts.Pass(logoutClient(site.ClientIP(r)), c.cfg.Now()) > 0:
		w.Header().Set("Retry-After", "1")
		c.refuse(w, r, "back-channel-rate", errors.New("more logout tokens come from this client than any provider sends"), pageBusy)
	default:
		c.auth.BackChannelLogout(w, r)
	}
}
