package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/programtest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// running is a Server on loopback, with a public rule for one backend.
type running struct {
	t      *testing.T
	cfg    Config
	server *Server
	url    string
	log    *lockedBuffer
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
}

// writeCertificate is [programtest.WriteCertificate].
func writeCertificate(t testing.TB, dir, name string, from, until time.Time, hosts ...string) Certificate {
	t.Helper()
	cert, key := programtest.WriteCertificate(t, dir, name, from, until, hosts...)
	return Certificate{Cert: cert, Key: key}
}

// passLoopback opens a socket of a kind on loopback.
func passLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// serveHTTPS starts a server; its only socket is passed to it.
func serveHTTPS(t *testing.T, backend http.Handler, edit func(*Config)) *running {
	t.Helper()
	app := httptest.NewServer(backend)
	t.Cleanup(app.Close)
	l := passLoopback(t)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	service := webauth.Raven()
	dir := t.TempDir()
	r := &running{t: t, url: "https://localhost:" + port, log: &lockedBuffer{}, ended: make(chan error, 1)}
	r.cfg = Config{
		BaseURL: r.url, Service: &service, SecretFile: filepath.Join(dir, "secret"), Log: Log{Access: "off"},
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Listen: Listen{Certificates: []Certificate{writeCertificate(t, dir, "site", time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "localhost")}},
		Rules:  []Rule{{Path: "/", Access: Public, To: app.URL}},
	}
	if edit != nil {
		edit(&r.cfg)
	}
	g, err := New(r.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	r.server, err = NewServer(g, r.cfg, map[string][]net.Listener{"https": {l}})
	require.NoError(t, err)
	r.start()
	r.client = r.newClient()
	return r
}

func (r *running) start() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.stop = cancel
	ended := make(chan struct{})
	go func() {
		r.ended <- r.server.Serve(ctx)
		close(ended)
	}()
	r.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (r *running) newClient() *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (r *running) get(path string) (status int, proto, body string) {
	r.t.Helper()
	resp, err := r.client.Get(r.url + path)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, resp.Proto, string(text)
}

func TestServe(t *testing.T) {
	r := serveHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }), nil)
	status, proto, body := r.get("/")
	assert.Equal(t, []any{200, "HTTP/2.0", "hello"}, []any{status, proto, body})
	r.stop()
	require.NoError(t, <-r.ended)
	_, err := r.newClient().Get(r.url)
	require.ErrorContains(t, err, "refused")
	r.ended <- nil
}

func TestServe_oldTLS(t *testing.T) {
	r := serveHTTPS(t, http.NotFoundHandler(), nil)
	_, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	require.ErrorContains(t, err, "protocol version not supported")
}

func TestServe_largeHeader(t *testing.T) {
	r := serveHTTPS(t, http.NotFoundHandler(), func(cfg *Config) { cfg.Limits.HeaderBytes = 4096 })
	request, err := http.NewRequest(http.MethodGet, r.url, nil)
	require.NoError(t, err)
	request.Header.Set("X-Large", strings.Repeat("x", 20_000))
	r.client.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	resp, err := r.client.Do(request)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
}

// TestServe_graceful: what has begun ends as if nothing had happened.
func TestServe_graceful(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	r := serveHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "one ")
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-finish
		fmt.Fprint(w, "two")
	}), nil)
	resp, err := r.client.Get(r.url)
	require.NoError(t, err)
	defer resp.Body.Close()
	<-begun
	r.stop()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "https://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, patience, time.Millisecond, "no new connections")
	select {
	case err := <-r.ended:
		t.Fatal("it did not wait", err)
	default:
	}
	close(finish)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "one two", string(body))
	require.NoError(t, <-r.ended)
	r.ended <- nil
}

// TestServe_patience: what does not end in time is cut off.
func TestServe_patience(t *testing.T) {
	begun := make(chan struct{})
	r := serveHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-req.Context().Done()
	}), func(cfg *Config) { cfg.Limits.StopTimeout = Duration(time.Millisecond) })
	resp, err := r.client.Get(r.url)
	require.NoError(t, err)
	defer resp.Body.Close()
	<-begun
	r.stop()
	require.NoError(t, <-r.ended)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	assert.Contains(t, r.log.String(), "some requests had not ended")
	r.ended <- nil
}

// TestServe_webSocket: one is served until the end and closed then, on both sides.
func TestServe_webSocket(t *testing.T) {
	left := make(chan error, 1)
	r := serveHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		conn, err := websocket.Accept(w, req, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			left <- err
			return
		}
		for err == nil {
			var text []byte
			if _, text, err = conn.Read(context.Background()); err == nil {
				err = conn.Write(context.Background(), websocket.MessageText, text)
			}
		}
		left <- nil
	}), nil)
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(r.url, "https", "wss", 1), &websocket.DialOptions{HTTPClient: http1Client(r)})
	require.NoError(t, err)
	defer conn.CloseNow()
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("hello")))
	_, text, err := conn.Read(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "hello", string(text))
	r.stop()
	require.NoError(t, <-r.ended)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, _, err = conn.Read(ctx)
	require.Error(t, err)
	require.NoError(t, ctx.Err(), "it was closed, not forgotten")
	require.NoError(t, <-left)
	r.ended <- nil
}

func http1Client(r *running) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServer_reload(t *testing.T) {
	r := serveHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "old") }), nil)
	_, _, body := r.get("/")
	require.Equal(t, "old", body)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "new") }))
	defer app.Close()

	wrong := r.cfg
	wrong.Rules = []Rule{{Path: "/", Access: Public, To: app.URL}}
	wrong.Listen.Certificates = []Certificate{{Cert: "none.pem", Key: "none.key"}}
	require.ErrorContains(t, r.server.Reload(wrong), "listen.certificate[1]: open none.pem")
	wrong.Listen.Certificates = r.cfg.Listen.Certificates
	wrong.Listen.HTTP, wrong.Limits.IdleTimeout, wrong.Admin.Listen = []string{"127.0.0.1:1"}, Duration(time.Second), "127.0.0.1:2"
	require.EqualError(t, r.server.Reload(wrong),
		"listen.http: this changes listeners, which a reload keeps: restart the gateway\n"+
			"admin.listen: this changes listeners, which a reload keeps: restart the gateway\n"+
			"limits.idle-timeout: this changes listeners, which a reload keeps: restart the gateway")
	_, _, body = r.get("/")
	require.Equal(t, "old", body, "all or nothing")

	right := r.cfg
	right.Rules = []Rule{{Path: "/", Access: Public, To: app.URL}}
	right.Listen.Certificates = []Certificate{writeCertificate(t, t.TempDir(), "other", time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "localhost")}
	require.NoError(t, r.server.Reload(right))
	_, _, body = r.get("/")
	assert.Equal(t, "new", body)
	conn, err := tls.Dial("tcp", strings.TrimPrefix(r.url, "https://"), &tls.Config{InsecureSkipVerify: true})
	require.NoError(t, err)
	defer conn.Close()
	assert.Equal(t, "other", conn.ConnectionState().PeerCertificates[0].Subject.CommonName)
}

func TestServer_reloadFile(t *testing.T) {
	r := serveHTTPS(t, http.NotFoundHandler(), nil)
	file := writeConfig(t, "wls = \"raven\"\n")
	require.ErrorContains(t, r.server.ReloadFile(file), file+":1:1: base-url: this is missing")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "base-url = %q\nwls = \"raven\"\nsecret-file = %q\n[log]\naccess = \"off\"\nlevel = \"debug\"\n"+
		"[[listen.certificate]]\ncert = %q\nkey = %q\n[[rule]]\npath = \"/\"\nto = \"http://127.0.0.1:1\"\n",
		r.url, r.cfg.SecretFile, r.cfg.Listen.Certificates[0].Cert, r.cfg.Listen.Certificates[0].Key), 0o600))
	require.NoError(t, r.server.ReloadFile(file))
	assert.Equal(t, "debug", r.server.Config().Log.Level)
	assert.Same(t, r.cfg.Logger, r.server.Config().Logger)
}

// TestServer_cutFile: what an editor has written by half is not what the operator means.
func TestServer_cutFile(t *testing.T) {
	r := serveHTTPS(t, http.NotFoundHandler(), nil)
	whole := fmt.Sprintf("base-url = %q\nwls = \"raven\"\nsecret-file = %q\n[log]\naccess = \"off\"\n"+
		"[[listen.certificate]]\ncert = %q\nkey = %q\n[[rule]]\npath = \"/\"\naccess = \"public\"\nto = \"http://127.0.0.1:1\"\n"+
		"[[rule]]\npath = \"/admin\"\naccess = \"login\"\n",
		r.url, r.cfg.SecretFile, r.cfg.Listen.Certificates[0].Cert, r.cfg.Listen.Certificates[0].Key)
	file := writeConfig(t, whole)
	require.NoError(t, r.server.ReloadFile(file))
	for i := range whole {
		if i == 0 || whole[i-1] == '\n' {
			continue
		}
		require.NoError(t, os.WriteFile(file, []byte(whole[:i]), 0o600))
		require.ErrorContains(t, r.server.ReloadFile(file), ":1: it does not end with a newline: it may be cut short")
	}
	assert.Len(t, r.server.Config().Rules, 2)

	cut, _, _ := strings.Cut(whole, "[[rule]]\npath = \"/admin\"")
	require.NoError(t, os.WriteFile(file, []byte(cut), 0o600))
	require.NoError(t, r.server.ReloadFile(file), "in good order, as far as anybody can tell")
	assert.Contains(t, r.log.String(), `level=WARN msg="wls gateway: rules are gone since the reload" rules=[/admin]`)
}

// redirecting is a Server that only redirects, to https://soc.example.
func redirecting(t *testing.T, front Front) *Server {
	t.Helper()
	service := webauth.Raven()
	cfg := Config{BaseURL: "https://soc.example", Service: &service, SecretFile: filepath.Join(t.TempDir(), "secret"), Front: front,
		Log: Log{Access: "off"}, Logger: slog.New(slog.DiscardHandler), Rules: []Rule{{Path: "/", To: "http://127.0.0.1:1"}}}
	g, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	s := &Server{gateway: g}
	s.cfg.Store(&cfg)
	return s
}

func TestServer_redirect(t *testing.T) {
	h := redirecting(t, Front{}).redirect()
	for _, row := range []struct {
		request, host string
		status        int
		location      string
	}{
		{"GET /", "soc.example", 307, "https://soc.example/"},
		{"GET /", "evil.example", 307, "https://soc.example/"},
		{"GET /a%20b/?q=1&r=%2F", "soc.example", 307, "https://soc.example/a%20b/?q=1&r=%2F"},
		{"HEAD /a", "soc.example", 307, "https://soc.example/a"},
		{"POST /form", "soc.example", 307, "https://soc.example/form"},
		{"GET //evil.example/", "soc.example", 307, "https://soc.example//evil.example/"},
		{"GET http://evil.example/a", "evil.example", 307, "https://soc.example/a"},
		{"GET /.well-known/x", "", 307, "https://soc.example/.well-known/x"},
		{"OPTIONS *", "soc.example", 400, ""},
		{"CONNECT evil.example:443", "evil.example", 400, ""},
	} {
		t.Run(row.request+" "+row.host, func(t *testing.T) {
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(row.request + " HTTP/1.1\r\nHost: " + row.host + "\r\n\r\n")))
			require.NoError(t, err)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code)
			assert.Equal(t, row.location, w.Header().Get("Location"))
			assert.Equal(t, []string{"no-store"}, w.Header()["Cache-Control"])
			assert.NotContains(t, w.Header().Get("Location"), "https://evil")
		})
	}
}
