package site_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

const base = "https://soc.example"

// recorder is a handler that keeps the request it saw.
type recorder struct {
	r *http.Request
}

func (h *recorder) ServeHTTP(_ http.ResponseWriter, r *http.Request) { h.r = r }

// newSite makes a Site that logs to the returned buffer.
func newSite(t testing.TB, cfg site.Config) (*site.Site, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := site.New(cfg)
	require.NoError(t, err)
	return s, &log
}

// send passes a request through a Site. It gives what the handler saw, nil if it did
// not run, and the answer.
func send(t testing.TB, cfg site.Config, r *http.Request) (*http.Request, *http.Response) {
	t.Helper()
	s, _ := newSite(t, cfg)
	var seen recorder
	w := httptest.NewRecorder()
	s.Handler(&seen).ServeHTTP(w, r)
	return seen.r, w.Result()
}

// get makes a request for a page of the site from an address, with header lines.
func get(from string, lines ...[2]string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/page?q=1", nil)
	r.Host, r.RemoteAddr = "soc.example", from
	for _, l := range lines {
		r.Header.Add(l[0], l[1])
	}
	return r
}

func prefixes(all ...string) (ranges []netip.Prefix) {
	for _, s := range all {
		ranges = append(ranges, netip.MustParsePrefix(s))
	}
	return ranges
}

// nopWriter throws an answer away, but for its header.
type nopWriter struct {
	header http.Header
}

func (w nopWriter) Header() http.Header         { return w.header }
func (w nopWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w nopWriter) WriteHeader(int)             {}

// withLocalAddr is what http.Server notes of a connection.
func withLocalAddr(ctx context.Context, addr net.Addr) context.Context {
	return context.WithValue(ctx, http.LocalAddrContextKey, addr)
}
