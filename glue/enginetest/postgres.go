package enginetest

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

//go:embed postgres.sh
var postgresScript string

// PostgreSQL is a PostgreSQL server. Its methods are for one goroutine at a time.
type PostgreSQL struct {
	// DSN is how it is reached: a superuser's connection, by a unix socket.
	DSN string

	cmd    *exec.Cmd
	orders io.WriteCloser // while it is open the server runs
	done   *bufio.Reader
}

// StartPostgreSQL starts a server with an empty database. It forgets what it was told last
// when it is killed, unless settings such as "synchronous_commit=on" say otherwise.
func StartPostgreSQL(settings ...string) (*PostgreSQL, error) {
	p := &PostgreSQL{cmd: exec.Command("/bin/sh", append([]string{"-c", postgresScript, "sh"}, settings...)...)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C at a terminal is for the tests, which end it
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.done = bufio.NewReader(out)
	dir, err := p.done.ReadString('\n')
	if err != nil {
		const notInstalled = 3 // the script's
		if _ = p.cmd.Wait(); p.cmd.ProcessState.ExitCode() == notInstalled {
			return nil, missing("PostgreSQL", "postgresql")
		}
		return nil, fmt.Errorf("PostgreSQL does not start: %v", p.cmd.ProcessState)
	}
	p.DSN = "host=" + strings.TrimSpace(dir) + " user=postgres dbname=postgres"
	return p, nil
}

// Kill ends the server at once, as a crash does (kill -9).
func (p *PostgreSQL) Kill() error { return p.order("kill") }

// Restart starts the server that was killed, with what it had on disk.
func (p *PostgreSQL) Restart() error { return p.order("start") }

func (p *PostgreSQL) order(order string) error {
	_, err := fmt.Fprintln(p.orders, order)
	if err == nil {
		_, err = p.done.ReadString('\n')
	}
	if err != nil {
		return fmt.Errorf("PostgreSQL: %s: %w", order, err)
	}
	return nil
}

// Close ends the server and removes what it kept.
func (p *PostgreSQL) Close() {
	_ = p.orders.Close()
	_ = p.cmd.Wait()
}
