package oauth2server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
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
	t      testing.TB
	fake   *webauthtest.WLS
	auth   *glue.Auth
	server *Server
	url    string
	log    lockedBuffer
	people atomic.Int64

	mu       sync.Mutex
	events   []site.Event
	inactive map[string]bool
	broken   error // what Config.Active says
	secrets  hidden
}

func newWorld(t testing.TB, db *dbtest.Database, edit ...func(*Config)) *world {
	t.Helper()
	return newWorldAt(t, db, func(*site.Config) {}, edit...)
}

// newWorldAt is newWorld with another site.
func newWorldAt(t testing.TB, db *dbtest.Database, at func(*site.Config), edit ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, fake: webauthtest.New(t), inactive: map[string]bool{}}
	w.fake.SetNow(testNow)
	server := webauthtest.Site(t, func(baseURL string) http.Handler { return w.handler(baseURL, db, at, edit) })
	w.url = server.URL
	return w
}

func (w *world) handler(baseURL string, db *dbtest.Database, at func(*site.Config), edit []func(*Config)) http.Handler {
	cfgOfSite := site.Config{
		BaseURL: baseURL, Now: w.fake.Now, OnEvent: w.note,
		Logger: slog.New(slog.NewJSONHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	at(&cfgOfSite)
	auth, guard, err := newLogin(w.fake.Service(), cfgOfSite)
	require.NoError(w.t, err)
	w.auth = auth
	cfg := Config{
		DB: db.Open(w.t), Dialect: dialectOf(db), Auth: w.auth, Guard: guard,
		Scopes: testScopes, ClientScopes: []string{"harvest", "profile"}, MayRegister: anybody, Active: w.active,
	}
	for _, f := range edit {
		f(&cfg)
	}
	w.server, err = New(w.t.Context(), cfg)
	require.NoError(w.t, err)
	mux := http.NewServeMux()
	mux.Handle("/oauth/", w.server.Handler())
	mux.Handle(w.server.MetadataPath(), w.server.Metadata())
	mux.Handle("/api/records", w.server.RequireAPI("records:read")(http.HandlerFunc(whoami)))
	mux.Handle("/api/change", w.server.RequireAPI("records:write")(http.HandlerFunc(whoami)))
	mux.Handle("/api/clients", w.server.AllowClients("profile")(http.HandlerFunc(whoami)))
	mux.Handle("/private", w.auth.Require(http.HandlerFunc(whoami)))
	mux.HandleFunc("/logout", w.auth.Logout)
	return mux
}

// whoami tells whom the API takes the caller for.
func whoami(w http.ResponseWriter, r *http.Request) {
	a, _ := AccessFrom(r.Context())
	_, _ = fmt.Fprintf(w, "%s %s %s", a.Kind, a.Principal, strings.Join(a.Scopes, ","))
}

func (w *world) active(_ context.Context, principal string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.inactive[principal], w.broken
}

// deactivate ends a person's use of the site.
func (w *world) deactivate(principal string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inactive[principal] = true
}

// reactivate lets a person use the site again.
func (w *world) reactivate(principal string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.inactive, principal)
}

// breakActive makes Config.Active fail.
func (w *world) breakActive(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
}

func (w *world) note(_ context.Context, e site.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// count tells how many events of a name there were about a client.
func (w *world) count(name, clientID string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Name == name && told(e, "client_id") == clientID {
			n++
		}
	}
	return n
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
	c, secret, err := w.server.store.CreateClient(t.Context(), store.Client{
		Owner: owner, Name: "Reader <b>", Description: "Reads.", Confidential: confidential, RedirectURIs: uris,
	})
	require.NoError(t, err)
	w.hide(secret)
	return app{id: c.ID, secret: secret, redirect: uris[0]}
}

func (w *world) ownerOf(t testing.TB, a app) string {
	t.Helper()
	c, err := w.server.store.Client(t.Context(), a.id)
	require.NoError(t, err)
	return c.Owner
}
