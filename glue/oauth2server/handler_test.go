package oauth2server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// TestHeaders wants no answer below Config.Path to be kept, or to be told of by a
// referrer, whatever was asked.
func TestHeaders(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	p.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, loggedIn := range []bool{false, true} {
		if loggedIn {
			p.browser = p.newBrowser()
			p.open(p.url + "/private")
		}
		for _, path := range []string{"/authorize", "/token", "/revoke", "/introspect", "/csrf", "/settings/tokens", "/settings/none", "/none", "/", "/authorize/", "//token"} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut, http.MethodOptions} {
				r, err := http.NewRequest(method, p.url+"/oauth"+path, http.NoBody)
				require.NoError(t, err)
				a := p.do(p.browser, r)
				if a.StatusCode == http.StatusMovedPermanently || a.StatusCode == http.StatusTemporaryRedirect {
					continue // of the site's own mux
				}
				name := method + " " + path
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"), name)
				assert.Contains(t, []string{"no-referrer", "same-origin"}, a.Header.Get("Referrer-Policy"), name)
				assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), name)
				assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"), name)
			}
		}
	}
}

func TestBelow(t *testing.T) {
	s := &Server{cfg: Config{Path: "/soc/api/oauth"}}
	for path, want := range map[string]string{
		"/soc/api/oauth/token":           "/token",
		"/soc/api/oauth/settings/tokens": "/settings/tokens",
		"/api/oauth/token":               "/token", // a front server took "/soc" away
		"/oauth/token":                   "/token",
		"/token":                         "/token", // http.StripPrefix took all of it away
		"/soc/api/oauthtoken":            "/soc/api/oauthtoken",
		"/soc/api/oauth":                 "/soc/api/oauth",
		"/soc/api/oauth/":                "/",
		"/other/token":                   "/other/token",
		"":                               "",
	} {
		assert.Equal(t, want, s.below(path), path)
		if strings.HasPrefix(want, "/settings") {
			r := s.atPath(httptest.NewRequest(http.MethodGet, path+"?q=1", http.NoBody), want)
			assert.Equal(t, "/soc/api/oauth/settings/tokens?q=1", r.URL.String())
		}
	}
}

func TestStrippedPaths(t *testing.T) {
	p := newWorld(t, dbtest.SQLite(t)).party(t)
	handler := http.StripPrefix("/oauth", p.Handler())
	for path, want := range map[string]int{"/oauth/token": http.StatusMethodNotAllowed, "/oauth/settings/tokens": http.StatusUnauthorized, "/oauth/none": http.StatusNotFound} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, p.url+path, http.NoBody))
		assert.Equal(t, want, w.Code, path)
	}
}

func TestMetadataPath(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://soc.example":         "/.well-known/oauth-authorization-server",
		"https://soc.example:8443":    "/.well-known/oauth-authorization-server",
		"https://soc.example/api":     "/.well-known/oauth-authorization-server/api",
		"https://soc.example/api/two": "/.well-known/oauth-authorization-server/api/two",
	} {
		assert.Equal(t, want, (&Server{cfg: Config{Issuer: issuer}}).MetadataPath())
	}
}
