package gateway

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted is a server that counts its connections.
type counted struct {
	*httptest.Server
	connections atomic.Int32
}

// startHTTP2 starts a server that speaks these versions: with TLS where one of them needs
// it.
func startHTTP2(t testing.TB, handler http.Handler, set func(*http.Protocols)) *counted {
	s := &counted{Server: httptest.NewUnstartedServer(handler)}
	var p http.Protocols
	set(&p)
	s.Config.Protocols = &p
	s.EnableHTTP2 = p.HTTP2()
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Config.ErrorLog = nil
	if p.UnencryptedHTTP2() {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

func h2AndH1(p *http.Protocols) { p.SetHTTP1(true); p.SetHTTP2(true) }
func h2Only(p *http.Protocols)  { p.SetHTTP2(true) }
func h1Only(p *http.Protocols)  { p.SetHTTP1(true) }
func h2cToo(p *http.Protocols)  { p.SetHTTP1(true); p.SetUnencryptedHTTP2(true) }
func h2cOnly(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }

// rule is a rule for a server, with its certificate.
func (s *counted) rule(t testing.TB, path string) Rule {
	if s.TLS == nil {
		return Rule{Path: path, Access: Public, To: "h2c" + strings.TrimPrefix(s.URL, "http")}
	}
	return Rule{Path: path, Access: Public, To: s.URL, BackendCA: caFile(t, s.Certificate().Raw)}
}

func caFile(t testing.TB, der []byte) string {
	return writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

// TestHTTP2Backend: what is spoken with a backend is the best that it has, one connection
// does for all requests by HTTP/2, and none is used again by HTTP/1.1 that might be out of
// step.
func TestHTTP2Backend(t *testing.T) {
	for _, tt := range []struct {
		name        string
		server      func(*http.Protocols)
		proto       string
		connections int32 // at most
	}{
		{"h2", h2AndH1, "HTTP/2.0", 2}, // the first request asks
		{"h2 only", h2Only, "HTTP/2.0", 2},
		{"HTTP/1.1 only", h1Only, "HTTP/1.1", 5},
		{"h2c", h2cToo, "HTTP/2.0", 1},
		{"h2c only", h2cOnly, "HTTP/2.0", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := startHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				_, _ = io.WriteString(w, r.Proto+" "+r.Method+" "+r.Host+" "+r.RequestURI+" "+string(body))
			}), tt.server)
			w := newWorld(t, kit{rules: []Rule{server.rule(t, "/")}})
			v := w.visitor("")
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodHead, http.MethodPost, http.MethodPost} {
				var body io.Reader
				if method[0] == 'P' {
					body = io.MultiReader(strings.NewReader("da"), strings.NewReader("ta")) // of unknown length
				}
				answer := v.do(method, "/caf%C3%A9?a=b", body)
				require.Equal(t, http.StatusOK, answer.StatusCode, "%s", w.log)
				want := tt.proto + " " + method + " " + w.host + " /caf%C3%A9?a=b " + map[bool]string{true: "data"}[body != nil]
				if method == http.MethodHead {
					want = ""
				}
				assert.Equal(t, want, answer.body)
			}
			if tt.proto == "HTTP/1.1" {
				assert.GreaterOrEqual(t, server.connections.Load(), tt.connections)
			} else {
				assert.LessOrEqual(t, server.connections.Load(), tt.connections)
			}
		})
	}
}

// TestHTTP2BackendChanges: a backend that has spoken HTTP/2 and does no longer gets its
// requests by HTTP/1.1, the bodies of which nobody has read yet, and one by one.
func TestHTTP2BackendChanges(t *testing.T) {
	var alone atomic.Bool
	server := startHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		alone.Store(r.Close)
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, r.Proto+" "+string(body))
	}), h2AndH1)
	var protocols atomic.Value
	protocols.Store([]string{"h2"})
	server.TLS.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: server.TLS.Certificates, NextProtos: protocols.Load().([]string)}, nil
	}
	w := newWorld(t, kit{rules: []Rule{server.rule(t, "/")}})
	v := w.visitor("")
	post := func() string {
		t.Helper()
		answer := v.do(http.MethodPost, "/", io.MultiReader(strings.NewReader("data")))
		require.Equal(t, http.StatusOK, answer.StatusCode, "%s", w.log)
		return answer.body
	}
	assert.Equal(t, "HTTP/2.0 data", post())
	assert.Equal(t, "HTTP/2.0 data", post())
	b := w.gateway.core.Load().ruleFor(w.host, "/").backend
	assert.EqualValues(t, versionHTTP2, b.speaks.Load())
	protocols.Store([]string{"http/1.1"})
	b.closeIdle()
	server.CloseClientConnections()
	assert.Equal(t, "HTTP/1.1 data", post())
	assert.True(t, alone.Load(), "a body of unknown length is the last on its connection")
	protocols.Store([]string{"h2"})
	assert.Contains(t, []string{"HTTP/1.1 data", "HTTP/2.0 data"}, post())
	assert.EqualValues(t, versionHTTP1, b.speaks.Load(), "as there may be several servers")
}

// TestHTTP2BackendWebSocket: a WebSocket goes through HTTP/1.1, with whatever else there is.
func TestHTTP2BackendWebSocket(t *testing.T) {
	for name, set := range map[string]func(*http.Protocols){"h2": h2AndH1, "h2c": h2cToo, "HTTP/1.1": h1Only} {
		t.Run(name, func(t *testing.T) {
			server := startHTTP2(t, http.HandlerFunc(echoSocket), set)
			w := newWorld(t, kit{rules: []Rule{server.rule(t, "/")}})
			for range 2 {
				require.Equal(t, http.StatusUpgradeRequired, w.visitor("").get("/").StatusCode, "and other requests do not change that")
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				conn, _, err := websocket.Dial(ctx, w.url, nil)
				require.NoError(t, err)
				require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte("hello")))
				_, got, err := conn.Read(ctx)
				require.NoError(t, err)
				assert.Equal(t, ":hello", string(got))
				require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
			}
		})
	}
}

// TestHTTP2BackendConnections: limits.connections bounds requests where these share one.
func TestHTTP2BackendConnections(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan struct{}, 2)
	server := startHTTP2(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			return
		}
		arrived <- struct{}{}
		<-release
	}), h2cOnly)
	w := newWorld(t, kit{rules: []Rule{server.rule(t, "/")}, config: func(cfg *Config) {
		cfg.Limits.Connections, cfg.Limits.DialTimeout = 1, Duration(20*time.Millisecond)
	}})
	w.connect("/warm")
	done := make(chan int)
	go func() {
		answer, err := w.visitor("").try(http.MethodGet, "/", nil)
		assert.NoError(t, err)
		done <- answer.StatusCode
	}()
	<-arrived
	assert.Equal(t, http.StatusServiceUnavailable, w.visitor("").get("/").StatusCode)
	close(release)
	assert.Equal(t, http.StatusOK, <-done)
}

// TestH2CBackend_wrong: a backend that does not speak what the rule says it does is no
// backend, and the log says so.
func TestH2CBackend_wrong(t *testing.T) {
	old := startHTTP2(t, http.NotFoundHandler(), h2cOnly)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	w := newWorld(t, kit{rules: []Rule{
		{Path: "/h2c", Access: Public, To: "h2c" + strings.TrimPrefix(plain.URL, "http")},
		{Path: "/http", Access: Public, To: old.URL},
	}})
	for _, path := range []string{"/h2c", "/http"} {
		assert.Equal(t, http.StatusBadGateway, w.visitor("").get(path).StatusCode, path)
	}
	assert.Equal(t, 2, strings.Count(w.log.String(), "reason=backend-broken"))
}
