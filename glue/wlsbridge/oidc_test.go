package wlsbridge_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// TestOpenIDConnectBehind: sites that speak the old protocol have people log in at an OpenID
// Connect provider, whose groups and ways of logging in have other names.
func TestOpenIDConnectBehind(t *testing.T) {
	fake := oidctest.New(t)
	fake.SetNow(noon)
	var bridge *wlsbridge.Bridge
	url := webauthtest.Site(t, func(baseURL string) http.Handler {
		home, err := site.New(site.Config{BaseURL: baseURL, Secret: rand.Text() + rand.Text(), Now: fake.Now, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		auth, err := glue.New(glue.Config{
			Site: home, LoginPath: "/login", LogoutPath: "/auth/logout.html", Policy: glue.Policy{AnyPtags: true},
			Service: &oidclogin.Provider{
				Name: "fake", Issuer: fake.Issuer(), ClientID: oidctest.ClientID, ClientSecretFile: fake.SecretFile(t),
				PrincipalClaim: "upn", CRSid: true, PtagsClaim: "groups", Ptags: []string{"current"},
			},
		})
		require.NoError(t, err)
		bridge, err = wlsbridge.New(wlsbridge.Config{
			Auth: auth, Keys: []wlsbridge.Key{{Kid: "700", Private: signingKey()}}, Confirm: wlsbridge.ConfirmNever,
			Sites: []wlsbridge.Site{{URLPrefix: "https://soc.example/", Ptags: []string{"current"}}},
			AAuth: map[string]string{"": "pwd"},
		})
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle("/auth/", bridge.Handler())
		mux.HandleFunc("/login", auth.Login)
		return home.Handler(mux)
	}).URL
	w := &world{t: t, bridge: bridge, url: url, now: fake.Now}
	newPerson := func(user string) *person {
		c := fake.Client(user)
		follow := c.CheckRedirect
		c.CheckRedirect = func(next *http.Request, via []*http.Request) error {
			if at := next.URL.String(); !strings.HasPrefix(at, url) && !strings.HasPrefix(at, fake.Issuer()) {
				return http.ErrUseLastResponse
			}
			return follow(next, via)
		}
		return &person{w, c}
	}
	typed := func() (n int) {
		for _, e := range fake.Requests() {
			if e.Submitted {
				n++
			}
		}
		return n
	}

	p := newPerson("test0001")
	r := p.success(p.visit(asks()), "")
	assert.Equal(t, "test0001", r.Principal())
	assert.Equal(t, []string{"current"}, r.Ptags())
	assert.Equal(t, "pwd", r.Auth())
	assert.Equal(t, 1, typed())

	fake.Advance(time.Minute)
	r = p.success(p.visit(asks(yes)), webauth.IActYes)
	assert.Equal(t, "pwd", r.Auth())
	assert.Equal(t, 2, typed(), "typed for it")
	r = p.success(p.visit(asks(no)), webauth.IActNo)
	assert.Empty(t, r.Auth())
	r = p.success(p.visit(asks(func(r *wls.Request) { r.Ver = 2 })), "")
	assert.Equal(t, 2, r.Version())

	// Whom the provider does not say to be a member of the group is none for any site.
	guest := newPerson("test0010")
	r = guest.success(guest.visit(asks()), "")
	assert.Empty(t, r.Ptags())
	failed, _ := guest.response(guest.visit(asks(func(r *wls.Request) { r.Ver = 2 })))
	assert.Equal(t, 570, failed.Status())

	// A very long request waits in the browser meanwhile.
	long := "https://soc.example/?" + strings.Repeat("long-", 1000)
	q := newPerson("test0002")
	r = q.success(q.visit(asks(yes, func(r *wls.Request) { r.URL = long })), webauth.IActYes)
	assert.Equal(t, long, r.URL())
}
