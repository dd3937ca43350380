package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
)

func TestAdmin(t *testing.T) {
	var down error
	m := observe.NewMetrics("wlsgateway")
	server := httptest.NewServer(AdminHandler(m, func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		assert.True(t, bounded)
		return down
	}, func() *Admin { return &Admin{} }))
	defer server.Close()
	ask := func(method, path string) (int, string) {
		r, err := http.NewRequest(method, server.URL+path, nil)
		require.NoError(t, err)
		resp, err := server.Client().Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	for _, row := range []struct {
		name, method, path string
		down               error
		status             int
		text               string
	}{
		{"alive", "GET", "/healthz", nil, 200, "ok\n"},
		{"alive though not ready", "GET", "/healthz", errors.New("redis"), 200, "ok\n"},
		{"ready", "GET", "/readyz", nil, 200, "ready\n"},
		{"not ready", "GET", "/readyz", errors.New("redis is away"), 503, "not ready: redis is away\n"},
		{"metrics", "GET", "/metrics", nil, 200, "wlsgateway_requests_in_flight 0\n"},
		{"nothing else", "GET", "/", nil, 404, "not found"},
		{"no profiles", "GET", "/debug/pprof/", nil, 404, "not found"},
		{"by GET only", "POST", "/readyz", nil, 405, "Method Not Allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			down = row.down
			status, text := ask(row.method, row.path)
			assert.Equal(t, row.status, status)
			assert.Contains(t, text, row.text)
		})
	}
	status, _ := ask("HEAD", "/healthz")
	assert.Equal(t, 200, status)
}

// A page that has a name of its own lead here reads nothing.
func TestAdminHosts(t *testing.T) {
	for _, row := range []struct {
		name, listen, host string
		status             int
	}{
		{"address", ":9000", "192.0.2.1:9000", 200},
		{"address without a port", ":9000", "192.0.2.1", 200},
		{"IPv6", ":9000", "[::1]:9000", 200},
		{"IPv6 without a port", ":9000", "[::1]", 200},
		{"localhost", ":9000", "LOCALHOST:9000", 200},
		{"none", ":9000", "", 200},
		{"own name", "admin.internal:9000", "Admin.internal:9000", 200},
		{"own name behind a tunnel", "admin.internal:9000", "admin.internal:1", 200},
		{"another name", "admin.internal:9000", "evil.example:9000", 421},
		{"another name of loopback", "127.0.0.1:9000", "evil.example:9000", 421},
		{"below localhost", "localhost:9000", "localhost.evil.example", 421},
		{"below an address", ":9000", "127.0.0.1.evil.example:9000", 421},
		{"a further name", ":9000", "Gateway.Monitoring.SVC:9000", 200},
		{"a further name without a port", ":9000", "gateway.monitoring.svc", 200},
		{"below a further name", ":9000", "x.gateway.monitoring.svc:9000", 421},
		{"above a further name", ":9000", "monitoring.svc:9000", 421},
	} {
		t.Run(row.name, func(t *testing.T) {
			admin := &Admin{Listen: row.listen, Hosts: []string{"gateway.monitoring.svc"}}
			h := AdminHandler(observe.NewMetrics("wlsgateway"), func(context.Context) error { return nil }, func() *Admin { return admin })
			for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Host = row.host
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, r)
				assert.Equal(t, row.status, answer.Code, path)
				if row.status != http.StatusOK {
					assert.NotContains(t, answer.Body.String(), "wlsgateway")
				}
				r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.UnixAddr{Net: "unix"}))
				answer = httptest.NewRecorder()
				h.ServeHTTP(answer, r)
				assert.Equal(t, http.StatusOK, answer.Code, "%s by a unix socket", path)
			}
		})
	}
}
