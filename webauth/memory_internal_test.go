package webauth

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever expires at once is dropped a little at a time, so that no call waits for it,
// and gives room as it is needed.
func TestMemoryOneUseForgetsALittleAtATime(t *testing.T) {
	begin := time.Unix(1772366400, 0)
	for _, row := range []struct {
		name   string
		spread int // seconds over which they expire
	}{
		{"all in one second", 1},
		{"over a minute", 60},
		{"each in a second of its own", 3000},
	} {
		t.Run(row.name, func(t *testing.T) {
			const size = 3000 * 3 / 4 // what logins may have of it
			now := begin
			m := NewMemoryOneUse(3000, func() time.Time { return now })
			item := func(id string, i int) Item {
				return Item{ID: fmt.Sprint(id, i), Issued: now, Expires: now.Add(time.Duration(1+i%row.spread) * time.Second)}
			}
			for i := range size {
				require.NoError(t, m.Once(t.Context(), item("token:", i)))
			}
			require.ErrorIs(t, m.Once(t.Context(), item("token:", size)), ErrFull)
			now = now.Add(2 * time.Hour)
			for i := range size {
				before := len(m.used)
				fresh := Item{ID: fmt.Sprint("token:new", i), Issued: now, Expires: now.Add(time.Hour)}
				require.NoError(t, m.Once(t.Context(), fresh), "nobody is kept out by what has expired")
				require.LessOrEqual(t, before+1-len(m.used), 100, "which takes some microseconds")
			}
			require.Len(t, m.used, size, "all of the first ones have gone")
			require.Equal(t, size, m.rooms[RoomLogin].count)
		})
	}
}

// Other rooms' expired items give way as well, but for the few that may linger.
func TestMemoryOneUseForgetsInAllRooms(t *testing.T) {
	now := time.Unix(1772366400, 0)
	m := NewMemoryOneUse(1000, func() time.Time { return now })
	for i := range 300 {
		require.NoError(t, m.Once(t.Context(), Item{ID: fmt.Sprint("form:", i), Issued: now, Expires: now}))
	}
	now = now.Add(time.Second)
	for i := range 300 {
		require.NoError(t, m.Once(t.Context(), Item{ID: fmt.Sprint("xsrf:", i), Issued: now, Expires: now}))
	}
	assert.Equal(t, 300+m.reserved(RoomForm)/2, len(m.used))
}

// The queue gives all back that was put in, the first to expire first.
func TestExpiryQueue(t *testing.T) {
	var q expiryQueue
	seconds := []int64{5, 3, 9, 3, 3, 7, 5, 3, 1, 3, 3, 3, 3}
	want := map[mark]int64{}
	for i, s := range seconds {
		k := mark{id: markID{byte(i)}, kind: kindOf("token:")}
		want[k] = s
		q.add(k, s)
	}
	_, _, ok := q.popBefore(1)
	require.False(t, ok, "what expires now has not expired")
	last := int64(0)
	for range seconds {
		k, s, ok := q.popBefore(10)
		require.True(t, ok)
		require.Equal(t, want[k], s)
		require.GreaterOrEqual(t, s, last)
		delete(want, k)
		last = s
	}
	assert.Empty(t, want)
	_, _, ok = q.popBefore(10)
	assert.False(t, ok)
	assert.Empty(t, q.at)
}
