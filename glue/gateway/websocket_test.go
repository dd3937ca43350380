package gateway

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countedBuffers counts those that are taken and have not come back.
type countedBuffers struct {
	httputil.BufferPool
	taken, out atomic.Int64
}

func (c *countedBuffers) Get() []byte {
	c.taken.Add(1)
	c.out.Add(1)
	return c.BufferPool.Get()
}

func (c *countedBuffers) Put(b []byte) {
	c.out.Add(-1)
	c.BufferPool.Put(b)
}

// TestWebSocketBuffers: messages around the sizes of the buffers arrive whole, and a
// connection that is silent holds no large one.
func TestWebSocketBuffers(t *testing.T) {
	for name, tls := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{tls: tls, handler: bareEcho})
			header := http.Header{"Cookie": {w.socketCookie(t)}, "Origin": {w.url}}
			buffers := &countedBuffers{BufferPool: newBuffers()}
			w.gateway.core.Load().proxy.BufferPool = buffers
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			conn, _, err := websocket.Dial(ctx, w.url+"/private/", &websocket.DialOptions{HTTPClient: w.fake.Client(""), HTTPHeader: header})
			require.NoError(t, err)
			defer func() { _ = conn.CloseNow() }()
			conn.SetReadLimit(-1)
			say := func(size int) {
				t.Helper()
				text := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
				require.NoError(t, conn.Write(ctx, websocket.MessageText, text))
				_, got, err := conn.Read(ctx)
				require.NoError(t, err)
				require.True(t, bytes.Equal(text, got), "%d bytes", size)
			}
			for size := range idleBuffer / 2 {
				say(size)
			}
			assert.Zero(t, buffers.taken.Load(), "large buffers for small messages")
			for size := idleBuffer - 20; size <= idleBuffer+20; size++ {
				say(size)
			}
			for size := copyBuffer - 20; size <= copyBuffer+idleBuffer+20; size += 7 {
				say(size)
			}
			say(1 << 20)
			say(1)
			assert.Positive(t, buffers.taken.Load())
			assert.Eventually(t, func() bool { return buffers.out.Load() == 0 }, patience, time.Millisecond, "it holds large buffers")
		})
	}
}

// TestWebSocketHalfClosed: whoever has no more to say is told what the other still says.
func TestWebSocketHalfClosed(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	for _, tt := range []struct {
		name            string
		client, backend func(t *testing.T, conn net.Conn, in io.Reader)
	}{
		{"by the client", endThenRead, readThenSay},
		{"by the backend", readThenSay, endThenRead},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ended := make(chan struct{})
			w := newWorld(t, kit{handler: func(rw http.ResponseWriter, _ *http.Request) {
				defer close(ended)
				conn, both, err := http.NewResponseController(rw).Hijack()
				if assert.NoError(t, err) {
					defer conn.Close()
					_, err = io.WriteString(conn, switching)
					assert.NoError(t, err)
					tt.backend(t, conn, both)
				}
			}})
			conn, err := net.Dial("tcp", w.addr)
			require.NoError(t, err)
			defer conn.Close()
			require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
			_, err = io.WriteString(conn, w.request("GET /public HTTP/1.1", strings.Split(upgrade, "\r\n")...))
			require.NoError(t, err)
			head := make([]byte, len("HTTP/1.1 101"))
			_, err = io.ReadFull(conn, head)
			require.NoError(t, err)
			require.Equal(t, "HTTP/1.1 101", string(head))
			tt.client(t, conn, conn)
			require.NoError(t, conn.Close())
			<-ended
			assert.Eventually(t, func() bool { return w.gateway.core.Load().Users() == 0 }, patience, time.Millisecond, "no request is left")
		})
	}
}

// endThenRead ends what it says and reads the answer to that.
func endThenRead(t *testing.T, conn net.Conn, in io.Reader) {
	_, err := io.WriteString(conn, "said")
	assert.NoError(t, err)
	assert.NoError(t, conn.(*net.TCPConn).CloseWrite())
	got, err := io.ReadAll(in)
	assert.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(got), "heard 4"), "%q", got)
}

// readThenSay answers when the other has ended.
func readThenSay(t *testing.T, conn net.Conn, in io.Reader) {
	got, err := io.ReadAll(in)
	assert.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(got), "said"), "%q", got)
	_, err = io.WriteString(conn, "heard "+strconv.Itoa(len("said")))
	assert.NoError(t, err)
}

// TestWebSocketThatCallsItselfGRPC: one that comes with the Content-Type of gRPC ends like any
// other, and the program goes on.
func TestWebSocketThatCallsItselfGRPC(t *testing.T) {
	ended := make(chan struct{}, 2)
	w := newWorld(t, kit{handler: bareEcho, site: func(gateway http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			context.AfterFunc(r.Context(), func() { ended <- struct{}{} })
			gateway.ServeHTTP(w, r)
		})
	}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	header := http.Header{"Content-Type": {"application/grpc"}}
	conn, _, err := websocket.Dial(ctx, w.url+"/public/", &websocket.DialOptions{HTTPClient: w.fake.Client(""), HTTPHeader: header})
	require.NoError(t, err)
	require.NoError(t, conn.CloseNow())
	<-ended
	require.Equal(t, http.StatusUnauthorized, w.visitor("").get("/private/", scripted).StatusCode, "it still serves")
}
