package ratelimit

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A flood of keys makes the limiter stricter, never laxer, and needs no more memory.
func TestLimiterUnderFlood(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	const tries = 10
	s := New(tries, 30*time.Second)
	for range tries {
		require.Zero(t, s.Wait("anna", now))
		s.Add("anna", now)
	}
	require.Equal(t, 30*time.Second, s.Wait("anna", now))
	s.Remove("anna")
	require.Zero(t, s.Wait("anna", now))
	s.Add("anna", now)
	for i := range 100_000 {
		s.Add(strconv.Itoa(i), now)
	}
	assert.NotZero(t, s.Wait("anna", now), "nothing was forgotten")
	assert.Len(t, s.cells[0], Size)
	assert.Len(t, s.cells[1], Size)
}
