package serve

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestServer_forFronts: an http socket that others can reach serves front servers only.
func TestServer_forFronts(t *testing.T) {
	front := &Front{Proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28"), netip.MustParsePrefix("fe80::/64")}}
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	h := forFronts(status(http.StatusTeapot), status(http.StatusTemporaryRedirect), func() *Front { return front })
	for peer, want := range map[string]int{
		"192.0.2.7:1234": 418, "[::ffff:192.0.2.7]:1234": 418, "127.0.0.1:1234": 418, "[::1]:1234": 418,
		"[fe80::1%eth0]:1234": 418, "[fe80:0:0:1::1%eth0]:1234": 307, "192.0.2.16:1234": 307, "[2001:db8::1]:1234": 307, "": 307, "@": 307,
	} {
		r := httptest.NewRequest(http.MethodGet, "/a", nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, peer)
	}
}
