package serve

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// readyTimeout bounds one look at whether the gateway can do its work. Whoever asks
// waits a few seconds at most.
const readyTimeout = 2 * time.Second

// AdminHandler serves what operators and their programs ask, and is never reachable
// through the public listeners:
//
//   - /healthz: the process answers. If it does not, start it anew.
//   - /readyz: 503 while ready gives an error, which it says: send new people elsewhere,
//     and raise an alarm. Programs that share a Redis say so all at once, and serve those
//     who are logged in where it only takes no writes: a balancer that has no other one
//     left should go on, or balance by /healthz. What stands behind the
//     program and is down does not make it unready: one broken application must not take
//     the others off the air, nor the page that says it is broken.
//   - /metrics: for Prometheus.
func AdminHandler(m *observe.Metrics, ready func(context.Context) error, admin func() *Admin) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { respond.Text(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := ready(ctx); err != nil {
			respond.Text(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		respond.Text(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", m.Handler())
	return adminHosts(admin, mux)
}

// adminHosts answers requests that are for an address, localhost, the host that is
// listened at, or one of Admin.Hosts. Another name may be one that a page of another site has
// in DNS, to have an operator's browser read here what is for operators.
func adminHosts(admin func() *Admin, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admin().isFor(r) {
			respond.Text(w, http.StatusMisdirectedRequest, "wrong host: ask by address, by the host of admin.listen, or by one of admin.hosts")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *Admin) isFor(r *http.Request) bool {
	if at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && at != nil && at.Network() == "unix" {
		return true // browsers cannot connect
	}
	host := HostnameOf(r.Host)
	if _, err := netip.ParseAddr(host); err == nil || host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	return strings.EqualFold(host, HostnameOf(a.Listen)) ||
		slices.ContainsFunc(a.Hosts, func(name string) bool { return strings.EqualFold(host, name) })
}

// HostnameOf is a host without its port, and without the brackets of IPv6.
func HostnameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
