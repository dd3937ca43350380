package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A probe comes under any host, in plain http, and learns nothing but that somebody is there.
func TestAlive(t *testing.T) {
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.BaseURL, cfg.IgnoreCase = "https://soc.example", true }})
	for _, row := range []struct {
		name, method, target, host string
		status                     int
	}{
		{"by address", "GET", "/.wls/alive", "192.0.2.7:8080", 204},
		{"by a name that is not ours", "GET", "/.wls/alive", "pod-7.cluster.local", 204},
		{"with no name", "GET", "/.wls/alive", "", 204},
		{"by the site's name", "GET", "/.wls/alive", "soc.example", 204},
		{"HEAD", "HEAD", "/.wls/alive", "192.0.2.7", 204},
		{"POST", "POST", "/.wls/alive", "192.0.2.7", 421},
		{"OPTIONS", "OPTIONS", "/.wls/alive", "192.0.2.7", 421},
		{"with a query", "GET", "/.wls/alive?", "192.0.2.7", 421},
		{"with a response of the login service", "GET", "/.wls/alive?WLS-Response=3!200", "192.0.2.7", 421},
		{"below it", "GET", "/.wls/alive/x", "192.0.2.7", 421},
		{"another spelling", "GET", "/.wls/ALIVE", "192.0.2.7", 421},
		{"another spelling still", "GET", "/.wls/%61live", "192.0.2.7", 421},
		{"another page", "GET", "/public/", "192.0.2.7", 421},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(row.method, row.target, nil)
			r.Host = row.host
			answer := httptest.NewRecorder()
			w.gateway.Handler().ServeHTTP(answer, r)
			assert.Equal(t, row.status, answer.Code)
			if row.status == http.StatusNoContent {
				assert.Equal(t, http.Header{"Cache-Control": {"no-store"}}, answer.Header())
				assert.Empty(t, answer.Body.String())
			}
		})
	}
	assert.Empty(t, w.backend.take())
}

// Whatever a listener does with people, it answers probes.
func TestAliveAtEachListener(t *testing.T) {
	w := newWorld(t, kit{})
	s := &Server{gateway: w.gateway}
	s.cfg.Store(&w.cfg)
	for kind, handler := range map[string]http.Handler{"redirect": s.redirect()} {
		for target, alive := range map[string]bool{"/.wls/alive": true, "/.wls/alive?": false, "/": false} {
			r := httptest.NewRequest(http.MethodGet, target, nil)
			r.RemoteAddr = "192.0.2.9:1234"
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, r)
			assert.Equal(t, alive, answer.Code == http.StatusNoContent, "%s %s", kind, target)
			assert.Equal(t, alive, answer.Header().Get("Location") == "", "%s %s", kind, target)
		}
	}
}
