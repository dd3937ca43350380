// Package routers tries the login and the protection of forms as middleware of routers
// that are not net/http's. It is a module of its own, so that nobody who uses the library
// has these routers among his dependencies.
package routers

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

func TestRouters(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	for _, tc := range []struct {
		name  string
		build func(*glue.Auth, *xsrf.Guard, http.Handler) http.Handler
	}{
		{"chi", withChi},
		{"mux", withMux},
		{"echo", withEcho},
		{"gin", withGin},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := webauthtest.New(t)
			server := webauthtest.Site(t, func(baseURL string) http.Handler {
				soc, err := site.New(site.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text()})
				require.NoError(t, err)
				auth, err := glue.New(glue.Config{Site: soc, Service: fake.Service(), LogoutPath: "/logout"})
				require.NoError(t, err)
				guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
				require.NoError(t, err)
				app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					id, _ := glue.IdentityFrom(r.Context())
					fmt.Fprintf(w, "%s %s, %s%s", r.Method, r.URL.Path, id.Principal, guard.Field(r))
				})
				return soc.Handler(tc.build(auth, guard, app))
			})
			ada := fake.Client("test0001")

			status, _ := get(t, &http.Client{CheckRedirect: fake.StopAtLogin}, server.URL+"/private/page?q=1")
			assert.Equal(t, http.StatusSeeOther, status, "to the login service")
			status, body := get(t, ada, server.URL+"/private/page?q=1")
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, "GET /private/page, test0001")

			_, field, found := strings.Cut(body, `value="`)
			require.True(t, found, body)
			field, _, _ = strings.Cut(field, `"`)
			status, body = post(t, ada, server.URL+"/private/page", url.Values{xsrf.Field: {field}})
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, "POST /private/page, test0001")
			status, body = post(t, ada, server.URL+"/private/page", nil)
			assert.Equal(t, http.StatusForbidden, status, "no token")
			assert.NotContains(t, body, "POST /private/page")
			status, body = post(t, &http.Client{}, server.URL+"/private/page", url.Values{xsrf.Field: {field}})
			assert.Equal(t, http.StatusUnauthorized, status, "nobody is logged in")
			assert.NotContains(t, body, "POST /private/page")

			status, _ = get(t, ada, server.URL+"/elsewhere")
			assert.Equal(t, http.StatusNotFound, status)
			status, _ = post(t, ada, server.URL+"/logout", nil)
			assert.Equal(t, http.StatusOK, status)
			ada.CheckRedirect = fake.StopAtLogin
			status, _ = get(t, ada, server.URL+"/private/page")
			assert.Equal(t, http.StatusSeeOther, status, "logged out")
		})
	}
}

func get(t *testing.T, c *http.Client, address string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	return do(t, c, r)
}

// post sends a form as a page of the site does.
func post(t *testing.T, c *http.Client, address string, form url.Values) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://"+r.Host)
	return do(t, c, r)
}

func do(t *testing.T, c *http.Client, r *http.Request) (status int, body string) {
	t.Helper()
	r.Header.Set("Accept", "text/html")
	resp, err := c.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(all)
}
