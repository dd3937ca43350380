package redisstore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// startMasters starts a cluster of masters alone, and opens a Store on it.
func startMasters(t testing.TB, masters int) (*enginetest.RedisCluster, *redisstore.Store) {
	t.Helper()
	c, options := startCluster(t, masters, 0)
	return c, openStore(t, options)
}

// TestRealClusterSessions: people are spread over the masters, and the sessions of one are
// together.
func TestRealClusterSessions(t *testing.T) {
	t.Parallel()
	cluster, s := startMasters(t, 3)
	for i := range 100 {
		for range 2 {
			save(t, s, values{"principal": "spqr" + strconv.Itoa(i)})
		}
		save(t, s, values{"basket": i})
	}
	for _, master := range cluster.Servers {
		c := master.Client()
		keys, err := c.Keys(t.Context(), "*}:session:*").Result()
		require.NoError(t, err)
		require.NoError(t, c.Close())
		assert.Greater(t, len(keys), 30, "of 300")
	}
	for i := range 100 {
		principal := "spqr" + strconv.Itoa(i)
		list, err := s.Sessions(t.Context(), principal)
		require.NoError(t, err)
		require.Len(t, list, 2)
		n, err := s.RevokeAll(t.Context(), principal)
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}
}

// TestRealClusterMigration: while a slot moves to another master, part of a person's
// sessions is there already. They work; revoking them fails rather than to miss some.
func TestRealClusterMigration(t *testing.T) {
	t.Parallel()
	cluster, s := startMasters(t, 2)
	var cookies []*http.Cookie
	for range 3 {
		cookies = append(cookies, save(t, s, values{"principal": "spqr1"}))
	}
	var from, to *redis.Client
	var target *enginetest.Redis
	var records, lists []string
	for i, master := range cluster.Servers {
		c := master.Client()
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		keys, err := c.Keys(t.Context(), "*}:session:*").Result()
		require.NoError(t, err)
		if len(keys) == 0 {
			to, target = c, cluster.Servers[i]
			continue
		}
		from, records = c, keys
		lists, err = c.Keys(t.Context(), "*}:person:*").Result()
		require.NoError(t, err)
	}
	require.Len(t, records, 3)
	require.NotNil(t, to, "all of them on one master")
	slot := from.ClusterKeySlot(t.Context(), records[0]).Val()
	id := func(c *redis.Client) string {
		text, err := c.Do(t.Context(), "CLUSTER", "MYID").Text()
		require.NoError(t, err)
		return text
	}
	do := func(c *redis.Client, args ...any) {
		t.Helper()
		require.NoError(t, c.Do(t.Context(), args...).Err())
	}
	host, port, err := net.SplitHostPort(target.Addr)
	require.NoError(t, err)
	do(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", id(from))
	do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", id(to))
	do(from, "MIGRATE", host, port, records[0], 0, 60000)

	for _, c := range cookies {
		assert.False(t, load(t, s, c).IsNew, "here or there")
	}
	_, err = s.RevokeAll(t.Context(), "spqr1")
	require.Error(t, err)
	_, err = s.Sessions(t.Context(), "spqr1")
	require.Error(t, err)

	for _, key := range append(records[1:], lists...) {
		do(from, "MIGRATE", host, port, key, 0, 60000) // gone by now, it is no error
	}
	for _, c := range []*redis.Client{to, from} {
		do(c, "CLUSTER", "SETSLOT", slot, "NODE", id(to))
	}
	_, err = s.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	for _, c := range cookies {
		assert.True(t, load(t, s, c).IsNew)
	}
}

// TestRealClusterSessionsAtOnce: whatever machines do at once about people's sessions, in
// the end those that work are those that are listed, what was ended stays so, and revoking
// all leaves none.
func TestRealClusterSessionsAtOnce(t *testing.T) {
	t.Parallel()
	_, s := startMasters(t, 3)
	people := []string{"spqr1", "spqr2"}
	var mu sync.Mutex
	var cookies []*http.Cookie
	ended := map[string]bool{}
	again := func(c *http.Cookie, principal string, maxAge int) {
		session, err := s.New(request(c), cookieName)
		if !assert.NoError(t, err) {
			return
		}
		session.Values["principal"], session.Options.MaxAge = principal, maxAge
		w := httptest.NewRecorder()
		if err := s.Save(request(), w, session); !errors.Is(err, redisstore.ErrEnded) {
			assert.NoError(t, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if maxAge < 0 {
			ended[c.Value] = true
			return
		}
		cookies = append(cookies, w.Result().Cookies()...)
	}
	cookies = append(cookies, save(t, s, values{"principal": people[0]}))
	parallel(4000, 16, func(i int) {
		mu.Lock()
		c := cookies[rand.IntN(len(cookies))]
		mu.Unlock()
		var err error
		switch principal := people[rand.IntN(2)]; rand.IntN(50) {
		case 0:
			_, err = s.RevokeAll(context.Background(), principal)
		case 1, 2, 3, 4, 5, 6, 7:
			_, err = s.Sessions(context.Background(), principal)
		case 8, 9, 10, 11, 12:
			again(c, principal, -1)
		case 13, 14, 15, 16, 17, 18, 19, 20:
			again(c, principal, 0)
		default:
			again(&http.Cookie{Name: cookieName}, principal, 0)
		}
		assert.NoError(t, err)
	})
	cookies = append(cookies, save(t, s, values{"principal": people[0]})) // all others may have ended
	var list []redisstore.Session
	for _, principal := range people {
		all, err := s.Sessions(t.Context(), principal)
		require.NoError(t, err)
		list = append(list, all...)
	}
	live := map[string]*http.Cookie{}
	for _, c := range cookies {
		if !load(t, s, c).IsNew {
			live[c.Value] = c
			assert.False(t, ended[c.Value], "it came back")
			assert.True(t, slices.ContainsFunc(list, func(l redisstore.Session) bool { return l.Is(request(c)) }), "it works, and is in no list")
		}
	}
	assert.NotEmpty(t, live)
	assert.Len(t, list, len(live))
	for _, principal := range people {
		_, err := s.RevokeAll(t.Context(), principal)
		require.NoError(t, err)
	}
	for _, c := range live {
		assert.True(t, load(t, s, c).IsNew)
	}
}
