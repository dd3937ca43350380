package gateway

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echoGRPC is a service of gRPC as its protocol has it ("gRPC over HTTP2"): each message
// comes back at once, behind the name of who sent it, and the status in the trailers.
func echoGRPC(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	if r.ProtoMajor != 2 || r.Header.Get("Te") != "trailers" {
		h.Set("Grpc-Status", "13") // in the header alone, as where there is no answer
		return
	}
	h.Set("Trailer", "Grpc-Status")
	_ = http.NewResponseController(w).Flush()
	for {
		message, err := readMessage(r.Body)
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		_, _ = w.Write(framed(r.Header.Get("Remote-User") + ":" + message))
		_ = http.NewResponseController(w).Flush()
	}
	h.Set("Grpc-Status", "0")
	h.Set(http.TrailerPrefix+"Grpc-Message", "bye")
	h.Set(http.TrailerPrefix+"Remote-User", "evil")
}

// framed is a message with its five bytes in front.
func framed(text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
}

func readMessage(r io.Reader) (string, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", err
	}
	text := make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// call is one call of gRPC that has begun.
type call struct {
	t    *testing.T
	send *io.PipeWriter
	resp *http.Response
}

// grpcClient speaks HTTP/2 with the gateway and nothing else.
func grpcClient(t *testing.T) *http.Transport {
	client := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // our own, on loopback
	client.Protocols.SetHTTP2(true)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func (w *world) call(ctx context.Context, t *testing.T, path, cookie string) *call {
	t.Helper()
	c, err := w.tryCall(ctx, t, path, cookie)
	require.NoError(t, err)
	return c
}

func (w *world) tryCall(ctx context.Context, t *testing.T, path, cookie string) (*call, error) {
	t.Helper()
	body, send := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, body)
	require.NoError(t, err)
	r.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "User-Agent": {"grpc-go/1.0"}, "Grpc-Timeout": {"20S"}, "Cookie": {cookie}}
	resp, err := grpcClient(t).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return &call{t, send, resp}, nil
}

// say sends a message and returns the answer to it.
func (c *call) say(text string) (string, error) {
	if _, err := c.send.Write(framed(text)); err != nil {
		return "", err
	}
	return readMessage(c.resp.Body)
}

// TestGRPC calls through the gateway: once, and both ways in turn, for longer than a body
// may be silent where its rule does not say so.
func TestGRPC(t *testing.T) {
	for name, set := range map[string]func(*http.Protocols){"h2": h2AndH1, "h2c": h2cOnly} {
		t.Run(name, func(t *testing.T) {
			server := startHTTP2(t, http.HandlerFunc(echoGRPC), set)
			public, login := server.rule(t, "/public"), server.rule(t, "/private")
			public.BodyRate, login.BodyRate, login.Access = -1, -1, Login
			w := newWorld(t, kit{tls: true, rules: []Rule{public, login}, config: func(cfg *Config) { cfg.Limits.BodyGrace = 1 }})
			cookie := w.loggedIn("test0001").cookieHeader()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for path, who := range map[string]string{"/public/echo.Echo/Say": "", "/private/echo.Echo/Say": "test0001"} {
				for _, messages := range []int{1, 20} {
					c := w.call(ctx, t, path, cookie)
					require.Equal(t, http.StatusOK, c.resp.StatusCode)
					assert.Equal(t, "application/grpc", c.resp.Header.Get("Content-Type"))
					for i := range messages {
						text := strings.Repeat("hello", i*i*i)
						got, err := c.say(text)
						require.NoError(t, err)
						require.Equal(t, who+":"+text, got)
					}
					require.NoError(t, c.send.Close())
					rest, err := io.ReadAll(c.resp.Body)
					require.NoError(t, err)
					assert.Empty(t, rest)
					assert.Equal(t, http.Header{"Grpc-Status": {"0"}, "Grpc-Message": {"bye"}}, c.resp.Trailer)
				}
			}
			assert.LessOrEqual(t, server.connections.Load(), int32(2))
		})
	}
}

// TestGRPC_refused: who is not logged in gets 401, which clients of gRPC take for
// UNAUTHENTICATED, and who may not come in 403, for PERMISSION_DENIED
// (http-grpc-status-mapping of gRPC); nobody is sent to a login.
func TestGRPC_refused(t *testing.T) {
	server := startHTTP2(t, http.HandlerFunc(echoGRPC), h2cOnly)
	login, named := server.rule(t, "/private"), server.rule(t, "/named")
	login.Access, named.Access, named.Principals = Login, Login, []string{"test0002"}
	w := newWorld(t, kit{tls: true, rules: []Rule{login, named}})
	cookie := w.loggedIn("test0001").cookieHeader()
	for _, tt := range []struct {
		path, cookie string
		status       int
	}{{"/private/a.B/C", "", 401}, {"/named/a.B/C", "", 401}, {"/named/a.B/C", cookie, 403}} {
		c := w.call(t.Context(), t, tt.path, tt.cookie)
		assert.Equal(t, tt.status, c.resp.StatusCode)
		assert.Empty(t, c.resp.Header["Location"])
		assert.Empty(t, c.resp.Header["Grpc-Status"])
		_ = c.send.Close()
	}
}

// TestGRPC_ends: a call ends at the backend when the client gives it up, and when the session
// of its caller is over, also while nobody says anything.
func TestGRPC_ends(t *testing.T) {
	ended := make(chan string, 100) // targets
	mustEnd := func(target string) {
		t.Helper()
		for at := ""; at != target; {
			select {
			case at = <-ended:
			case <-time.After(patience):
				require.FailNow(t, "the call goes on at the backend")
			}
		}
	}
	server := startHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		echoGRPC(w, r)
		if isGRPC(r.Header) {
			ended <- r.RequestURI
		}
	}), h2cOnly)
	rule := server.rule(t, "/private")
	rule.Access, rule.BodyRate = Login, -1
	w := newWorld(t, kit{tls: true, rules: []Rule{rule}})
	cookie := w.loggedIn("test0001").cookieHeader()
	c := w.call(t.Context(), t, "/private/a.B/C", cookie)
	_, err := c.say("hello")
	require.NoError(t, err)
	require.NoError(t, c.resp.Body.Close())
	mustEnd("/private/a.B/C")

	target := ""
	w.beforeTheEnd(func(try string) (err error) {
		target = "/private/a.B/C?" + try
		if c, err = w.tryCall(t.Context(), t, target, cookie); err == nil {
			_, err = c.say("hello")
		}
		return err
	})
	mustEnd(target)
	_, err = io.ReadAll(c.resp.Body)
	assert.Error(t, err)
}
