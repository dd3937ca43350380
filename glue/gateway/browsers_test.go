package gateway

import (
	"net/http"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/browsertest"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

func TestBrowsers(t *testing.T) { browsertest.Journeys(t, startForBrowsers) }

func TestBrowsersWithPartsOfPages(t *testing.T) { browsertest.Parts(t, startForBrowsers) }

// startForBrowsers starts a gateway for real browsers, in front of an application.
func startForBrowsers(t *testing.T, app func(logout string, user func(*http.Request) string) http.Handler) browsertest.Site {
	h := app(serve.LogoutPath, func(r *http.Request) string { return r.Header.Get("Remote-User") })
	w := newWorld(t, kit{
		handler: h.ServeHTTP,
		rules:   []Rule{{Path: "/", Access: Public}, {Path: "/private", Access: Login}},
	})
	return browsertest.Site{URL: w.url, Expire: func() { w.fake.Advance(3 * time.Hour) }}
}
