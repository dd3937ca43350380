package site_test

import (
	"net/http"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func BenchmarkHandler(b *testing.B) {
	proxies := func(h site.ProxyHeader) site.Proxies {
		return site.Proxies{Ranges: prefixes("127.0.0.0/8", "10.0.0.0/8"), Header: h}
	}
	for _, bb := range []struct {
		name  string
		cfg   site.Config
		lines [][2]string
	}{
		{"direct", site.Config{BaseURL: base}, nil},
		{"nonce", site.Config{BaseURL: base, Headers: site.Headers{CSP: "script-src {nonce}"}}, nil},
		{"X-Forwarded", site.Config{BaseURL: base, Proxies: proxies(site.XForwarded)},
			[][2]string{{"X-Forwarded-For", "203.0.113.5, 10.0.0.2"}, {"X-Forwarded-Proto", "https"}}},
		{"Forwarded", site.Config{BaseURL: base, Proxies: proxies(site.Forwarded)},
			[][2]string{{"Forwarded", `for="[2001:db8::5]:1234";proto=https, for=10.0.0.2`}}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s, _ := newSite(b, bb.cfg)
			h := s.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r := get("127.0.0.1:4711", append(bb.lines, [2]string{"Accept", "text/html"}, [2]string{"Cookie", "a=b"}, [2]string{"User-Agent", "x"})...)
			w := nopWriter{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
