package redisstore_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestRealOnceAtOnce(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	stores := []*redisstore.Store{redis.open(), redis.open()}
	settle(t, stores[0])
	for round := range 10 {
		item := itemNow(fmt.Sprint("round ", round))
		var accepted, used atomic.Int32
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				switch err := stores[i%2].Once(t.Context(), item); err {
				case nil:
					accepted.Add(1)
				case webauth.ErrUsed:
					used.Add(1)
				default:
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, accepted.Load())
		require.EqualValues(t, 63, used.Load())
	}
}

// TestRealKill: whatever Redis keeps on disk, what was used before a kill -9 is never
// accepted after it, nor what was made before and not used; new logins work again.
func TestRealKill(t *testing.T) {
	t.Parallel()
	aof := func(fsync string) []string { return []string{"--appendonly", "yes", "--appendfsync", fsync} }
	for _, c := range []struct {
		name     string
		args     []string
		snapshot bool // taken between the two marks
		keeps    bool // for certain
		early    error
		late     error
	}{
		{name: "nothing kept", early: redisstore.ErrLostMemory, late: redisstore.ErrLostMemory},
		{name: "old snapshot", snapshot: true, keeps: true, early: webauth.ErrUsed, late: redisstore.ErrLostMemory},
		{name: "append-only, everysec", args: aof("everysec")}, // the last second may be lost
		{name: "append-only, always", args: aof("always"), keeps: true, early: webauth.ErrUsed, late: webauth.ErrUsed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := startRedis(t, c.args...)
			s := redis.open()
			settle(t, s)
			early, late, unused := itemNow("early"), itemNow("late"), itemNow("unused")
			require.NoError(t, s.Once(t.Context(), early))
			cookie := save(t, s, values{"principal": "spqr1"})
			if c.snapshot {
				redis.do("SAVE")
			}
			require.NoError(t, s.Once(t.Context(), late))
			redis.restart()

			for range 2 {
				for item, want := range map[webauth.Item]error{early: c.early, late: c.late, unused: redisstore.ErrLostMemory} {
					err := s.Once(t.Context(), item)
					if want == nil {
						assert.True(t, errors.Is(err, webauth.ErrUsed) || errors.Is(err, redisstore.ErrLostMemory), "%s: %v", item.ID, err)
						continue
					}
					assert.ErrorIs(t, err, want, item.ID)
				}
			}
			session, err := s.New(request(cookie), cookieName)
			require.NoError(t, err)
			list, err := s.Sessions(t.Context(), "spqr1")
			require.NoError(t, err)
			assert.Equal(t, session.IsNew, len(list) == 0)
			if c.keeps {
				assert.False(t, session.IsNew)
			}
			settle(t, s)
		})
	}
}

// TestRealTakeover: a replica that becomes the master may lack the last marks. What was used
// is not accepted again, at whichever machine and in whichever way it comes.
func TestRealTakeover(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		lags     bool
		wantUsed error
	}{{"caught up", false, webauth.ErrUsed}, {"lags behind", true, redisstore.ErrLostMemory}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			master := startRedis(t)
			s := master.open()
			settle(t, s)
			replica := startRedis(t)
			way := newProxy(t, master.Addr)
			host, port, _ := strings.Cut(way.addr, ":")
			replica.do("REPLICAOF", host, port)
			caughtUp := func() bool {
				c := master.Client()
				defer func() { _ = c.Close() }()
				n, err := c.Wait(t.Context(), 1, time.Second).Result()
				return err == nil && n == 1
			}
			cookie := save(t, s, values{"principal": "spqr1"})
			eventually(t, caughtUp)
			way.stall(row.lags)
			response, token := pair("used", time.Now())
			unused, unusedToken := pair("unused", time.Now())
			a, b := s.OncePair(t.Context(), response, token)
			require.NoError(t, errors.Join(a, b))
			if !row.lags {
				eventually(t, caughtUp)
			}
			_, err := redisstore.New(redisstore.Config{URL: "redis://" + replica.Addr, Site: "soc", Timeout: patience})
			require.ErrorContains(t, err, "READONLY", "a replica will not do")
			master.Kill()
			replica.do("REPLICAOF", "NO", "ONE")

			stores := []*redisstore.Store{replica.open(), replica.open()}
			for _, arrive := range arrivals {
				for _, s := range stores {
					a, b := arrive(s, t, response, token)
					for _, err := range []error{a, b} {
						if !errors.Is(err, webauth.ErrUsed) { // as an arrival says of what does not come
							assert.ErrorIs(t, err, row.wantUsed)
						}
					}
					a, b = arrive(s, t, unused, unusedToken)
					assert.Error(t, a)
					assert.Error(t, b)
				}
			}
			assert.ErrorIs(t, stores[0].Once(t.Context(), response), row.wantUsed)
			assert.ErrorIs(t, stores[1].Once(t.Context(), unused), redisstore.ErrLostMemory)
			assert.False(t, load(t, stores[0], cookie).IsNew)
			settle(t, stores[0])
		})
	}
}

// TestRealSlow: a Redis that does not answer makes an error in bounded time, and is used
// again as soon as it answers.
func TestRealSlow(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	for _, c := range []struct {
		name       string
		stop, flow func(*proxy)
	}{
		{"paused", func(*proxy) { redis.do("CLIENT", "PAUSE", time.Hour.Milliseconds(), "ALL") }, func(*proxy) { redis.restart() }},
		{"stalled connection", func(p *proxy) { p.stall(true) }, func(p *proxy) { p.stall(false) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProxy(t, redis.Addr)
			// New may need longer than the others are to wait.
			var s *redisstore.Store
			eventually(t, func() (opened bool) {
				cfg := redisstore.Config{URL: "redis://" + p.addr, Site: "soc", Timeout: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)}
				var err error
				s, err = redisstore.New(cfg)
				return err == nil
			})
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			patient := redis.open()
			cookie := save(t, patient, values{"principal": "spqr1"})
			session := load(t, patient, cookie)
			c.stop(p)
			began := time.Now()
			require.ErrorContains(t, s.Once(t.Context(), itemNow("a")), p.addr)
			_, err := s.New(request(cookie), cookieName)
			require.ErrorContains(t, err, p.addr)
			require.Error(t, s.Save(request(), httptest.NewRecorder(), session))
			_, err = s.RevokeAll(t.Context(), "spqr1")
			require.Error(t, err)
			_, err = redisstore.New(redisstore.Config{URL: "redis://" + p.addr, Site: "soc"})
			require.ErrorContains(t, err, p.addr)
			assert.Less(t, time.Since(began), time.Minute, "five waits of at most half a second, on a busy machine")
			c.flow(p)
			settle(t, patient)
			n := 0
			eventually(t, func() bool { n++; return s.Once(t.Context(), itemNow(fmt.Sprint("again ", n))) == nil })
		})
	}
}

func TestRealEviction(t *testing.T) {
	t.Parallel()
	redis := startRedis(t, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")
	_, err := redisstore.New(redisstore.Config{URL: "redis://" + redis.Addr, Site: "soc", Timeout: patience})
	require.ErrorIs(t, err, redisstore.ErrEviction)
	require.ErrorContains(t, err, redis.Addr)
	require.ErrorContains(t, err, "volatile-lru; set it to noeviction")

	redis.do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	s := redis.open()
	require.NoError(t, s.Check(t.Context()))
	redis.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
	require.ErrorIs(t, s.Check(t.Context()), redisstore.ErrEviction)
}

func TestRealFull(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	s := redis.open()
	settle(t, s)
	cookie := save(t, s, values{"principal": "spqr1"})
	redis.do("CONFIG", "SET", "maxmemory", "1")
	require.ErrorContains(t, s.Once(t.Context(), itemNow("a")), "OOM")
	session := load(t, s, cookie)
	assert.False(t, session.IsNew, "who is in stays in")
	w := httptest.NewRecorder()
	require.ErrorContains(t, s.Save(request(), w, session), "OOM")
	assert.Empty(t, w.Header())
	session.Options.MaxAge = -1
	require.NoError(t, s.Save(request(), httptest.NewRecorder(), session), "and can leave")
	redis.do("CONFIG", "SET", "maxmemory", "0")
	assert.NoError(t, s.Once(t.Context(), itemNow("a")))
}

// TestRealRights holds the rights that the package's documentation asks for.
func TestRealRights(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	log := &buffer{}
	first := redis.open()
	settle(t, first)
	for _, c := range []struct {
		user string
		acl  []any
		warn bool
	}{
		{"soc", []any{"+info"}, false},
		{"blind", nil, true},
	} {
		t.Run(c.user, func(t *testing.T) {
			acl := []any{"ACL", "SETUSER", c.user, "on", ">p%ss:/", "~wls1:{soc:*", "resetchannels",
				"-@all", "+@connection", "+@read", "+@write", "+@scripting", "+time"}
			redis.do(append(acl, c.acl...)...)
			s := redis.open(func(cfg *redisstore.Config) {
				cfg.URL = "redis://" + c.user + ":p%25ss%3A%2F@" + redis.Addr
				cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
			})
			exercise(t, s)
			assert.Equal(t, c.warn, strings.Contains(log.String(), "INFO is not permitted"))
			_, err := redisstore.New(redisstore.Config{Site: "soc2", URL: "redis://" + c.user + ":p%25ss%3A%2F@" + redis.Addr, Timeout: patience})
			assert.ErrorContains(t, err, "NOPERM", "another site's keys")
		})
	}
	assert.NoError(t, first.Once(t.Context(), itemNow("last")), "they agree since when Redis remembers")
}

// exercise does one of everything.
func exercise(t *testing.T, s *redisstore.Store) {
	t.Helper()
	settle(t, s)
	item := itemNow(t.Name())
	item.Unsigned = true
	require.NoError(t, s.Once(t.Context(), item))
	require.ErrorIs(t, s.Once(t.Context(), item), webauth.ErrUsed)

	one := save(t, s, values{"principal": "spqr1"})
	two := save(t, s, values{"principal": "spqr1"})
	session := load(t, s, one)
	session.Values["principal"] = "other1"
	one = resave(t, s, session)
	list, err := s.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.True(t, list[0].Is(request(two)))
	ended, err := s.Revoke(t.Context(), "spqr1", list[0].Handle)
	require.NoError(t, err)
	require.True(t, ended)
	n, err := s.RevokeAll(t.Context(), "other1")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.True(t, load(t, s, one).IsNew)
	require.True(t, load(t, s, two).IsNew)

	named := save(t, s, values{"principal": "spqr1", glue.ValueLogout: "account " + t.Name(), glue.ValueIssued: time.Now().Unix()})
	n, err = s.EndSessions(t.Context(), t.Name(), time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.True(t, load(t, s, named).IsNew)
}

func TestRealInactivity(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	var now atomic.Int64
	now.Store(time.Now().UnixMilli())
	s := server.open(func(c *redisstore.Config) {
		c.Inactivity, c.MaxLife = time.Hour, 90*time.Minute
		c.Now = func() time.Time { return time.UnixMilli(now.Load()) }
	})
	cookie := save(t, s, values{"principal": "spqr1"})
	client := server.Client()
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	ttl := func() time.Duration {
		keys, err := client.Keys(t.Context(), "wls1:{soc:*}:session:*").Result()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		d, err := client.PTTL(t.Context(), keys[0]).Result()
		require.NoError(t, err)
		return d.Round(time.Minute)
	}
	assert.Equal(t, time.Hour, ttl())
	now.Add((45 * time.Minute).Milliseconds())
	load(t, s, cookie)
	assert.Equal(t, 45*time.Minute, ttl(), "no longer than it may live at all")
	now.Add((45 * time.Minute).Milliseconds())
	assert.True(t, load(t, s, cookie).IsNew)
}

func TestRealSocket(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	exercise(t, server.open(func(c *redisstore.Config) { c.URL = "unix://" + server.Socket }))
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert := httptest.NewUnstartedServer(nil)
	cert.StartTLS()
	defer cert.Close()
	mini, err := miniredis.RunTLS(&tls.Config{Certificates: cert.TLS.Certificates})
	require.NoError(t, err)
	t.Cleanup(mini.Close)

	_, err = redisstore.New(redisstore.Config{URL: "rediss://" + mini.Addr(), Site: "soc", Timeout: patience})
	require.ErrorContains(t, err, "certificate", "checked, unless told whom to trust")
	roots := cert.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	s, err := redisstore.New(redisstore.Config{Site: "soc", Redis: &redis.UniversalOptions{
		Addrs: []string{mini.Addr()}, TLSConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
	}, Timeout: patience})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
