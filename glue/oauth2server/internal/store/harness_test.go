package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// testNow is when every test begins. The clock stands still until a test moves it.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) {
	dbtest.Main(m, map[string]func(*dbtest.Database){"migrate": helpMigrate})
}

// clock stands still until a test moves it.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return testNow.Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// testStore is a Store on a database.
type testStore struct {
	*Store
	db    *dbtest.Database
	clock *clock
}

func testConfig(db *sql.DB, postgreSQL bool, now func() time.Time) Config {
	const day = 24 * time.Hour
	return Config{
		DB: db, PostgreSQL: postgreSQL, Now: now, Report: func(_ context.Context, _ string, err error) { panic(err) },
		ForPeople:  []string{"records:read", "records:write", "profile"},
		ForClients: []string{"profile", "harvest"},
		AccessLife: time.Hour, RefreshLife: 90 * day, GrantLife: 365 * day, CodeLife: time.Minute,
		MaxPersonal: 50, MaxClients: 20,
	}
}

// newStore opens a Store on a database.
func newStore(t testing.TB, db *dbtest.Database, edit ...func(*Config)) *testStore {
	t.Helper()
	s, err := tryStore(t, db, edit...)
	require.NoError(t, err)
	return s
}

func tryStore(t testing.TB, db *dbtest.Database, edit ...func(*Config)) (*testStore, error) {
	t.Helper()
	s := &testStore{db: db, clock: &clock{}}
	cfg := testConfig(db.Open(t), db.PostgreSQL, s.clock.now)
	for _, f := range edit {
		f(&cfg)
	}
	var err error
	s.Store, err = Open(t.Context(), cfg)
	return s, err
}

// register registers a confidential application of an owner.
func (s *testStore) register(t testing.TB, owner string) Client {
	t.Helper()
	c, _, err := s.CreateClient(t.Context(), Client{Owner: owner, Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
	require.NoError(t, err)
	return c
}

// registerPublic registers a public one.
func (s *testStore) registerPublic(t testing.TB, owner string) Client {
	t.Helper()
	c, secret, err := s.CreateClient(t.Context(), Client{Owner: owner, Name: "Public"})
	require.NoError(t, err)
	require.Empty(t, secret)
	return c
}

// approved is a code that a person allowed a client.
func (s *testStore) approved(t testing.TB, c Client, principal string, scopes ...string) credential.Hash {
	t.Helper()
	text, err := s.Authorise(t.Context(), Code{ClientID: c.ID, Principal: principal, RedirectURI: "https://app.example/cb", Scopes: scopes, Challenge: "challenge"}, true)
	require.NoError(t, err)
	return hashOf(text)
}

// hashOf is the hash of a secret text, or a hash of nothing.
func hashOf(text string) credential.Hash {
	_, h, _ := credential.Parse(text)
	return h
}

// unknown is the hash of a text that nobody was given.
func unknown(p credential.Prefix) credential.Hash {
	_, h := credential.Mint(p)
	return h
}

// pair is what a code was redeemed for.
type pair struct {
	Issued
	access, refresh credential.Hash
}

func newPair(given Issued) pair {
	return pair{given, hashOf(given.Access), hashOf(given.Refresh)}
}

// authorised is a pair for what a person allowed a client.
func (s *testStore) authorised(t testing.TB, c Client, principal string, scopes ...string) pair {
	t.Helper()
	p, err := s.redeem(t.Context(), s.approved(t, c, principal, scopes...), c)
	require.NoError(t, err)
	return p
}

// redeem redeems a code for a new pair, as an application.
func (s *testStore) redeem(ctx context.Context, h credential.Hash, by Client) (pair, error) {
	given, err := s.Redeem(ctx, h, by)
	return newPair(given), err
}

// rotate refreshes for a new pair, as an application.
func (s *testStore) rotate(ctx context.Context, token string, by Client, scopes ...string) (pair, error) {
	given, err := s.Rotate(ctx, token, by, scopes)
	return newPair(given), err
}

// alone is a token that a client got for itself.
func (s *testStore) alone(t testing.TB, c Client, scopes ...string) credential.Hash {
	t.Helper()
	given, err := s.GrantClient(t.Context(), c, scopes)
	require.NoError(t, err)
	return hashOf(given.Access)
}

// personal is a personal token.
func (s *testStore) personal(t testing.TB, made Token) credential.Hash {
	t.Helper()
	_, text, err := s.CreatePersonal(t.Context(), made)
	require.NoError(t, err)
	return hashOf(text)
}

// token is one that must be good.
func (s *testStore) token(t testing.TB, h credential.Hash) Token {
	t.Helper()
	found, err := s.Token(t.Context(), h)
	require.NoError(t, err)
	return found
}

// good reports whether the store knows a token. It is a bearer's unless it is a refresh
// token.
func (s *testStore) good(t testing.TB, h credential.Hash) bool {
	t.Helper()
	found, err := s.Token(t.Context(), h)
	bearer, errBearer := s.Bearer(t.Context(), h)
	if found.Kind == KindRefresh || err != nil {
		require.ErrorIs(t, errBearer, ErrNotFound)
	} else {
		require.NoError(t, errBearer)
		bearer.Owner = ""
		require.Equal(t, Bearer{
			ID: found.ID, ClientID: found.ClientID, Principal: found.Principal, Scopes: found.Scopes,
			Expires: found.Expires, LastUsed: found.LastUsed,
		}, bearer)
	}
	if err != nil {
		require.ErrorIs(t, err, ErrNotFound)
	}
	return err == nil
}

// isRefusal reports whether an error is the store's word, and not the database's
// failure to say.
func isRefusal(err error) bool {
	for _, refusal := range []error{ErrNotFound, ErrUsed, ErrLimit, ErrNoConsent, ErrScope} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
