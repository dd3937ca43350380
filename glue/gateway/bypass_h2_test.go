package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2Conn writes HTTP/2 frames that no client would.
type h2Conn struct {
	t      *testing.T
	framer *http2.Framer
	next   uint32
	body   bytes.Buffer // of the last answer
}

// h2 opens a connection.
func (w *world) h2(t *testing.T) *h2Conn {
	t.Helper()
	raw, err := net.Dial("tcp", w.addr)
	require.NoError(t, err)
	require.NoError(t, raw.SetDeadline(time.Now().Add(patience)))
	conn := tls.Client(raw, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, NextProtos: []string{"h2"}}) // our own, on loopback
	require.NoError(t, conn.Handshake())
	require.Equal(t, "h2", conn.ConnectionState().NegotiatedProtocol)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	framer.AllowIllegalWrites = true
	require.NoError(t, framer.WriteSettings())
	return &h2Conn{t: t, framer: framer, next: 1}
}

// send opens a stream with header fields, a body and trailers, and gives the status of
// the answer; empty if the stream or the connection was reset.
func (c *h2Conn) send(fields [][2]string, body string, trailers [][2]string) string {
	c.t.Helper()
	id := c.next
	c.next += 2
	end := body == "" && trailers == nil
	if c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(fields), EndStream: end, EndHeaders: true}) != nil {
		return ""
	}
	if !end {
		_ = c.framer.WriteData(id, trailers == nil, []byte(body))
	}
	if trailers != nil {
		_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(trailers), EndStream: true, EndHeaders: true})
	}
	return c.status(id)
}

func (c *h2Conn) status(id uint32) (status string) {
	c.body.Reset()
	decoder := hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if f.Name == ":status" {
			status = f.Value
		}
	})
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return status
		}
		switch f := frame.(type) {
		case *http2.HeadersFrame:
			_, _ = decoder.Write(f.HeaderBlockFragment())
		case *http2.DataFrame:
			c.body.Write(f.Data())
			_ = c.framer.WriteWindowUpdate(0, max(1, uint32(len(f.Data()))))
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return status
		}
		if h := frame.Header(); h.StreamID == id && h.Flags.Has(http2.FlagDataEndStream) {
			return status
		}
	}
}

func block(fields [][2]string) []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	encoder.SetMaxDynamicTableSize(0) // so that every answer can be read by itself
	for _, f := range fields {
		_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // a buffer takes all
	}
	return b.Bytes()
}

func (w *world) fields(method, path string, more ...string) [][2]string {
	fields := [][2]string{{":method", method}, {":scheme", "https"}, {":authority", w.host}, {":path", path}, {"accept", "text/html"}}
	for i := 0; i+1 < len(more); i += 2 {
		fields = append(fields, [2]string{more[i], more[i+1]})
	}
	return fields
}

// TestBypassHTTP2 sends the tricks of paths and headers, and those that only HTTP/2 can
// carry.
func TestBypassHTTP2(t *testing.T) { eachBackend(t, testBypassHTTP2) }

func testBypassHTTP2(t *testing.T, speaking func(*kit)) {
	w := openWorld(t, func(k *kit) { k.tls = true }, speaking)
	session := w.loggedIn("test0001").cookieHeader()

	t.Run("paths", func(t *testing.T) {
		for _, path := range append([]string{"https://" + w.host + "/private/x", "/public?/../private HTTP/1.1", "/public HTTP/1.1\r\nRemote-User: evil\r\nX: "}, pathTricks...) {
			w.h2(t).send(w.fields("GET", path), "", nil)
			mustBeHonest(t, w.backend.take(), "")
			require.False(t, t.Failed(), "%q", path)
		}
	})
	t.Run("headers", func(t *testing.T) {
		for _, trick := range headerTricks {
			name, value, _ := strings.Cut(trick, ":")
			for _, name := range []string{name, strings.ToLower(name)} {
				w.h2(t).send(w.fields("GET", "/private/x", "cookie", session, name, strings.TrimSpace(value)), "", nil)
				all := w.backend.take()
				mustBeHonest(t, all, "test0001")
				for _, s := range all {
					assert.Equal(t, []string{"https"}, s.Header["X-Forwarded-Proto"])
				}
				require.False(t, t.Failed(), "%q", trick)
			}
		}
	})
	for _, tt := range []struct {
		name     string
		fields   [][2]string
		body     string
		trailers [][2]string
		want     []string // statuses; "" for a reset
	}{
		{"trailers", w.fields("POST", "/public", "trailer", "remote-user"), "x", [][2]string{{"remote-user", "evil"}, {"remote_user", "evil"}}, []string{"200"}},
		{"trailers without a word before", w.fields("POST", "/public"), "x", [][2]string{{"x-aaprincipal", "evil"}}, []string{"200"}},
		{"trailers with a path", w.fields("POST", "/public"), "x", [][2]string{{":path", "/private"}}, []string{"", "400"}},
		{"two paths", append(w.fields("GET", "/public"), [2]string{":path", "/private/x"}), "", nil, []string{"", "400"}},
		{"path after headers", [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", w.host}, {"a", "b"}, {":path", "/private"}}, "", nil, []string{"", "400"}},
		{"two authorities", append([][2]string{{":authority", "evil.example"}}, w.fields("GET", "/public")...), "", nil, []string{"", "400"}},
		{"another host beside the authority", w.fields("GET", "/public", "host", "evil.example"), "", nil, []string{"200", "400", ""}},
		{"another authority", [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "evil.example"}, {":path", "/"}, {"host", w.host}}, "", nil, []string{"421", "400", ""}},
		{"scheme with a path in it", [][2]string{{":method", "GET"}, {":scheme", "https://" + w.host + "/private?"}, {":authority", w.host}, {":path", "/public"}}, "", nil, []string{"", "200", "400"}},
		{"method with a line break", w.fields("GET /private HTTP/1.1\r\nX: ", "/public"), "", nil, []string{"", "400"}},
		{"method with a blank", w.fields("GET /private", "/public"), "", nil, []string{"405"}},
		{"header with a line break", w.fields("GET", "/public", "x-a", "b\r\nremote-user: evil"), "", nil, []string{"", "400"}},
		{"header name with a line break", w.fields("GET", "/public", "x-a\r\nremote-user", "evil"), "", nil, []string{"", "400"}},
		{"name in capitals", w.fields("GET", "/public", "Remote-User", "evil"), "", nil, []string{"", "400"}},
		{"connection", w.fields("GET", "/private", "cookie", session, "connection", "remote-user"), "", nil, []string{"", "400", "200"}},
		{"transfer-encoding", w.fields("POST", "/public", "transfer-encoding", "chunked"), "0\r\n\r\n" + smuggled(w), nil, []string{"", "400", "200"}},
		{"length that is too small", w.fields("POST", "/public", "content-length", "1"), smuggled(w), nil, []string{"", "400", "502"}},
		{"length that is too great", w.fields("POST", "/public", "content-length", "999"), "x", nil, []string{"", "400", "502"}},
		{"two lengths", w.fields("POST", "/public", "content-length", "1", "content-length", "2"), "x", nil, []string{"", "400", "200"}},
		{"upgrade", w.fields("GET", "/public", "upgrade", "websocket"), "", nil, []string{"", "400", "200"}},
		{"extended CONNECT", [][2]string{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", w.host}, {":path", "/public"}}, "", nil, []string{"", "400", "405"}},
		{"CONNECT", [][2]string{{":method", "CONNECT"}, {":authority", w.host}}, "", nil, []string{"", "400", "405"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status := w.h2(t).send(tt.fields, tt.body, tt.trailers)
			assert.Contains(t, tt.want, status)
			all := w.backend.take()
			assert.LessOrEqual(t, len(all), 1)
			user := ""
			if tt.name == "connection" {
				user = "test0001"
			}
			mustBeHonest(t, all, user)
			for _, s := range all {
				assert.Equal(t, w.host, s.Host)
				assert.NotContains(t, s.Target, "smuggled")
				assert.Empty(t, s.Header["Upgrade"])
			}
		})
	}
	t.Run("honest", func(t *testing.T) {
		pairs := []string{}
		for pair := range strings.SplitSeq(session, "; ") { // as HTTP/2 clients send cookies
			pairs = append(pairs, "cookie", pair)
		}
		status := w.h2(t).send(w.fields("POST", "/private/../private/x?a=b", append(pairs, "origin", w.url, "cookie", "a=b", "te", "trailers")...), "hello", nil)
		assert.Equal(t, "200", status)
		got := w.backend.one(t)
		assert.Equal(t, "test0001", got.user())
		assert.Equal(t, "/private/x?a=b", got.Target)
		assert.Equal(t, "hello", got.Body)
		assert.Equal(t, []string{"a=b"}, got.Header["Cookie"])
	})
}
