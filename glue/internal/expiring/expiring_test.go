package expiring

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSet(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := New(time.Minute, 3, func() time.Time { return now })
	r.Add("ada", "secret")
	assert.True(t, r.Has("ada", "secret"))
	assert.False(t, r.Has("adas", "ecret"))
	assert.False(t, r.Has("ada"))
	assert.False(t, r.Has("ada", "secret", ""))
	assert.False(t, r.Has())
	assert.False(t, New(time.Minute, 3, r.now).Has("ada", "secret"), "each has its own key")
	assert.NotEqual(t, New(time.Minute, 3, r.now).Sum("ada"), r.Sum("ada"))

	now = now.Add(30 * time.Second)
	r.Add("bob", "secret")
	now = now.Add(30 * time.Second)
	assert.False(t, r.Has("ada", "secret"))
	r.Add("cid", "secret")
	r.Add("dan", "secret")
	assert.True(t, r.Has("bob", "secret"), "what is over goes first")
	for i := range 100 {
		r.Add(strconv.Itoa(i))
		assert.True(t, r.Has(strconv.Itoa(i)))
		assert.LessOrEqual(t, len(r.known), 3)
		assert.Equal(t, len(r.known), r.order.Len())
	}
}

// What is added again stays, and is not counted twice.
func TestSetAddedAgain(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := New(time.Minute, 2, func() time.Time { return now })
	r.Add("ada")
	r.Add("bob")
	now = now.Add(30 * time.Second)
	r.Add("ada")
	require.Equal(t, 2, r.order.Len())
	r.Add("cid")
	assert.True(t, r.Has("ada"), "bob was the first")
	assert.False(t, r.Has("bob"))
	now = now.Add(59 * time.Second)
	assert.True(t, r.Has("ada"), "its time began anew")
	now = now.Add(time.Second)
	assert.False(t, r.Has("ada"))
}

// BenchmarkAdd adds to a Set that is full: of what has not expired, and of what has. max-us
// is the longest that one call took.
func BenchmarkAdd(b *testing.B) {
	for name, later := range map[string]time.Duration{"full": 0, "expired": time.Hour} {
		b.Run(name, func(b *testing.B) {
			now := time.Unix(1_800_000_000, 0)
			r := New(time.Minute, 10_000, func() time.Time { return now })
			for i := range 10_000 {
				r.Add("before", strconv.Itoa(i))
			}
			now = now.Add(later)
			var longest time.Duration
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				begin := time.Now()
				r.Add(strconv.Itoa(i))
				longest = max(longest, time.Since(begin))
				i++
			}
			b.ReportMetric(float64(longest.Microseconds()), "max-us")
		})
	}
}
