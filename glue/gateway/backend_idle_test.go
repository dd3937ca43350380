package gateway

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idleNode is a Node program that says, line by line, at which address it listens, and who
// ends each connection: "client" or, when the time for keeping it is over, "server".
const idleNode = `
const server = require('http').createServer((request, response) => {
	request.resume();
	request.on('end', () => response.end(String(request.socket.remotePort)));
});
server.keepAliveTimeout = Number(process.argv[1]);
server.on('connection', (socket) => {
	let who = 'server';
	socket.on('end', () => { who = 'client'; });
	socket.on('close', () => console.log(who));
});
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port));
`

// startNode starts a Node program, and returns what it says first, which is where it
// listens, and its further lines.
func startNode(t *testing.T, program string, args ...string) (addr string, lines *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(frontProgram(t, "nodejs", "node"), append([]string{"-e", program}, args...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it serves for ever
		_ = cmd.Wait()
	})
	lines = bufio.NewScanner(out)
	require.True(t, lines.Scan(), "node does not start")
	return lines.Text(), lines
}

// TestBackendIdleTimeout: the gateway ends a connection that nothing uses before a Node
// server does, so that a POST never meets one that is closing.
func TestBackendIdleTimeout(t *testing.T) {
	addr, lines := startNode(t, idleNode, "60000")
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/", Access: Public, To: "http://" + addr, BackendIdleTimeout: Duration(20 * time.Millisecond)},
	}})
	v := w.visitor("")
	ports := map[string]bool{}
	for range 3 {
		answer := v.do(http.MethodPost, "/", strings.NewReader("data"))
		require.Equal(t, http.StatusOK, answer.StatusCode)
		ports[answer.body] = true
		require.True(t, lines.Scan())
		assert.Equal(t, "client", lines.Text(), "who ends the connection")
	}
	assert.Len(t, ports, 3)
}

// TestBackendIdleTimeout_default: it is shorter than what servers have that people run, by
// their own word.
func TestBackendIdleTimeout_default(t *testing.T) {
	var cfg Config
	cfg.Limits.setDefaults()
	ours := time.Duration(cfg.Limits.BackendIdleTimeout)
	for _, of := range []struct {
		program, pkg string
		args         []string
		unit         time.Duration
	}{
		{"node", "nodejs", []string{"-p", "require('http').createServer().keepAliveTimeout"}, time.Millisecond},
		{"/usr/bin/python3", "gunicorn", []string{"-c", "from gunicorn.config import Keepalive; print(Keepalive.default)"}, time.Second},
		{"/usr/bin/python3", "python3-waitress", []string{"-c", "from waitress.adjustments import Adjustments; print(Adjustments.channel_timeout)"}, time.Second},
	} {
		t.Run(of.pkg, func(t *testing.T) {
			out, err := exec.Command(frontProgram(t, of.pkg, of.program), of.args...).Output()
			require.NoError(t, err)
			var theirs int64
			require.NoError(t, json.Unmarshal(out, &theirs))
			assert.LessOrEqual(t, ours, time.Duration(theirs)*of.unit*3/4, "a quarter is left for the way")
		})
	}
}

// TestBackendIdleTimeout_rules: a rule's own replaces that of all, and goes with the
// backend to the rules that have it from there.
func TestBackendIdleTimeout_rules(t *testing.T) {
	const to = "http://127.0.0.1:1"
	w := newWorld(t, kit{config: func(cfg *Config) {
		cfg.Limits.BackendIdleTimeout = Duration(time.Minute)
		cfg.Rules = []Rule{{Path: "/", To: to}, {Path: "/own", To: to, BackendIdleTimeout: Duration(time.Hour)}, {Path: "/own/too"}, {Path: "/ever", To: to, BackendIdleTimeout: -1}}
	}})
	for path, want := range map[string]time.Duration{"/": time.Minute, "/own": time.Hour, "/own/too": time.Hour, "/ever": 0} {
		assert.Equal(t, want, w.gateway.core.Load().ruleFor(w.host, path).backend.transport.IdleConnTimeout, path)
	}
	assert.Len(t, w.gateway.backends, 3)
}
