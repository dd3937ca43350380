package redisstore_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// manySessions is how many sessions a person has in these benchmarks.
const manySessions = 30_000

// crowd is a Redis in which one person has many sessions.
type crowd struct {
	*redisstore.Store
	client *redis.Client
	record map[string]string // of one session
	prefix string            // of the keys of records
	list   string            // key of the list
}

func newCrowd(b *testing.B) *crowd {
	b.Helper()
	server := startRedis(b)
	c := &crowd{Store: server.open(), client: server.Client()}
	save(b, c.Store, values{"principal": "spqr1"})
	b.Cleanup(func() { require.NoError(b, c.client.Close()) })
	one := func(pattern string) string {
		keys, err := c.client.Keys(b.Context(), pattern).Result()
		require.NoError(b, err)
		require.Len(b, keys, 1)
		return keys[0]
	}
	record := one("*}:session:*")
	c.list, c.prefix = one("*}:person:*"), record[:strings.LastIndex(record, ":")+1]
	var err error
	c.record, err = c.client.HGetAll(b.Context(), record).Result()
	require.NoError(b, err)
	return c
}

// fill gives the person many sessions, or only what is left in the list of sessions that
// expired.
func (c *crowd) fill(b *testing.B, expired bool) {
	b.Helper()
	require.NoError(b, c.client.Del(b.Context(), c.list).Err())
	for range 30 {
		_, err := c.client.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for range manySessions / 30 {
				handle, ends := (rand.Text() + rand.Text())[:43], time.Now().Add(time.Hour)
				if expired {
					ends = time.Now().Add(-time.Hour)
				} else {
					p.HSet(b.Context(), c.prefix+handle, c.record)
					p.PExpire(b.Context(), c.prefix+handle, time.Hour)
				}
				p.ZAdd(b.Context(), c.list, redis.Z{Score: float64(ends.UnixMilli()), Member: handle})
			}
			return nil
		})
		require.NoError(b, err)
	}
	for name, value := range map[string]string{"slowlog-log-slower-than": "0", "slowlog-max-len": "100000"} {
		require.NoError(b, c.client.ConfigSet(b.Context(), name, value).Err())
	}
	require.NoError(b, c.client.Do(b.Context(), "SLOWLOG", "RESET").Err())
}

// waitDuring runs f, and returns the longest that another client waited for a GET meanwhile.
func (c *crowd) waitDuring(b *testing.B, f func()) time.Duration {
	b.Helper()
	other := redis.NewClient(c.client.Options())
	ctx, stop := context.WithCancel(b.Context())
	waited := make(chan time.Duration)
	go func() {
		var longest time.Duration
		for ctx.Err() == nil {
			began := time.Now()
			_ = other.Get(b.Context(), "x").Err() // there is none
			longest = max(longest, time.Since(began))
		}
		waited <- longest
	}()
	f()
	stop()
	longest := <-waited
	require.NoError(b, other.Close())
	return longest
}

// longestScript returns the longest that a script ran in Redis since fill.
func (c *crowd) longestScript(b *testing.B) (longest time.Duration) {
	b.Helper()
	log, err := c.client.SlowLogGet(b.Context(), -1).Result()
	require.NoError(b, err)
	for _, entry := range log {
		if strings.EqualFold(entry.Args[0], "evalsha") {
			longest = max(longest, entry.Duration)
		}
	}
	return longest
}

// BenchmarkManySessions is what everybody waits for while something is done about a person
// with 30,000 sessions: run it with -benchtime 5x.
func BenchmarkManySessions(b *testing.B) {
	for _, bench := range []struct {
		name    string
		expired bool
		do      func(c *crowd) error
	}{
		{"RevokeAll", false, func(c *crowd) error { _, err := c.RevokeAll(context.Background(), "spqr1"); return err }},
		{"Sessions", false, func(c *crowd) error { _, err := c.Sessions(context.Background(), "spqr1"); return err }},
		{"Sessions/gone", true, func(c *crowd) error { _, err := c.Sessions(context.Background(), "spqr1"); return err }},
		{"Save/expired", true, func(c *crowd) error { save(b, c.Store, values{"principal": "spqr1"}); return nil }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := newCrowd(b)
			require.NoError(b, bench.do(c)) // Redis has the script
			var wait, script time.Duration
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				c.fill(b, bench.expired)
				b.StartTimer()
				wait = max(wait, c.waitDuring(b, func() { require.NoError(b, bench.do(c)) }))
				b.StopTimer()
				script = max(script, c.longestScript(b))
				b.StartTimer()
			}
			b.ReportMetric(float64(wait.Microseconds())/1000, "longest-wait-ms")
			b.ReportMetric(float64(script.Microseconds())/1000, "longest-script-ms")
		})
	}
}
