package redisstore_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// BenchmarkRequire is a logged-in request whose session is in a real Redis, on a unix
// socket. Package glue has the like for sealed cookies.
func BenchmarkRequire(b *testing.B) {
	redis := startRedis(b)
	fake := webauthtest.New(b)
	var m *twoMachines
	site := webauthtest.Site(b, func(baseURL string) http.Handler {
		m = newTwoMachines(b, fake, baseURL, func() *redisstore.Store {
			return redis.open(func(c *redisstore.Config) { c.URL = "unix://" + redis.Socket })
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
