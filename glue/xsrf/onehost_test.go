package xsrf_test

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// TestTwoSitesOfOneHost: sites below two paths of one host have logins, logouts and tokens for
// scripts of their own, whether they share a secret or not.
func TestTwoSitesOfOneHost(t *testing.T) {
	shared := rand.Text() + rand.Text()
	for name, secrets := range map[string][2]string{"one secret": {shared, shared}, "two secrets": {shared, rand.Text() + rand.Text()}} {
		t.Run(name, func(t *testing.T) {
			fake := webauthtest.New(t)
			server := webauthtest.Site(t, func(baseURL string) http.Handler {
				mux := http.NewServeMux()
				for i, path := range []string{"/wiki", "/tickets"} {
					mux.Handle(path+"/", below(t, baseURL, path, secrets[i], fake))
				}
				return mux
			})
			browser := fake.Client("test0001")
			visit := func(method, path string) int {
				r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
				require.NoError(t, err)
				r.Header.Set("Accept", "text/html")
				r.Header.Set("Origin", server.URL)
				if method == http.MethodPost {
					for _, c := range browser.Jar.Cookies(r.URL) {
						if c.Name == xsrf.CookieName {
							r.Header.Add(xsrf.Header, c.Value)
						}
					}
				}
				resp, err := browser.Do(r)
				require.NoError(t, err)
				defer resp.Body.Close()
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				return resp.StatusCode
			}
			for range 2 { // each after the other has set its cookies
				assert.Equal(t, http.StatusOK, visit(http.MethodGet, "/wiki/page"))
				assert.Equal(t, http.StatusOK, visit(http.MethodGet, "/tickets/page"))
			}
			assert.Equal(t, http.StatusOK, visit(http.MethodPost, "/wiki/page"), "with the cookie's token")
			assert.Equal(t, http.StatusOK, visit(http.MethodPost, "/tickets/page"))

			assert.Equal(t, http.StatusOK, visit(http.MethodPost, "/wiki/logout"))
			assert.Equal(t, http.StatusOK, visit(http.MethodPost, "/tickets/page"), "still logged in here")
			browser.CheckRedirect = fake.StopAtLogin
			assert.Equal(t, http.StatusSeeOther, visit(http.MethodGet, "/wiki/page"), "and not there")
		})
	}
}

// below is a site below a path.
func below(t *testing.T, baseURL, path, secret string, fake *webauthtest.WLS) http.Handler {
	t.Helper()
	base, err := url.JoinPath(baseURL, path)
	require.NoError(t, err)
	soc, err := site.New(site.Config{BaseURL: base, Secret: secret, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: soc, Service: fake.Service(), LogoutPath: path + "/logout"})
	require.NoError(t, err)
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	require.NoError(t, err)
	mux := http.NewServeMux()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	mux.Handle(path+"/page", auth.Require(guard.Check(guard.Send(ok))))
	mux.HandleFunc(path+"/logout", auth.Logout)
	return soc.Handler(guard.Protect(mux))
}

// A path that a cookie cannot say leaves the cookie where scripts find it.
func TestCookieBelowAPathWithASemicolon(t *testing.T) {
	soc, err := site.New(site.Config{BaseURL: "https://soc.example/a;b", Secret: rand.Text() + rand.Text()})
	require.NoError(t, err)
	guard, err := xsrf.New(xsrf.Config{Site: soc})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	guard.Send(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a;b/page", nil))
	for _, c := range w.Result().Cookies() {
		assert.Equal(t, "/", c.Path, c.Name)
	}
}
