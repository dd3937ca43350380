package store

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// impatientSQLite is a database where a writer that meets another one fails at once.
func impatientSQLite(t *testing.T) *dbtest.Database {
	t.Helper()
	return &dbtest.Database{Driver: "sqlite", DSN: "file:" + t.TempDir() + "/test.db?_pragma=busy_timeout(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"}
}

func TestWritersOfOneProcessDoNotFailOneAnother(t *testing.T) {
	s := newStore(t, impatientSQLite(t))
	c := s.register(t, "spqr1")
	for _, err := range together(64, func() error {
		for range 4 {
			if _, err := s.GrantClient(t.Context(), c, []string{"profile"}); err != nil {
				return err
			}
		}
		return nil
	}) {
		assert.NoError(t, err)
	}
}

func TestWhoeverWaitsToWriteCanLeave(t *testing.T) {
	s := newStore(t, dbtest.SQLite(t))
	c := s.register(t, "spqr1")
	require.NoError(t, s.writer.acquire(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := s.GrantClient(ctx, c, []string{"profile"})
		result <- err
	}()
	_, err := s.Client(t.Context(), c.ID)
	assert.NoError(t, err, "who reads does not wait")
	cancel()
	assert.ErrorIs(t, <-result, context.Canceled)
	s.writer.release()
	s.alone(t, c, "profile")
	assert.Equal(t, 1, s.db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
}

// The note of a token's last use waits for nobody, and is not lost.
func TestANoteDoesNotWait(t *testing.T) {
	t.Run("for those who write to SQLite", func(t *testing.T) {
		db := dbtest.SQLite(t)
		s := newStore(t, db)
		h := s.personal(t, Token{Principal: "spqr1"})
		require.NoError(t, s.writer.acquire(t.Context()))
		require.NoError(t, s.Touch(t.Context(), Bearer{}, h))
		assert.True(t, s.token(t, h).LastUsed.IsZero())
		s.writer.release()
		s.register(t, "spqr1")
		assert.Equal(t, testNow, s.token(t, h).LastUsed, "the next one to write wrote it")

		s.clock.advance(touchAfter)
		require.NoError(t, s.writer.acquire(t.Context()))
		require.NoError(t, s.Touch(t.Context(), Bearer{}, h))
		s.writer.release()
		var told []string
		s.cfg.Report = func(_ context.Context, what string, err error) {
			assert.Error(t, err)
			told = append(told, what)
		}
		db.Exec(t, `CREATE TRIGGER broken BEFORE UPDATE ON wlsoauth_tokens BEGIN SELECT RAISE(ABORT, 'broken'); END`)
		s.register(t, "spqr1")
		assert.Equal(t, []string{"last-use"}, told)
	})
	t.Run("for a note in SQLite", func(t *testing.T) {
		db := dbtest.SQLite(t)
		s := newStore(t, db)
		first, second := s.personal(t, Token{Principal: "spqr1"}), s.personal(t, Token{Principal: "spqr2"})
		other, err := db.Open(t).Conn(t.Context())
		require.NoError(t, err)
		defer func() { _ = other.Close() }()
		_, err = other.ExecContext(t.Context(), "BEGIN IMMEDIATE")
		require.NoError(t, err)
		result := make(chan error)
		go func() { result <- s.Touch(t.Context(), Bearer{}, first) }()
		dbtest.Eventually(t, func() bool { return len(s.writer) == 1 })
		require.NoError(t, s.Touch(t.Context(), Bearer{}, second))
		_, err = other.ExecContext(t.Context(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, <-result)
		assert.Equal(t, testNow, s.token(t, first).LastUsed)
		assert.Equal(t, testNow, s.token(t, second).LastUsed, "the first note took the second along")
	})
	t.Run("for one who leaves", func(t *testing.T) {
		s := newStore(t, dbtest.SQLite(t))
		h := s.personal(t, Token{Principal: "spqr1"})
		require.NoError(t, s.writer.acquire(t.Context()))
		s.noteWaiting(t.Context())
		require.NoError(t, s.Touch(t.Context(), Bearer{}, h))
		s.leave(t.Context())
		assert.Equal(t, testNow, s.token(t, h).LastUsed)
		assert.Empty(t, s.writer)
	})
	t.Run("for those who lock the token's row in PostgreSQL", func(t *testing.T) {
		db := dbtest.PostgreSQL(t)
		s := newStore(t, db)
		h := s.personal(t, Token{Principal: "spqr1"})
		tx, err := db.Open(t).Begin()
		require.NoError(t, err)
		defer func() { _ = tx.Rollback() }()
		_, err = tx.Exec(`SELECT 1 FROM wlsoauth_tokens FOR UPDATE`)
		require.NoError(t, err)
		assert.NoError(t, s.Touch(t.Context(), Bearer{}, h))
	})
}
