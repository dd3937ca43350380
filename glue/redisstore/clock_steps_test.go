package redisstore_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestClockComesBackInSteps: Redis's clock leaps, is looked at, and comes back in steps that
// are small. What it forgot is not taken for new.
func TestClockComesBackInSteps(t *testing.T) {
	for name, steps := range map[string][]time.Duration{
		"10 minutes, back by 4:50":      {10 * time.Minute, -290 * time.Second},
		"5, 5, back by 5":               {290 * time.Second, 290 * time.Second, -290 * time.Second},
		"10 minutes, all back by steps": {10 * time.Minute, -290 * time.Second, -290 * time.Second, -20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			at := g.Now()
			item := webauth.Item{ID: "response:a", Issued: at, Expires: at.Add(35 * time.Second)}
			require.NoError(t, g.Once(t.Context(), item))
			clock := at
			for _, step := range steps {
				if clock = clock.Add(step); step > 0 {
					g.mini.FastForward(step)
				}
				g.mini.SetTime(clock)
				require.NoError(t, g.Check(t.Context()))
			}
			assert.Error(t, g.Once(t.Context(), item), "accepted twice")
		})
	}
}
