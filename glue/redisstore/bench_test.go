package redisstore_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// BenchmarkLogin is the second half of a login at a site whose sessions and marks are in
// Redis: the browser comes back from the WLS with a response. It counts the round trips.
func BenchmarkLogin(b *testing.B) {
	server := startRedis(b)
	fake := webauthtest.New(b)
	const baseURL = "http://localhost:8080"
	var trips atomic.Int64
	m := newTwoMachines(b, fake, baseURL, func() *redisstore.Store {
		return server.open(func(c *redisstore.Config) {
			if c.Redis == nil {
				c.Redis = &redis.UniversalOptions{Addrs: []string{strings.TrimPrefix(c.URL, "redis://")}}
			}
			c.URL, c.Redis.Dialer = "", func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
				return counted{conn, &trips}, err
			}
		})
	})
	settle(b, m.store[0])
	m.present(m.machine[0], m.begin(b, fake, baseURL)) // whatever is done once
	all := make([]login, b.N)
	for i := range all {
		all[i] = m.begin(b, fake, baseURL)
	}
	trips.Store(0)
	b.ResetTimer()
	for _, l := range all {
		if w := m.present(m.machine[0], l); !newSession(w) {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(trips.Load())/float64(b.N), "roundtrips/login")
}

// counted counts what is written.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// BenchmarkMarkMemory marks items, and reports what one takes of Redis's memory by itself
// (MEMORY USAGE), and with its share of the tables of keys.
func BenchmarkMarkMemory(b *testing.B) {
	server := startRedis(b)
	s := server.open(func(c *redisstore.Config) { c.Site = "soc-example" })
	client := server.Client()
	defer func() { require.NoError(b, client.Close()) }()
	used := func() int {
		info, err := client.InfoMap(b.Context(), "memory").Result()
		require.NoError(b, err)
		n, err := strconv.Atoi(info["Memory"]["used_memory"])
		require.NoError(b, err)
		return n
	}
	settle(b, s)
	before := used()
	b.ResetTimer()
	parallel(b.N, 32, func(i int) {
		item := itemNow("token:" + strconv.Itoa(i))
		if err := s.Once(b.Context(), item); err != nil {
			b.Error(err)
		}
	})
	b.StopTimer()
	keys, _, err := client.Scan(b.Context(), 0, "*}:used:*", 1000).Result()
	require.NoError(b, err)
	one, err := client.MemoryUsage(b.Context(), keys[0]).Result()
	require.NoError(b, err)
	b.ReportMetric(float64(one), "bytes/mark")
	b.ReportMetric(float64(used()-before)/float64(b.N), "used-bytes/mark")
}

// BenchmarkCheck is a look at all shards of the marks.
func BenchmarkCheck(b *testing.B) {
	s := startRedis(b).open()
	for b.Loop() {
		if err := s.Check(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRequire is a logged-in request whose session is in a real Redis, on a unix
// socket. Package glue has the like for sealed cookies.
func BenchmarkRequire(b *testing.B) {
	server := startRedis(b)
	fake := webauthtest.New(b)
	var m *twoMachines
	site := webauthtest.Site(b, func(baseURL string) http.Handler {
		m = newTwoMachines(b, fake, baseURL, func() *redisstore.Store {
			return server.open(func(c *redisstore.Config) { c.URL = "unix://" + server.Socket })
		})
		return m
	})
	settle(b, m.store[0])
	client := fake.Client("test0001")
	status, body := get(b, client, site.URL)
	require.Equal(b, http.StatusOK, status)
	require.Equal(b, "Hello, test0001.", body)
	home, err := url.Parse(site.URL)
	require.NoError(b, err)
	r := httptest.NewRequest(http.MethodGet, site.URL+"/", nil)
	for _, c := range client.Jar.Cookies(home) {
		r.AddCookie(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("status %d", w.Code)
		}
	}
}
