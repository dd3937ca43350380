package redisstore_test

import (
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// server is a Redis of a test's own.
type server struct {
	*enginetest.Redis
	t testing.TB
}

// startRedis starts a server that keeps nothing on disk, unless args say otherwise. It
// is gone when the test ends.
func startRedis(t testing.TB, args ...string) *server {
	t.Helper()
	r, err := enginetest.StartRedis(args...)
	enginetest.Require(t, err)
	t.Cleanup(r.Close)
	return &server{r, t}
}

// restart is kill -9, and a new process on the same port.
func (s *server) restart() {
	s.t.Helper()
	require.NoError(s.t, s.Restart())
}

// do runs a command.
func (s *server) do(args ...any) {
	s.t.Helper()
	require.NoError(s.t, s.Do(args...))
}

// open makes a Store on the server.
func (s *server) open(edit ...func(*redisstore.Config)) *redisstore.Store {
	s.t.Helper()
	return openStore(s.t, &redis.UniversalOptions{Addrs: []string{s.Addr}}, edit...)
}

// openStore makes a Store for the site soc.
func openStore(t testing.TB, options *redis.UniversalOptions, edit ...func(*redisstore.Config)) *redisstore.Store {
	t.Helper()
	cfg := redisstore.Config{Redis: options, Site: "soc", Timeout: patience, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range edit {
		f(&cfg)
	}
	if cfg.URL != "" {
		cfg.Redis = nil
	}
	store, err := redisstore.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

// startCluster starts a cluster, and returns with it what a Store needs to use it.
func startCluster(t testing.TB, masters, replicasEach int, args ...string) (*enginetest.RedisCluster, *redis.UniversalOptions) {
	t.Helper()
	c, err := enginetest.StartRedisCluster(masters, replicasEach, args...)
	enginetest.Require(t, err)
	t.Cleanup(c.Close)
	return c, &redis.UniversalOptions{Addrs: c.Addrs(), IsClusterMode: true}
}

// startSentinel is startCluster for a Redis that Sentinels watch.
func startSentinel(t testing.TB, replicas int, args ...string) (*enginetest.Sentinel, *redis.UniversalOptions) {
	t.Helper()
	s, err := enginetest.StartSentinel(replicas, args...)
	enginetest.Require(t, err)
	t.Cleanup(s.Close)
	return s, &redis.UniversalOptions{Addrs: s.Addrs(), MasterName: enginetest.MasterName}
}

// itemNow is made now, to the second as webauth makes them, and lasts longer than any test.
func itemNow(id string) webauth.Item {
	now := time.Now().Truncate(time.Second)
	return webauth.Item{ID: id, Issued: now, Expires: now.Add(time.Hour)}
}

// settle waits until what is made now is accepted, in every shard.
func settle(t testing.TB, s *redisstore.Store) {
	t.Helper()
	n := 0
	eventually(t, func() bool {
		for range 128 { // of 16 shards, none is left out
			n++
			if s.Once(t.Context(), itemNow(t.Name()+strconv.Itoa(n))) != nil {
				return false
			}
		}
		return true
	})
}

// eventually waits for something to become true, for half a minute.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if condition() {
			return
		}
		<-tick.C
	}
	require.FailNow(t, "it does not become true")
}
