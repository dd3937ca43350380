package observe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestObserve(t *testing.T) {
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		status  int // in log and metrics
		bytes   int64
	}{
		{"status and body", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "short and stout")
			_, _ = io.WriteString(w, "!")
		}, http.StatusTeapot, 16},
		{"body alone", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, http.StatusOK, 1},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, http.StatusOK, 0},
		{"hints first", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
		}, http.StatusNotFound, 0},
		{"superfluous status", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			w.WriteHeader(http.StatusOK)
		}, http.StatusNotFound, 0},
		{"flushed first", func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			w.WriteHeader(http.StatusNotFound)
		}, http.StatusOK, 0},
		{"flushed in the old way", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, http.StatusOK, 0},
		{"broken before the answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, http.StatusInternalServerError, 0},
		{"broken in the answer", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "x")
			panic(http.ErrAbortHandler)
		}, http.StatusOK, 1},
		{"deadline through the wrapper", func(w http.ResponseWriter, _ *http.Request) {
			if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}, http.StatusOK, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			log, lines := logTo(t, "combined")
			m := NewMetrics("wls")
			ended := make(chan struct{})
			h := Handler(row.handler, log, m, stopped)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				h.ServeHTTP(w, r)
			}))
			defer server.Close()
			if resp, err := server.Client().Get(server.URL); err == nil {
				resp.Body.Close()
			}
			<-ended
			fields := strings.Fields(lines.String())
			require.Len(t, fields, 12)
			assert.Equal(t, http.StatusText(row.status), http.StatusText(atoi(t, fields[8])))
			if row.bytes == 0 {
				assert.Equal(t, "-", fields[9])
			} else {
				assert.EqualValues(t, row.bytes, atoi(t, fields[9]))
			}
			assert.EqualValues(t, 1, testutil.ToFloat64(m.requests.WithLabelValues(noRule, "GET", statusClass(row.status))))
			assert.Zero(t, testutil.ToFloat64(m.inFlight))
		})
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n := 0
	for _, c := range s {
		require.True(t, c >= '0' && c <= '9', s)
		n = n*10 + int(c-'0')
	}
	return n
}

func TestObserveUpgrades(t *testing.T) {
	log, lines := logTo(t, "combined")
	m := NewMetrics("wls")
	ended := make(chan struct{})
	h := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		assert.EqualValues(t, 1, testutil.ToFloat64(m.inFlight))
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	}), log, m, stopped)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		h.ServeHTTP(w, r)
	}))
	defer server.Close()

	r, err := http.NewRequest(http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn := resp.Body.(io.ReadWriteCloser)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "hello\n", line)
	require.NoError(t, conn.Close())
	<-ended
	assert.Contains(t, lines.String(), `HTTP/1.1" 101 - `)
	assert.EqualValues(t, 1, testutil.ToFloat64(m.requests.WithLabelValues(noRule, "GET", "1xx")))
	assert.Zero(t, testutil.CollectAndCount(m.durations), "how long a connection stays open is no duration")
}

func TestRecordOf(t *testing.T) {
	log, lines := logTo(t, "json")
	m := NewMetrics("wls")
	type key struct{}
	h := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "kept", r.Context().Value(key{}), "what else is in the context")
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(errors.New("done"))
		rec := RecordOf(ctx)
		rec.Rule = "/api"
		m.OnEvent(ctx, site.Event{Name: glue.EventLogin, Principal: "spqr1"})
		m.OnEvent(ctx, site.Event{Name: glue.EventRefused, Reason: "stale", Ref: "ABCDEFGH"})
		assert.Same(t, rec, RecordOf(ctx))
	}), log, m, stopped)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), key{}, "kept")))
	assert.Contains(t, lines.String(), `"principal":"spqr1","rule":"/api","ref":"ABCDEFGH"`)
	assert.EqualValues(t, 1, testutil.ToFloat64(m.events.WithLabelValues("refused", "stale")))
	assert.EqualValues(t, 1, testutil.ToFloat64(m.requests.WithLabelValues("/api", "GET", "2xx")))

	require.NotNil(t, RecordOf(context.Background()), "outside of observe")
}

func TestObserveAllocates(t *testing.T) {
	log, err := NewAccessLog("wls gateway", "off", Combined)
	require.NoError(t, err)
	bare := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { RecordOf(r.Context()).Rule = "/" })
	h := Handler(bare, log, NewMetrics("wls"), time.Now)
	r := httptest.NewRequest(http.MethodGet, "/a?b=c", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r) // makes the labels
	allocs := math.Inf(1)
	for range 5 { // what other tests have left may allocate at one time or another
		allocs = min(allocs, testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }))
	}
	assert.LessOrEqual(t, allocs, 2.0, "the observation and net/http's copy of the request")
}

func stopped() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
