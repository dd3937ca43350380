package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// Anybody may ask to take back what any application has of them, or to delete it. Where
// there is nothing, nobody waits for that.
func TestStrangersHoldNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		require.NoError(t, s.writer.acquire(t.Context())) // in SQLite whoever writes would wait
		tx, err := db.Open(t).Begin()
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		if db.PostgreSQL {
			require.NoError(t, s.hold(t.Context(), tx, shared, "client", c.ID))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		assert.Equal(t, ErrNotFound, s.RevokeAuthorisation(ctx, "spqr2", c.ID))
		assert.Equal(t, ErrNotFound, s.DeleteClient(ctx, "spqr2", c.ID))
		s.writer.release()
	})
}

// What a person takes back is found by their grants: an application may have a hundred
// thousand tokens.
func TestTakingBackIsOfOnePerson(t *testing.T) {
	s := newStore(t, dbtest.SQLite(t))
	c := s.register(t, "spqr1")
	mine, theirs := s.authorised(t, c, "spqr2", "profile"), s.authorised(t, c, "spqr3", "profile")
	s.db.Exec(t, `INSERT INTO wlsoauth_tokens WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
		SELECT randomblob(32), randomblob(32), NULL, hex(randomblob(13)), 'refresh', 'GRANT' || i, $1, 'other' || i, '', 'profile', $2, $3, 0, $2 FROM n`,
		c.ID, testNow.Unix(), testNow.Add(time.Hour).Unix())
	require.NoError(t, s.RevokeAuthorisation(t.Context(), "spqr2", c.ID))
	assert.False(t, s.good(t, mine.access))
	assert.False(t, s.good(t, mine.refresh))
	assert.True(t, s.good(t, theirs.access))
	assert.Equal(t, 20002, s.db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
}
