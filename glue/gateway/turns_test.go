package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// However many strangers wait, their number is bounded, and a friend need not wait.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		var ends []func()
		for range cap(turns.open) {
			done, err := turns.take(t.Context(), false)
			require.NoError(t, err)
			ends = append(ends, done)
		}
		var all sync.WaitGroup
		for range maxStrangers {
			all.Go(func() {
				done, err := turns.take(t.Context(), false)
				if assert.NoError(t, err) {
					done()
				}
			})
		}
		synctest.Wait()
		_, err := turns.take(t.Context(), false)
		require.ErrorIs(t, err, errCrowded)

		done, err := turns.take(t.Context(), true)
		require.NoError(t, err)
		done()
		done, err = turns.take(t.Context(), true)
		require.NoError(t, err, "more than once")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = turns.take(gone, true)
		require.ErrorIs(t, err, context.Canceled)
		done()

		for range maxFriends / 2 { // after a reload, say
			all.Go(func() {
				done, err := turns.take(t.Context(), true)
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
			done, err := turns.take(t.Context(), false)
			if assert.NoError(t, err) {
				defer done()
				time.Sleep(time.Minute)
			}
		})
		synctest.Wait()
		_, err = turns.take(t.Context(), false)
		require.ErrorIs(t, err, errCrowded, "after a while")
		assert.Equal(t, maxWait, time.Since(began))
		all.Wait()
		done, err = turns.take(t.Context(), false)
		require.NoError(t, err, "nobody waits any more")
		done()
	})
}

// Requests that ask the same share an answer, but not the fate of whoever asked.
func TestFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flights{now: map[string]*flight{}}
		asked := 0
		land := make(chan attempt)
		ask := func() attempt { asked++; return <-land }
		var answers [4]attempt
		var all sync.WaitGroup
		all.Go(func() { answers[0] = f.share(t.Context(), "a", ask) })
		synctest.Wait()
		for i := range answers[1:] {
			all.Go(func() { answers[i+1] = f.share(t.Context(), "a", ask) })
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, f.share(gone, "a", ask).err, context.Canceled)
		assert.Equal(t, attempt{right: true}, f.share(t.Context(), "b", func() attempt { return attempt{right: true} }))
		synctest.Wait()
		assert.Equal(t, 1, asked)

		land <- attempt{err: context.Canceled}
		synctest.Wait()
		assert.Equal(t, 2, asked, "another one asks then")
		land <- attempt{right: true}
		all.Wait()
		assert.ErrorIs(t, answers[0].err, context.Canceled)
		for _, a := range answers[1:] {
			assert.Equal(t, attempt{right: true}, a)
		}
		assert.Empty(t, f.now)
	})
}

// A crowd of strangers at the door is turned away in part, and does not keep out who was
// here before.
func TestBasicIsNotCrowdedOut(t *testing.T) {
	file := writeFile(t, "htpasswd", "anna:"+hashOf(t, "sesame", 4)+"\n")
	w := newWorld(t, kit{rules: []Rule{{Path: "/basic", Access: Basic, Htpasswd: file}}, config: func(cfg *Config) {
		cfg.Front.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}})
	from := func(addr string) func(*http.Request) { return header("X-Forwarded-For", addr) }
	v := w.visitor("")
	require.Equal(t, http.StatusOK, v.get("/basic", from("192.0.2.1"), password("anna", "sesame")).StatusCode)
	require.NoError(t, w.gateway.Reload(w.cfg), "what was right is forgotten")

	turns := w.gateway.attempts.turns
	for range cap(turns.open) {
		turns.open <- struct{}{}
	}
	var all sync.WaitGroup
	crowded := make(chan reply, 3*maxStrangers)
	for i := range 3 * maxStrangers {
		all.Go(func() {
			answer, err := v.try(http.MethodGet, "/basic", nil, from(fmt.Sprintf("2001:db8:%x::1", i)), password(manyUsers(i), "x"))
			if assert.NoError(t, err) && answer.StatusCode == http.StatusServiceUnavailable {
				crowded <- answer
			}
		})
	}
	for range 2 * maxStrangers {
		answer := <-crowded
		assert.Equal(t, "5", answer.Header.Get("Retry-After"))
		assert.Empty(t, answer.Header.Get("WWW-Authenticate"), "nothing is wrong with the password")
	}
	assert.Equal(t, http.StatusOK, v.get("/basic", from("192.0.2.1"), password("anna", "sesame")).StatusCode)
	for range cap(turns.open) {
		<-turns.open
	}
	all.Wait()
	assert.Empty(t, crowded)
}
