package headers

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeepPrivate(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "private, no-cache"},
		{"public", "public, max-age=60", "private, max-age=60"},
		{"private", "private, max-age=60", "private, max-age=60"},
		{"private for a field", `private="Set-Cookie, X-A", max-age=60`, "private, max-age=60"},
		{"shared age", "max-age=60, S-MaxAge=600, proxy-revalidate", "private, max-age=60"},
		{"in capitals", "PUBLIC", "private"},
		{"no-store", "no-store", "private, no-store"},
		{"quoted comma", `no-cache="Set-Cookie, public", public`, `private, no-cache="Set-Cookie, public"`},
		{"quoted escape", `x="a\",public", public`, `private, x="a\",public"`},
		{"open quote", `x="a, public`, `private, x="a, public`},
		{"commas", ",, public ,", "private"},
		{"immutable", "immutable, stale-while-revalidate=5", "private, immutable, stale-while-revalidate=5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{"Surrogate-Control": {"max-age=9"}, "X-Accel-Expires": {"9"}, "Cdn-Cache-Control": {"max-age=9"}}
			if tt.in != "" {
				h.Set("Cache-Control", tt.in)
			}
			KeepPrivate(h)
			assert.Equal(t, http.Header{"Cache-Control": {tt.want}, "Vary": {"Cookie"}}, h)
			KeepPrivate(h)
			assert.Len(t, h["Vary"], 1)
		})
	}
}
