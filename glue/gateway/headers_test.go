package gateway

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// TestTrailers: what is checked in the header of an answer does not come behind it.
func TestTrailers(t *testing.T) {
	own := ""
	for name, trailer := range map[string]string{
		"announced": "Set-Cookie, Cache-Control, Cdn-Cache-Control, X-Sum", "in part": "X-Sum, set-cookie", "unannounced": "",
	} {
		for _, tls := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", HTTP/2"}[tls], func(t *testing.T) {
				w := newWorld(t, kit{tls: tls, handler: func(rw http.ResponseWriter, _ *http.Request) {
					if trailer != "" {
						rw.Header().Set("Trailer", trailer)
					}
					_, _ = io.WriteString(rw, "text")
					_ = http.NewResponseController(rw).Flush()
					for name, value := range map[string]string{
						"Set-Cookie": own + "=evil", "Cache-Control": "public", "Cdn-Cache-Control": "max-age=9", "X-Sum": "42",
					} {
						if !strings.Contains(strings.ToLower(trailer), strings.ToLower(name)) {
							name = http.TrailerPrefix + name
						}
						rw.Header().Set(name, value)
					}
				}})
				own = "wls-login-" + w.host[len("localhost:"):]
				for _, path := range []string{"/public", "/optional"} {
					answer := w.visitor("").get(path)
					assert.Equal(t, "text", answer.body)
					assert.Equal(t, http.Header{"X-Sum": {"42"}}, answer.Trailer, path)
				}
			})
		}
	}
}

// TestUnsafeIdentity: a name that no header can carry is never sent in part.
func TestUnsafeIdentity(t *testing.T) {
	id := newIdentity([]string{sendRemoteUser, sendXForwardedUser, sendXAA})
	id.now = func() time.Time { return testNow }
	ru := &rule{cfg: &Rule{Access: Login}}
	for _, name := range []string{"a\nb", "a\r\nX: y", "é", " a", "a ", "a\x00", "a\x7f"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: name}))
		h := http.Header{}
		assert.ErrorIs(t, id.set(h, r, ru), errUnsafe, "%q", name)
		assert.Empty(t, h)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: "spqr1"}))
	h := http.Header{}
	require.NoError(t, id.set(h, r, &rule{cfg: &Rule{Access: Public}}))
	assert.Empty(t, h, "public means nobody, whatever is around the gateway")
}

// TestAnswerHeaders: the backend's word counts where it has one, and nothing comes twice.
func TestAnswerHeaders(t *testing.T) {
	w := newWorld(t, kit{
		config: func(cfg *Config) {
			cfg.Headers = Headers{CSP: "default-src 'self'", FrameAncestors: "'none'", ReferrerPolicy: "no-referrer"}
		},
		handler: func(rw http.ResponseWriter, _ *http.Request) {
			for name, value := range map[string]string{
				"Cache-Control": "public, max-age=60", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'", "Server": "theirs",
			} {
				rw.Header().Set(name, value)
			}
		},
	})
	v := w.loggedIn("test0001")
	for path, caching := range map[string]string{"/private": "private, max-age=60", "/optional": "private, max-age=60", "/public": "public, max-age=60"} {
		h := v.get(path).Header
		assert.Equal(t, []string{caching}, h["Cache-Control"], path)
		assert.Equal(t, []string{"nosniff"}, h["X-Content-Type-Options"], path)
		assert.Equal(t, []string{"default-src 'none'"}, h["Content-Security-Policy"], path)
		assert.Equal(t, []string{"DENY"}, h["X-Frame-Options"], path)
		assert.Equal(t, []string{"no-referrer"}, h["Referrer-Policy"], path)
		assert.Equal(t, path != "/public", slices.Contains(h["Vary"], "Cookie"), path)
		assert.Equal(t, []string{"theirs"}, h["Server"], path)
	}
}

// TestPageTemplate shows the gateway's pages in the site's own dress.
func TestPageTemplate(t *testing.T) {
	const page = `<title>{{.Title}}</title>{{range .Text}}<p>{{.}}{{end}}{{range .Links}}<a href="{{.Href}}">{{.Text}}</a>{{end}}
{{with .Form}}<form method="post" action="{{.Action}}">{{range $k, $v := .Hidden}}<input type="hidden" name="{{$k}}" value="{{$v}}">{{end}}<button>{{.Button}}</button></form>{{end}}`
	w := newWorld(t, kit{config: func(cfg *Config) { cfg.PageTemplate = writeFile(t, "page.html", page) }})
	answer := w.visitor("").get("/nowhere%2f")
	assert.Equal(t, 400, answer.StatusCode)
	assert.Contains(t, answer.body, "<title>This address is malformed</title>")
	policy := answer.Header.Get("Content-Security-Policy")
	assert.Contains(t, policy, "default-src 'none'; style-src 'self' 'unsafe-inline'")
	assert.NotContains(t, policy, "script-src")
	assert.Contains(t, w.loggedIn("test0001").get("/.wls/logout").body, "<form method=\"post\"")
}
