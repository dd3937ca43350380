package gateway

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLoginThroughToBackend is the whole way: to the login service, back, to the backend.
func TestLoginThroughToBackend(t *testing.T) {
	for name, tls := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{tls: tls})
			v := w.visitor("test0001")
			answer := v.get("/private/page?q=1;2&x=%41")
			require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
			got := w.backend.one(t)
			assert.Equal(t, "test0001", got.user())
			assert.Equal(t, "/private/page?q=1;2&x=%41", got.Target)
			assert.Equal(t, w.host, got.Host)
			assert.Empty(t, got.Header["Cookie"], "ours are not the backend's business")
			assert.Equal(t, []string{"127.0.0.1"}, got.Header["X-Forwarded-For"])
			assert.Equal(t, []string{w.host}, got.Header["X-Forwarded-Host"])
			assert.Equal(t, "private, no-cache", answer.Header.Get("Cache-Control"))
			assert.Equal(t, []string{"Cookie"}, answer.Header.Values("Vary"))
			assert.Equal(t, []string{"nosniff"}, answer.Header.Values("X-Content-Type-Options"))
		})
	}
}
