package gateway

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hangTime is how long to wait for an answer to a request whose end is in doubt.
const hangTime = 500 * time.Millisecond

// twoRequests is how many requests an HTTP/2 connection is for, so that its time is enough.
const twoRequests = 100

// backendWorld is openWorld, with https and HTTP/2, before a real backend. What the
// gateway judged is in its access log, what the backend believed in the file that its
// program writes: neither is asked over the connections that are on trial.
type backendWorld struct {
	*world
	t       *testing.T
	of      *realBackend
	serving *serving
	lines   string         // the file of the gateway's access log
	running sync.WaitGroup // requests in the gateway
	cookie  string         // of test0001's session

	conn  net.Conn // that requests are sent over, one after the other; nil for a new one
	in    *bufio.Reader
	two   *h2Conn // the same for HTTP/2
	asked []asked
	wrong []mismatch
}

// mismatch is something that a backend believed, or answered, and should not have.
type mismatch struct {
	backend string
	row     string // its name; empty where nobody asked
	what    string
}

func (m mismatch) String() string { return m.backend + ": " + m.what }

// asked is a request that was sent.
type asked struct {
	backendRow
	visitor string
	version string
	answer  []byte // nil for none, or not for the likes of us
}

func newBackendWorld(t *testing.T, of *realBackend, edit ...func(*world)) *backendWorld {
	t.Helper()
	b := &backendWorld{t: t, of: of, lines: filepath.Join(t.TempDir(), "access.log")}
	b.world = openWorld(t, func(k *kit) {
		k.tls = true
		k.backend = func(http.Handler) string {
			b.serving = of.start(t)
			return cmp.Or(of.scheme, "http") + "://" + b.serving.addr
		}
		k.site = func(gateway http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b.running.Add(1)
				defer b.running.Done()
				gateway.ServeHTTP(w, r)
			})
		}
		config := k.config
		k.config = func(cfg *Config) {
			config(cfg)
			cfg.Log = Log{Access: b.lines, Format: "json"}
		}
	})
	for _, e := range edit {
		e(b.world)
	}
	b.cookie = b.loggedIn("test0001").cookieHeader()
	require.NoError(t, os.Truncate(b.serving.seen, 0))
	return b
}

// try sends a row in all the ways that it asks for.
func (b *backendWorld) try(row backendRow) {
	for _, visitor := range row.visitors {
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			if row.only == version || row.only == "" && (version == "HTTP/1.1" || row.two) {
				b.send(asked{backendRow: row, visitor: visitor, version: version})
			}
		}
	}
}

// send sends a request, marked with its number so that nothing can be mistaken for it.
func (b *backendWorld) send(a asked) {
	if b.t.Failed() {
		return
	}
	id := strconv.Itoa(len(b.asked))
	mark := "?id="
	if strings.Contains(a.path, "?") {
		mark = "&id="
	}
	a.path += mark + id
	head := []string{"X-Row: " + id}
	if a.visitor != "" {
		head = append(head, "Cookie: "+b.cookie)
	}
	if a.method != http.MethodGet {
		head = append(head, "Origin: "+b.url) // as browsers do
	}
	head = append(head, "Accept: text/html")
	for _, line := range a.lines {
		head = append(head, strings.ReplaceAll(line, "HOST", b.host))
	}
	a.lines = head
	switch {
	case a.wire != "":
		a.answer = b.sendAlone(&a)
	case a.version == "HTTP/2.0":
		a.answer = b.sendTwo(&a)
	default:
		a.answer = b.sendOne(&a)
	}
	b.asked = append(b.asked, a)
}

// text is the request in HTTP/1.1.
func (b *backendWorld) text(a *asked) string {
	lines := append([]string{a.method + " " + a.path + " HTTP/1.1", "Host: " + b.host}, a.lines...)
	if a.wire != "" {
		return strings.Join(lines, "\r\n") + "\r\n\r\n" + a.wire
	}
	if a.body != "" {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(a.body)))
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + a.body
}

// sendOne sends a request over the connection that there is.
func (b *backendWorld) sendOne(a *asked) []byte {
	if b.conn == nil {
		b.conn = b.dial()
		b.in = bufio.NewReader(b.conn)
	}
	require.NoError(b.t, b.conn.SetDeadline(time.Now().Add(patience)))
	_, err := io.WriteString(b.conn, b.text(a))
	status, body, last, readErr := b.read(b.in, a.method)
	if err != nil || readErr != nil || last {
		_ = b.conn.Close()
		b.conn = nil
	}
	require.False(b.t, errors.Is(readErr, os.ErrDeadlineExceeded), "%s %q: no answer", a.name, a.path)
	if status == http.StatusOK {
		return body
	}
	return nil
}

// read reads an answer, and reports whether it is the last of its connection.
func (b *backendWorld) read(in *bufio.Reader, method string) (status int, body []byte, last bool, err error) {
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return 0, nil, true, err
		}
		if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, body, resp.Close || err != nil, err
	}
}

// sendAlone sends a request with an end in doubt over a connection of its own. What comes
// after the first answer is of no interest here: the backend's file has it.
func (b *backendWorld) sendAlone(a *asked) []byte {
	conn := b.dial()
	defer conn.Close()
	if _, err := io.WriteString(conn, b.text(a)); err != nil {
		return nil
	}
	require.NoError(b.t, conn.SetReadDeadline(time.Now().Add(hangTime)))
	if status, body, _, err := b.read(bufio.NewReader(conn), a.method); err == nil && status == http.StatusOK {
		return body
	}
	return nil
}

// sendTwo sends a request over the HTTP/2 connection that there is.
func (b *backendWorld) sendTwo(a *asked) []byte {
	if b.two == nil || b.two.next > 2*twoRequests {
		b.two = b.h2(b.t)
	}
	var fields []string
	for _, line := range a.lines {
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, strings.ToLower(name), strings.TrimSpace(value))
	}
	if a.body != "" {
		fields = append(fields, "content-length", strconv.Itoa(len(a.body)))
	}
	status := b.two.send(b.fields(a.method, a.path, fields...), a.body, nil)
	answer := bytes.Clone(b.two.body.Bytes())
	if status == "" {
		b.two = nil // it may be at its end
	}
	if status == "200" {
		return answer
	}
	return nil
}

func (a asked) String() string {
	who := a.visitor
	if who == "" {
		who = "anonymous"
	}
	return fmt.Sprintf("%s (%s %q, %s, %s)", a.name, a.method, a.path, a.version, who)
}
