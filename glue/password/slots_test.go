package password

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However many strangers wait, their number is bounded, and a friend need not wait.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := newSlots(1)
		var ends []func()
		for range cap(slots.open) {
			done, err := slots.take(t.Context(), false)
			require.NoError(t, err)
			ends = append(ends, done)
		}
		var all sync.WaitGroup
		for range maxStrangers {
			all.Go(func() {
				done, err := slots.take(t.Context(), false)
				if assert.NoError(t, err) {
					done()
				}
			})
		}
		synctest.Wait()
		_, err := slots.take(t.Context(), false)
		require.ErrorIs(t, err, ErrCrowded)

		done, err := slots.take(t.Context(), true)
		require.NoError(t, err)
		done()
		done, err = slots.take(t.Context(), true)
		require.NoError(t, err, "more than once")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = slots.take(gone, true)
		require.ErrorIs(t, err, context.Canceled)
		done()

		for range maxFriends / 2 { // after a reload, say
			all.Go(func() {
				done, err := slots.take(t.Context(), true)
				if assert.NoError(t, err) {
					done()
				}
			})
		}
		synctest.Wait()
		for _, end := range ends {
			end()
		}
		all.Wait()
		began := time.Now()
		all.Go(func() {
			done, err := slots.take(t.Context(), false)
			if assert.NoError(t, err) {
				defer done()
				time.Sleep(time.Minute)
			}
		})
		synctest.Wait()
		_, err = slots.take(t.Context(), false)
		require.ErrorIs(t, err, ErrCrowded, "after a while")
		assert.Equal(t, maxWait, time.Since(began))
		all.Wait()
		done, err = slots.take(t.Context(), false)
		require.NoError(t, err, "nobody waits any more")
		done()
	})
}
