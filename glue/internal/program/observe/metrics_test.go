package observe

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// What clients send makes no new labels.
func TestMetricsAreBounded(t *testing.T) {
	log, _ := logTo(t, "combined")
	m := NewMetrics("wls")
	h := Handler(http.NotFoundHandler(), log, m, time.Now)
	for _, method := range []string{"GET", "POST", "BREW", "PROPFIND", "get", strings.Repeat("X", 100)} {
		for _, host := range []string{"a.example", "b.example"} {
			r := httptest.NewRequest(http.MethodGet, "http://"+host+"/"+method, nil)
			r.Method = method
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	families, err := m.registry.Gather()
	require.NoError(t, err)
	seen := 0
	for _, f := range families {
		if f.GetName() != "wls_requests_total" {
			continue
		}
		for _, metric := range f.GetMetric() {
			seen++
			for _, label := range metric.GetLabel() {
				assert.Contains(t, map[string][]string{
					"rule": {"none"}, "method": {"GET", "POST", "other"}, "code": {"4xx"},
				}[label.GetName()], label.GetValue())
			}
		}
	}
	assert.Equal(t, 3, seen)
	for status, class := range map[int]string{101: "1xx", 200: "2xx", 399: "3xx", 599: "5xx", 600: "other", 999: "other", 0: "other", -1: "other"} {
		assert.Equal(t, class, statusClass(status))
	}
}

func TestMetricsText(t *testing.T) {
	m := NewMetrics("wls")
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m.Reloaded(at, nil)
	m.Reloaded(at.Add(time.Hour), errors.New("wrong"))
	m.CertificateExpires("cert.pem", at)
	m.Counters("backend_errors_total", "Own.", "rule", "reason").WithLabelValues("/api", "dial").Inc()
	m.OnEvent(context.Background(), site.Event{Name: glue.EventLogin})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`wls_config_loads_total{result="success"} 1`,
		`wls_config_loads_total{result="failure"} 1`,
		`wls_config_last_load_success_timestamp_seconds 1.7723664e+09`,
		`wls_certificate_expiry_timestamp_seconds{file="cert.pem"} 1.7723664e+09`,
		`wls_backend_errors_total{reason="dial",rule="/api"} 1`,
		`wls_login_events_total{event="login",reason=""} 1`,
		`go_goroutines`,
	} {
		assert.Contains(t, w.Body.String(), line)
	}
}
