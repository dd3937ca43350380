package oauth2server

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	if run := helpers[os.Getenv(helperVariable)]; run != nil {
		run()
		return
	}
	status := m.Run()
	cluster.stop()
	os.Exit(status)
}

// database is an empty one of a test's own.
type database struct {
	dialect     Dialect
	driver, dsn string
}

// eachEngine runs a test on SQLite and on PostgreSQL.
func eachEngine[T interface {
	testing.TB
	Run(string, func(T)) bool
}](t T, f func(t T, db database)) {
	for _, d := range []Dialect{SQLite, PostgreSQL} {
		t.Run(string(d), func(t T) { f(t, newDatabase(t, d)) })
	}
}

func newDatabase(t testing.TB, d Dialect) database {
	t.Helper()
	if d == SQLite {
		file := filepath.Join(t.TempDir(), "test.db")
		return database{d, "sqlite", "file:" + file + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"}
	}
	cluster.start(t)
	return database{d, "pgx", cluster.create(t)}
}

// open opens it, once more perhaps, as another program would.
func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// exec does something behind the server's back.
func (d database) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := d.open(t).Exec(query, args...)
	require.NoError(t, err)
}

// number asks for one.
func (d database) number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, d.open(t).QueryRow(query, args...).Scan(&n))
	return n
}

// clock stands still until a test moves it.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return testNow.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// testServer is a Server on a database, without a site around it.
type testServer struct {
	*Server
	db    database
	clock *clock
	log   *lockedBuffer

	mu     sync.Mutex
	events []Event
}

// testScopes are registered at every server.
var testScopes = []Scope{
	{Name: "records:read", Text: "Read your records.", Group: "Records"},
	{Name: "records:write", Text: "Change your records.", Group: "Records"},
	{Name: "profile", Text: "See who you are."},
	{Name: "harvest", Text: "Read everything.", Internal: true},
}

// newServer makes one on a database.
func newServer(t testing.TB, db database, edit ...func(*Config)) *testServer {
	t.Helper()
	s, err := tryServer(t, db, edit...)
	require.NoError(t, err)
	return s
}

func tryServer(t testing.TB, db database, edit ...func(*Config)) (*testServer, error) {
	t.Helper()
	s := &testServer{db: db, clock: &clock{}, log: &lockedBuffer{}}
	cfg := testConfig(t, db.open(t), db.dialect, s.clock.now, s.log)
	cfg.OnEvent = func(_ context.Context, e Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}
	for _, f := range edit {
		f(&cfg)
	}
	var err error
	s.Server, err = New(t.Context(), cfg)
	return s, err
}

// testConfig is that of a site on https, which logs to w.
func testConfig(t testing.TB, db *sql.DB, d Dialect, now func() time.Time, w io.Writer) Config {
	t.Helper()
	cfg, err := siteConfig(db, d, now, w)
	require.NoError(t, err)
	return cfg
}

func siteConfig(db *sql.DB, d Dialect, now func() time.Time, w io.Writer) (Config, error) {
	auth, err := glue.New(glue.Config{
		Service: webauth.Raven(), BaseURL: "https://soc.example", Secret: rand.Text() + rand.Text(), Now: now,
		Logger: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		return Config{}, err
	}
	guard, err := xsrf.New(xsrf.Config{Auth: auth})
	return Config{DB: db, Dialect: d, Auth: auth, Guard: guard, Scopes: testScopes, ClientScopes: []string{"harvest", "profile"}, MayRegister: anybody}, err
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
func (s *testServer) register(t testing.TB, owner string) client {
	t.Helper()
	_, secret := mint(prefixSecret)
	c, err := s.store.createClient(t.Context(), client{Owner: owner, Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}}, secret)
	require.NoError(t, err)
	return c
}

// approved is a code that a person allowed a client.
func (s *testServer) approved(t testing.TB, c client, principal string, scopes ...string) hash {
	t.Helper()
	_, h := mint(prefixCode)
	require.NoError(t, s.store.approve(t.Context(), code{ClientID: c.ID, Principal: principal, RedirectURI: "https://app.example/cb", Scopes: scopes, Challenge: "challenge"}, h))
	return h
}

// pair is what a code was redeemed for.
type pair struct {
	issued
	access, refresh hash
}

// authorised is a pair for what a person allowed a client.
func (s *testServer) authorised(t testing.TB, c client, principal string, scopes ...string) pair {
	t.Helper()
	p, err := s.redeem(t.Context(), s.approved(t, c, principal, scopes...), c)
	require.NoError(t, err)
	return p
}

// redeem redeems a code for a new pair, as an application.
func (s *testServer) redeem(ctx context.Context, h hash, by client) (p pair, err error) {
	_, p.access = mint(prefixAccess)
	_, p.refresh = mint(prefixRefresh)
	p.issued, err = s.store.redeem(ctx, h, by, p.access, p.refresh)
	return p, err
}

// rotate refreshes for a new pair, as an application.
func (s *testServer) rotate(ctx context.Context, h hash, by client, scopes ...string) (p pair, err error) {
	_, p.access = mint(prefixAccess)
	_, p.refresh = mint(prefixRefresh)
	p.issued, err = s.store.rotate(ctx, h, by, scopes, p.access, p.refresh)
	return p, err
}

// good reports whether the store knows a token.
func (s *testServer) good(t testing.TB, h hash) bool {
	t.Helper()
	_, err := s.store.token(t.Context(), h)
	if err != nil {
		require.ErrorIs(t, err, errNotFound)
	}
	return err == nil
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

// helperVariable names what this program does instead of testing, if it is set.
const helperVariable = "OAUTH2SERVER_TEST_HELPER"

// helper prepares this program to run once more, as another process of the site.
func helper(t testing.TB, name string, env ...string) *exec.Cmd {
	t.Helper()
	require.Contains(t, helpers, name)
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), append(env, helperVariable+"="+name)...)
	return cmd
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
