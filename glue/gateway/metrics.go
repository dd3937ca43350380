package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
)

// metrics counts what happens; see [observe.Metrics].
type metrics struct {
	*observe.Metrics

	backendErrors    *prometheus.CounterVec // by rule, and reason: a few constants such as "dial"
	passwordAttempts *prometheus.CounterVec // by verdict
	trailersRemoved  prometheus.Counter
	removedHeaders   map[string]prometheus.Counter // by reason
}

// newMetrics returns metrics of which nothing has happened yet.
func newMetrics() *metrics {
	m := &metrics{Metrics: observe.NewMetrics("wlsgateway"), removedHeaders: map[string]prometheus.Counter{}}
	m.backendErrors = m.Counters("backend_errors_total", "Requests that a backend did not answer, by rule and reason.", "rule", "reason")
	m.passwordAttempts = m.Counters("password_attempts_total", "Passwords looked at, by verdict; not those remembered as right.", "verdict")
	removed := m.Counters("headers_removed_total", "Headers removed from requests, by reason; without those that front servers write as a matter of course.", "reason")
	for _, reason := range []string{reasonOdd, "frames", "judged", "identifies", "routes", "methods", "peers", "suspects"} {
		m.removedHeaders[reason] = removed.WithLabelValues(reason)
	}
	m.trailersRemoved = m.Counters("trailers_removed_total", "Fields removed from what came after requests and answers.").WithLabelValues()
	return m
}

// reasonOdd is the reason for removing names that programs do not agree on.
const reasonOdd = "name"

// headerRemoved counts a header that was removed.
func (m *metrics) headerRemoved(why *headername.Entry) {
	reason := reasonOdd
	if why.Class != 0 {
		reason = why.Class.String()
	}
	m.removedHeaders[reason].Inc()
}
