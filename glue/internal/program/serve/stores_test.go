package serve

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// onceFunc is a store that answers by ID, with a + where it is asked about a pair.
type onceFunc func(id string) error

func (f onceFunc) Once(_ context.Context, item webauth.Item) error { return f(item.ID) }

func (f onceFunc) OncePair(_ context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	return f(response.ID + "+"), f("+" + token.ID)
}

// TestOnceInBoth: Redis decides, and memory only knows more.
func TestOnceInBoth(t *testing.T) {
	away := errors.New("away")
	for _, row := range []struct {
		name                string
		redis, memory, want error
		asked               bool // of memory
	}{
		{"new", nil, nil, nil, true},
		{"used", webauth.ErrUsed, nil, webauth.ErrUsed, false},
		{"used before Redis", nil, webauth.ErrUsed, webauth.ErrUsed, true},
		{"older than this process", nil, webauth.ErrForgotten, nil, true},
		{"no room here", nil, webauth.ErrFull, nil, true},
		{"Redis is away", away, nil, away, false},
		{"Redis has forgotten", webauth.ErrForgotten, nil, webauth.ErrForgotten, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked := false
			both := onceInBoth{
				onceFunc(func(string) error { return row.redis }),
				onceFunc(func(string) error { asked = true; return row.memory }),
			}
			assert.Equal(t, row.want, both.Once(t.Context(), webauth.Item{}))
			assert.Equal(t, row.asked, asked)
		})
	}
}

// TestOnceInBothPair: what Redis vouches for, and nothing else, is marked in memory; both
// parts in one step.
func TestOnceInBothPair(t *testing.T) {
	away := errors.New("away")
	type errs [2]error // of the response and of the token
	for _, row := range []struct {
		name                string
		redis, memory, want errs
		asked               []string // of memory
	}{
		{"both new", errs{}, errs{}, errs{}, []string{"response+", "+token"}},
		{"both used", errs{webauth.ErrUsed, webauth.ErrUsed}, errs{}, errs{webauth.ErrUsed, webauth.ErrUsed}, nil},
		{"response used", errs{webauth.ErrUsed, nil}, errs{}, errs{webauth.ErrUsed, nil}, []string{"token"}},
		{"token used", errs{nil, webauth.ErrUsed}, errs{}, errs{nil, webauth.ErrUsed}, []string{"response"}},
		{"response used, token used before Redis", errs{webauth.ErrUsed, nil}, errs{nil, webauth.ErrUsed},
			errs{webauth.ErrUsed, webauth.ErrUsed}, []string{"token"}},
		{"token used, response used before Redis", errs{nil, webauth.ErrUsed}, errs{webauth.ErrUsed, nil},
			errs{webauth.ErrUsed, webauth.ErrUsed}, []string{"response"}},
		{"both used before Redis", errs{}, errs{webauth.ErrUsed, webauth.ErrUsed},
			errs{webauth.ErrUsed, webauth.ErrUsed}, []string{"response+", "+token"}},
		{"older than this process", errs{}, errs{webauth.ErrForgotten, webauth.ErrForgotten}, errs{}, []string{"response+", "+token"}},
		{"no room here", errs{}, errs{webauth.ErrFull, webauth.ErrFull}, errs{}, []string{"response+", "+token"}},
		{"Redis is away", errs{away, away}, errs{}, errs{away, away}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			answers := func(e errs, asked *[]string) onceFunc {
				return func(id string) error {
					*asked = append(*asked, id)
					if strings.Contains(id, "response") {
						return e[0]
					}
					return e[1]
				}
			}
			var redis, memory []string
			both := onceInBoth{answers(row.redis, &redis), answers(row.memory, &memory)}
			responseErr, tokenErr := both.OncePair(t.Context(), webauth.Item{ID: "response"}, webauth.Item{ID: "token"})
			assert.Equal(t, row.want, errs{responseErr, tokenErr})
			assert.Equal(t, row.asked, memory)
			assert.Equal(t, []string{"response+", "+token"}, redis)
		})
	}
}

// TestStores: what makes no difference shares a store, and what nothing uses is closed.
func TestStores(t *testing.T) {
	mini := miniredis.RunT(t)
	now := func() time.Time { return testNow }
	mini.SetTime(testNow)
	s := NewStores(now)
	base := Config{BaseURL: "https://soc.example", RedisURL: "redis://" + mini.Addr(), Now: now, Program: "wls test", Logger: slog.New(slog.DiscardHandler)}
	base.SetDefaults()
	use := func(edit func(*Config)) *Store {
		cfg := base
		edit(&cfg)
		store, err := s.Use(&cfg, &site.Findings{})
		require.NoError(t, err)
		return store
	}
	first := use(func(*Config) {})
	assert.Same(t, first, use(func(*Config) {}))
	longer := use(func(cfg *Config) { cfg.Session.MaxLife = Duration(5 * time.Hour) })
	elsewhere := use(func(cfg *Config) { cfg.BaseURL = "https://other.example" })
	assert.NotSame(t, first, longer)
	assert.NotSame(t, first, elsewhere)
	assert.Equal(t, 5*time.Hour, longer.key.maxLife)
	assert.Nil(t, use(func(cfg *Config) { cfg.RedisURL = "" }))
	for i, store := range []*Store{longer, elsewhere, first, nil} {
		s.Release(store, &base)
		assert.Len(t, s.stores, []int{2, 1, 1, 1}[i])
	}
	require.NoError(t, first.Check(t.Context()), "somebody uses it still")
	s.Release(first, &base)
	assert.Empty(t, s.stores)
	require.Error(t, first.Check(t.Context()), "it is closed")
}

func TestCheckRedisURL(t *testing.T) {
	var found site.Findings
	checkRedisURL(&found, "redis-url-file", "redis://soc:hunter4@redis.soc.example")
	require.Len(t, found, 1)
	assert.Equal(t, "warning: redis-url-file: whoever is on the way to Redis can read and make sessions: use rediss://", found[0].String())
}
