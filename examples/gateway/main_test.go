package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demo"
	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
	"github.com/ucam-webauth/go-webauth/keys/cli"
)

// testNow is when every test begins. The clock stands still.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// running is the example, on ports that were free.
type running struct {
	*demotest.Program
	t                 *testing.T
	url, wls, backend string
}

func start(t *testing.T, flags ...string) *running {
	t.Helper()
	p := demotest.Start(t, testNow, func(clock func() time.Time) demo.Program {
		return program(&options{now: clock})
	}, append([]string{"-addr", "localhost:0", "-wls-addr", "127.0.0.1:0", "-backend-addr", "127.0.0.1:0"}, flags...)...)
	return &running{p, t, p.Printed(`Open (http\S+) in a browser`), p.Printed(`login service is at (http\S+);`), p.Printed(`backend is at (http\S+);`)}
}

// person is a browser with cookies that logs in as a user.
func (p *running) person(user string) *http.Client {
	p.t.Helper()
	return demotest.Client(p.t, p.wls, user)
}

func (p *running) get(client *http.Client, path string, header ...string) (status int, body string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	require.NoError(p.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = []string{header[i+1]} // as it is written
	}
	a := demotest.Do(p.t, client, r)
	return a.StatusCode, a.Body
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
	assert.Contains(t, demotest.Do(t, http.DefaultClient, direct).Body, `<strong id="user">test0001</strong>`, "which is why nobody else may reach it")
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
		{"-h", 0, "-backend-addr address", ""},
		{"-nonsense", 2, "", "gateway: there is no option -nonsense\nRun 'gateway -help' for help.\n"},
		{"-version", 0, "gateway " + cli.Version() + "\n", ""},
		{"more", 2, "", `unexpected argument "more"`},
		{"-addr nonsense", 2, "", "missing port"},
		{free + "-addr 0.0.0.0:0", 2, "", "0.0.0.0:0: want an address of this machine only"},
		{free + "-backend-addr :0", 2, "", ":0: want an address of this machine only"},
		{free + "-addr " + busy.Addr().String(), 1, "", "address already in use"},
	} {
		t.Run(row.flags, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.Equal(t, row.code, program(&options{}).Start(ended, strings.Fields(row.flags), &stdout, &stderr), "%s%s", &stdout, &stderr)
			assert.Contains(t, stdout.String(), row.stdout)
			assert.Contains(t, stderr.String(), row.stderr)
		})
	}
}
