package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestRedisIsNotMixedUp: configurations share a connection to Redis only where all that
// it was made with is the same.
func TestRedisIsNotMixedUp(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.RedisURL = "redis://" + mini.Addr() }})
	store := func() *serve.Store { return w.gateway.core.Load().store }
	first := store()
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Same(t, first, store())

	longer := w.cfg
	longer.Session.MaxLife = Duration(5 * time.Hour)
	require.NoError(t, w.gateway.Reload(longer))
	assert.NotSame(t, first, store())

	elsewhere := longer
	elsewhere.BaseURL = "http://localhost:1"
	second := store()
	require.NoError(t, w.gateway.Reload(elsewhere))
	assert.NotSame(t, second, store())
}

// TestUsedOnceOverReloads: a response that was used is used, whether Redis is where that
// is known from now on, or is not any more.
func TestUsedOnceOverReloads(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	for _, row := range []struct{ name, before, after string }{
		{"to Redis", "", "redis://" + mini.Addr()},
		{"from Redis", "redis://" + mini.Addr(), ""},
		{"to another", "redis://" + mini.Addr(), "redis://" + mini.Addr() + "/1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, kit{})
			for _, url := range []string{row.after, row.before} {
				w.cfg.RedisURL = url
				require.NoError(t, w.gateway.Reload(w.cfg))
				if s := w.gateway.core.Load().store; s != nil { // its memory begins with the first that it is asked for
					_ = s.Once(t.Context(), webauth.Item{ID: "first", Issued: testNow, Expires: testNow.Add(time.Minute)})
				}
			}
			w.fake.SetNow(testNow.Add(10 * time.Second))
			w.cfg.RedisURL = row.after
			target, cookie := w.comeBack(t, "/private/x")
			use := func() string {
				return w.wire(w.request("GET "+target+" HTTP/1.1", "Cookie: "+cookie, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"))
			}
			require.Contains(t, use(), "wls-session")
			require.NoError(t, w.gateway.Reload(w.cfg))
			answer := use()
			assert.NotContains(t, answer, "wls-session", "it worked twice")
			assert.NotEqual(t, http.StatusServiceUnavailable, statusOf(t, answer), strings.TrimSpace(answer))
		})
	}
}

// TestReadyz: operators are told what is wrong with Redis, by the answer, and by the log once
// for each change.
func TestReadyz(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(testNow)
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.RedisURL = "redis://" + mini.Addr() }})
	logged := 0
	for _, row := range []struct {
		name, failure string
		status        int
		text, log     string
	}{
		{"ready", "", 200, "ready", ""},
		{"full", "OOM command not allowed when used memory > 'maxmemory'.", 503, "its memory is full", "wls gateway: not ready"},
		{"full still", "OOM command not allowed when used memory > 'maxmemory'.", 503, "its memory is full", ""},
		{"without replicas", "NOREPLICAS Not enough good replicas to write.", 503, "min-replicas-to-write: start them", ""},
		{"away", "LOADING Redis is loading the dataset in memory", 503, "LOADING", "wls gateway: not ready"},
		{"back", "", 200, "ready", "wls gateway: ready again"},
		{"back still", "", 200, "ready", ""},
	} {
		mini.SetError(row.failure)
		answer := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/readyz", nil)
		r.Host = "127.0.0.1"
		w.gateway.Admin().ServeHTTP(answer, r)
		assert.Equal(t, row.status, answer.Code, row.name)
		assert.Contains(t, answer.Body.String(), row.text, row.name)
		if row.log != "" {
			logged++
		}
		lines := regexp.MustCompile(`(?m)^.*wls gateway: (not )?ready.*$`).FindAllString(w.log.String(), -1)
		require.Len(t, lines, logged, row.name)
		if row.log != "" {
			assert.Contains(t, lines[logged-1], row.log)
		}
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequest(http.MethodGet, "/readyz", nil).WithContext(cancelled)
	r.Host = "127.0.0.1"
	w.gateway.Admin().ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, logged, strings.Count(w.log.String(), "ready again")+strings.Count(w.log.String(), "not ready"), "a probe that went away")
}
