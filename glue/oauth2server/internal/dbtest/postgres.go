package dbtest

import (
	"bufio"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

//go:embed postgres.sh
var script string

var errNotInstalled = errors.New("no initdb found; to run this test install PostgreSQL: apt-get install postgresql")

// postgres is a PostgreSQL server on a socket in a directory of its own.
type postgres struct {
	cmd     *exec.Cmd
	leash   io.Closer // while it is open the server runs
	dir     string
	control *sql.DB
	made    atomic.Int64 // schemas
}

var running *postgres // what start has started

// start starts the server of this process, once.
var start = sync.OnceValues(func() (*postgres, error) {
	s := &postgres{cmd: exec.Command("/bin/sh", "-c", script)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at a terminal is for the tests, which end it
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.leash, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		if _ = s.cmd.Wait(); s.cmd.ProcessState.ExitCode() == 3 {
			return nil, errNotInstalled
		}
		return nil, fmt.Errorf("PostgreSQL does not start: %v", s.cmd.ProcessState)
	}
	s.dir = strings.TrimSpace(line)
	running = s
	s.control, err = sql.Open("pgx", s.dsn())
	return s, err
})

func (s *postgres) dsn() string { return "host=" + s.dir + " user=postgres dbname=postgres" }

// stop ends the server.
func (s *postgres) stop() {
	_ = s.control.Close()
	_ = s.leash.Close()
	_ = s.cmd.Wait()
}
