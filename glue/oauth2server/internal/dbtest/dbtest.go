// Package dbtest has databases for tests: of SQLite, and of a PostgreSQL that runs as
// long as the tests.
package dbtest

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // one of the drivers
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // and the other
)

// Database is an empty one of a test's own.
type Database struct {
	PostgreSQL  bool // else it is SQLite
	Driver, DSN string

	side *sql.DB // for what happens behind the program's back
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
	d := &Database{Driver: "sqlite", DSN: "file:" + file + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"}
	d.side = d.Open(t)
	return d
}

// PostgreSQL returns a database of the server that [Main] stops. It skips the test where
// PostgreSQL is not installed, but not in continuous integration.
func PostgreSQL(t testing.TB) *Database {
	t.Helper()
	s, err := start()
	if errors.Is(err, errNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	name := "test" + strconv.FormatInt(s.made.Add(1), 10)
	_, err = s.control.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	d := &Database{PostgreSQL: true, Driver: "pgx", DSN: s.dsn(name)}
	d.side = d.Open(t)
	return d
}

// Open opens the database, once more perhaps, as another program would.
func (d *Database) Open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.Driver, d.DSN)
	require.NoError(t, err)
	db.SetMaxIdleConns(16) // connections take PostgreSQL long to make
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Exec does something behind the program's back.
func (d *Database) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := d.side.Exec(query, args...)
	require.NoError(t, err)
}

// Number asks for one.
func (d *Database) Number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, d.side.QueryRow(query, args...).Scan(&n))
	return n
}

// Eventually waits for something to become true.
func Eventually(t testing.TB, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if condition() {
			return
		}
		<-tick.C
	}
	require.FailNow(t, "it does not become true")
}
