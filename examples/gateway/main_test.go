package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// testNow is when every test begins. The clock stands still.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// program is the example, running on ports that were free.
type program struct {
	t                 *testing.T
	url, wls, backend string
	end               func()
}

func start(t *testing.T, flags ...string) *program {
	t.Helper()
	o, err := parseFlags(append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0", "-backend-addr", "127.0.0.1:0"}, flags...), io.Discard)
	require.NoError(t, err)
	o.now = func() time.Time { return testNow }
	ctx, cancel := context.WithCancel(t.Context())
	out, started, stopped := &output{until: make(chan struct{})}, make(chan error, 1), make(chan struct{})
	go func() {
		defer close(stopped)
		started <- serve(ctx, o, out, io.Discard)
	}()
	select {
	case <-out.until:
	case err := <-started:
		require.NoError(t, err)
		require.Fail(t, "it stopped by itself")
	}
	p := &program{t: t, end: sync.OnceFunc(func() {
		cancel()
		<-stopped
		assert.NoError(t, <-started)
	})}
	t.Cleanup(p.end)
	p.url = match(t, `Open (http\S+) in a browser`, out.String())
	p.wls = match(t, `login service is at (http\S+);`, out.String())
	p.backend = match(t, `backend is at (http\S+);`, out.String())
	return p
}

func match(t *testing.T, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, found, "%s in:\n%s", pattern, text)
	return found[1]
}

// output is what the program prints; until is closed when it is ready.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if bytes.Contains(p, []byte("Stop with Ctrl-C.")) {
		defer close(o.until)
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// person is a browser with cookies that logs in as a user.
func (p *program) person(user string) *http.Client {
	p.t.Helper()
	fake, err := webauthtest.NewWLS(webauthtest.Config{BaseURL: p.wls}) // for its clients alone
	require.NoError(p.t, err)
	p.t.Cleanup(fake.Close)
	return fake.Client(user)
}

func (p *program) get(client *http.Client, path string, header ...string) (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	require.NoError(p.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = []string{header[i+1]} // as it is written
	}
	resp, err := client.Do(r)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return resp.StatusCode, string(text)
}

const nobody = `id="nobody"`

func TestGateway(t *testing.T) {
	p := start(t)
	one := p.person("test0001")
	_, body := p.get(one, "/")
	assert.Contains(t, body, nobody, "nobody is sent to log in from here")
	status, body := p.get(one, "/private?a=b")
	require.Equal(t, http.StatusOK, status)
	for _, told := range []string{
		`<strong id="user">test0001</strong>`, `Remote-User</th><td>test0001<`, `X-Forwarded-User</th><td>test0001<`,
		`X-Aaprincipal</th><td>test0001<`, `X-Aaptags</th><td>current<`, `Target</th><td>/private?a=b<`,
	} {
		assert.Contains(t, body, told)
	}
	assert.NotContains(t, body, "wls-session", "the gateway's cookies are its own")
	assert.NotContains(t, body, "WLS-Response")
	_, body = p.get(one, "/")
	assert.Contains(t, body, `<strong id="user">test0001</strong>`)
	_, body = p.get(one, "/public")
	assert.Contains(t, body, nobody, "nobody is looked at here")
	status, _ = p.get(one, "/private/admin")
	assert.Equal(t, http.StatusOK, status)
}

func TestGateway_others(t *testing.T) {
	p := start(t)
	status, body := p.get(p.person("test0002"), "/private/admin")
	assert.Equal(t, http.StatusForbidden, status)
	assert.NotContains(t, body, "What this backend was told")
	status, _ = p.get(p.person("test0010"), "/private")
	assert.Equal(t, http.StatusForbidden, status, "without ptag current")
	stranger := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	status, _ = p.get(stranger, "/private", "Accept", "text/html")
	assert.Equal(t, http.StatusSeeOther, status)
	status, _ = p.get(stranger, "/public/../private")
	assert.Equal(t, http.StatusUnauthorized, status)
}

// TestGateway_forgery: the backend believes anybody, but only the gateway's word reaches
// it.
func TestGateway_forgery(t *testing.T) {
	p := start(t)
	for _, name := range []string{"Remote-User", "remote_user", "REMOTE-USER", "X-Forwarded-User", "X-AAPrincipal"} {
		for _, path := range []string{"/", "/public"} {
			_, body := p.get(http.DefaultClient, path, name, "test0001")
			assert.Contains(t, body, nobody, "%s at %s", name, path)
			assert.NotContains(t, body, "test0001")
		}
	}
	direct, err := http.NewRequest(http.MethodGet, p.backend, nil)
	require.NoError(t, err)
	direct.Header.Set("Remote-User", "test0001")
	resp, err := http.DefaultClient.Do(direct)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), `<strong id="user">test0001</strong>`, "which is why nobody else may reach it")
}

func TestGateway_escapes(t *testing.T) {
	p := start(t)
	_, body := p.get(http.DefaultClient, "/public", "X-Note", `<script>alert(1)</script>`)
	assert.NotContains(t, body, "<script>")
	assert.Contains(t, body, "&lt;script&gt;")
}

func TestRun(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	free := "-addr localhost:0 -wls-addr 127.0.0.1:0 -backend-addr 127.0.0.1:0 "
	for _, row := range []struct {
		flags          string
		code           int
		stdout, stderr string // are contained
	}{
		{free, 0, "Stop with Ctrl-C.\n", ""},
		{free + "-show", 0, "[[rule]]\npath = '/private/admin'\naccess = 'login'\n", ""},
		{"-h", 0, "", "-backend-addr address"},
		{"-nonsense", 2, "", "flag provided but not defined"},
		{"more", 2, "", `unexpected argument "more"`},
		{"-addr nonsense", 1, "", "missing port"},
		{free + "-addr 0.0.0.0:0", 1, "", "0.0.0.0:0 is no loopback address"},
		{free + "-backend-addr :0", 1, "", ":0 is no loopback address"},
		{free + "-addr " + busy.Addr().String(), 1, "", "address already in use"},
	} {
		t.Run(row.flags, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, row.code, run(ended, strings.Fields(row.flags), &stdout, &stderr), "%s%s", &stdout, &stderr)
			assert.Contains(t, stdout.String(), row.stdout)
			assert.Contains(t, stderr.String(), row.stderr)
		})
	}
}
