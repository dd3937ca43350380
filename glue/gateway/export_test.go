package gateway

import (
	"context"
	"net/http"
	"net/http/httputil"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// AllowOddHeaderNames has a gateway pass on every header whose name has other characters
// than letters, digits and hyphens, as it came: as if there were no rule about names, for
// tests that must notice. Call it before the first request; a reload ends it.
func AllowOddHeaderNames(g *Gateway) {
	c := g.core.Load()
	handler, rewrite := c.handler, c.proxy.Rewrite
	c.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		odd := http.Header{}
		for name, values := range r.Header {
			if !headername.IsPlain(name) {
				odd[name] = values
			}
		}
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), oddHeadersKey{}, odd)))
	})
	c.proxy.Rewrite = func(pr *httputil.ProxyRequest) {
		rewrite(pr)
		odd, _ := pr.In.Context().Value(oddHeadersKey{}).(http.Header)
		for name, values := range odd {
			pr.Out.Header[name] = values
		}
	}
}

type oddHeadersKey struct{}
