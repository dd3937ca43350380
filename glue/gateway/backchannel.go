package gateway

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// backChannelPath is where an OpenID Connect provider says that somebody has logged out there.
const backChannelPath = serve.ReservedPath + "/back-channel-logout"

// A provider may log many people out at once; whoever sends more than this has the gateway
// verify signatures for nothing.
const (
	logoutsAtOnce = 200
	logoutRest    = 20 * time.Millisecond
)

// logoutLimit limits how often each client may say that somebody has logged out.
type logoutLimit struct {
	mu      sync.Mutex
	limiter *ratelimit.Limiter
}

func newLogoutLimit() *logoutLimit {
	return &logoutLimit{limiter: ratelimit.New(logoutsAtOnce, logoutRest)}
}

// networkOf returns a client's address, of IPv6 the part that is not the client's own choice.
func networkOf(addr netip.Addr) string {
	if !addr.Is6() || addr.Is4In6() {
		return addr.String()
	}
	network, err := addr.Prefix(64)
	if err != nil { // of no address
		return ""
	}
	return network.String()
}

// allows reports whether a client may say so now.
func (l *logoutLimit) allows(client string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limiter.Wait(client, now) > 0 {
		return false
	}
	l.limiter.Add(client, now)
	return true
}

// backChannel serves backChannelPath. Where sessions are in cookies no provider can end them, so
// that there is no such path.
func (c *core) backChannel(w http.ResponseWriter, r *http.Request) {
	switch {
	case c.store == nil || c.cfg.login().Open() == nil:
		c.notFound(w, r)
	case !c.logouts.allows(networkOf(site.ClientIP(r)), c.cfg.Now()):
		w.Header().Set("Retry-After", "1")
		c.refuse(w, r, "back-channel-rate", errors.New("more logout tokens come from this client than any provider sends"), pageBusy)
	default:
		c.auth.BackChannelLogout(w, r)
	}
}
