package observe

import (
	"cmp"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what happens, in a registry of its own. Labels are from the
// configuration or from fixed lists, never from a request: else whoever sends requests
// could fill the memory. It outlives a reload.
type Metrics struct {
	registry *prometheus.Registry

	requests     *prometheus.CounterVec
	durations    *prometheus.HistogramVec
	inFlight     prometheus.Gauge
	events       *prometheus.CounterVec
	reloads      *prometheus.CounterVec
	lastReload   prometheus.Gauge
	certificates *prometheus.GaugeVec
	lostLines    prometheus.Counter

	namespace string
}

// NewMetrics returns metrics of which nothing has happened yet. The namespace, such as
// "wlsgateway", begins their names.
func NewMetrics(namespace string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), namespace: namespace}
	to := promauto.With(m.registry)
	counters := m.Counters
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return to.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	m.requests = counters("requests_total", "Requests answered, by rule, method and class of status.", "rule", "method", "code")
	m.durations = to.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "request_duration_seconds",
		Help:    "From a request's header to the end of its answer, by rule; without upgraded connections.",
		Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30, 100},
	}, []string{"rule"})
	m.inFlight = gauges("requests_in_flight", "Requests being answered now, and upgraded connections.").WithLabelValues()
	m.events = counters("login_events_total", "What happened about logins, by event and reason.", "event", "reason")
	m.reloads = counters("config_loads_total", "Configurations loaded, the first included, by result.", "result")
	m.lastReload = gauges("config_last_load_success_timestamp_seconds", "When the configuration in force was loaded.").WithLabelValues()
	m.certificates = gauges("certificate_expiry_timestamp_seconds", "When the certificate in a file expires.", "file")
	m.lostLines = counters("access_log_lost_lines_total", "Lines that could not be written to the access log.").WithLabelValues()
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	return m
}

// Counters returns counters of a program's own. Their labels must be as those of Metrics are.
func (m *Metrics) Counters(name, help string, labels ...string) *prometheus.CounterVec {
	return promauto.With(m.registry).NewCounterVec(prometheus.CounterOpts{Namespace: m.namespace, Name: name, Help: help}, labels)
}

// noRule is the label of requests that no rule was asked about: login, logout, refused
// ones.
const noRule = "none"

// request counts an answered request.
func (m *Metrics) request(r *http.Request, o *observed) {
	rule, status := cmp.Or(o.record.Rule, noRule), o.finalStatus()
	m.requests.WithLabelValues(rule, methodLabel(r.Method), statusClass(status)).Inc()
	if status != http.StatusSwitchingProtocols {
		m.durations.WithLabelValues(rule).Observe(o.duration.Seconds())
	}
}

// methodLabel is the method if it is a usual one.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

var statusClasses = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

func statusClass(status int) string {
	if i := status/100 - 1; i >= 0 && i < len(statusClasses) {
		return statusClasses[i]
	}
	return "other" // a backend may send 999
}

// Reloaded notes an attempt to load a configuration, the first one included.
func (m *Metrics) Reloaded(at time.Time, err error) {
	m.reloads.WithLabelValues(map[bool]string{true: "success", false: "failure"}[err == nil]).Inc()
	if err == nil {
		m.lastReload.Set(float64(at.Unix()))
	}
}

// CertificateExpires notes until when the certificate in a file is good.
func (m *Metrics) CertificateExpires(file string, at time.Time) {
	m.certificates.WithLabelValues(file).Set(float64(at.Unix()))
}

// Handler serves the metrics, for Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
