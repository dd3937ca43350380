package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is a redis-server. Its methods are for one goroutine at a time, but for Client and
// Do.
type Redis struct {
	// Addr is its address, a loopback address with a port, the same after a Restart.
	Addr string
	// Socket is the path of its unix socket.
	Socket string

	dir    string
	bus    string // the port of its cluster bus, if it has one
	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
	output *bytes.Buffer
}

// StartRedis starts a redis-server, which keeps nothing on disk unless args, options of
// its command line, say otherwise.
func StartRedis(args ...string) (*Redis, error) {
	return start(func(r *Redis) []string { return append(r.plain(), args...) })
}

// place returns the options that say where the server is.
func (r *Redis) place() []string {
	return []string{"--bind", "127.0.0.1", "--port", port(r.Addr), "--dir", r.dir, "--unixsocket", r.Socket}
}

// plain returns the options of a server that keeps nothing on disk.
func (r *Redis) plain() []string {
	return append(r.place(), "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")
}

// start starts a redis-server with the command line that args returns for its address.
func start(args func(*Redis) []string) (*Redis, error) {
	if err := installed("redis-server", "redis-server"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		return nil, err
	}
	r := &Redis{dir: dir, Socket: filepath.Join(dir, "s")}
	for range 5 { // somebody else may take the port first
		if r.Addr, err = FreeAddr(); err != nil {
			break
		}
		r.args = args(r)
		if err = r.run(); err == nil {
			return r, nil
		}
	}
	r.Close()
	return nil, err
}

// FreeAddr returns an address of loopback with a port that nobody listens at, for a program
// that is to listen there.
//
// The port is none of those that the system gives out by itself: before the program starts,
// or starts again, a listener of another test would get it, or a connection, and one that
// asks whether somebody listens there already would be connected to itself.
func FreeAddr() (string, error) {
	const first, ports = 15_000, 17_000
	var err error
	for range 100 {
		var l net.Listener
		// #nosec G404 -- a port is no secret
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(ports)))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", err
}

// port returns the port of an address.
func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr) // ours
	return port
}

// run starts the process and waits until it answers.
func (r *Redis) run() error {
	r.output = &bytes.Buffer{}
	r.cmd = exec.Command("redis-server", r.args...)
	r.cmd.Stdout, r.cmd.Stderr = r.output, r.output
	if err := r.cmd.Start(); err != nil {
		return err
	}
	cmd, exited := r.cmd, make(chan struct{})
	r.exited = exited
	go func() {
		_ = cmd.Wait() // killed, as a rule
		close(exited)
	}()
	if await(r.answers, exited) {
		return nil
	}
	r.Kill()
	return fmt.Errorf("redis-server does not start: %s", r.output)
}

// patience is how long anything may take on a busy machine that takes a moment on an idle one.
const patience = time.Minute

// await waits until a condition holds, as long as that may take, and reports whether it does.
func await(condition func() bool, ended <-chan struct{}) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if condition() {
			return true
		}
		select {
		case <-ended:
			return false
		case <-tick.C:
		}
	}
	return false
}

// answers reports whether it is this process that answers on the port.
func (r *Redis) answers() bool {
	conn, err := net.Dial("tcp", r.Addr)
	if err != nil {
		return false // quietly: the client would log it
	}
	_ = conn.Close()
	c := r.Client()
	defer func() { _ = c.Close() }()
	info, err := c.InfoMap(context.Background(), "server").Result()
	return err == nil && info["Server"]["process_id"] == strconv.Itoa(r.cmd.Process.Pid)
}

// Kill ends the process at once, as a crash does (kill -9).
func (r *Redis) Kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill() // it may have ended by itself
		<-r.exited
		r.cmd = nil
	}
}

// Restart kills the process, if it runs, and starts a new one at the same address with
// what the old one had on disk.
func (r *Redis) Restart() error {
	r.Kill()
	return r.run()
}

// Close kills the process and removes its directory.
func (r *Redis) Close() {
	r.Kill()
	_ = os.RemoveAll(r.dir) // what is left is in a temporary directory
}

// Client returns a client for this process, for looking at it from the side. The caller
// closes it.
func (r *Redis) Client() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: r.Addr, MaxRetries: -1, DialerRetries: 1,
		DialTimeout: patience, ReadTimeout: patience, WriteTimeout: patience,
	})
}

// Do runs a command and returns its error.
func (r *Redis) Do(args ...any) error {
	c := r.Client()
	return errors.Join(c.Do(context.Background(), args...).Err(), c.Close())
}

// info returns a line of the INFO of a section, "" where there is none.
func (r *Redis) info(section, line string) string {
	c := r.Client()
	defer func() { _ = c.Close() }()
	info, err := c.InfoMap(context.Background(), section).Result()
	if err != nil {
		return ""
	}
	for _, lines := range info {
		if value, ok := lines[line]; ok {
			return value
		}
	}
	return ""
}

// addrs returns the addresses of servers.
func addrs(servers []*Redis) []string {
	all := make([]string, len(servers))
	for i, r := range servers {
		all[i] = r.Addr
	}
	return all
}
