package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

// front is a front server that asks the gateway about each request. It starts at addr,
// with the application at app and the gateway at gateway, both "http://HOST:PORT", and
// reports whether that worked.
type front func(t testing.TB, addr, app, gateway string) bool

// frontWorld is a world whose visitors come through a front server.
func frontWorld(t testing.TB, start front, edit ...func(*Config)) *world {
	t.Helper()
	return frontWorldOf(t, start, nil, edit...)
}

// frontWorldOf is frontWorld with an application that answers as it does.
func frontWorldOf(t testing.TB, start front, application http.HandlerFunc, edit ...func(*Config)) *world {
	t.Helper()
	var addr, app string
	w := newWorld(t, kit{rules: frontRules(t), handler: application, config: func(cfg *Config) {
		addr, app = freeAddr(t), cfg.Rules[0].To
		_, port, err := net.SplitHostPort(addr)
		require.NoError(t, err)
		cfg.BaseURL = "http://localhost:" + port
		cfg.ForwardAuth = true
		cfg.Front.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		for i := range cfg.Rules {
			cfg.Rules[i].To = ""
		}
		for _, e := range edit {
			e(cfg)
		}
	}})
	require.True(t, start(t, addr, app, w.url[:len("http://")]+w.addr), "the front server does not start")
	w.url, w.host, w.addr = w.cfg.BaseURL, strings.TrimPrefix(w.cfg.BaseURL, "http://"), addr
	return w
}

func frontRules(t testing.TB) []Rule {
	return append(everyAccess(t),
		Rule{Path: "/strict", Access: Login, Fresh: Duration(5 * time.Minute)},
		Rule{Path: "/old", Access: Login, AnyPtags: true})
}

// freeAddr gives an address on loopback where nothing listens.
func freeAddr(t testing.TB) string {
	t.Helper()
	addr, err := enginetest.FreeAddr()
	require.NoError(t, err)
	return addr
}

// startProgram runs a server until the test ends, and waits until it listens.
func startProgram(t testing.TB, addr string, cmd *exec.Cmd) bool {
	t.Helper()
	return startProgramAt(t, "tcp", addr, cmd)
}

// startProgramAt is startProgram for what listens on another network.
func startProgramAt(t testing.TB, network, addr string, cmd *exec.Cmd) bool {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "output"))
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // stopped, as a rule
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", cmd.Path, text[max(0, len(text)-2000):])
		}
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if conn, err := net.Dial(network, addr); err == nil {
			_ = conn.Close()
			return true
		}
		select {
		case <-exited:
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", cmd.Path, text)
			return false
		case <-tick.C:
		}
	}
	return false
}

// snippet reads a configuration that the README shows, with other addresses in it.
func snippet(t testing.TB, name string, replace ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "front", name))
	require.NoError(t, err)
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, string(text), replace[i])
	}
	return strings.NewReplacer(replace...).Replace(string(text))
}
