// Package dbtest has databases for tests: of SQLite, and of a PostgreSQL that runs as
// long as the tests.
package dbtest

import (
	"context"
	"database/sql"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // one of the drivers
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // and the other

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// Database is an empty database of a test's own.
type Database struct {
	PostgreSQL  bool // else it is SQLite
	Driver, DSN string

	side   *sql.DB // for what happens behind the program's back
	choose string  // what a connection of side must be told
}

// Each runs a test on SQLite and on PostgreSQL.
func Each[T interface {
	testing.TB
	Run(string, func(T)) bool
}](t T, f func(t T, db *Database)) {
	t.Run("sqlite", func(t T) { f(t, SQLite(t)) })
	t.Run("postgresql", func(t T) { f(t, PostgreSQL(t)) })
}

// SQLite returns a database in a file.
func SQLite(t testing.TB) *Database {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.db")
	d := &Database{Driver: "sqlite", DSN: "file:" + file + "?_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"}
	d.side, d.choose = d.Open(t), "SELECT 1"
	return d
}

// PostgreSQL returns a schema of the server that [Main] stops: to make a database, or a
// connection, takes the server long. It skips the test where PostgreSQL is not installed,
// but not in continuous integration.
//
// Schemas share advisory locks, so that tests with databases of PostgreSQL must not run
// at once in one process.
func PostgreSQL(t testing.TB) *Database {
	t.Helper()
	s, err := start()
	enginetest.Require(t, err)
	schema := "test" + strconv.FormatInt(s.made.Add(1), 10)
	_, err = s.control.Exec("CREATE SCHEMA " + schema)
	require.NoError(t, err)
	return &Database{
		PostgreSQL: true, Driver: "pgx", DSN: s.DSN + " search_path=" + schema,
		side: s.control, choose: "SET search_path TO " + schema,
	}
}

// Open opens the database, once more perhaps, as another program would.
func (d *Database) Open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.Driver, d.DSN)
	require.NoError(t, err)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Exec does something behind the program's back.
func (d *Database) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	d.behind(t, func(c *sql.Conn) error {
		_, err := c.ExecContext(context.Background(), query, args...)
		return err
	})
}

// Number returns the number that a query selects.
func (d *Database) Number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	d.behind(t, func(c *sql.Conn) error { return c.QueryRowContext(context.Background(), query, args...).Scan(&n) })
	return n
}

func (d *Database) behind(t testing.TB, do func(*sql.Conn) error) {
	t.Helper()
	c, err := d.side.Conn(context.Background())
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	_, err = c.ExecContext(context.Background(), d.choose)
	require.NoError(t, err)
	require.NoError(t, do(c))
}

// Eventually waits for something to become true, for a minute at least.
func Eventually(t testing.TB, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 12_000 {
		if condition() {
			return
		}
		<-tick.C
	}
	require.FailNow(t, "it does not become true")
}
