package redisstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var _ webauth.PairOneUse = (*redisstore.Store)(nil)

// item was made now and lasts a minute.
func (g *rig) item(id string) webauth.Item {
	return webauth.Item{ID: id, Issued: g.Now(), Expires: g.Now().Add(time.Minute)}
}

func TestOnce(t *testing.T) {
	g := newRig(t)
	ctx := t.Context()
	require.NoError(t, g.Once(ctx, g.item("a")))
	assert.ErrorIs(t, g.Once(ctx, g.item("a")), webauth.ErrUsed)
	assert.ErrorIs(t, g.another(t).Once(ctx, g.item("a")), webauth.ErrUsed, "at another machine")
	assert.NoError(t, g.Once(ctx, g.item("b")))
	unsigned := g.item("a")
	unsigned.Unsigned = true
	assert.ErrorIs(t, g.Once(ctx, unsigned), webauth.ErrUsed)

	g.cfg.Site = "soc2"
	two := g.another(t)
	g.advance(time.Second)
	assert.NoError(t, two.Once(ctx, g.item("a")), "another site's")
}

func TestOnceKeepsIDsApart(t *testing.T) {
	g := newRig(t)
	for _, id := range []string{"x", "x ", "X", "x\x00", "memory", "{soc2}", strings.Repeat("x", 1000)} {
		assert.NoError(t, g.Once(t.Context(), g.item(id)), id)
	}
	assert.ErrorContains(t, g.Once(t.Context(), g.item("")), "no ID")
}

func TestOnceUntilTheItemExpires(t *testing.T) {
	g := newRig(t)
	item := g.item("a")
	require.NoError(t, g.Once(t.Context(), item))
	g.advance(time.Minute)
	assert.ErrorIs(t, g.Once(t.Context(), item), webauth.ErrUsed)
	g.advance(time.Second)
	assert.ErrorContains(t, g.Once(t.Context(), item), "expired")
	assert.ErrorContains(t, g.Once(t.Context(), webauth.Item{ID: "new", Issued: item.Issued, Expires: item.Expires}), "expired")

	// A machine whose clock is behind takes the item for a fresh one.
	g.now = g.now.Add(-4 * time.Minute)
	g.mini.FastForward(4*time.Minute - time.Second)
	assert.ErrorIs(t, g.Once(t.Context(), item), webauth.ErrUsed)
	g.mini.FastForward(time.Minute)
	assert.Empty(t, g.keys(), "the mark goes away by itself")
}

func TestLostMemory(t *testing.T) {
	for name, memory := range map[string]string{
		"emptied":         "",
		"hostile":         " 0x0",
		"hostile, no gap": "0",
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			ctx := t.Context()
			used, fresh := g.item("used"), g.item("fresh")
			require.NoError(t, g.Once(ctx, used))
			if memory == "" {
				g.mini.FlushAll()
			} else {
				g.note(t, memory)
			}
			g.advance(10 * time.Second)
			for _, item := range []webauth.Item{used, fresh} {
				for range 2 {
					err := g.Once(ctx, item)
					if memory != "" && item.ID == "used" {
						require.ErrorIs(t, err, webauth.ErrUsed, "the mark is still there")
						continue
					}
					require.ErrorIs(t, err, redisstore.ErrLostMemory)
					require.NotErrorIs(t, err, webauth.ErrUsed)
				}
			}
			assert.ErrorContains(t, g.Once(ctx, fresh), "remembers since 2026-11-22T10:00:11Z, this was made at 2026-11-22T10:00:01Z")

			at := g.Now()
			near := func(d time.Duration) webauth.Item {
				return webauth.Item{ID: fmt.Sprint(d), Issued: at.Add(d), Expires: at.Add(time.Minute)}
			}
			assert.ErrorIs(t, g.Once(ctx, near(0)), redisstore.ErrLostMemory)
			assert.ErrorIs(t, g.Once(ctx, near(499*time.Millisecond)), redisstore.ErrLostMemory, "too near")
			assert.NoError(t, g.Once(ctx, near(500*time.Millisecond)))
			assert.ErrorIs(t, g.Once(ctx, near(500*time.Millisecond)), webauth.ErrUsed)
			assert.ErrorIs(t, g.Once(ctx, webauth.Item{ID: "no time", Expires: at.Add(time.Minute)}), redisstore.ErrLostMemory)
		})
	}
}

// TestMemoryByTheLaterClock: neither a slow clock of Redis nor one of ours brings the
// beginning of memory forward.
func TestMemoryByTheLaterClock(t *testing.T) {
	for name, redisAhead := range map[string]time.Duration{"Redis ahead": time.Minute, "Redis behind": -time.Minute} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			g.mini.FlushAll()
			g.mini.SetTime(g.Now().Add(redisAhead))
			require.NoError(t, g.Check(t.Context()))
			later := g.Now().Add(max(redisAhead, 0) + 500*time.Millisecond)
			item := func(at time.Time) webauth.Item {
				return webauth.Item{ID: at.String(), Issued: at, Expires: at.Add(time.Minute)}
			}
			assert.ErrorIs(t, g.Once(t.Context(), item(later.Add(-time.Millisecond))), redisstore.ErrLostMemory)
			assert.NoError(t, g.Once(t.Context(), item(later)))
		})
	}
}

// TestMemoryFromAWrongClock: whoever noticed the loss had a clock that was ahead.
func TestMemoryFromAWrongClock(t *testing.T) {
	g := newRig(t)
	at := func(d time.Duration) {
		g.note(t, fmt.Sprint(" ", g.Now().Add(d).UnixMilli()))
	}
	at(time.Hour)
	for range 2 {
		assert.ErrorIs(t, g.Once(t.Context(), g.item("a")), redisstore.ErrLostMemory, "for an hour")
		g.advance(time.Second)
	}
	g.advance(time.Hour)
	assert.NoError(t, g.Once(t.Context(), g.item("a")))

	at(time.Hour + time.Millisecond)
	assert.ErrorIs(t, g.Once(t.Context(), g.item("b")), redisstore.ErrLostMemory, "what was made until now is refused in any case")
	g.advance(time.Second)
	assert.NoError(t, g.Once(t.Context(), g.item("b")), "but not for a whole hour")
}

func TestCheckNotesALossEarly(t *testing.T) {
	g := newRig(t)
	g.mini.FlushAll()
	require.NoError(t, g.Check(t.Context()))
	g.advance(time.Second)
	item := g.item("a")
	g.advance(10 * time.Second)
	assert.NoError(t, g.Once(t.Context(), item))
}

// TestOneLossIsNotedInAllShards: else the first login in each shard would be sent back,
// however long after the loss it began.
func TestOneLossIsNotedInAllShards(t *testing.T) {
	g := newRig(t)
	g.mini.FlushAll()
	require.ErrorIs(t, g.Once(t.Context(), g.item("a")), redisstore.ErrLostMemory)
	g.advance(10 * time.Minute)
	for i := range 64 {
		item := g.item(fmt.Sprint("begun later ", i))
		g.advance(time.Second)
		assert.NoError(t, g.Once(t.Context(), item))
	}
}

// TestOnceKnowsItsOwnMark: the reply to a call gets lost and the client sends the call
// again; that is no second use.
func TestOnceKnowsItsOwnMark(t *testing.T) {
	g := newRig(t)
	proxy := newProxy(t, g.mini.Addr())
	g.cfg.URL = "redis://" + proxy.addr
	s := g.another(t)
	require.NoError(t, s.Once(t.Context(), g.item("warm up: the script is known")))
	proxy.dropReplies(1)
	require.NoError(t, s.Once(t.Context(), g.item("a")))
	assert.Equal(t, 1, proxy.dropped())
	assert.ErrorIs(t, s.Once(t.Context(), g.item("a")), webauth.ErrUsed)
}

func TestOnceCannotSay(t *testing.T) {
	g := newRig(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err := g.Once(cancelled, g.item("a"))
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, webauth.ErrUsed)

	g.mini.SetError("OOM command not allowed when used memory > 'maxmemory'.")
	err = g.Once(t.Context(), g.item("b"))
	require.ErrorContains(t, err, "OOM")
	assert.NotErrorIs(t, err, webauth.ErrUsed)
	g.mini.SetError("")

	addr := g.mini.Addr()
	g.mini.Close()
	err = g.Once(t.Context(), g.item("c"))
	require.ErrorContains(t, err, addr)
	assert.NotErrorIs(t, err, webauth.ErrUsed)
	require.NoError(t, g.mini.Restart())
	assert.NoError(t, g.Once(t.Context(), g.item("c")), "back by itself; this Redis lost nothing")
}
