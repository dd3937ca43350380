package oidclogin_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	gluesite "github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// pageStatus is the HTTP status of the page that tells a person of a refusal.
func pageStatus(k kind) int {
	if k.status == 410 { // the person cancelled, which is no error
		return http.StatusOK
	}
	switch k.want {
	case "":
		return http.StatusOK
	case webauth.ReasonProvider, webauth.ReasonSetup, webauth.ReasonPtags:
		return http.StatusServiceUnavailable
	case webauth.ReasonMalformed:
		return http.StatusBadRequest
	}
	return http.StatusForbidden
}

// TestMisbehavingProvidersAtASite plays the kinds that need no attacker's hand through a site on a
// real listener, by a browser that logs in by itself.
func TestMisbehavingProvidersAtASite(t *testing.T) {
	n := 0
	for _, k := range badKinds() {
		if k.twist != nil || k.doing != oidctest.Types || !reflect.DeepEqual(k.ask, webauth.Request{}) {
			continue
		}
		n++
		t.Run(k.String(), func(t *testing.T) {
			fake, provider := newBadProvider(t, k.setup)
			server := webauthtest.Site(t, func(baseURL string) http.Handler { return badSite(t, baseURL, fake, provider) })
			outcome := k.outcome
			outcome.Fault = k.fault
			fake.Advance(time.Second)
			fake.Always(outcome)
			browser := fake.Client("test0001")
			status, page := visit(t, browser, server.URL)
			assert.Equal(t, pageStatus(k), status, page)
			if k.want == "" {
				return
			}
			assert.Contains(t, page, "<h1>")
			for _, leak := range []string{badSecret, "<script", "<b>", "\x1b", strings.Repeat("x", 100)} {
				assert.NotContains(t, page, leak)
			}
			fake.Always(oidctest.Outcome{Error: "server_error"})
			status, _ = visit(t, browser, server.URL)
			assert.NotEqual(t, http.StatusOK, status, "there is no session")
		})
	}
	t.Logf("%d kinds", n)
}

// badSite tells who came in at /private/.
func badSite(t *testing.T, baseURL string, fake *oidctest.Provider, provider *oidclogin.Provider) http.Handler {
	soc, err := gluesite.New(gluesite.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text(), Now: fake.Now})
	require.NoError(t, err)
	auth, err := glue.New(glue.Config{Site: soc, Service: provider, LoginPath: callback, Policy: glue.Policy{AnyPtags: true}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/private/", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		fmt.Fprintf(w, "hello %s", id.Principal)
	})))
	mux.HandleFunc(callback, auth.Login)
	return mux
}

func visit(t *testing.T, c *http.Client, base string) (status int, page string) {
	t.Helper()
	resp, err := c.Get(base + "/private/")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}
