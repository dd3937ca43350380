package glue_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue"
)

// BenchmarkHTTP is a logged-in request over a loopback connection, straight to the
// handler and through Require, from as many clients as there are processors.
func BenchmarkHTTP(b *testing.B) {
	bn := newBench(b)
	cookies := bn.logIn(b)
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{
		{"bare", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })},
		{"warm", bn.auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id, ok := glue.IdentityFrom(r.Context()); !ok || id.Principal != "test0001" {
				panic("nobody is logged in")
			}
			_, _ = w.Write([]byte("hello"))
		}))},
	} {
		b.Run(c.name, func(b *testing.B) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			client := server.Client()
			client.Transport.(*http.Transport).MaxIdleConnsPerHost = 100
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, err := http.NewRequest(http.MethodGet, server.URL, nil)
					if err != nil {
						b.Error(err)
						return
					}
					r.Host = bn.host
					for _, cookie := range cookies {
						r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
					}
					resp, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_ = resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						b.Errorf("status %d", resp.StatusCode)
						return
					}
				}
			})
		})
	}
}
