package certified_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// BenchmarkLogin is a whole login of a new browser: at the WLS, and at a provider of the
// same kind (for tests, in this process, a form that is sent once). What it reports are the
// requests that the site answers and those that it makes, for each login.
func BenchmarkLogin(b *testing.B) {
	b.Run("wls", func(b *testing.B) {
		fake := webauthtest.New(b)
		benchmarkLogin(b, fake.Service(), func() *http.Client { return fake.Client("test0001") }, nil)
	})
	b.Run("oidc", func(b *testing.B) {
		fake := oidctest.New(b)
		made := &atomic.Int64{}
		provider := &oidclogin.Provider{
			Issuer: fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(b), Transport: counter{made},
		}
		benchmarkLogin(b, provider, func() *http.Client { return fake.Client("test0001") }, made)
	})
}

// counter counts the requests that it makes.
type counter struct{ requests *atomic.Int64 }

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return http.DefaultTransport.RoundTrip(r)
}

func benchmarkLogin(b *testing.B, service webauth.LoginService, person func() *http.Client, made *atomic.Int64) {
	b.Helper()
	var answered atomic.Int64
	server := webauthtest.Site(b, func(baseURL string) http.Handler {
		soc, err := site.New(site.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text(), Logger: slog.New(slog.DiscardHandler)})
		require.NoError(b, err)
		auth, err := glue.New(glue.Config{Site: soc, Service: service, LoginPath: "/login", Policy: glue.Policy{AnyPtags: true}})
		require.NoError(b, err)
		mux := http.NewServeMux()
		mux.Handle("/private", auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		mux.HandleFunc("/login", auth.Login)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answered.Add(1)
			mux.ServeHTTP(w, r)
		})
	})
	b.ReportAllocs()
	for b.Loop() {
		resp, err := person().Get(server.URL + "/private")
		require.NoError(b, err)
		require.NoError(b, resp.Body.Close())
		require.Equal(b, http.StatusOK, resp.StatusCode)
	}
	b.ReportMetric(float64(answered.Load())/float64(b.N), "answered/op")
	if made != nil {
		b.ReportMetric(float64(made.Load())/float64(b.N), "made/op")
	}
}
