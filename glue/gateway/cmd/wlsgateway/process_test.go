package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain makes this test's own binary the program, where it is asked to be.
func TestMain(m *testing.M) {
	if os.Getenv("WLSGATEWAY_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the program, running.
type process struct {
	t   *testing.T
	cmd *exec.Cmd

	mu    sync.Mutex
	lines []string // of its log
	more  chan struct{}
	ended chan struct{}
	err   error // of Wait, after ended
}

// start runs the program through a shell, which knows the process's number before it
// becomes the program: systemd sets LISTEN_PID to it.
func start(t *testing.T, file string, passed []*os.File, env ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return launch(t, `[ -z "$LISTEN_FDS" ] || export LISTEN_PID=$$; exec "$0" "$@"`, []string{self, file}, passed, env...)
}

// launch runs a shell's script that becomes the program.
func launch(t *testing.T, script string, args []string, passed []*os.File, env ...string) *process {
	t.Helper()
	p := &process{t: t, more: make(chan struct{}, 1), ended: make(chan struct{})}
	p.cmd = exec.Command("/bin/sh", append([]string{"-c", script}, args...)...)
	p.cmd.Env = append(append(os.Environ(), "WLSGATEWAY_TEST_MAIN=1"), env...)
	p.cmd.ExtraFiles = passed
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go p.read(stderr)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) read(stderr io.Reader) {
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// patience is for what takes a moment, on an idle machine.
const patience = 2 * time.Minute

// expect waits until the log has a text as often as times.
func (p *process) expect(text string, times int) {
	p.t.Helper()
	late := time.After(patience)
	for strings.Count(p.log(), text) < times {
		select {
		case <-p.more:
		case <-p.ended:
			require.GreaterOrEqual(p.t, strings.Count(p.log(), text), times, "it ended: %v\n%s", p.err, p.log())
			return
		case <-late:
			require.Fail(p.t, "no "+text, p.log())
		}
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// stop ends the program, as systemd does.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	<-p.ended
	require.NoError(p.t, p.err, p.log())
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// writeCertificate makes cert.pem and key.pem in a directory, and gives their serial
// number.
func writeCertificate(t *testing.T, dir, host string) *big.Int {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0), DNSNames: []string{host}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	write(t, filepath.Join(dir, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return serial
}

// testSite is what a test needs around the program: a backend, a socket to pass, files.
type testSite struct {
	t       *testing.T
	dir     string
	backend *httptest.Server
	sockets []*os.File
	addr    []string // of the sockets
	client  *http.Client
}

func newSite(t *testing.T, sockets int) *testSite {
	t.Helper()
	s := &testSite{t: t, dir: t.TempDir()}
	s.backend = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "backend ", r.URL.Path) }))
	t.Cleanup(s.backend.Close)
	for range sockets {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		f, err := l.(*net.TCPListener).File()
		require.NoError(t, err)
		s.addr = append(s.addr, l.Addr().String())
		s.sockets = append(s.sockets, f)
		require.NoError(t, l.Close())
		t.Cleanup(func() { assert.NoError(t, f.Close()) })
	}
	s.client = s.newClient(new(atomic.Int64))
	return s
}

// newClient makes a client that has one connection at a time, and counts them.
func (s *testSite) newClient(connections *atomic.Int64) *http.Client {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxConnsPerHost: 1,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			connections.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// url is the site's, at its first socket.
func (s *testSite) url() string {
	_, port, _ := net.SplitHostPort(s.addr[0])
	return "https://localhost:" + port
}

// configure writes the configuration file.
func (s *testSite) configure(more, rules string) (file string) {
	s.t.Helper()
	file = filepath.Join(s.dir, "gateway.toml")
	write(s.t, file, fmt.Sprintf("base-url = %q\nwls = \"raven\"\nsecret-file = \"secret\"\n%s\n[log]\naccess = \"access.log\"\n%s", s.url(), more, rules))
	return file
}

func (s *testSite) publicRule() string {
	return fmt.Sprintf("[[rule]]\npath = \"/\"\naccess = \"public\"\nto = %q\n", s.backend.URL)
}

func (s *testSite) get(url string) (*http.Response, string) {
	s.t.Helper()
	resp, err := s.client.Get(url)
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return resp, string(body)
}

// TestProcess_activation passes sockets as systemd does, and tells systemd how it goes.
func TestProcess_activation(t *testing.T) {
	s := newSite(t, 3)
	writeCertificate(t, s.dir, "localhost")
	notices, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(s.dir, "notify"), Net: "unixgram"})
	require.NoError(t, err)
	defer notices.Close()
	p := start(t, s.configure("", s.publicRule()), s.sockets,
		"LISTEN_FDS=3", "LISTEN_FDNAMES=https:redirect:admin", "NOTIFY_SOCKET="+filepath.Join(s.dir, "notify"))
	assert.Equal(t, "READY=1", notice(t, notices))
	resp, body := s.get(s.url() + "/a")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Equal(t, "backend /a", body)
	resp, _ = s.get("http://" + s.addr[1] + "/a?b=c")
	assert.Equal(t, 307, resp.StatusCode)
	assert.Equal(t, s.url()+"/a?b=c", resp.Header.Get("Location"))
	resp, _ = s.get("http://" + s.addr[2] + "/readyz")
	assert.Equal(t, 200, resp.StatusCode)
	_, metrics := s.get("http://" + s.addr[2] + "/metrics")
	assert.Contains(t, metrics, "wlsgateway_certificate_expiry_timestamp_seconds{")

	p.signal(syscall.SIGHUP)
	assert.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+`, notice(t, notices))
	assert.Equal(t, "READY=1", notice(t, notices))
	p.signal(syscall.SIGTERM)
	assert.Equal(t, "STOPPING=1", notice(t, notices))
	<-p.ended
	require.NoError(t, p.err, p.log())
}

func notice(t *testing.T, from *net.UnixConn) string {
	t.Helper()
	require.NoError(t, from.SetReadDeadline(time.Now().Add(patience)))
	buffer := make([]byte, 1000)
	n, err := from.Read(buffer)
	require.NoError(t, err)
	return string(buffer[:n])
}

func TestProcess_unnamedSocket(t *testing.T) {
	s := newSite(t, 1)
	writeCertificate(t, s.dir, "localhost")
	p := start(t, s.configure("", s.publicRule()), s.sockets, "LISTEN_FDS=1", "LISTEN_FDNAMES=gateway.socket")
	<-p.ended
	require.Error(t, p.err)
	assert.Contains(t, p.log(), `a socket with the name "gateway.socket" was passed: call it https, redirect, http or admin`)
}

// TestProcess_reloadUnderLoad: while people ask on, the configuration changes many times;
// no request fails and no connection is closed.
func TestProcess_reloadUnderLoad(t *testing.T) {
	s := newSite(t, 1)
	writeCertificate(t, s.dir, "localhost")
	file := s.configure("", s.publicRule())
	p := start(t, file, s.sockets, "LISTEN_FDS=1", "LISTEN_FDNAMES=https")
	p.expect("listening", 1)

	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var asked, connections atomic.Int64
	for range 4 {
		client := s.newClient(&connections)
		group.Go(func() {
			for ctx.Err() == nil {
				resp, err := client.Get(s.url() + "/page")
				if !assert.NoError(t, err) {
					return
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if !assert.NoError(t, err) || !assert.Equal(t, 200, resp.StatusCode) || !assert.Equal(t, "backend /page", string(body)) {
					return
				}
				asked.Add(1)
			}
		})
	}
	for i := range 10 {
		s.configure(fmt.Sprintf("[limits]\nconnections = %d\n", 10+i), s.publicRule())
		p.signal(syscall.SIGHUP)
		p.expect("configuration loaded", i+1)
	}
	s.configure("", "[[rule]]\npath = \"/\"\naccess = \"publick\"\n")
	p.signal(syscall.SIGHUP)
	p.expect("configuration refused", 2)
	assert.Contains(t, p.log(), file+`:9:10: rule[1].access: \"publick\" is none of`)
	assert.Contains(t, p.log(), file+`:7:3: rule[1].to: this is missing`)
	for seen := asked.Load(); asked.Load() < seen+20 && !t.Failed(); { // the old one is in force
		_, body := s.get(s.url() + "/page")
		require.Equal(t, "backend /page", body)
	}
	cancel()
	group.Wait()
	assert.Positive(t, asked.Load())
	assert.Equal(t, int64(4), connections.Load(), "every connection was kept")
	p.stop()
	log, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, strings.Count(string(log), "/page"), int(asked.Load()))
}

// TestProcess_certificate: renewed files are noticed without a signal, bad ones are not
// taken.
func TestProcess_certificate(t *testing.T) {
	s := newSite(t, 1)
	first := writeCertificate(t, s.dir, "localhost")
	p := start(t, s.configure("", s.publicRule()), s.sockets, "LISTEN_FDS=1", "LISTEN_FDNAMES=https")
	p.expect("listening", 1)
	assert.Contains(t, p.log(), `msg="wls gateway: starting" version=`)
	assert.Equal(t, first, s.serial())
	kept, _ := s.get(s.url() + "/before")
	require.Equal(t, 200, kept.StatusCode)

	write(t, filepath.Join(s.dir, "cert.pem"), "soon")
	require.Eventually(t, func() bool { return s.serial() != nil && strings.Contains(p.log(), "the old one stays") }, patience, 10*time.Millisecond)
	assert.Equal(t, first, s.serial())
	second := writeCertificate(t, s.dir, "localhost")
	require.Eventually(t, func() bool { return s.serial().Cmp(second) == 0 }, patience, 10*time.Millisecond)
	again, _ := s.get(s.url() + "/after")
	assert.Equal(t, first, again.TLS.PeerCertificates[0].SerialNumber, "connections stay")

	third := writeCertificate(t, s.dir, "localhost")
	p.signal(syscall.SIGHUP)
	p.expect("configuration loaded", 1)
	assert.Equal(t, third, s.serial(), "a reload looks at once")
	p.stop()
	assert.Contains(t, p.log(), `msg="wls gateway: stopping" reason=SIGTERM`)
	assert.Regexp(t, `msg="wls gateway: stopped" reason=SIGTERM took="\d+ \w+`, p.log())
	assert.NotContains(t, p.log(), "PRIVATE KEY")
}

// serial is that of the certificate that a new connection gets.
func (s *testSite) serial() *big.Int {
	conn, err := tls.Dial("tcp", s.addr[0], &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	require.NoError(s.t, err)
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber
}

// TestProcess_listens is without sockets from systemd, with a log in JSON.
func TestProcess_listens(t *testing.T) {
	s := newSite(t, 1)
	socket := filepath.Join(s.dir, "front.sock")
	file := filepath.Join(s.dir, "gateway.toml")
	write(t, file, fmt.Sprintf("base-url = \"http://localhost:8080\"\nwls = \"raven\"\nsecret-file = \"secret\"\nlog = {access = \"off\", format = \"json\"}\n[listen]\nhttp = [\"127.0.0.1:0\"]\nunix = \"front.sock\"\nunix-mode = \"0600\"\n[front]\nunix-socket = true\n%s", s.publicRule()))
	p := start(t, file, nil)
	p.expect(`"msg":"wls gateway: listening"`, 2)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	secret, err := os.Stat(filepath.Join(s.dir, "secret"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), secret.Mode().Perm())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	resp, err := client.Get("http://localhost:8080/x")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "backend /x", string(body))

	health := func() error { return wlsgateway().Commands["health"]([]string{file}, io.Discard) }
	assert.ErrorContains(t, health(), "nothing answers at 127.0.0.1:0") // the first address
	write(t, file, strings.Replace(read(t, file), `http = ["127.0.0.1:0"]`, "http = []", 1))
	assert.NoError(t, health())

	write(t, file, strings.Replace(read(t, file), "http = []", `http = ["127.0.0.1:1"]`, 1))
	p.signal(syscall.SIGHUP)
	p.expect("configuration refused", 1)
	assert.Contains(t, p.log(), file+":6:1: listen.http: this changes listeners")
	p.stop()
	assert.NoFileExists(t, socket)
	write(t, file, strings.Replace(read(t, file), `http = ["127.0.0.1:1"]`, "http = []", 1))
	assert.ErrorContains(t, health(), "nothing answers at unix:"+socket)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
