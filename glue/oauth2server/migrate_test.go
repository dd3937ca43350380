package oauth2server

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// helpers are what this program does when it is run once more by a test.
var helpers = map[string]func(){
	"migrate": helpMigrate,
	"serve":   helpServe,
}

// helperServer makes a server on the database in the environment.
func helperServer() *Server {
	db, err := sql.Open(os.Getenv("TEST_DRIVER"), os.Getenv("TEST_DSN"))
	exitOn(err)
	cfg, err := siteConfig(db, Dialect(os.Getenv("TEST_DIALECT")), time.Now, io.Discard)
	exitOn(err)
	s, err := New(context.Background(), cfg)
	exitOn(err)
	return s
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (d database) environment() []string {
	return []string{"TEST_DRIVER=" + d.driver, "TEST_DSN=" + d.dsn, "TEST_DIALECT=" + string(d.dialect)}
}

// helpMigrate waits for a line, so that several start at the same moment.
func helpMigrate() {
	fmt.Println("ready")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	helperServer()
}

func TestProcessesStartTogether(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		var begin []func()
		var end []func() error
		for range 4 {
			cmd := helper(t, "migrate", db.environment()...)
			cmd.Stderr = os.Stderr
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
		assert.Equal(t, schemaVersion, db.number(t, `SELECT COUNT(*) FROM wlsoauth_migrations`))
		newServer(t, db)
	})
}

func TestManyServersStartTogether(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		results := make(chan error)
		for range 8 {
			cfg := testConfig(t, db.open(t), db.dialect, time.Now, &lockedBuffer{})
			go func() {
				_, err := New(t.Context(), cfg)
				results <- err
			}()
		}
		for range 8 {
			assert.NoError(t, <-results)
		}
	})
}

func TestStartingAgainChangesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		first := newServer(t, db)
		c := first.register(t, "spqr1")
		again := newServer(t, db)
		_, err := again.store.ownClient(t.Context(), "spqr1", c.ID)
		assert.NoError(t, err)
	})
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		newServer(t, db)
		db.exec(t, `INSERT INTO wlsoauth_migrations (version, applied_at) VALUES ($1, 0)`, schemaVersion+1)
		_, err := tryServer(t, db)
		assert.ErrorContains(t, err, fmt.Sprintf("are of version %d, and this program knows only %d", schemaVersion+1, schemaVersion))
	})
}

// A migration that fails half way leaves nothing behind.
func TestAFailedMigrationIsUndone(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		db.exec(t, `CREATE TABLE wlsoauth_tokens (other TEXT)`) // in the way of the last table
		_, err := tryServer(t, db)
		require.ErrorContains(t, err, "making version 1")
		db.exec(t, `DROP TABLE wlsoauth_tokens`)
		newServer(t, db)
	})
}

func TestSQLiteWithoutBusyTimeoutIsRefused(t *testing.T) {
	db := database{SQLite, "sqlite", "file:" + t.TempDir() + "/test.db"}
	_, err := tryServer(t, db)
	assert.ErrorContains(t, err, "_pragma=busy_timeout(5000)")
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
			file := newDatabase(t, SQLite)
			busy := &busyConnector{sqlite: file.open(t).Driver(), dsn: file.dsn, code: tc.code, times: tc.times, enough: cancel}
			db := sql.OpenDB(busy)
			defer func() { require.NoError(t, db.Close()) }()
			_, err := New(ctx, testConfig(t, db, SQLite, time.Now, io.Discard))
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
	for _, db := range []database{
		{SQLite, "sqlite", "file:" + t.TempDir() + "/not/there/test.db?_pragma=busy_timeout(10)"},
		{PostgreSQL, "pgx", "host=" + t.TempDir() + " user=postgres dbname=none"},
	} {
		t.Run(string(db.dialect), func(t *testing.T) {
			_, err := tryServer(t, db)
			assert.ErrorContains(t, err, "Config.DB does not answer")
		})
	}
}
