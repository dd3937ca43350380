// Package observe counts and logs requests, and keeps responses of the login service out
// of logs.
package observe

import (
	"bufio"
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Record is what handlers tell the access log and the metrics about one request.
type Record struct {
	Client    netip.Addr // site.ClientIP; set it inside of site.Handler
	Principal string     // who is logged in, or whose password was right
	Rule      string     // label of the rule: its host and path as configured
	Backend   string     // as configured
	Ref       string     // reference on the page that was shown
	Notes     any        // what handlers leave for each other; not looked at here
}

type recordKey struct{}

// RecordOf returns the record of a request. It is never nil: outside of [Handler] it is one
// that nobody reads.
func RecordOf(ctx context.Context) *Record {
	if rec, ok := ctx.Value(recordKey{}).(*Record); ok {
		return rec
	}
	return &Record{}
}

// Handler counts and logs every request. It goes around everything else.
func Handler(next http.Handler, log *AccessLog, m *Metrics, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := &observed{ResponseWriter: w, Context: r.Context(), start: now()}
		m.inFlight.Inc()
		// Deferred, because the proxy ends a broken answer by a panic.
		ended := false
		defer func() {
			if !ended && o.status == 0 {
				o.status = http.StatusInternalServerError // not sent, but not 200 either
			}
			m.inFlight.Dec()
			o.duration = now().Sub(o.start)
			m.request(r, o)
			if err := log.write(r, o); err != nil {
				m.lostLines.Inc()
			}
		}()
		next.ServeHTTP(o, r.WithContext(o))
		ended = true
	})
}

// OnEvent is for site.Config.OnEvent: it counts events by name and reason, which are
// constants, and notes principal and reference for the access log.
func (m *Metrics) OnEvent(ctx context.Context, e site.Event) {
	m.events.WithLabelValues(e.Name, e.Reason).Inc()
	rec := RecordOf(ctx)
	if e.Ref != "" {
		rec.Ref = e.Ref
	}
	if e.Principal != "" {
		rec.Principal = e.Principal
	}
}

// observed is one request under observation: its answer as it is written, its record,
// and the context that leads to it, in one allocation.
type observed struct {
	http.ResponseWriter
	context.Context
	record   Record
	start    time.Time
	duration time.Duration
	status   int   // 0 until there is an answer
	bytes    int64 // of the body
}

// Value makes the record part of the context.
func (o *observed) Value(key any) any {
	if key == (recordKey{}) {
		return &o.record
	}
	return o.Context.Value(key)
}

// Unwrap is for http.ResponseController.
func (o *observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader notes the status. What precedes an answer, such as 103, is none.
func (o *observed) WriteHeader(status int) {
	if o.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *observed) Write(p []byte) (int, error) {
	o.status = o.finalStatus()
	n, err := o.ResponseWriter.Write(p)
	o.bytes += int64(n)
	return n, err
}

// FlushError is what http.ResponseController calls.
func (o *observed) FlushError() error {
	o.status = o.finalStatus()
	return http.NewResponseController(o.ResponseWriter).Flush()
}

// Flush is for handlers that ask for an http.Flusher.
func (o *observed) Flush() { _ = o.FlushError() }

// Hijack hands over the connection. What is written to it is not counted.
func (o *observed) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(o.ResponseWriter).Hijack()
	if err == nil && o.status == 0 {
		o.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// finalStatus is the status as logs have it: of a handler that wrote nothing it is the
// one that net/http sends.
func (o *observed) finalStatus() int { return cmp.Or(o.status, http.StatusOK) }
