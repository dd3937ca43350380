package webauth_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// moving is a clock that tests move by hand.
type moving struct{ at atomic.Int64 }

func newMoving(at time.Time) *moving {
	m := &moving{}
	m.at.Store(at.UnixNano())
	return m
}

func (m *moving) now() time.Time          { return time.Unix(0, m.at.Load()) }
func (m *moving) advance(d time.Duration) { m.at.Add(int64(d)) }

func item(id string, lasts time.Duration) webauth.Item {
	return webauth.Item{ID: id, Issued: testNow, Expires: testNow.Add(lasts)}
}

func TestMemoryOneUse(t *testing.T) {
	m := webauth.NewMemoryOneUse(0, clock(testNow))
	require.NoError(t, m.Once(t.Context(), item("a", time.Minute)))
	require.ErrorIs(t, m.Once(t.Context(), item("a", time.Minute)), webauth.ErrUsed)
	require.ErrorIs(t, m.Once(t.Context(), item("a", time.Hour)), webauth.ErrUsed, "the ID alone counts")
	require.NoError(t, m.Once(t.Context(), item("b", time.Minute)))
}

func TestMemoryOneUseConcurrent(t *testing.T) {
	m := webauth.NewMemoryOneUse(0, clock(testNow))
	for round := range 50 {
		var won, used atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range 64 {
			wg.Go(func() {
				<-start
				switch err := m.Once(t.Context(), item(fmt.Sprint(round), time.Minute)); err {
				case nil:
					won.Add(1)
				case webauth.ErrUsed:
					used.Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 63, used.Load())
	}
}

func TestMemoryOneUseBound(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(10, now.now)
	for i := range 10 {
		// In an order that is neither that of expiry nor its reverse.
		require.NoError(t, m.Once(t.Context(), item(fmt.Sprint(i), time.Duration(i*7%10+1)*time.Minute)))
	}
	require.ErrorIs(t, m.Once(t.Context(), item("more", time.Hour)), webauth.ErrFull)
	require.ErrorIs(t, m.Once(t.Context(), item("3", time.Hour)), webauth.ErrUsed, "full or not, it knows what it holds")

	now.advance(time.Minute + time.Second) // one of them has expired
	require.NoError(t, m.Once(t.Context(), item("more", time.Hour)))
	require.ErrorIs(t, m.Once(t.Context(), item("and more", time.Hour)), webauth.ErrFull)

	now.advance(20 * time.Minute) // all but "more"
	for i := range 9 {
		require.NoError(t, m.Once(t.Context(), item(fmt.Sprint("new", i), time.Hour)))
	}
	require.ErrorIs(t, m.Once(t.Context(), item("new9", time.Hour)), webauth.ErrFull)
	require.ErrorIs(t, m.Once(t.Context(), item("more", time.Hour)), webauth.ErrUsed)
}

func TestMemoryOneUseRemembersUntilTheEnd(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(0, now.now)
	a := item("a", 1500*time.Millisecond)
	require.NoError(t, m.Once(t.Context(), a))
	for range 20 {
		now.advance(500 * time.Millisecond)
		// Once it is forgotten it is refused as too old: never a second nil.
		require.Error(t, m.Once(t.Context(), a), "at %v", now.now())
	}
	err := m.Once(t.Context(), a)
	require.NotErrorIs(t, err, webauth.ErrUsed, "it has been forgotten by now")
	assert.ErrorContains(t, err, "expired")
}

func TestMemoryOneUseAtTheVeryEnd(t *testing.T) {
	// A response is accepted until its last moment, so that moment counts too.
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(0, now.now)
	now.advance(time.Minute)
	require.NoError(t, m.Once(t.Context(), item("a", time.Minute)))
	require.ErrorIs(t, m.Once(t.Context(), item("a", time.Minute)), webauth.ErrUsed)
}

// What was used before a restart nobody knows after it.
func TestMemoryOneUseRefusesWhatIsOlderThanItself(t *testing.T) {
	m := webauth.NewMemoryOneUse(0, clock(testNow))
	old := item("a", time.Minute)
	old.Issued = testNow.Add(-time.Second)
	err := m.Once(t.Context(), old)
	require.ErrorContains(t, err, "older than the memory")
	require.NotErrorIs(t, err, webauth.ErrUsed)
	old.Issued = testNow
	require.NoError(t, m.Once(t.Context(), old))
}

// inUse gives a memory that has been there for an hour.
func inUse(size int) *webauth.MemoryOneUse {
	now := newMoving(testNow.Add(-time.Hour))
	m := webauth.NewMemoryOneUse(size, now.now)
	now.advance(time.Hour)
	return m
}

func TestMemoryOneUseUnsignedHalf(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(10, now.now)
	unsigned := func(id string) error {
		it := item(id, time.Minute)
		it.Unsigned = true
		return m.Once(t.Context(), it)
	}
	for i := range 5 {
		require.NoError(t, unsigned(fmt.Sprint("u", i)))
	}
	require.ErrorIs(t, unsigned("u5"), webauth.ErrFull)
	require.ErrorIs(t, unsigned("u0"), webauth.ErrUsed)
	for i := range 5 {
		require.NoError(t, m.Once(t.Context(), item(fmt.Sprint("s", i), time.Hour)))
	}
	require.ErrorIs(t, m.Once(t.Context(), item("s5", time.Hour)), webauth.ErrFull)

	now.advance(2 * time.Minute) // the unsigned ones have gone
	u := item("u6", time.Hour)
	u.Unsigned = true
	require.NoError(t, m.Once(t.Context(), u), "room for unsigned ones comes back")
}

func TestMemoryOneUseSignedMayFillAll(t *testing.T) {
	m := webauth.NewMemoryOneUse(4, clock(testNow))
	for i := range 4 {
		require.NoError(t, m.Once(t.Context(), item(fmt.Sprint(i), time.Minute)))
	}
	u := item("u", time.Minute)
	u.Unsigned = true
	require.ErrorIs(t, m.Once(t.Context(), u), webauth.ErrFull)
}

func TestMemoryOneUseDefaults(t *testing.T) {
	m := webauth.NewMemoryOneUse(-1, nil)
	now := time.Now()
	it := webauth.Item{ID: "a", Issued: now, Expires: now.Add(time.Hour)}
	require.NoError(t, m.Once(t.Context(), it))
	require.ErrorIs(t, m.Once(t.Context(), it), webauth.ErrUsed)
}
