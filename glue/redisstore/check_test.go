package redisstore_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// TestRealReadOnly: a Redis that takes no writes is found before anybody cannot log in, people
// who are logged in are served, and a machine that is started meanwhile serves them too.
func TestRealReadOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name         string
		spoil, mend  []any
		want         string
		canStart     bool
		ofAnotherOne bool // spoil takes the address of another server
	}{
		{name: "full", spoil: []any{"CONFIG", "SET", "maxmemory", "1"}, mend: []any{"CONFIG", "SET", "maxmemory", "0"},
			want: "its memory is full: raise maxmemory", canStart: true},
		{name: "without the replicas that it must have", spoil: []any{"CONFIG", "SET", "min-replicas-to-write", "1"},
			mend: []any{"CONFIG", "SET", "min-replicas-to-write", "0"}, want: "it has fewer replicas than min-replicas-to-write: start them", canStart: true},
		{name: "a replica", spoil: []any{"REPLICAOF"}, mend: []any{"REPLICAOF", "NO", "ONE"},
			want: "it is a replica: give the address of the master", ofAnotherOne: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			s := server.open()
			settle(t, s)
			cookie := save(t, s, values{"principal": "spqr1"})
			require.NoError(t, s.Check(t.Context()))
			if row.ofAnotherOne {
				other := startRedis(t)
				copyOf(t, server, other) // what is to be copied back
				host, port, err := net.SplitHostPort(other.Addr)
				require.NoError(t, err)
				row.spoil = append(row.spoil, host, port)
			}
			server.do(row.spoil...)
			for name, err := range map[string]error{"Check": s.Check(t.Context()), "Once": s.Once(t.Context(), itemNow("a"))} {
				require.ErrorIs(t, err, redisstore.ErrReadOnly, name)
				require.ErrorContains(t, err, "Redis at "+server.Addr+": it takes no writes, so that nobody can log in: "+row.want, name)
			}
			assert.False(t, load(t, s, cookie).IsNew, "who is in stays in")
			var log buffer
			started, err := redisstore.New(redisstore.Config{URL: "redis://" + server.Addr, Site: "soc", Timeout: patience, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if row.canStart {
				require.NoError(t, err)
				assert.False(t, load(t, started, cookie).IsNew)
				assert.Contains(t, log.String(), row.want)
				require.NoError(t, started.Close())
			} else {
				require.ErrorContains(t, err, row.want)
			}
			server.do(row.mend...)
			require.NoError(t, s.Check(t.Context()))
			settle(t, s)
		})
	}
}

// copyOf waits until a server has what another one has, by a moment as its replica.
func copyOf(t *testing.T, from, to *server) {
	t.Helper()
	host, port, err := net.SplitHostPort(from.Addr)
	require.NoError(t, err)
	to.do("REPLICAOF", host, port)
	c := from.Client()
	defer func() { require.NoError(t, c.Close()) }()
	eventually(t, func() bool {
		n, err := c.Wait(t.Context(), 1, patience).Result()
		return err == nil && n == 1
	})
	to.do("REPLICAOF", "NO", "ONE")
}

// TestRealWarnings: where a replica can take over, what is missing for that is said by New,
// and by Check once when it changes.
func TestRealWarnings(t *testing.T) {
	t.Parallel()
	const lone, split = "it has no replica", "min-replicas-to-write is 0"
	set := func(t *testing.T, servers []*enginetest.Redis, n int) {
		t.Helper()
		for _, r := range servers {
			require.NoError(t, r.Do("CONFIG", "SET", "min-replicas-to-write", n))
		}
	}
	for _, row := range []struct {
		name  string
		start func(*testing.T) ([]*enginetest.Redis, *redis.UniversalOptions)
		want  string
		times int
		safe  bool // with min-replicas-to-write
	}{
		{"one Redis", func(t *testing.T) ([]*enginetest.Redis, *redis.UniversalOptions) {
			r := startRedis(t)
			return []*enginetest.Redis{r.Redis}, &redis.UniversalOptions{Addrs: []string{r.Addr}}
		}, "", 0, false},
		{"lone master with Sentinels", func(t *testing.T) ([]*enginetest.Redis, *redis.UniversalOptions) {
			s, options := startSentinel(t, 0)
			return s.Servers, options
		}, lone, 1, false},
		{"replica with Sentinels", func(t *testing.T) ([]*enginetest.Redis, *redis.UniversalOptions) {
			s, options := startSentinel(t, 1)
			return s.Servers, options
		}, split, 1, true},
		{"lone masters of a cluster", func(t *testing.T) ([]*enginetest.Redis, *redis.UniversalOptions) {
			c, options := startCluster(t, 2, 0)
			return c.Servers, options
		}, lone, 2, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			servers, options := row.start(t)
			var log buffer
			s := openStore(t, options, func(c *redisstore.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			for range 3 {
				require.NoError(t, s.Check(t.Context()))
			}
			assert.Equal(t, row.times, strings.Count(log.String(), "level=WARN"), log.String())
			assert.Equal(t, row.times, strings.Count(log.String(), row.want)*min(row.times, 1))
			if !row.safe {
				return
			}
			set(t, servers, 1)
			require.NoError(t, s.Check(t.Context()))
			assert.Equal(t, row.times, strings.Count(log.String(), "level=WARN"), "no more to say")
			set(t, servers, 0)
			require.NoError(t, s.Check(t.Context()))
			assert.Equal(t, 2*row.times, strings.Count(log.String(), row.want), "it is said again")
		})
	}
}
