package glue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// A site below a path shares its origin with others, and sends nobody to them.
func TestNextStaysBelowTheSitesPath(t *testing.T) { eachKind(t, testNextStaysBelowTheSitesPath) }

func testNextStaysBelowTheSitesPath(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind,
		config: func(c *config) { c.BaseURL += "/~alice"; c.LogoutPath = "/~alice/logout" },
		routes: func(mux *http.ServeMux, auth *glue.Auth) {
			mux.HandleFunc("/~alice/login", auth.Login)
			mux.Handle("/~alice/{$}", auth.Require(echo))
		},
	})
	b := s.browser("test0001")
	b.get("/~alice/").requireEcho("test0001")
	for next, ok := range map[string]bool{
		"/~alice": true, "/~alice/": true, "/~alice/deep?a=b": true, "/%7Ealice/x": true, "/~alice/./x": true, "/~alice/..x/x..": true,
		"/~mallory/": false, "/~aliceandbob/": false, "/": false, "/~alice/../~mallory/": false,
		"/x/..//~alice/": false, "/~mallory/../~alice/": false, "/~alice/..": false, "/~alice%2f..": false, "/~alice/x%5c..%5c..": false,
		"/~alice/%2e%2e/~mallory/": false, "/~alice/..%2f~mallory/": false,
	} {
		a := b.once("/~alice/login?next=" + strings.ReplaceAll(next, "%", "%25"))
		if ok {
			assert.Equal(t, s.url+next, a.Header.Get("Location"), next)
		} else {
			assert.Equal(t, http.StatusBadRequest, a.StatusCode, next)
		}
	}
}

// A cancel comes back without the query; the page still knows where the person wanted
// to go.
func TestTryAgainAfterACancelKeepsTheQuery(t *testing.T) {
	eachKind(t, testTryAgainAfterACancelKeepsTheQuery)
}

func testTryAgainAfterACancelKeepsTheQuery(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind})
	s.fake.SetQuirks(webauthtest.QuirkV1Cancel)
	s.fake.Next(webauthtest.Outcome{Status: 410})
	a := s.browser("test0001").get("/private/page?n=1").requirePage(http.StatusOK, "cancelled")
	assert.Equal(t, []string{s.url + "/private/page?n=1", s.url + "/"}, a.links())
}

// A page for everybody stays one, whatever its address.
func TestSilentSignInRefusesNobodyForTheAddress(t *testing.T) {
	eachKind(t, testSilentSignInRefusesNobodyForTheAddress)
}

func testSilentSignInRefusesNobodyForTheAddress(t *testing.T, kind kind) {
	s := startSite(t, setup{kind: kind, config: func(c *config) { c.Policy.Silent = true }})
	b := s.browser("")
	b.get("/optional").requireEcho("")
	for _, query := range []string{strings.Repeat("x", 2000), "q=WLS%2DResponse"} {
		b.get("/optional?" + query).requireEcho("")
	}
}

func TestOnlyNeverMeansAnybody(t *testing.T) { eachKind(t, testOnlyNeverMeansAnybody) }

func testOnlyNeverMeansAnybody(t *testing.T, kind kind) {
	assert.Equal(t, []string{"a", "b"}, glue.Only("a", "b"))
	var none []string
	s := startSite(t, setup{kind: kind})
	admin := s.auth.With(func(p *glue.Policy) { p.Principals = glue.Only(none...) })
	require.ErrorContains(t, admin.Err(), "Principals: an empty list")
}
