package oauth2server

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	dbtest.Main(m, map[string]func(*dbtest.Database){"serve": helpServe})
}

// clock stands still until a test moves it.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return testNow.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// testServer is a Server on a database, without a site around it.
type testServer struct {
	*Server
	db    *dbtest.Database
	clock *clock
	log   *lockedBuffer

	mu     sync.Mutex
	events []site.Event
}

// testScopes are registered at every server.
var testScopes = []Scope{
	{Name: "records:read", Text: "Read your records.", Group: "Records"},
	{Name: "records:write", Text: "Change your records.", Group: "Records"},
	{Name: "profile", Text: "See who you are."},
	{Name: "harvest", Text: "Read everything.", Internal: true},
}

// newServer makes one on a database.
func newServer(t testing.TB, db *dbtest.Database, edit ...func(*Config)) *testServer {
	t.Helper()
	s, err := tryServer(t, db, edit...)
	require.NoError(t, err)
	return s
}

func tryServer(t testing.TB, db *dbtest.Database, edit ...func(*Config)) (*testServer, error) {
	t.Helper()
	s := &testServer{db: db, clock: &clock{}, log: &lockedBuffer{}}
	cfg, err := siteConfig(db.Open(t), dialectOf(db), s.clock.now, s.log, s.note)
	require.NoError(t, err)
	for _, f := range edit {
		f(&cfg)
	}
	s.Server, err = New(t.Context(), cfg)
	return s, err
}

// note is the site's OnEvent.
func (s *testServer) note(_ context.Context, e site.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// told returns what an event says under a name in More.
func told(e site.Event, key string) string {
	for _, a := range e.More {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// testConfig is that of a site on https, which logs to w.
func testConfig(t testing.TB, db *sql.DB, d Dialect, now func() time.Time, w io.Writer) Config {
	t.Helper()
	cfg, err := siteConfig(db, d, now, w, nil)
	require.NoError(t, err)
	return cfg
}

func dialectOf(db *dbtest.Database) Dialect {
	if db.PostgreSQL {
		return PostgreSQL
	}
	return SQLite
}

func siteConfig(db *sql.DB, d Dialect, now func() time.Time, w io.Writer, note func(context.Context, site.Event)) (Config, error) {
	auth, guard, err := newLogin(webauth.Raven(), site.Config{
		BaseURL: "https://soc.example", Now: now, OnEvent: note,
		Logger: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return Config{DB: db, Dialect: d, Auth: auth, Guard: guard, Scopes: testScopes, ClientScopes: []string{"harvest", "profile"}, MayRegister: anybody}, err
}

// newLogin makes what the server leans on, under a secret of its own.
func newLogin(service webauth.Service, cfg site.Config) (*glue.Auth, *xsrf.Guard, error) {
	cfg.Secret = rand.Text() + rand.Text()
	soc, err := site.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: service, LogoutPath: "/logout"})
	if err != nil {
		return nil, nil, err
	}
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	return auth, guard, err
}

// anybody may register applications.
func anybody(*http.Request, glue.Identity) bool { return true }

// eventNames gives the names of all events so far.
func (s *testServer) eventNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, e := range s.events {
		names = append(names, e.Name)
	}
	return names
}

// register registers an application of an owner.
func (s *testServer) register(t testing.TB, owner string) store.Client {
	t.Helper()
	c, _, err := s.store.CreateClient(t.Context(), store.Client{Owner: owner, Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
	require.NoError(t, err)
	return c
}

// authorised is what a client got for what a person allowed it.
func (s *testServer) authorised(t testing.TB, c store.Client, principal string, scopes ...string) store.Issued {
	t.Helper()
	code, err := s.store.Authorise(t.Context(), store.Code{ClientID: c.ID, Principal: principal, RedirectURI: "https://app.example/cb", Scopes: scopes, Challenge: "challenge"}, true)
	require.NoError(t, err)
	_, h, _ := credential.Parse(code)
	given, err := s.store.Redeem(t.Context(), h, c)
	require.NoError(t, err)
	return given
}

// alone is a token that a client got for itself.
func (s *testServer) alone(t testing.TB, c store.Client, scopes ...string) string {
	t.Helper()
	given, err := s.store.GrantClient(t.Context(), c, scopes)
	require.NoError(t, err)
	return given.Access
}

// lockedBuffer collects what several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// hidden are secret texts that must not turn up anywhere.
type hidden []string

func (h hidden) foundIn(text string) string {
	for _, secret := range h {
		if strings.Contains(text, secret) {
			return secret
		}
	}
	return ""
}
