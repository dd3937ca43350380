package expiring

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
		assert.LessOrEqual(t, len(r.until), 3)
	}
}
