package gateway

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// socketWay is one way of opening WebSockets to the same backend.
type socketWay struct {
	name string
	dial func() *websocket.Conn
}

// socketWays are without a gateway, and through one.
func socketWays(b *testing.B) []socketWay {
	backend := httptest.NewServer(http.HandlerFunc(bareEcho))
	b.Cleanup(backend.Close)
	dial := func(url string, options *websocket.DialOptions) func() *websocket.Conn {
		return func() *websocket.Conn {
			conn, _, err := websocket.Dial(context.Background(), url, options)
			require.NoError(b, err)
			conn.SetReadLimit(-1)
			return conn
		}
	}
	through := func(tls bool) func() *websocket.Conn {
		w := newWorld(b, kit{tls: tls, rules: []Rule{{Path: "/private", To: backend.URL}}})
		return dial(w.url+"/private/", &websocket.DialOptions{
			HTTPClient: w.fake.Client(""), HTTPHeader: http.Header{"Cookie": {w.socketCookie(b)}, "Origin": {w.url}},
		})
	}
	return []socketWay{{"direct", dial(backend.URL, nil)}, {"http", through(false)}, {"https", through(true)}}
}

// bareEcho sends back what comes.
func bareEcho(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(-1)
	for {
		kind, text, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// echo sends a message and reads the answer.
func echo(b *testing.B, conn *websocket.Conn, text []byte) {
	ctx := context.Background()
	require.NoError(b, conn.Write(ctx, websocket.MessageBinary, text))
	_, got, err := conn.Read(ctx)
	require.NoError(b, err)
	require.True(b, bytes.Equal(got, text))
}

// BenchmarkWebSocketIdle is the memory of a connection that was used and is silent: what
// lives on the heap, and the stacks, of client, gateway and backend together. Run it with
// -benchtime 1x.
func BenchmarkWebSocketIdle(b *testing.B) {
	const many = 500
	for _, way := range socketWays(b) {
		b.Run(way.name, func(b *testing.B) {
			before := memoryInUse()
			var conns []*websocket.Conn
			for b.Loop() {
				for range many {
					conn := way.dial()
					echo(b, conn, make([]byte, 100))
					conns = append(conns, conn)
				}
			}
			b.ReportMetric(float64(memoryInUse()-before)/float64(len(conns)), "B/conn")
			for _, conn := range conns {
				_ = conn.CloseNow()
			}
		})
	}
}

// memoryInUse returns how many bytes objects and stacks take.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC() // for what pools kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkWebSocketEcho is a message there and back.
func BenchmarkWebSocketEcho(b *testing.B) {
	ways := socketWays(b)
	for _, size := range []struct {
		name  string
		bytes int
	}{{"100B", 100}, {"10kB", 10_000}, {"1MB", 1_000_000}} {
		for _, way := range ways {
			b.Run(size.name+"/"+way.name, func(b *testing.B) {
				conn, text := way.dial(), make([]byte, size.bytes)
				defer func() { _ = conn.CloseNow() }()
				b.SetBytes(2 * int64(size.bytes))
				for b.Loop() {
					echo(b, conn, text)
				}
			})
		}
	}
}
