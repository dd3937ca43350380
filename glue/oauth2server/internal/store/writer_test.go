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
