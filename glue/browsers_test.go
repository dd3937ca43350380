package glue_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/browsertest"
)

func TestBrowsers(t *testing.T) { browsertest.Journeys(t, startForBrowsers) }

func TestBrowsersWithPartsOfPages(t *testing.T) { browsertest.Parts(t, startForBrowsers) }

// startForBrowsers starts a site for real browsers.
func startForBrowsers(t *testing.T, app func(logout string, user func(*http.Request) string) http.Handler) browsertest.Site {
	h := app("/logout", func(r *http.Request) string {
		id, _ := glue.IdentityFrom(r.Context())
		return id.Principal
	})
	s := startSite(t, setup{
		config: func(c *config) { c.LoginPath = "/login" },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.Handle("/", h)
			mux.Handle("/private/app/", auth.Require(h))
		},
	})
	return browsertest.Site{URL: s.url, Expire: func() { s.advance(3 * time.Hour) }}
}
