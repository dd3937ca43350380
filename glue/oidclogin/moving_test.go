package oidclogin_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	gluesite "github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// A site may move from one provider to another, or be registered anew: all of them answer at its
// LoginPath, and each answer is of the one that was asked.
func TestSeveralProviders(t *testing.T) {
	first, second := oidctest.New(t), oidctest.New(t)
	provider := func(name string, fake *oidctest.Provider) *oidclogin.Provider {
		return &oidclogin.Provider{Name: name, Issuer: fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(t)}
	}
	for _, service := range []webauth.LoginService{provider("first", first), provider("second", second)} {
		name := service.Info().Name
		cfg := glue.Config{
			LoginPath: "/login", Policy: glue.Policy{AnyPtags: true},
			Service: service, Also: []webauth.LoginService{provider("first", first), provider("second", second), webauthtest.New(t).Service()},
		}
		cfg.Also = withoutService(cfg.Also, service)
		server := webauthtest.Site(t, func(baseURL string) http.Handler {
			soc, err := gluesite.New(gluesite.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text()})
			require.NoError(t, err)
			cfg.Site = soc
			auth, err := glue.New(cfg)
			require.NoError(t, err)
			mux := http.NewServeMux()
			mux.HandleFunc("/login", auth.Login)
			mux.Handle("/private/", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				id, _ := glue.IdentityFrom(r.Context())
				fmt.Fprintf(w, "%s by %s", id.Principal, id.Service)
			})))
			return soc.Handler(mux)
		})
		fake := map[string]*oidctest.Provider{"first": first, "second": second}[name]
		resp, err := fake.Client("test0001").Get(server.URL + "/private/")
		require.NoError(t, err)
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "test0001 by "+name, string(body))
	}
}

func withoutService(all []webauth.LoginService, one webauth.LoginService) (rest []webauth.LoginService) {
	for _, s := range all {
		if s.ID() != one.ID() {
			rest = append(rest, s)
		}
	}
	return rest
}
