package serve

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
)

func TestOpenSockets(t *testing.T) {
	dir := t.TempDir()
	free := []string{"127.0.0.1:0"}
	for _, row := range []struct {
		name   string
		cfg    Config
		passed []string
		want   []string
	}{
		{"as configured", Config{Listen: Listen{HTTPS: free, Redirect: free, HTTP: free, Unix: filepath.Join(dir, "a")}, Admin: Admin{Listen: "unix:" + filepath.Join(dir, "b")}}, nil,
			[]string{"https", "redirect", "http", "http", "admin"}},
		{"passed instead of the usual ports", Config{BaseURL: "https://soc.example"}, []string{"https"}, []string{"https"}},
		{"passed beside others", Config{Listen: Listen{HTTP: free}}, []string{"https"}, []string{"https", "http"}},
		{"http on loopback", Config{BaseURL: "http://127.0.0.1:0"}, nil, []string{"http"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			passed := map[string][]net.Listener{}
			for _, name := range row.passed {
				passed[name] = append(passed[name], passLoopback(t))
			}
			sockets, err := openSockets(&row.cfg, passed)
			require.NoError(t, err)
			defer closeSockets(sockets)
			var kinds []string
			for _, s := range sockets {
				kinds = append(kinds, s.kind)
			}
			assert.Equal(t, row.want, kinds)
		})
	}
}

func TestOpenSockets_wrong(t *testing.T) {
	busy := passLoopback(t)
	defer busy.Close()
	address, err := enginetest.FreeAddr()
	require.NoError(t, err)
	cfg := &Config{Listen: Listen{HTTPS: []string{address}, Redirect: []string{busy.Addr().String()}, Unix: "/none/such/socket"}}
	_, err = openSockets(cfg, nil)
	require.ErrorContains(t, err, "listen.redirect[1]: ")
	require.ErrorContains(t, err, "another program listens there already")
	require.ErrorContains(t, err, "listen.unix: ")
	again, err := net.Listen("tcp", address)
	require.NoError(t, err, "what was opened is closed")
	require.NoError(t, again.Close())

	for name, want := range map[string]string{
		"":          `a socket with the name "" was passed`,
		"http.sock": `a socket with the name "http.sock" was passed: call it https, redirect, http or admin`,
	} {
		_, err = openSockets(&Config{}, map[string][]net.Listener{name: {passLoopback(t)}})
		require.ErrorContains(t, err, want)
	}
	_, err = openSockets(&Config{}, map[string][]net.Listener{"https": {nil}})
	require.ErrorContains(t, err, `what was passed as "https" is no stream socket`)
	_, err = openSockets(&Config{Listen: Listen{HTTPS: []string{}}}, nil)
	require.ErrorContains(t, err, "listen: nobody can reach the site")
}

// passLoopback opens a socket on loopback.
func passLoopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}
