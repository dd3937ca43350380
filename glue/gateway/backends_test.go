package gateway

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestRealBackends sends one table of requests through the gateway to servers as people
// run them behind it. None may believe anything that the gateway did not judge.
func TestRealBackends(t *testing.T) {
	requests, mismatches := 0, 0
	tried := tryBackends(t, realBackends, backendRows())
	for _, b := range tried {
		requests += len(b.asked)
		mismatches += len(b.wrong)
		assert.Empty(t, b.wrong[:min(len(b.wrong), 20)])
	}
	t.Logf("%d requests, %d backends, %d mismatches", requests, len(tried), mismatches)
}

// tryBackends sends rows to backends, several at once, and judges what became of them.
func tryBackends(t *testing.T, backends []realBackend, rows []backendRow, edit ...func(*world)) (tried []*backendWorld) {
	var mu sync.Mutex
	t.Run("backends", func(t *testing.T) {
		for _, of := range backends {
			t.Run(of.name, func(t *testing.T) {
				t.Parallel()
				b := newBackendWorld(t, &of, edit...)
				for i, row := range rows {
					if !of.slow || row.honest || i%9 == 0 {
						b.try(row)
					}
				}
				passed, believed := b.judge()
				t.Logf("%d requests, %d passed on, %d believed, %d mismatches", len(b.asked), passed, believed, len(b.wrong))
				mu.Lock()
				defer mu.Unlock()
				tried = append(tried, b)
			})
		}
	})
	return tried
}
