package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// A PgBouncer may run the next transaction on another connection, which knows nothing
// of what was prepared.
func TestNothingIsPreparedWhereTheDriverIsToldSo(t *testing.T) {
	db := dbtest.PostgreSQL(t)
	db.DSN += " default_query_exec_mode=exec"
	s := newStore(t, db)
	s.cfg.DB.SetMaxOpenConns(1)
	c := s.register(t, "spqr1")
	p := s.authorised(t, c, "spqr2", "profile")
	assert.True(t, s.good(t, p.access))
	_, err := s.Client(t.Context(), c.ID)
	require.NoError(t, err)
	var n int
	require.NoError(t, s.cfg.DB.QueryRow(`SELECT COUNT(*) FROM pg_prepared_statements`).Scan(&n))
	assert.Zero(t, n)
}
