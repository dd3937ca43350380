package oauth2server

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"net/http"
	"strings"
	"sync"
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

// testServer is a Server on a database, and what it told.
type testServer struct {
	*Server
	db  *dbtest.Database
	log lockedBuffer

	mu       sync.Mutex
	events   []site.Event
	inactive map[string]bool
	broken   error // what Config.Active says
}

// testScopes are registered at every server.
var testScopes = []Scope{
	{Name: "records:read", Text: "Read your records.", Group: "Records"},
	{Name: "records:write", Text: "Change your records.", Group: "Records"},
	{Name: "profile", Text: "See who you are."},
	{Name: "harvest", Text: "Read everything.", Internal: true},
}

// newServer makes one of a site where nobody logs in. Its clock stands still.
func newServer(t testing.TB, db *dbtest.Database, edit ...func(*Config)) *testServer {
	t.Helper()
	s, err := tryServer(t, db, edit...)
	require.NoError(t, err)
	return s
}

func tryServer(t testing.TB, db *dbtest.Database, edit ...func(*Config)) (*testServer, error) {
	t.Helper()
	at := site.Config{BaseURL: "https://soc.example", Now: func() time.Time { return testNow }}
	return serverAt(t, db, webauth.Raven(), at, edit...)
}

// serverAt makes a server of any site.
func serverAt(t testing.TB, db *dbtest.Database, service webauth.Service, at site.Config, edit ...func(*Config)) (*testServer, error) {
	t.Helper()
	s := &testServer{db: db, inactive: map[string]bool{}}
	at.OnEvent = s.note
	at.Logger = slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg, err := configAt(db.Open(t), db.PostgreSQL, service, at)
	require.NoError(t, err)
	for _, f := range edit {
		f(&cfg)
	}
	s.Server, err = New(t.Context(), cfg)
	return s, err
}

// configAt is the configuration for a site, which gets a secret of its own.
func configAt(db *sql.DB, postgreSQL bool, service webauth.Service, at site.Config) (Config, error) {
	at.Secret = rand.Text() + rand.Text()
	soc, err := site.New(at)
	if err != nil {
		return Config{}, err
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: service, LogoutPath: "/logout"})
	if err != nil {
		return Config{}, err
	}
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	cfg := Config{
		DB: db, Dialect: SQLite, Auth: auth, Guard: guard,
		Scopes: testScopes, ClientScopes: []string{"harvest", "profile"}, MayRegister: anybody,
	}
	if postgreSQL {
		cfg.Dialect = PostgreSQL
	}
	return cfg, err
}

// note is the site's OnEvent. What people's logins tell is none of the server's.
func (s *testServer) note(_ context.Context, e site.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.From == "oauth2" {
		s.events = append(s.events, e)
	}
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

// client registers an application of an owner.
func (s *testServer) client(t testing.TB, owner string) store.Client {
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

// isActive is Config.Active of sites where people log in.
func (s *testServer) isActive(_ context.Context, principal string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.inactive[principal], s.broken
}

// deactivate ends a person's use of the site.
func (s *testServer) deactivate(principal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inactive[principal] = true
}

// reactivate lets a person use the site again.
func (s *testServer) reactivate(principal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.inactive, principal)
}

// breakActive makes Config.Active fail.
func (s *testServer) breakActive(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// count tells how many events of a name there were about a client.
func (s *testServer) count(name, clientID string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Name == name && told(e, "client_id") == clientID {
			n++
		}
	}
	return n
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
