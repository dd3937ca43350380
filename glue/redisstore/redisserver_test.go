package redisstore_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// server is a real redis-server on a free loopback port, in a directory of its own.
type server struct {
	t      testing.TB
	addr   string
	dir    string
	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
	output *bytes.Buffer
}

// startRedis starts a server that keeps nothing on disk, unless args say otherwise. It
// is gone when the test ends.
func startRedis(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			require.FailNow(t, "no redis-server on the PATH", "install it: apt-get install redis-server")
		}
		t.Skip("no redis-server on the PATH; to run this test install it: apt-get install redis-server")
	}
	s := &server{t: t, dir: t.TempDir(), args: args}
	t.Cleanup(s.kill)
	for range 5 { // somebody else may take the port first
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s.addr = l.Addr().String()
		require.NoError(t, l.Close())
		if s.start() {
			return s
		}
	}
	require.FailNow(t, "redis-server does not start", s.output.String())
	return nil
}

// start starts it, again or for the first time, and waits until it answers.
func (s *server) start() bool {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	s.output = &bytes.Buffer{}
	s.cmd = exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", s.dir, "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0",
		"--unixsocket", s.socket(),
	}, s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	require.NoError(s.t, s.cmd.Start())

	cmd, exited := s.cmd, make(chan struct{})
	s.exited = exited
	go func() {
		_ = cmd.Wait() // killed, as a rule
		close(exited)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if s.answers() {
			return true
		}
		select {
		case <-exited:
			return false
		case <-tick.C:
		}
	}
	return false
}

// answers reports whether it is this process that answers on the port.
func (s *server) answers() bool {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return false // quietly: the client would log it
	}
	_ = conn.Close()
	c := s.client()
	defer func() { _ = c.Close() }()
	info, err := c.InfoMap(s.t.Context(), "server").Result()
	return err == nil && info["Server"]["process_id"] == strconv.Itoa(s.cmd.Process.Pid)
}

func (s *server) socket() string { return s.dir + "/s" }

// kill is kill -9.
func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill() // it may have ended by itself
		<-s.exited
		s.cmd = nil
	}
}

// restart is kill -9, and a new process on the same port.
func (s *server) restart() {
	s.t.Helper()
	s.kill()
	require.True(s.t, s.start(), "redis-server does not come back: %s", s.output)
}

// client is for looking behind the Store's back.
func (s *server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialerRetries: 1})
}

// do runs a command.
func (s *server) do(args ...any) {
	s.t.Helper()
	c := s.client()
	require.NoError(s.t, c.Do(context.Background(), args...).Err())
	require.NoError(s.t, c.Close())
}

// open makes a Store on the server.
func (s *server) open(edit ...func(*redisstore.Config)) *redisstore.Store {
	s.t.Helper()
	cfg := redisstore.Config{URL: "redis://" + s.addr, Site: "soc", Timeout: patience, Logger: slog.New(slog.DiscardHandler)}
	for _, f := range edit {
		f(&cfg)
	}
	store, err := redisstore.New(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, store.Close()) })
	return store
}

// itemNow is made now, to the second as webauth makes them, and lasts a minute.
func itemNow(id string) webauth.Item {
	now := time.Now().Truncate(time.Second)
	return webauth.Item{ID: id, Issued: now, Expires: now.Add(time.Minute)}
}

// settle waits until what is made now is accepted.
func settle(t testing.TB, s *redisstore.Store) {
	t.Helper()
	n := 0
	eventually(t, func() bool {
		n++
		return s.Once(t.Context(), itemNow(t.Name()+strconv.Itoa(n))) == nil
	})
}

// eventually waits for something to become true.
func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if condition() {
			return
		}
		<-tick.C
	}
	require.FailNow(t, "it does not become true")
}
