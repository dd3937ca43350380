package enginetest_test

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	p, err := enginetest.StartPostgreSQL("synchronous_commit=on")
	enginetest.Require(t, err)
	t.Cleanup(p.Close)
	db, err := sql.Open("pgx", p.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.Exec("CREATE TABLE t (n INT); INSERT INTO t VALUES (7)")
	require.NoError(t, err)
	require.NoError(t, p.Kill())
	require.Error(t, db.Ping())
	require.NoError(t, p.Restart())
	var n int
	require.NoError(t, db.QueryRow("SELECT n FROM t").Scan(&n))
	assert.Equal(t, 7, n, "its files are still there")

	_, err = enginetest.StartPostgreSQL("no_such_setting=1")
	assert.ErrorContains(t, err, "does not start")
}
