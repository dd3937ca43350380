package serve_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// TestAlive asks at each kind of address, in the order in which the table has them in one
// configuration.
func TestAlive(t *testing.T) {
	alive := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !serve.AnswerAlive(w, r) {
			http.NotFound(w, r)
		}
	})
	plain, tls := httptest.NewServer(alive), httptest.NewTLSServer(alive)
	t.Cleanup(plain.Close)
	t.Cleanup(tls.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	unix := &httptest.Server{Listener: listener, Config: &http.Server{Handler: alive}}
	unix.Start()
	t.Cleanup(unix.Close)
	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	require.NoError(t, err)
	nobody := httptest.NewServer(alive)
	nobody.Close()

	for _, row := range []struct {
		name   string
		listen serve.Listen
		want   string // the error; empty for alive
	}{
		{"http", serve.Listen{HTTP: []string{plain.Listener.Addr().String()}}, ""},
		{"http on all addresses", serve.Listen{HTTP: []string{"0.0.0.0:" + port}}, ""},
		{"a unix socket", serve.Listen{Unix: socket}, ""},
		{"redirects", serve.Listen{Redirect: []string{plain.Listener.Addr().String()}, HTTPS: []string{nobody.Listener.Addr().String()}}, ""},
		{"https, by a certificate that nobody knows", serve.Listen{HTTPS: []string{tls.Listener.Addr().String()}}, ""},
		{"nobody", serve.Listen{HTTP: []string{nobody.Listener.Addr().String()}}, "nothing answers at " + nobody.Listener.Addr().String() + " (listen.http[1]): "},
		{"no socket", serve.Listen{Unix: socket + "x"}, "nothing answers at unix:" + socket + "x (listen.unix): "},
		{"another program", serve.Listen{HTTP: []string{other.Listener.Addr().String()}}, "is another program: it says 404 Not Found"},
		{"no address", serve.Listen{HTTPS: []string{}}, "the configuration has no address to ask at: set listen.https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &serve.Config{BaseURL: "https://soc.example", Listen: row.listen}
			err := c.Alive(t.Context())
			if row.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, row.want)
			}
		})
	}
}
