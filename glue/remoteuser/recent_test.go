package remoteuser

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRecent(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	r := newRecent(time.Minute, 3, func() time.Time { return now })
	r.add("ada", "secret")
	assert.True(t, r.has("ada", "secret"))
	assert.False(t, r.has("adas", "ecret"))
	assert.False(t, r.has("ada"))
	assert.False(t, newRecent(time.Minute, 3, r.now).has("ada", "secret"), "each has its own key")
	assert.NotEqual(t, newRecent(time.Minute, 3, r.now).sum("ada"), r.sum("ada"))

	now = now.Add(30 * time.Second)
	r.add("bob", "secret")
	now = now.Add(30 * time.Second)
	assert.False(t, r.has("ada", "secret"))
	r.add("cid", "secret")
	r.add("dan", "secret")
	assert.True(t, r.has("bob", "secret"), "what is over goes first")
	for i := range 100 {
		r.add(strconv.Itoa(i))
		assert.True(t, r.has(strconv.Itoa(i)))
		assert.LessOrEqual(t, len(r.until), 3)
	}
}
