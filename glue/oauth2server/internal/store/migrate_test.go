package store

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// helpMigrate waits for a line, so that several start at the same moment.
func helpMigrate(d *dbtest.Database) {
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	db, err := sql.Open(d.Driver, d.DSN)
	if err == nil {
		_, err = Open(context.Background(), testConfig(db, d.PostgreSQL, time.Now))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestProcessesStartTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		var begin []func()
		var end []func() error
		for range 4 {
			cmd := db.Command("migrate")
			in, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			_, err = bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			begin = append(begin, func() { _, _ = in.Write([]byte("\n")) })
			end = append(end, cmd.Wait)
		}
		for i := range begin {
			begin[i]()
		}
		for i := range end {
			assert.NoError(t, end[i]())
		}
		assert.Equal(t, schemaVersion, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_migrations`))
		newStore(t, db)
	})
}

func TestManyServersStartTogether(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		results := make(chan error)
		for range 8 {
			cfg := testConfig(db.Open(t), db.PostgreSQL, time.Now)
			go func() {
				_, err := Open(t.Context(), cfg)
				results <- err
			}()
		}
		for range 8 {
			assert.NoError(t, <-results)
		}
	})
}

func TestStartingAgainChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		first := newStore(t, db)
		c := first.register(t, "spqr1")
		again := newStore(t, db)
		_, err := again.OwnClient(t.Context(), "spqr1", c.ID)
		assert.NoError(t, err)
	})
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		newStore(t, db)
		db.Exec(t, `INSERT INTO wlsoauth_migrations (version, applied_at) VALUES ($1, 0)`, schemaVersion+1)
		_, err := tryStore(t, db)
		assert.ErrorContains(t, err, fmt.Sprintf("are of version %d, and this program knows only %d", schemaVersion+1, schemaVersion))
	})
}

// A migration that fails half way leaves nothing behind.
func TestAFailedMigrationIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		db.Exec(t, `CREATE TABLE wlsoauth_tokens (other TEXT)`) // in the way of the last table
		_, err := tryStore(t, db)
		require.ErrorContains(t, err, "making version 1")
		db.Exec(t, `DROP TABLE wlsoauth_tokens`)
		newStore(t, db)
	})
}

func TestSQLiteWithoutBusyTimeoutIsRefused(t *testing.T) {
	db := &dbtest.Database{Driver: "sqlite", DSN: "file:" + t.TempDir() + "/test.db"}
	_, err := tryStore(t, db)
	assert.ErrorContains(t, err, "_pragma=busy_timeout(5000)")
}

func TestSQLiteWithoutAFileIsRefused(t *testing.T) {
	for _, dsn := range []string{
		"", "file:", ":memory:", "file::memory:", "file::memory:?cache=shared", "file:soc?mode=memory&cache=shared",
		"file:/soc?vfs=memdb", ":memory:?_pragma=busy_timeout(5000)", "file:?_pragma=busy_timeout(5000)",
	} {
		t.Run(dsn, func(t *testing.T) {
			db := &dbtest.Database{Driver: "sqlite", DSN: dsn}
			_, err := tryStore(t, db)
			require.ErrorContains(t, err, "Config.DB is in no file")
			assert.ErrorContains(t, err, `open it with "file:/`)
		})
	}
}

// A SQLite database that is being given its write-ahead log is busy at once, whatever the
// busy_timeout.
func TestABusySQLiteIsWaitedFor(t *testing.T) {
	for name, tc := range map[string]struct {
		code  int
		times int
		want  string
	}{
		"for a moment":             {5, 3, ""},
		"recovering":               {5 | 1<<8, 1, ""},
		"for longer than we have":  {5, 1000000, "Config.DB does not answer: busy"},
		"what waiting cannot help": {14, 1, "Config.DB does not answer: busy"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			file := dbtest.SQLite(t)
			busy := &busyConnector{sqlite: file.Open(t).Driver(), dsn: file.DSN, code: tc.code, times: tc.times, enough: cancel}
			db := sql.OpenDB(busy)
			defer func() { require.NoError(t, db.Close()) }()
			_, err := Open(ctx, testConfig(db, false, time.Now))
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tc.want)
		})
	}
}

// busyConnector fails some times before it connects, and tells when it was tried often.
type busyConnector struct {
	sqlite      driver.Driver
	dsn         string
	code, times int
	enough      func()
	tried       int
}

func (c *busyConnector) Driver() driver.Driver { return c.sqlite }

func (c *busyConnector) Connect(context.Context) (driver.Conn, error) {
	c.tried++
	if c.tried == 5 && c.tried <= c.times {
		c.enough()
	}
	if c.tried <= c.times {
		return nil, busyError(c.code)
	}
	return c.sqlite.Open(c.dsn)
}

type busyError int

func (e busyError) Error() string { return "busy" }
func (e busyError) Code() int     { return int(e) }

func TestADatabaseThatIsDownIsReported(t *testing.T) {
	for _, db := range []*dbtest.Database{
		{Driver: "sqlite", DSN: "file:" + t.TempDir() + "/not/there/test.db?_pragma=busy_timeout(10)"},
		{PostgreSQL: true, Driver: "pgx", DSN: "host=" + t.TempDir() + " user=postgres dbname=none"},
	} {
		t.Run(db.Driver, func(t *testing.T) {
			_, err := tryStore(t, db)
			assert.ErrorContains(t, err, "Config.DB does not answer")
		})
	}
}
