package xsrf_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/browsertest"
)

// Behind a service worker a browser may say of another site's form that it is ours, and bring
// all cookies. Protect believes it; Check does not.
func TestFormsOfOtherSitesThroughServiceWorkers(t *testing.T) {
	var believed atomic.Int64
	browsertest.Foreign(t, func(t *testing.T, app func(logout string, user func(*http.Request) string) http.Handler) browsertest.Site {
		s := newSite(t)
		h := app("/logout", func(r *http.Request) string {
			id, _ := glue.IdentityFrom(r.Context())
			return id.Principal
		})
		checked := s.guard.Check(h)
		s.more = func(mux *http.ServeMux) {
			mux.Handle("/", h)
			mux.Handle("/private/app/", s.auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && s.guard.VerifyOrigin(r) == nil {
					believed.Add(1)
				}
				checked.ServeHTTP(w, r)
			})))
		}
		return browsertest.Site{URL: s.url, Expire: func() { s.advance(3 * time.Hour) }}
	})
	t.Logf("of these forms, Protect believed %d", believed.Load())
}
