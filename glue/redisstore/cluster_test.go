package redisstore_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// TestRealCluster: with the rights that the documentation asks for, marks are at all masters.
func TestRealCluster(t *testing.T) {
	t.Parallel()
	cluster, options := startCluster(t, 3, 0)
	for _, r := range cluster.Servers {
		require.NoError(t, r.Do("ACL", "SETUSER", "soc", "on", ">p", "~wls1:{soc:*", "resetchannels",
			"-@all", "+@connection", "+@read", "+@write", "+@scripting", "+time", "+info", "+cluster|slots"))
	}
	options.Username, options.Password = "soc", "p"
	s := openStore(t, options)
	exercise(t, s)
	for i := range 50 {
		require.NoError(t, s.Once(t.Context(), itemNow(fmt.Sprint("mark ", i))))
	}
	for _, r := range cluster.Servers {
		assert.NotEmpty(t, keysOf(t, r, "wls1:{soc:*}:used:*"))
	}
}

func keysOf(t testing.TB, r *enginetest.Redis, pattern string) []string {
	t.Helper()
	c := r.Client()
	defer func() { require.NoError(t, c.Close()) }()
	keys, err := c.Keys(t.Context(), pattern).Result()
	require.NoError(t, err)
	return keys
}

// markedAt marks items made now, one at least at each master, and returns them by master.
func markedAt(t testing.TB, cluster *enginetest.RedisCluster, s *redisstore.Store, name string) map[*enginetest.Redis][]webauth.Item {
	t.Helper()
	items := map[*enginetest.Redis][]webauth.Item{}
	marks := map[*enginetest.Redis]int{}
	for i := 0; len(items) < len(cluster.Servers); i++ {
		for _, r := range cluster.Servers {
			marks[r] = len(keysOf(t, r, "*}:used:*"))
		}
		item := itemNow(fmt.Sprint(name, i))
		require.NoError(t, s.Once(t.Context(), item))
		for _, r := range cluster.Servers {
			if len(keysOf(t, r, "*}:used:*")) > marks[r] {
				items[r] = append(items[r], item)
			}
		}
	}
	return items
}

// beside returns an item of another's shard and age.
func beside(item webauth.Item) webauth.Item {
	item.Group = item.ID
	item.ID += " beside"
	return item
}

// TestRealClusterNode: what happens to one master is a matter of its shards alone.
func TestRealClusterNode(t *testing.T) {
	t.Parallel()
	cluster, options := startCluster(t, 3, 0)
	var log buffer
	open := func() *redisstore.Store {
		return openStore(t, options, func(c *redisstore.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	}
	s, other := open(), open()
	settle(t, s)
	struck := cluster.Servers[1]

	t.Run("flushed", func(t *testing.T) {
		used := markedAt(t, cluster, s, "flushed")
		require.NoError(t, struck.Do("FLUSHALL"))
		for r, items := range used {
			for _, item := range items {
				for _, store := range []*redisstore.Store{s, other} {
					if err := store.Once(t.Context(), item); r == struck {
						assert.ErrorIs(t, err, redisstore.ErrLostMemory)
					} else {
						assert.ErrorIs(t, err, webauth.ErrUsed)
					}
				}
				if err := s.Once(t.Context(), beside(item)); r == struck {
					assert.ErrorIs(t, err, redisstore.ErrLostMemory, "it may have been used")
				} else {
					assert.NoError(t, err, "the others lost nothing")
				}
			}
		}
		settle(t, s)
	})

	t.Run("down", func(t *testing.T) {
		used := markedAt(t, cluster, s, "down")
		struck.Kill()
		require.ErrorContains(t, s.Check(t.Context()), struck.Addr)
		started := open()
		assert.Contains(t, log.String(), "logins will fail until this is mended")
		for r, items := range used {
			for _, item := range items {
				if err := started.Once(t.Context(), beside(item)); r == struck {
					assert.Error(t, err)
				} else {
					assert.NoError(t, err)
				}
				assert.Error(t, started.Once(t.Context(), item))
			}
		}
		require.NoError(t, struck.Restart())
		eventually(t, func() bool { return s.Check(t.Context()) == nil })
		for _, item := range used[struck] {
			assert.ErrorIs(t, s.Once(t.Context(), item), redisstore.ErrLostMemory)
		}
		settle(t, s)
	})

	t.Run("full", func(t *testing.T) {
		require.NoError(t, struck.Do("CONFIG", "SET", "maxmemory", "1"))
		err := s.Check(t.Context())
		require.ErrorIs(t, err, redisstore.ErrReadOnly)
		require.ErrorContains(t, err, "Redis at "+struck.Addr+":")
		assert.Equal(t, 1, strings.Count(err.Error(), "its memory is full"), "said once")
		for _, r := range cluster.Servers {
			assert.Equal(t, r == struck, strings.Contains(err.Error(), r.Addr))
		}
		require.NoError(t, struck.Do("CONFIG", "SET", "maxmemory", "0"))
		require.NoError(t, s.Check(t.Context()))
	})
}

// TestRealShardMoves: a shard that moves to another master has its marks there. They are not
// trusted at first, because the other master may have lost some: people log in once more.
func TestRealShardMoves(t *testing.T) {
	t.Parallel()
	cluster, options := startCluster(t, 2, 0)
	s := openStore(t, options)
	settle(t, s)
	used := markedAt(t, cluster, s, "used")
	from, to := cluster.Servers[0], cluster.Servers[1]
	for _, key := range keysOf(t, from, "*}:memory") {
		moveSlot(t, key, from, to, func() {
			for _, items := range used {
				for _, item := range items {
					require.Error(t, s.Once(t.Context(), item), "while its keys are on the way")
				}
			}
		})
	}
	require.Empty(t, keysOf(t, from, "*"))
	for range 2 {
		for _, item := range used[from] {
			require.ErrorIs(t, s.Once(t.Context(), item), webauth.ErrUsed)
			require.ErrorIs(t, s.Once(t.Context(), beside(item)), redisstore.ErrLostMemory)
		}
	}
	settle(t, s)
}

// moveSlot moves the slot of a key, with all keys in it, to another master.
func moveSlot(t testing.TB, key string, from, to *enginetest.Redis, meanwhile func()) {
	t.Helper()
	source, target := from.Client(), to.Client()
	defer func() { require.NoError(t, source.Close()); require.NoError(t, target.Close()) }()
	ctx := t.Context()
	slot, err := source.ClusterKeySlot(ctx, key).Result()
	require.NoError(t, err)
	fromID, err := source.ClusterMyID(ctx).Result()
	require.NoError(t, err)
	toID, err := target.ClusterMyID(ctx).Result()
	require.NoError(t, err)
	require.NoError(t, to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", fromID))
	require.NoError(t, from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", toID))
	keys, err := source.ClusterGetKeysInSlot(ctx, int(slot), 1000).Result()
	require.NoError(t, err)
	_, port, _ := strings.Cut(to.Addr, ":")
	for _, key := range keys {
		require.NoError(t, from.Do("MIGRATE", "127.0.0.1", port, key, 0, 60000))
		meanwhile()
	}
	require.NoError(t, to.Do("CLUSTER", "SETSLOT", slot, "NODE", toID))
	require.NoError(t, from.Do("CLUSTER", "SETSLOT", slot, "NODE", toID))
}

// failover is an engine whose master can be killed.
type failover struct {
	name   string
	start  func(testing.TB) *redis.UniversalOptions
	master func() *enginetest.Redis
}

// failovers are the engines that replace a master.
func failovers() []*failover {
	sentinel, cluster := &failover{name: "Sentinel"}, &failover{name: "Cluster"}
	sentinel.start = func(t testing.TB) *redis.UniversalOptions {
		s, options := startSentinel(t, 2)
		sentinel.master = s.Master
		return options
	}
	cluster.start = func(t testing.TB) *redis.UniversalOptions {
		c, options := startCluster(t, 3, 1)
		cluster.master = func() *enginetest.Redis { return c.Master("wls1:{soc:0}:memory") }
		return options
	}
	return []*failover{sentinel, cluster}
}

// TestRealFailover kills a master while logins go on at two machines, each response at both.
// Nothing is accepted twice, people who are logged in are served again, and it logs how
// long either failed.
func TestRealFailover(t *testing.T) {
	t.Parallel()
	for _, engine := range failovers() {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			options := engine.start(t)
			patient := openStore(t, options)
			settle(t, patient)
			var stores []*redisstore.Store
			for range 2 { // with the default timeout, within which a busy machine may not answer
				eventually(t, func() bool {
					s, err := redisstore.New(redisstore.Config{Redis: options, Site: "soc", Logger: slog.New(slog.DiscardHandler)})
					if err == nil {
						t.Cleanup(func() { require.NoError(t, s.Close()) })
						stores = append(stores, s)
					}
					return err == nil
				})
			}
			var pages []func() error
			for i := range 24 {
				cookie := save(t, patient, values{"principal": fmt.Sprint("test", i)})
				pages = append(pages, func() error {
					session, err := stores[i%2].New(request(cookie), cookieName)
					if err == nil && session.IsNew {
						return errAny
					}
					return err
				})
			}
			var logins, twice, accepted atomic.Int32
			login := func() error {
				response, token := pair(fmt.Sprint("login ", logins.Add(1)), time.Now())
				var got atomic.Int32
				var last atomic.Pointer[error]
				present := func(s *redisstore.Store) {
					r, k := s.OncePair(t.Context(), response, token)
					if r == nil && k == nil {
						got.Add(1)
					} else if r != nil {
						last.Store(&r)
					}
				}
				parallel(4, 2, func(i int) { present(stores[i%2]) })
				accepted.Add(got.Load())
				if got.Load() > 1 {
					twice.Add(1)
				}
				if got.Load() == 0 {
					return *last.Load()
				}
				return nil
			}

			var killed *enginetest.Redis // a busy master may be replaced before that
			eventually(t, func() bool { killed = engine.master(); return killed != nil })
			stop := make(chan struct{})
			var running sync.WaitGroup
			outage := make([]span, 2)
			for i, try := range []func() error{
				func() error {
					for _, page := range pages {
						if err := page(); err != nil {
							return err
						}
					}
					return nil
				},
				func() error { // one login for each shard, as a rule
					for range 64 {
						if err := login(); err != nil {
							return err
						}
					}
					return nil
				},
			} {
				running.Go(func() { outage[i].watch(try, stop) })
			}
			began := time.Now()
			killed.Kill()
			eventually(t, func() bool { m := engine.master(); return m != nil && m != killed })
			took := time.Since(began)
			eventually(t, func() bool { return outage[0].over() && outage[1].over() })
			close(stop)
			running.Wait()
			t.Logf("failover %v; pages failed for %v, logins for %v; %d responses at two machines twice: %d accepted, %d twice",
				took.Round(10*time.Millisecond), outage[0].length(began), outage[1].length(began), logins.Load(), accepted.Load(), twice.Load())
			assert.Zero(t, twice.Load(), "accepted twice")
		})
	}
}

// span is the time in which something failed.
type span struct {
	mu       sync.Mutex
	end      time.Time // when it failed last
	failed   bool
	recovers bool
}

// watch tries until it is told to stop.
func (s *span) watch(try func() error, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		err := try()
		s.mu.Lock()
		if err != nil {
			s.failed, s.end = true, time.Now()
		}
		s.recovers = s.failed && err == nil
		s.mu.Unlock()
	}
}

// over reports whether it failed and does not any more.
func (s *span) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recovers
}

func (s *span) length(began time.Time) time.Duration {
	return s.end.Sub(began).Round(10 * time.Millisecond)
}
