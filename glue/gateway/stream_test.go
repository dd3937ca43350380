package gateway

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const gib = 1 << 30

// zeros is a body of n bytes that notes how much of the heap was in use meanwhile.
type zeros struct {
	left, sinceLook int64
	most            *atomic.Uint64
}

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	if z.sinceLook += n; z.sinceLook >= 64<<20 {
		z.sinceLook = 0
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		z.most.Store(max(z.most.Load(), m.HeapAlloc))
	}
	return int(n), nil
}

// TestStreamGiB sends a gibibyte up and another down. Client, gateway and backend are one
// process; all they may use of memory is a small part of it.
func TestStreamGiB(t *testing.T) {
	if testing.Short() {
		t.Skip("a gibibyte each way takes a few seconds")
	}
	var most atomic.Uint64
	var got atomic.Int64
	w := newWorld(t, kit{handler: func(rw http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(struct{ io.Writer }{io.Discard}, r.Body)
		got.Store(n)
		if r.Method == http.MethodGet {
			_, _ = io.Copy(struct{ io.Writer }{rw}, &zeros{left: gib, most: &most})
		}
	}})
	v := w.visitor("test0001")
	require.Equal(t, http.StatusOK, v.do(http.MethodHead, "/public", nil).StatusCode)
	for _, length := range []int64{gib, -1} {
		answer := v.do(http.MethodPost, "/public/up", &zeros{left: gib, most: &most}, func(r *http.Request) { r.ContentLength = length })
		require.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Equal(t, int64(gib), got.Load())
		if length > 0 {
			assert.Equal(t, int64(gib), w.backend.take()[1].Length)
		}
	}
	resp, err := v.client.Get(w.url + "/public/down")
	require.NoError(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(struct{ io.Writer }{io.Discard}, resp.Body)
	require.NoError(t, err)
	assert.Equal(t, int64(gib), n)
	assert.Positive(t, most.Load())
	assert.Less(t, most.Load(), uint64(128<<20), "bytes of heap in use")
}

// TestServerSentEvents: an event arrives before the next one is made.
func TestServerSentEvents(t *testing.T) {
	next := make(chan string)
	w := newWorld(t, kit{handler: func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		rw.Header().Set("Cache-Control", "public, no-store")
		rw.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(rw).Flush()
		for event := range next {
			_, _ = io.WriteString(rw, "data: "+event+"\n\n")
			_ = http.NewResponseController(rw).Flush()
		}
	}})
	resp, err := w.fake.Client("").Get(w.url + "/optional/events") // the header alone is an answer
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, "private, no-store", resp.Header.Get("Cache-Control"))
	lines := bufio.NewReader(resp.Body)
	for _, event := range []string{"one", "two", "three"} {
		next <- event
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "data: "+event+"\n", line)
		_, err = lines.ReadString('\n')
		require.NoError(t, err)
	}
	close(next)
	_, err = lines.ReadString('\n')
	assert.ErrorIs(t, err, io.EOF)
}

// TestEarlyHints: an interim answer takes nothing of ours away, and brings nothing in.
func TestEarlyHints(t *testing.T) {
	var login string
	w := newWorld(t, kit{handler: func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Link", "</a.css>; rel=preload")
		rw.Header().Set("Set-Cookie", login+"=evil")
		rw.Header().Set("Cache-Control", "public")
		rw.WriteHeader(http.StatusEarlyHints)
		rw.Header().Del("Set-Cookie")
		rw.WriteHeader(http.StatusOK)
	}})
	v := w.loggedIn("test0001")
	login, _, _ = strings.Cut(v.cookieHeader(), "=")
	answer := w.wire(w.request("GET /private HTTP/1.1", "Cookie: "+v.cookieHeader()))
	require.True(t, strings.HasPrefix(answer, "HTTP/1.1 103 "), answer)
	early, final, _ := strings.Cut(answer, "\r\n\r\n")
	assert.Contains(t, early, "Link: </a.css>; rel=preload")
	assert.NotContains(t, answer, "evil")
	assert.NotContains(t, early, "Cache-Control")
	assert.Contains(t, final, "Cache-Control: private\r\n")
	assert.Contains(t, final, "X-Content-Type-Options: nosniff")
	assert.Contains(t, final, "Vary: Cookie")
}

// TestManyWebSockets holds 500 connections at once, over a reload.
func TestManyWebSockets(t *testing.T) {
	const many = 500
	w := newWorld(t, kit{handler: echoSocket})
	cookie := w.socketCookie(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conns := make([]*websocket.Conn, many)
	each := func(do func(i int) error) {
		t.Helper()
		var all sync.WaitGroup
		var failed atomic.Value
		for i := range many {
			all.Go(func() {
				if err := do(i); err != nil {
					failed.Store(err)
				}
			})
		}
		all.Wait()
		require.Nil(t, failed.Load())
	}
	say := func(i int) error {
		if err := conns[i].Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			return err
		}
		_, got, err := conns[i].Read(ctx)
		if err == nil && string(got) != "test0001:hello" {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	each(func(i int) (err error) {
		conns[i], _, err = websocket.Dial(ctx, w.url+"/private/", &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {cookie}, "Origin": {w.url}}})
		return err
	})
	each(say)
	old := w.gateway.core.Load()
	require.NoError(t, w.gateway.Reload(w.cfg))
	assert.Equal(t, int64(many), old.Users(), "they are all still there")
	each(say)
	each(func(i int) error { return conns[i].Close(websocket.StatusNormalClosure, "") })
	assert.Eventually(t, func() bool { return old.Users() == 0 }, patience, time.Millisecond)
}

// load is people who go on asking until told to stop.
type load struct {
	stop     chan struct{}
	all      sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
	errors   []error
}

func (w *world) load(people int, path string) *load {
	l := &load{stop: make(chan struct{}), statuses: map[int]int{}}
	cookie := w.loggedIn("test0001").cookieHeader()
	for range people {
		l.all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				status, err := getStatus(client, w.url+path, cookie)
				l.mu.Lock()
				l.statuses[status]++
				if err != nil {
					l.errors = append(l.errors, err)
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

func getStatus(client *http.Client, url, cookie string) (int, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Cookie", cookie)
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// seen waits until n more answers have a status.
func (l *load) seen(t *testing.T, status, n int) {
	t.Helper()
	l.mu.Lock()
	before := l.statuses[status]
	l.mu.Unlock()
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.statuses[status] >= before+n
	}, patience, time.Millisecond, "%d answers with status %d", n, status)
}

// TestBackendRestarts kills the backend under load, again and again.
func TestBackendRestarts(t *testing.T) {
	addr := freeAddr(t)
	listener, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	backend := &recorder{}
	start := func(l net.Listener) *httptest.Server {
		s := httptest.NewUnstartedServer(backend)
		require.NoError(t, s.Listener.Close())
		s.Listener = l
		s.Start()
		return s
	}
	server := start(listener)
	w := newWorld(t, kit{rules: []Rule{{Path: "/private", To: "http://" + addr}}})
	l := w.load(8, "/private/")
	l.seen(t, http.StatusOK, 20)
	before := runtime.NumGoroutine()
	for range 3 {
		server.CloseClientConnections()
		server.Close()
		l.seen(t, http.StatusBadGateway, 20)
		require.Eventually(t, func() bool {
			listener, err = net.Listen("tcp", addr)
			return err == nil
		}, patience, time.Millisecond)
		server = start(listener)
		l.seen(t, http.StatusOK, 20)
	}
	close(l.stop)
	l.all.Wait()
	t.Cleanup(server.Close)
	for status := range l.statuses {
		assert.Contains(t, []int{200, 502, 503, 504}, status)
	}
	assert.Empty(t, l.errors)
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before }, patience, time.Millisecond, "goroutines are left")
	assert.NotContains(t, w.pageOf(t, "http://"+addr), addr, "nobody is told where the backend is")
}

// pageOf is what a person sees while the backend at an address is down.
func (w *world) pageOf(t *testing.T, to string) string {
	dead := freeAddr(t)
	cfg := w.cfg
	cfg.Rules = []Rule{{Path: "/private", Access: Public, To: "http://" + dead}}
	require.NoError(t, w.gateway.Reload(cfg))
	answer := w.visitor("").get("/private")
	require.Equal(t, http.StatusBadGateway, answer.StatusCode)
	assert.Contains(t, answer.body, `data-page="backend-down"`)
	assert.NotContains(t, answer.body, dead)
	return answer.body
}

// TestReloadUnderLoad changes the configuration all the time; nobody notices, and what
// only old configurations used is given up.
func TestReloadUnderLoad(t *testing.T) {
	w := newWorld(t, kit{rules: []Rule{{Path: "/private"}, {Path: "/", Access: Public}}})
	other := httptest.NewServer(w.backend)
	t.Cleanup(other.Close)
	l := w.load(8, "/private/")
	for i := range 20 {
		cfg := w.cfg
		cfg.Rules = append([]Rule(nil), w.cfg.Rules...)
		if i%2 == 0 {
			cfg.Rules[0].To, cfg.Rules[1].To = other.URL, other.URL
		}
		cfg.Limits.DialTimeout = Duration(time.Duration(i+1) * time.Second)
		require.NoError(t, w.gateway.Reload(cfg))
		l.seen(t, http.StatusOK, 5)
		bad := cfg
		bad.Rules = []Rule{{Path: "/", Access: "nonsense"}}
		require.Error(t, w.gateway.Reload(bad), "and what is wrong changes nothing")
	}
	close(l.stop)
	l.all.Wait()
	assert.Equal(t, []int{http.StatusOK}, keysOf(l.statuses))
	assert.Empty(t, l.errors)
	w.gateway.mu.Lock()
	defer w.gateway.mu.Unlock()
	assert.Len(t, w.gateway.backends, 1)
	for _, b := range w.gateway.backends {
		assert.Equal(t, 1, b.users)
	}
}

func keysOf(m map[int]int) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
