package oauth2server

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// cluster is the PostgreSQL of this test process, started when the first test wants it.
var cluster postgres

// postgres is a PostgreSQL server on a socket in a directory of its own.
type postgres struct {
	once  sync.Once
	why   string // it does not run
	dir   string
	leash io.Closer // while it is open the server runs, even if we are killed
	gone  chan struct{}
	made  atomic.Int64
}

// start starts it, or skips the test where it is not installed.
func (p *postgres) start(t testing.TB) {
	t.Helper()
	bin := postgresPrograms()
	if bin == "" {
		const how = "no initdb and postgres found; to run this test install them: apt-get install postgresql"
		if os.Getenv("CI") == "true" {
			require.FailNow(t, how)
		}
		t.Skip(how)
	}
	p.once.Do(func() {
		if err := p.run(bin); err != nil {
			p.why = err.Error()
		}
	})
	require.Empty(t, p.why, "PostgreSQL does not start")
}

// postgresPrograms is where its programs are; Debian keeps them off the PATH.
func postgresPrograms() string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), dirs...) {
		if isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	return ""
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

func isProgram(file string) bool {
	_, err := exec.LookPath(file)
	return err == nil
}

func (p *postgres) run(bin string) error {
	var err error
	if p.dir, err = os.MkdirTemp("", "pg"); err != nil { // short: a socket's path has 107 bytes at most
		return err
	}
	who, err := p.unprivileged()
	if err != nil {
		return err
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = p.dir, who
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %v\n%s", err, out)
	}
	// The shell ends the server when its input ends, which it does when we do, however
	// that comes about.
	server := exec.Command("/bin/sh", "-c", `"$0" "$@" & read -r _; kill -QUIT $!; wait $!; rm -rf "$PWD"`,
		filepath.Join(bin, "postgres"), "-D", data, "-k", p.dir, "-c", "listen_addresses=", "-c", "max_connections=200",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=64MB")
	server.Dir, server.SysProcAttr = p.dir, who
	var output lockedBuffer
	server.Stdout, server.Stderr = &output, &output
	if p.leash, err = server.StdinPipe(); err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	p.gone = make(chan struct{})
	go func() {
		_ = server.Wait() // killed
		close(p.gone)
	}()
	return p.wait(&output)
}

// unprivileged makes the directory belong to somebody whom PostgreSQL runs for: it
// refuses root.
func (p *postgres) unprivileged() (*syscall.SysProcAttr, error) {
	who := &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at a terminal is for the tests, which end it
	if os.Getuid() != 0 {
		return who, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("root cannot run it, and there is no user postgres: %v", err)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32) // Linux has numbers
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	who.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return who, os.Chown(p.dir, int(uid), int(gid))
}

// wait waits until the server answers.
func (p *postgres) wait(output fmt.Stringer) error {
	db, err := sql.Open("pgx", p.dsn("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 3000 {
		if db.Ping() == nil {
			return nil
		}
		select {
		case <-p.gone:
			return fmt.Errorf("it has ended:\n%s", output)
		case <-tick.C:
		}
	}
	return fmt.Errorf("it does not answer:\n%s", output)
}

func (p *postgres) dsn(name string) string {
	return "host=" + p.dir + " user=postgres dbname=" + name
}

// create makes an empty database.
func (p *postgres) create(t testing.TB) (dsn string) {
	t.Helper()
	db, err := sql.Open("pgx", p.dsn("postgres"))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	name := "test" + strconv.FormatInt(p.made.Add(1), 10)
	_, err = db.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	return p.dsn(name)
}

func (p *postgres) stop() {
	if p.leash != nil {
		_ = p.leash.Close()
		<-p.gone
	}
}
