package glue_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// A long address waits where the answer of a provider comes to, which is another path, and
// leaves nothing behind.
func TestLongTargetWhoseAnswerComesElsewhere(t *testing.T) {
	fake := oidctest.New(t)
	url := webauthtest.Site(t, func(baseURL string) http.Handler {
		var c config
		c.BaseURL, c.Secret, c.Logger = baseURL, rand.Text()+rand.Text(), slog.New(slog.DiscardHandler)
		c.LoginPath, c.Policy = "/login", glue.Policy{AnyPtags: true}
		c.Service = &oidclogin.Provider{Name: "fake", Issuer: fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(t)}
		auth, err := newAuth(c)
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/private/", auth.Require(echo))
		mux.HandleFunc("/login", auth.Login)
		return auth.Site().Handler(mux)
	}).URL
	b := fake.Client("test0001")
	resp, err := b.Get(url + longTarget("/private/page"))
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, echoType, resp.Header.Get("Content-Type"))
	assert.Equal(t, url+longTarget("/private/page"), resp.Request.URL.String())
	for _, path := range []string{"/login", "/private/page"} {
		r, err := http.NewRequest(http.MethodGet, url+path, http.NoBody)
		require.NoError(t, err)
		for _, c := range b.Jar.Cookies(r.URL) {
			assert.False(t, strings.Contains(c.Name, "wls-target"), c.Name)
		}
	}
}
