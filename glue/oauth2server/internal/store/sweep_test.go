package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// rows counts what a table holds.
func rows(t testing.TB, db *dbtest.Database, table string) int {
	t.Helper()
	return db.Number(t, `SELECT COUNT(*) FROM wlsoauth_`+table)
}

func TestExpiredRowsGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		s.personal(t, Token{Principal: "spqr1"})
		s.personal(t, Token{Principal: "spqr1", Expires: testNow.Add(time.Minute)})
		s.authorised(t, c, "spqr2", "profile")
		s.alone(t, c, "harvest")

		counts := func() []int {
			require.NoError(t, s.Sweep(ctx))
			return []int{rows(t, db, "tokens"), rows(t, db, "codes"), rows(t, db, "grants")}
		}
		assert.Equal(t, []int{5, 1, 1}, counts())
		s.clock.advance(time.Minute + sweepGrace - time.Second)
		assert.Equal(t, []int{5, 1, 1}, counts())
		s.clock.advance(time.Second)
		assert.Equal(t, []int{4, 1, 1}, counts(), "the personal token")
		s.clock.advance(time.Hour)
		assert.Equal(t, []int{2, 1, 1}, counts(), "the access tokens")
		s.clock.advance(codeMemory)
		assert.Equal(t, []int{2, 0, 1}, counts(), "the code")
		s.clock.advance(90 * 24 * time.Hour)
		assert.Equal(t, []int{1, 0, 0}, counts(), "the refresh token, and its grant with it")
		s.clock.advance(100 * 365 * 24 * time.Hour)
		assert.Equal(t, []int{1, 0, 0}, counts(), "what does not expire stays")
		assert.Equal(t, 1, rows(t, db, "clients"))
		assert.Equal(t, 1, rows(t, db, "consents"))
	})
}

// A sweep of many goes in steps. A request takes one step at most, and none for a while
// once there is nothing left.
func TestSweepingIsBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		fill(t, db, "spqr9", 2*sweepBatch+1, testNow.Add(-sweepGrace).Unix())
		create := func() {
			s.personal(t, Token{Principal: "spqr1"})
		}
		create()
		assert.Equal(t, sweepBatch+1+1, rows(t, db, "tokens"))
		create()
		assert.Equal(t, 1+2, rows(t, db, "tokens"), "there was more")
		create()
		assert.Equal(t, 3, rows(t, db, "tokens"))
		fill(t, db, "spqr9", 2*sweepBatch+1, testNow.Add(-sweepGrace).Unix())
		create()
		assert.Equal(t, 2*sweepBatch+1+4, rows(t, db, "tokens"), "not again at once")
		s.clock.advance(sweepEvery)
		create()
		assert.Equal(t, sweepBatch+1+5, rows(t, db, "tokens"))
		require.NoError(t, s.Sweep(ctx))
		assert.Equal(t, 5, rows(t, db, "tokens"))
	})
}

// fill stores personal tokens of a person, quickly.
func fill(t testing.TB, db *dbtest.Database, principal string, n int, expires int64) []credential.Hash {
	t.Helper()
	tx, err := db.Open(t).Begin()
	require.NoError(t, err)
	hashes := make([]credential.Hash, n)
	for i := range hashes {
		_, hashes[i] = credential.Mint(credential.Personal)
		tok := Token{ID: newID(), Kind: KindPersonal, Principal: principal, Name: "filling", Scopes: []string{"records:read"},
			Created: testNow, Expires: time.Unix(expires, 0)}
		require.NoError(t, insertToken(t.Context(), tx, tok, hashes[i]))
	}
	require.NoError(t, tx.Commit())
	return hashes
}

// A grant may be left without tokens by a race, and rows without their application by
// somebody at the database's console.
func TestWhatIsLeftBehindGoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		gone, kept := s.register(t, "spqr1"), s.register(t, "spqr1")
		for _, c := range []Client{gone, kept} {
			s.authorised(t, c, "spqr2", "profile")
			s.approved(t, c, "spqr2", "profile")
		}
		personal := s.personal(t, Token{Principal: "spqr1"})
		db.Exec(t, `INSERT INTO wlsoauth_grants (id, client_id, principal, created_at, expires_at) VALUES ('empty', $1, 'spqr3', 0, $2)`,
			kept.ID, testNow.Add(-sweepGrace).Unix()+1)
		db.Exec(t, `DELETE FROM wlsoauth_clients WHERE id = $1`, gone.ID)

		require.NoError(t, s.Sweep(ctx))
		for table, want := range map[string]int{"consents": 1, "codes": 2, "grants": 2, "tokens": 3} {
			assert.Equal(t, want, rows(t, db, table), table)
		}
		s.clock.advance(time.Second)
		require.NoError(t, s.Sweep(ctx))
		assert.Equal(t, 1, rows(t, db, "grants"), "the empty one")
		assert.True(t, s.good(t, personal))
	})
}

func TestAllOrphansGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		kept := s.register(t, "spqr1")
		tx, err := db.Open(t).Begin()
		require.NoError(t, err)
		for i := range 2*sweepBatch + 1 {
			id := []string{"gone", "GONE", kept.ID}[i%3]
			_, err := tx.Exec(`INSERT INTO wlsoauth_consents (principal, client_id, scopes, created_at, updated_at) VALUES ($1, $2, '', 0, 0)`, newID(), id)
			require.NoError(t, err)
		}
		require.NoError(t, tx.Commit())
		require.NoError(t, s.Sweep(t.Context()))
		assert.Equal(t, (2*sweepBatch+1)/3, rows(t, db, "consents"), "those of the application that is there")
	})
}

func TestASweepThatPausesEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, pause(ctx, time.Hour), context.Canceled)
	assert.NoError(t, pause(t.Context(), 0))
}

// A sweep waits for nobody, so that nobody waits for a sweep that waits for them.
func TestASweepPassesOverWhatIsLocked(t *testing.T) {
	db := dbtest.PostgreSQL(t)
	s := newStore(t, db)
	c := s.register(t, "spqr1")
	locked, empty := s.authorised(t, c, "spqr2", "profile"), s.authorised(t, c, "spqr2", "profile")
	s.authorised(t, c, "spqr2", "profile")
	emptyGrant := s.token(t, empty.access).GrantID
	s.clock.advance(100 * 24 * time.Hour)
	tx, err := db.Open(t).Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for query, arg := range map[string]any{
		`SELECT 1 FROM wlsoauth_tokens WHERE hash = $1 FOR UPDATE`: locked.access.Text[:],
		`SELECT 1 FROM wlsoauth_grants WHERE id = $1 FOR UPDATE`:   emptyGrant,
	} {
		_, err := tx.Exec(query, arg)
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, s.Sweep(ctx))
	assert.Equal(t, 1, rows(t, db, "tokens"))
	assert.Equal(t, 2, rows(t, db, "grants"))
	require.NoError(t, tx.Rollback())
	require.NoError(t, s.Sweep(ctx))
	assert.Zero(t, rows(t, db, "tokens"))
	assert.Equal(t, 1, rows(t, db, "grants"), "until it expires")
	s.clock.advance(365 * 24 * time.Hour)
	require.NoError(t, s.Sweep(ctx))
	assert.Zero(t, rows(t, db, "grants"))
}
