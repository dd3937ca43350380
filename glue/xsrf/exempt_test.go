package xsrf_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue"
)

// TestExempt has pages of other sites call what is for them, and try to get at the rest.
func TestExempt(t *testing.T) {
	s := newSite(t)
	s.more = func(mux *http.ServeMux) {
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Seen-Cookies", fmt.Sprint(len(r.Cookies())))
			w.WriteHeader(http.StatusNoContent)
		})
	}
	s.guard.Exempt("/token", "/revoke")
	s.guard.Exempt("/other")
	person := s.login(t, "test0001")
	for _, c := range []struct {
		name, path string
		edit       func(r *http.Request)
		cookies    string // empty where it is refused
	}{
		{"another page", "/token", header("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), "0"},
		{"without Sec-Fetch-Site", "/revoke", header("Origin", "https://evil.example"), "0"},
		{"a page without an origin", "/other", header("Origin", "null"), "0"},
		{"our own page keeps its cookies", "/token", header("Sec-Fetch-Site", "same-origin"), "4"},
		{"a query is no path", "/token?x=1", header("Sec-Fetch-Site", "cross-site"), "0"},
		{"another path", "/tokens", header("Sec-Fetch-Site", "cross-site"), ""},
		{"below it", "/token/x", header("Sec-Fetch-Site", "cross-site"), ""},
		{"in another spelling", "/%74oken", header("Sec-Fetch-Site", "cross-site"), ""},
		{"by way of another", "/x/../token", header("Sec-Fetch-Site", "cross-site"), ""},
		{"with two slashes", "//token", header("Sec-Fetch-Site", "cross-site"), ""},
		{"a WebSocket", "/token", header("Sec-Fetch-Site", "cross-site", "Upgrade", "websocket", "Connection", "upgrade"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := person.request(t, http.MethodPost, c.path)
			c.edit(r)
			resp, err := http.DefaultTransport.RoundTrip(r)
			if assert.NoError(t, err) {
				assert.NoError(t, resp.Body.Close())
				assert.Equal(t, c.cookies, resp.Header.Get("Seen-Cookies"))
				assert.Equal(t, c.cookies == "", resp.StatusCode == http.StatusForbidden)
			}
		})
	}
}

func header(pairs ...string) func(r *http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Set(pairs[i], pairs[i+1])
		}
	}
}

// TestExemptForgetsIdentity: also where the login is mounted outside of Protect.
func TestExemptForgetsIdentity(t *testing.T) {
	s := newSite(t)
	s.guard.Exempt("/token")
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r = r.WithContext(glue.WithIdentity(r.Context(), glue.Identity{Principal: "test0001"}))
	s.guard.Protect(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, known := glue.IdentityFrom(r.Context())
		assert.False(t, known)
	})).ServeHTTP(httptest.NewRecorder(), r)
}
