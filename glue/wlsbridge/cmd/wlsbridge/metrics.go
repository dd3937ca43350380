package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
)

// metrics counts what happens; see [observe.Metrics].
type metrics struct {
	*observe.Metrics
	answers *prometheus.CounterVec // by site as configured, and event
}

func newMetrics() *metrics {
	m := &metrics{Metrics: observe.NewMetrics("wlsbridge")}
	m.answers = m.Counters("answers_total", "Answers to sites, by the site's url as configured, and whether somebody was named: answered or failed.", "site", "result")
	return m
}

// onEvent is for site.Config.OnEvent.
func (m *metrics) onEvent(ctx context.Context, e site.Event) {
	m.OnEvent(ctx, e)
	if e.From != "bridge" || e.Name != wlsbridge.EventAnswered && e.Name != wlsbridge.EventFailed {
		return
	}
	for _, a := range e.More {
		if a.Key == "site" { // which is configured, or it would not have been answered
			m.answers.WithLabelValues(a.Value.String(), e.Name).Inc()
		}
	}
}
