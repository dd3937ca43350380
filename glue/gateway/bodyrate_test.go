package gateway

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// deadlines is a ResponseWriter that can do nothing but end reads of a connection, as
// net/http does in HTTP/1, for as long as nothing else is said, and in HTTP/2 (final), for
// good.
type deadlines struct {
	http.ResponseWriter
	conn  net.Conn
	final bool

	last  time.Time
	timer *time.Timer
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.last = t
	if !d.final {
		return d.conn.SetReadDeadline(t)
	}
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.timer = nil; !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), func() { _ = d.conn.SetReadDeadline(time.Now()) })
	}
	return nil
}

// TestBodyPace is about the time that counts, by a clock that does not run.
func TestBodyPace(t *testing.T) {
	const rate, grace = 100, 10 * time.Second
	for _, row := range []struct {
		name   string
		pieces int
		size   int
		every  time.Duration // the client pauses before each piece
		reader time.Duration // whoever reads pauses before each piece
		last   time.Duration // the client pauses before the end
		edit   func(*bodyPace)
		want   error

		helpless bool // the server cannot end a read
	}{
		{name: "at once", pieces: 3, size: 1000},
		{name: "steadily for a long time", pieces: 500, size: 200, every: 2 * time.Second},
		{name: "a pause within the grace", pieces: 1, size: 1, every: 9 * time.Second},
		{name: "a pause beyond the grace", pieces: 1, size: 1, every: 11 * time.Second, want: errSlowBody},
		{name: "a drip", pieces: 50, size: 1, every: time.Second, want: errSlowBody},
		{name: "a pause that was earned", pieces: 2, size: 1500, every: 9 * time.Second},
		{name: "a long pause that was earned", pieces: 1, size: 1e6, last: 59 * time.Second},
		{name: "a longer pause than can be earned", pieces: 1, size: 1e6, last: 61 * time.Second, want: errSlowBody},
		{name: "a longer pause in the grace", pieces: 1, size: 1e6, last: 89 * time.Second, edit: func(b *bodyPace) { b.grace = 90 * time.Second }},
		{name: "the backend takes its time", pieces: 5, size: 10, reader: time.Hour},
		{name: "the same in HTTP/2", pieces: 5, size: 10, reader: time.Hour, edit: func(b *bodyPace) { b.streams = true }},
		{name: "a drip in HTTP/2", pieces: 50, size: 1, every: time.Second, edit: func(b *bodyPace) { b.streams = true }, want: errSlowBody},
		{name: "a drip that no deadline ends", pieces: 50, size: 1, every: time.Second, want: errSlowBody, helpless: true},
		{name: "a drip that the rule allows", pieces: 50, size: 1, every: time.Minute, edit: func(b *bodyPace) { b.use(-1) }},
		{name: "a rule of its own", pieces: 50, size: 1, every: time.Second, edit: func(b *bodyPace) { b.use(1) }},
		{name: "a rule that says nothing", pieces: 50, size: 1, every: time.Second, edit: func(b *bodyPace) { b.use(0) }, want: errSlowBody},
		{name: "in time, but not all of it", pieces: 100, size: 1000, every: time.Second, edit: func(b *bodyPace) { b.whole = time.Now().Add(30 * time.Second) }, want: errSlowBody},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				var sending sync.WaitGroup
				defer sending.Wait()
				sending.Go(func() {
					defer client.Close()
					for range row.pieces {
						time.Sleep(row.every)
						if _, err := client.Write(make([]byte, row.size)); err != nil {
							return
						}
					}
					time.Sleep(row.last)
				})
				b := &bodyPace{ReadCloser: server, rate: rate, grace: grace}
				if row.edit != nil {
					row.edit(b)
				}
				w := &deadlines{conn: server, final: b.streams}
				b.control = http.NewResponseController(w)
				if row.helpless {
					b.control = http.NewResponseController(httptest.NewRecorder())
				}
				var err error
				n := 0
				for buf := make([]byte, row.size); err == nil; {
					time.Sleep(row.reader)
					var m int
					m, err = b.Read(buf)
					n += m
				}
				server.Close()
				if row.want != nil {
					assert.ErrorIs(t, err, row.want)
					return
				}
				assert.Equal(t, io.EOF, err)
				assert.Equal(t, row.pieces*row.size, n)
				assert.Equal(t, b.whole, w.last, "what comes after the body is not bounded")
			})
		})
	}
}

// TestSlowBody sends the beginning of a body and waits for what the gateway makes of it.
func TestSlowBody(t *testing.T) {
	for _, row := range []struct {
		name    string
		path    string
		method  string // POST if empty
		edit    func(*Config)
		status  int
		arrived bool // at the backend, as long as the client goes on
	}{
		{name: "to a backend", path: "/public/x", status: http.StatusRequestTimeout},
		{name: "to a backend that waits", path: "/public/x", edit: func(c *Config) { c.Rules[0].BodyRate = -1 }, status: http.StatusOK, arrived: true},
		{name: "no bound at all", path: "/public/x", edit: func(c *Config) { c.Limits.BodyRate = -1 }, status: http.StatusOK, arrived: true},
		{name: "no bound but the rule's", path: "/public/x", edit: func(c *Config) { c.Limits.BodyRate, c.Rules[0].BodyRate = -1, 500 }, status: http.StatusRequestTimeout},
		{name: "to what looks into it", path: "/optional/x", method: "REPORT", status: http.StatusRequestTimeout},
		{name: "before a login", path: "/private/x", status: http.StatusUnauthorized},
		{name: "before a password", path: "/basic/x", status: http.StatusUnauthorized},
		{name: "to nowhere", path: "/.wls/nothing", status: http.StatusNotFound},
		{name: "to the logout", path: serve.LogoutPath, status: http.StatusOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, kit{config: func(c *Config) {
				c.Limits.BodyGrace = Duration(50 * time.Millisecond)
				if row.edit != nil {
					row.edit(c)
				}
			}})
			conn, err := net.Dial("tcp", w.addr)
			require.NoError(t, err)
			defer conn.Close()
			_, err = fmt.Fprintf(conn, cmp.Or(row.method, "POST")+" %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n\r\na=", row.path, w.host)
			require.NoError(t, err)
			if row.arrived {
				_, err = io.WriteString(conn, "bc")
				require.NoError(t, err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer answer.Body.Close()
			assert.Equal(t, row.status, answer.StatusCode)
			if row.arrived {
				assert.Equal(t, "a=bc", w.backend.one(t).Body)
				return
			}
			assert.Empty(t, w.backend.take())
			assert.True(t, answer.Close, "the connection is given up")
			_, err = io.Copy(io.Discard, conn)
			assert.NoError(t, err, "and ends")
			if row.status == http.StatusRequestTimeout {
				assert.Contains(t, w.log.String(), "slow-body")
			}
		})
	}
}

// TestSlowBodyHTTP2 ends the stream and leaves others of the connection alone.
func TestSlowBodyHTTP2(t *testing.T) {
	w := newWorld(t, kit{tls: true, config: func(c *Config) {
		c.Limits.BodyGrace = Duration(50 * time.Millisecond)
		c.Rules = append(c.Rules, Rule{Path: "/other", Access: Public, To: c.Rules[0].To, BodyRate: -1}) // however busy the machine is
	}})
	v := w.visitor("")
	v.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}} // our own, on loopback
	t.Cleanup(v.client.CloseIdleConnections)
	body, pipe := io.Pipe()
	defer pipe.Close()
	go func() { _, _ = io.WriteString(pipe, "a=") }()
	answer, err := v.try(http.MethodPost, "/public/x", body)
	require.NoError(t, err)
	assert.Equal(t, 2, answer.ProtoMajor)
	assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
	assert.Empty(t, w.backend.take())
	assert.Equal(t, http.StatusOK, v.do(http.MethodPost, "/other", strings.NewReader("a=b")).StatusCode)
	assert.Equal(t, "a=b", w.backend.one(t).Body)
}

// TestSlowBodyToBeRedirected is about sockets on which nothing is served.
func TestSlowBodyToBeRedirected(t *testing.T) {
	r := serveHTTPS(t, http.NotFoundHandler(), func(c *Config) { c.Limits.BodyGrace = Duration(50 * time.Millisecond) })
	w := r.server.redirect()
	server := &http.Server{Handler: w}
	l := passLoopback(t)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na=")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	assert.Contains(t, string(answer), "HTTP/1.1 30")
}

// TestBodyPaceAfterTheEnd: a transport reads on that was answered early, in another
// goroutine, in which a panic would end the whole gateway.
func TestBodyPaceAfterTheEnd(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			bodies := make(chan io.ReadCloser, 1)
			returned := make(chan struct{})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, version, r.Proto)
				defer paceBody(w, r, &Limits{BodyRate: 100, BodyGrace: Duration(time.Minute)}).end()
				bodies <- r.Body
			}))
			server.EnableHTTP2 = version == "HTTP/2.0"
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			go func() {
				defer close(returned)
				resp, err := server.Client().Post(server.URL, "text/plain", strings.NewReader("hello"))
				if assert.NoError(t, err) {
					assert.NoError(t, resp.Body.Close())
				}
			}()
			body := <-bodies
			<-returned // the answer is whole when the handler has returned
			server.CloseClientConnections()
			assert.NotPanics(t, func() { _, _ = io.Copy(io.Discard, body) }) // it may have come whole
		})
	}
}

// TestSlowBodyInAnotherServer: a server around the gateway may have a bound of its own on
// whole requests, which moving the deadline does not put off.
func TestSlowBodyInAnotherServer(t *testing.T) {
	for _, rate := range []int64{0, -1} {
		w := newWorld(t, kit{config: func(c *Config) { c.Limits.BodyRate = rate }, server: func(s *http.Server) {
			s.ReadHeaderTimeout, s.ReadTimeout = patience, 50*time.Millisecond // the header comes in time
		}})
		conn, err := net.Dial("tcp", w.addr)
		require.NoError(t, err)
		defer conn.Close()
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = fmt.Fprintf(conn, "POST /public/x HTTP/1.1\r\nHost: %s\r\nContent-Length: 4\r\n\r\na=", w.host)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer answer.Body.Close()
		assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
	}
}
