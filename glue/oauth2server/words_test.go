package oauth2server

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAgoText(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"just now":              0,
		"1 minute ago":          time.Minute,
		"59 minutes ago":        time.Hour - 1,
		"1 hour ago":            2*time.Hour - 1,
		"23 hours ago":          day - 1,
		"1 day ago":             2*day - 1,
		"2 days ago":            48 * time.Hour,
		"400 days ago":          400 * day,
		"106751 days ago":       math.MaxInt64,
		"in less than a minute": -1,
		"in 1 hour":             -time.Hour,
		"in 29 days":            -30*day + 1,
		"in 106751 days":        math.MinInt64,
	} {
		assert.Equal(t, want, agoText(d))
	}
	assert.Equal(t, "just now", agoText(time.Minute-1))
}
