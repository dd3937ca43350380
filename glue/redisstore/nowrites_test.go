package redisstore_test

import (
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// TestRealNoWrites: a Redis that takes no writes can still be read, so that people who are
// logged in are served, and the operator is told.
func TestRealNoWrites(t *testing.T) {
	for _, c := range []struct {
		name    string
		refuse  []any
		says    string
		deletes bool // is allowed all the same
	}{
		{"full", []any{"CONFIG", "SET", "maxmemory", "1"}, "OOM", true},
		{"no replica", []any{"CONFIG", "SET", "min-replicas-to-write", "1"}, "NOREPLICAS", false},
		{"replica by now", []any{"REPLICAOF", "127.0.0.1", "1"}, "READONLY", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			redis := startRedis(t)
			fake, log := webauthtest.New(t), &buffer{}
			var m *twoMachines
			site := webauthtest.Site(t, func(baseURL string) http.Handler {
				m = newTwoMachines(t, fake, baseURL, func() *redisstore.Store {
					return redis.open(func(c *redisstore.Config) {
						c.Now, c.Logger = fake.Now, slog.New(slog.NewTextHandler(log, nil))
					})
				})
				return m
			})
			fake.SetNow(time.Now().Add(2 * time.Second)) // past the beginning of Redis's memory
			person := fake.Client("test0001")
			page := func(c *http.Client) (int, string) { return get(t, c, site.URL+"/page") }
			_, body := page(person)
			require.Equal(t, "Hello, test0001.", body)

			fake.Advance(61 * time.Second)
			redis.do(c.refuse...)
			for range 5 {
				status, body := page(person)
				assert.Equal(t, http.StatusOK, status)
				assert.Equal(t, "Hello, test0001.", body)
			}
			assert.Equal(t, 1, strings.Count(log.String(), c.says), "said once, not for every page")
			assert.Contains(t, log.String(), "last use")
			assert.Contains(t, log.String(), redis.Addr)
			list, err := m.store[0].Sessions(t.Context(), "test0001")
			require.NoError(t, err)
			require.Len(t, list, 1)
			fake.Advance(time.Minute)
			page(person)
			assert.Equal(t, 2, strings.Count(log.String(), c.says), "and again after a minute")

			status, _ := page(fake.Client("test0002"))
			assert.Equal(t, http.StatusServiceUnavailable, status, "nobody can log in")

			home, err := url.Parse(site.URL)
			require.NoError(t, err)
			copied := fake.Client("")
			copied.Jar, err = cookiejar.New(nil)
			require.NoError(t, err)
			copied.CheckRedirect, person.CheckRedirect = fake.StopAtLogin, fake.StopAtLogin
			copied.Jar.SetCookies(home, person.Jar.Cookies(home))
			resp, err := person.PostForm(site.URL+"/logout", nil)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			status, _ = page(person)
			assert.Equal(t, http.StatusSeeOther, status, "whoever logs out is out")
			if c.deletes {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				status, _ = page(copied)
				assert.Equal(t, http.StatusSeeOther, status)
			} else {
				assert.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, "and told that the store was not")
				_, err := m.store[0].RevokeAll(t.Context(), "test0001")
				assert.ErrorContains(t, err, c.says)
			}
		})
	}
}

// TestRealNoWritesInactivity: what could not be noted ends a session sooner, not later.
func TestRealNoWritesInactivity(t *testing.T) {
	t.Parallel()
	redis, now := startRedis(t), start
	s := redis.open(func(c *redisstore.Config) {
		c.Inactivity = time.Hour
		c.Now = func() time.Time { return now }
	})
	c := save(t, s, values{"principal": "spqr1"})
	redis.do("CONFIG", "SET", "maxmemory", "1")
	now = now.Add(59 * time.Minute)
	assert.False(t, load(t, s, c).IsNew)
	redis.do("CONFIG", "SET", "maxmemory", "0")
	now = now.Add(2 * time.Minute)
	assert.True(t, load(t, s, c).IsNew)
}

// TestRealListWithoutWrites: listing forgets about what is gone where it can.
func TestRealListWithoutWrites(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	s := redis.open()
	for range 151 {
		save(t, s, values{"principal": "spqr1"})
	}
	client := redis.Client()
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	keys, err := client.Keys(t.Context(), "*}:session:*").Result()
	require.NoError(t, err)
	require.NoError(t, client.Del(t.Context(), keys[1:]...).Err())
	redis.do("CONFIG", "SET", "min-replicas-to-write", "1")
	list, err := s.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Len(t, list, 1)
}
