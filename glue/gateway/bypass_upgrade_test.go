package gateway

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echoSocket is a backend that sends WebSocket messages back, with the user's name in
// front.
func echoSocket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // the gateway has looked at Origin
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	for {
		kind, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if conn.Write(r.Context(), kind, append([]byte(r.Header.Get("Remote-User")+":"), text...)) != nil {
			return
		}
	}
}

const (
	webSocketKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
	upgrade      = "Connection: Upgrade\r\nUpgrade: websocket\r\n" + webSocketKey
)

// TestBypassUpgrade: a WebSocket needs what any other request needs, and an Origin of the
// site; nothing else is ever upgraded to.
func TestBypassUpgrade(t *testing.T) {
	w := openWorld(t, func(k *kit) { k.handler = echoSocket })
	session := "\r\nCookie: " + w.socketCookie(t)
	ours, theirs := "\r\nOrigin: "+w.url, "\r\nOrigin: http://evil.example"
	for _, tt := range []struct {
		name, path, lines string
		status            int
		reaches           bool
	}{
		{"protected, anonymous", "/private", upgrade + ours, 401, false},
		{"protected", "/private", upgrade + ours + session, 101, true},
		{"protected, from a program", "/private", upgrade + session, 101, true},
		{"protected, from another site", "/private", upgrade + theirs + session, 403, false},
		{"protected, from null", "/private", upgrade + "\r\nOrigin: null" + session, 403, false},
		{"protected, empty origin", "/private", upgrade + "\r\nOrigin:" + session, 403, false},
		{"protected, two origins", "/private", upgrade + ours + theirs + session, 403, false},
		{"protected, two origins, ours last", "/private", upgrade + theirs + ours + session, 403, false},
		{"protected, from another site, bearer", "/private", upgrade + theirs + session + "\r\nAuthorization: Bearer x", 403, false},
		{"protected, by POST from another site", "/private", upgrade + theirs + session + "\r\nSec-Fetch-Site: cross-site", 403, false},
		{"optional, from another site", "/optional", upgrade + theirs + session, 403, false},
		{"optional, anonymous", "/optional", upgrade + ours, 101, true},
		{"public, from another site", "/public", upgrade + theirs, 101, true},
		{"somebody else's", "/named", upgrade + ours + session, 403, false},
		{"stepping around", "/public/../private", upgrade + ours, 401, false},
		{"basic", "/basic", upgrade + ours, 401, false},
		{"identity", "/public", upgrade + "\r\nRemote-User: evil\r\nConnection: Remote-User", 101, true},
		{"h2c", "/public", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", 426, true},
		{"h2c and websocket", "/public", "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n" + webSocketKey, 426, true},
		{"websocket and h2c", "/public", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n" + webSocketKey, 426, true},
		{"two lines", "/public", "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n" + webSocketKey, 101, true},
		{"h2c first, with a session and another origin", "/private", "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n" + webSocketKey + theirs + session, 426, true},
		{"TLS", "/public", "Connection: Upgrade\r\nUpgrade: TLS/1.0", 426, true},
		{"without Connection", "/public", "Upgrade: websocket\r\n" + webSocketKey, 426, true},
		{"in capitals", "/public", "Connection: upgrade\r\nUpgrade: WebSocket\r\n" + webSocketKey, 101, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			request := "GET " + tt.path + " HTTP/1.1\r\nHost: " + w.host + "\r\n" + tt.lines + "\r\n\r\n"
			conn := w.dial()
			defer conn.Close()
			_, err := conn.Write([]byte(request))
			require.NoError(t, err)
			buffer := make([]byte, 4096)
			n, err := conn.Read(buffer)
			require.NoError(t, err)
			status := statusOf(t, string(buffer[:n]))
			assert.Equal(t, tt.status, status, string(buffer[:n]))
			all := w.backend.take()
			require.Equal(t, tt.reaches, len(all) == 1)
			for _, s := range all {
				mustNotClaim(t, s, map[bool]string{true: "test0001"}[strings.Contains(tt.lines, "Cookie") && tt.path == "/private"])
				if tt.status != 101 {
					assert.Empty(t, s.Header["Upgrade"])
					assert.Empty(t, s.Header["Http2-Settings"])
				}
			}
		})
	}
}

// socketCookie logs in where the backend speaks WebSocket only.
func (w *world) socketCookie(t testing.TB) string {
	t.Helper()
	v := w.visitor("test0001")
	require.Equal(t, http.StatusUpgradeRequired, v.get("/private/").StatusCode)
	w.backend.reset()
	return v.cookieHeader()
}

// TestWebSocket passes messages both ways, over http and https.
func TestWebSocket(t *testing.T) {
	for name, tls := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, kit{tls: tls, handler: echoSocket})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cookie := w.socketCookie(t)
			conn, resp, err := websocket.Dial(ctx, w.url+"/private/", &websocket.DialOptions{
				HTTPClient: w.fake.Client(""), HTTPHeader: http.Header{"Cookie": {cookie}, "Origin": {w.url}}, Subprotocols: []string{},
			})
			require.NoError(t, err)
			defer func() { _ = conn.CloseNow() }()
			assert.Contains(t, resp.Header.Get("Cache-Control"), "private")
			for _, text := range []string{"hello", strings.Repeat("x", 30000)} {
				require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(text)))
				_, got, err := conn.Read(ctx)
				require.NoError(t, err)
				assert.Equal(t, "test0001:"+text, string(got))
			}
			require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
		})
	}
}

// beforeTheEnd stops the clock just before the end of a session that began at testNow, and
// begins what is to end with it; on a busy machine again, longer before the end. Each try has
// a name.
func (w *world) beforeTheEnd(begin func(try string) error) {
	w.t.Helper()
	var err error
	for left := 300 * time.Millisecond; left < patience; left *= 3 {
		w.fake.SetNow(testNow.Add(2*time.Hour - left))
		if err = begin(left.String()); err == nil {
			return
		}
	}
	require.NoError(w.t, err)
}

// TestWebSocketEndsWithTheSession: nothing looks at its requests again, so it ends when
// the session would. The clock stands still just before that; the rest is waited for.
func TestWebSocketEndsWithTheSession(t *testing.T) {
	ended := make(chan string, 100) // targets
	w := newWorld(t, kit{handler: func(rw http.ResponseWriter, r *http.Request) {
		echoSocket(rw, r)
		if r.Header.Get("Upgrade") != "" {
			ended <- r.RequestURI
		}
	}})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cookie := w.socketCookie(t)
	dial := func(path string) (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(ctx, w.url+path, &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {cookie}, "Origin": {w.url}}})
		if err == nil {
			t.Cleanup(func() { _ = conn.CloseNow() })
		}
		return conn, err
	}
	w.beforeTheEnd(func(string) error { return nil })
	public, err := dial("/public/")
	require.NoError(t, err)
	for _, path := range []string{"/private/", "/optional"} {
		var conn *websocket.Conn
		target := path
		w.beforeTheEnd(func(name string) (err error) {
			target = path + "?" + name
			conn, err = dial(target)
			return err
		})
		_, _, err := conn.Read(ctx)
		require.Error(t, err)
		require.NoError(t, ctx.Err(), path)
		for at := ""; at != target; { // at the backend as well
			select {
			case at = <-ended:
			case <-ctx.Done():
				t.Fatal("the backend's connection is left")
			}
		}
	}
	require.NoError(t, public.Write(ctx, websocket.MessageText, []byte("hello")))
	_, got, err := public.Read(ctx)
	require.NoError(t, err, "nobody's session ends with anybody's")
	assert.Equal(t, ":hello", string(got))
	require.NoError(t, public.Close(websocket.StatusNormalClosure, ""))
	assert.Eventually(t, func() bool { return w.gateway.core.Load().Users() == 0 }, patience, time.Millisecond, "no request is left")
}
