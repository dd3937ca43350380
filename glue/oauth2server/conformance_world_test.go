package oauth2server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// errTest is what goes wrong where a test wants something to.
var errTest = errors.New("out of order")

// world is a site on a real listener with an authorization server, a small API, and the
// fake WLS where people log in.
type world struct {
	*testServer
	t      testing.TB
	fake   *webauthtest.WLS
	auth   *glue.Auth
	url    string
	people atomic.Int64
	git    atomic.Pointer[http.HandlerFunc] // at /git/, for who may read records

	secrets hidden
}

func newWorld(t testing.TB, db *dbtest.Database, edit ...func(*Config)) *world {
	t.Helper()
	return newWorldAt(t, db, func(*site.Config) {}, edit...)
}

// newWorldAt is newWorld with another site.
func newWorldAt(t testing.TB, db *dbtest.Database, edit func(*site.Config), edits ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, fake: webauthtest.New(t)}
	w.fake.SetNow(testNow)
	webauthtest.Site(t, func(baseURL string) http.Handler {
		w.url = baseURL
		at := site.Config{BaseURL: baseURL, Now: w.fake.Now}
		edit(&at)
		active := func(c *Config) {
			c.Active = func(ctx context.Context, principal string) (bool, error) { return w.isActive(ctx, principal) }
		}
		var err error
		w.testServer, err = serverAt(t, db, w.fake.Service(), at, append([]func(*Config){active}, edits...)...)
		require.NoError(t, err)
		w.auth = w.cfg.Auth
		return w.cfg.Guard.Protect(w.routes())
	})
	return w
}

// routes are all that the site has, with resources behind every decorator.
func (w *world) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/oauth/", w.Handler())
	mux.Handle(w.MetadataPath(), w.Metadata())
	mux.Handle("/private", w.auth.Require(http.HandlerFunc(whoami)))
	mux.HandleFunc("/logout", w.auth.Logout)
	mux.Handle("/api/records", w.RequireAPI("records:read")(http.HandlerFunc(whoami)))
	mux.Handle("/cors/records", w.CORS(w.RequireAPI("records:read")(http.HandlerFunc(whoami))))
	mux.Handle("/api/change", w.RequireAPI("records:write")(http.HandlerFunc(whoami)))
	mux.Handle("/api/profile", w.AllowClients("profile")(http.HandlerFunc(whoami)))
	mux.Handle("/api", w.RequireAPI()(echo))
	mux.Handle("/api/read", w.RequireAPI("records:read")(echo))
	mux.Handle("/api/both", w.RequireAPI("records:read", "profile")(echo))
	mux.Handle("/api/open", w.AllowAnonymous("records:read")(echo))
	mux.Handle("/api/clients", w.AllowClients("harvest")(echo))
	mux.Handle("/api/internal", w.RequireAPI("harvest")(echo))
	mux.Handle("/api/internal/open", w.AllowAnonymous("harvest")(echo))
	mux.Handle("/api/broken", w.RequireAPI("records:rad")(echo))
	mux.Handle("/api/inside", w.auth.Optional(w.AllowClients()(echo)))
	mux.Handle("/api/inside/open", w.RequireAPI()(w.AllowAnonymous()(echo)))
	mux.Handle("/git/", w.RequireAPI("records:read")(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*w.git.Load())(rw, r) })))
	return mux
}

// whoami tells whom the API takes the caller for.
func whoami(w http.ResponseWriter, r *http.Request) {
	a, _ := AccessFrom(r.Context())
	_, _ = fmt.Fprintf(w, "%s %s %s", a.Kind, a.Principal, strings.Join(a.Scopes, ","))
}

// hide marks a text that must never be logged.
func (w *world) hide(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text != "" {
		w.secrets = append(w.secrets, text)
	}
}

func (w *world) assertNothingLeaked() {
	w.t.Helper()
	require.NotEmpty(w.t, w.secrets)
	require.Empty(w.t, w.secrets.foundIn(w.log.String()), "in the log")
	for _, e := range w.events {
		require.Empty(w.t, w.secrets.foundIn(fmt.Sprintf("%+v", e)), "in an event")
	}
}

// app is a registered application.
type app struct {
	id, secret string // secret is empty for a public one
	redirect   string
}

const appRedirect = "https://app.example/cb?tenant=1"

// register registers an application. How that is done is no part of the protocol.
func (w *world) register(t testing.TB, confidential bool, uris ...string) app {
	t.Helper()
	if len(uris) == 0 {
		uris = []string{appRedirect}
	}
	w.people.Add(1)
	owner := fmt.Sprintf("owner%d", w.people.Load())
	c, secret, err := w.store.CreateClient(t.Context(), store.Client{
		Owner: owner, Name: "Reader <b>", Description: "Reads.", Confidential: confidential, RedirectURIs: uris,
	})
	require.NoError(t, err)
	w.hide(secret)
	return app{id: c.ID, secret: secret, redirect: uris[0]}
}

func (w *world) ownerOf(t testing.TB, a app) string {
	t.Helper()
	c, err := w.store.Client(t.Context(), a.id)
	require.NoError(t, err)
	return c.Owner
}
