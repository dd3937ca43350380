package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTimeout bounds one look at whether the gateway can do its work. Whoever asks
// waits a few seconds at most.
const readyTimeout = 2 * time.Second

// adminHandler serves what operators and their programs ask, and is never reachable
// through the public listeners:
//
//   - /healthz: the process answers. If it does not, start it anew.
//   - /readyz: 503 while ready gives an error: send no requests here. A backend that is
//     down does not make the gateway unready: one broken application must not take
//     the others off the air, nor the page that says it is broken.
//   - /metrics: for Prometheus.
func adminHandler(m *metrics, ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plainAnswer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := ready(ctx); err != nil {
			plainAnswer(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
			return
		}
		plainAnswer(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

func plainAnswer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
