package webauth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// A clock that leaps ahead and is put back makes nothing good again that was used, and
// keeps out nothing that is made after it, or was made before it and was not asked about.
func TestMemoryOneUseClockLeaps(t *testing.T) {
	for _, kind := range []string{"response", "token", "form", "xsrf", "xsrf-visitor", "mine"} {
		for _, row := range []struct {
			name string
			leap time.Duration
			life time.Duration
			seen bool // something is asked for meanwhile
		}{
			{"nobody noticed", time.Hour, 35 * time.Second, false},
			{"by an hour", time.Hour, 35 * time.Second, true},
			{"by a moment", 37 * time.Second, 35 * time.Second, true},
			{"by years", 20_000 * time.Hour, time.Hour, true},
			{"back, and then right again", -2 * time.Hour, time.Hour, true},
		} {
			t.Run(kind+", "+row.name, func(t *testing.T) {
				now := newMoving(testNow.Add(-3 * time.Hour)) // the memory is older
				m := webauth.NewMemoryOneUse(0, now.now)
				now.advance(3 * time.Hour)
				used, late := item(kind+":used", row.life), item(kind+":late", row.life+time.Second)
				require.NoError(t, m.Once(t.Context(), used))

				now.advance(row.leap)
				if row.seen {
					_ = m.Once(t.Context(), late) // expired by this clock
					_ = m.Once(t.Context(), webauth.Item{ID: "other:a", Issued: now.now(), Expires: now.now().Add(time.Second)})
				}
				now.advance(-row.leap + 2*time.Second) // what was refused is as if made a second after the first
				for range 2 {
					err := m.Once(t.Context(), used)
					require.ErrorIs(t, err, webauth.ErrUsed, "there was room to remember it")
				}
				if row.seen && row.leap > row.life {
					require.ErrorIs(t, m.Once(t.Context(), late), webauth.ErrForgotten, "it was refused, which vouches for nothing")
				}
				if !row.seen || row.leap <= row.life {
					require.NoError(t, m.Once(t.Context(), item(kind+":waiting", row.life+time.Second)), "made before the leap")
				}
				fresh := webauth.Item{ID: kind + ":fresh", Issued: now.now(), Expires: now.now().Add(row.life)}
				require.NoError(t, m.Once(t.Context(), fresh), "made after the clock was put right")
				require.ErrorIs(t, m.Once(t.Context(), fresh), webauth.ErrUsed)
			})
		}
	}
}

// Tokens that last an hour keep out no responses, which last half a minute.
func TestMemoryOneUseForgetsByKind(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(0, now.now)
	now.advance(2 * time.Hour)
	require.ErrorContains(t, m.Once(t.Context(), item("token:a", time.Hour)), "expired")
	now.advance(-2*time.Hour + time.Second)
	require.ErrorIs(t, m.Once(t.Context(), item("token:a", time.Hour)), webauth.ErrForgotten)
	assert.NoError(t, m.Once(t.Context(), item("response:a", 35*time.Second)))
}

// Where there is no room to remember all that was used before a leap, what may have been
// used is refused all the same.
func TestMemoryOneUseClockLeapsWhenCrowded(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(60, now.now)
	for i := range 40 {
		require.NoError(t, m.Once(t.Context(), item(fmt.Sprint("token:", i), time.Hour)))
	}
	now.advance(2 * time.Hour)
	for i := range 40 {
		require.NoError(t, m.Once(t.Context(), webauth.Item{ID: fmt.Sprint("response:", i), Issued: now.now(), Expires: now.now()}))
	}
	now.advance(-2*time.Hour + time.Second)
	for i := range 40 {
		require.ErrorIs(t, m.Once(t.Context(), item(fmt.Sprint("token:", i), time.Hour)), webauth.ErrForgotten)
	}
}

// A clock that runs as it should keeps nothing out, up to the last moment of each item.
func TestMemoryOneUseForgetsInOrder(t *testing.T) {
	now := newMoving(testNow)
	m := webauth.NewMemoryOneUse(0, now.now)
	for i := range 500 {
		now.advance(700 * time.Millisecond)
		late := webauth.Item{ID: fmt.Sprint("response:", i), Issued: now.now().Add(-35 * time.Second), Expires: now.now()}
		if late.Issued.Before(testNow) {
			late.Issued = testNow
		}
		require.NoError(t, m.Once(t.Context(), late))
	}
}

// What was used within the second in which a site is started again is not known there.
func TestMemoryOneUseRestartWithinASecond(t *testing.T) {
	at := func(d time.Duration) time.Time { return testNow.Add(d) }
	for _, row := range []struct {
		name          string
		issued, start time.Time
		want          error
	}{
		{"made in this second, as far as one can tell", at(0), at(400 * time.Millisecond), webauth.ErrForgotten},
		{"made just before", at(399 * time.Millisecond), at(400 * time.Millisecond), webauth.ErrForgotten},
		{"made at the end of the second before", at(-time.Nanosecond), at(time.Nanosecond), webauth.ErrForgotten},
		{"made just after", at(401 * time.Millisecond), at(400 * time.Millisecond), nil},
		{"made in the next second", at(time.Second), at(999 * time.Millisecond), nil},
		{"a clock that stands on a whole second", at(0), at(0), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := webauth.NewMemoryOneUse(0, clock(row.start))
			err := m.Once(t.Context(), webauth.Item{ID: "response:a", Issued: row.issued, Expires: testNow.Add(time.Minute)})
			if row.want == nil {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, row.want)
		})
	}
}

// The same with a whole login: it cannot be used again after a restart, and one that
// begins after the restart works at once.
func TestVerifyRestartWithinASecond(t *testing.T) {
	now := newMoving(testNow.Add(100 * time.Millisecond))
	s := newSite(t)
	s.signer = newSigner(t, func(c *webauth.SignerConfig) { c.Now = now.now })
	started := func() *webauth.Verifier {
		memory := webauth.NewMemoryOneUse(0, now.now)
		return s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse, c.Now = memory, now.now })
	}
	login := func(id string) string {
		r := success(s.params(t, nil))
		r.ID, r.Issue = id, testNow // the second's beginning, as WLSs write it
		return signed(t, r)
	}
	before := started()
	now.advance(100 * time.Millisecond)
	used := login("1")
	_, err := before.Verify(t.Context(), used, s.here())
	require.NoError(t, err, "in the site's first second")

	now.advance(100 * time.Millisecond)
	after := started()
	_, err = after.Verify(t.Context(), used, s.here())
	wantReason(t, webauth.ReasonForgotten, err)

	now.advance(100 * time.Millisecond)
	fresh := login("2")
	_, err = after.Verify(t.Context(), fresh, s.here())
	require.NoError(t, err, "made after the restart")
	_, err = after.Verify(t.Context(), fresh, s.here())
	wantReason(t, webauth.ReasonReplay, err)
}
