package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// wire is a backend that keeps the header lines of its last request as they came.
type wire struct {
	mu    sync.Mutex
	lines []string
}

// startWire returns where it listens.
func startWire(t testing.TB, b *wire) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return "http://" + l.Addr().String()
}

func (b *wire) serve(conn net.Conn) {
	defer conn.Close()
	var lines []string
	for in := bufio.NewScanner(conn); in.Scan() && in.Text() != ""; {
		lines = append(lines, in.Text())
	}
	b.mu.Lock()
	b.lines = lines
	b.mu.Unlock()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
}

// aa returns the lines of X-AA headers, in alphabetical order.
func (b *wire) aa() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := slices.DeleteFunc(slices.Clone(b.lines), func(s string) bool { return !strings.HasPrefix(strings.ToLower(s), "x-aa") })
	slices.Sort(lines)
	return lines
}

// idSeen keeps the id of the last response of the login service that went by.
type idSeen struct {
	http.RoundTripper
	id string
}

func (s *idSeen) RoundTrip(r *http.Request) (*http.Response, error) {
	if value, found, _ := webauth.ResponseFrom(r.URL.RawQuery); found {
		if resp, err := webauth.ParseResponse(value); err == nil {
			s.id = resp.ID()
		}
	}
	return s.RoundTripper.RoundTrip(r)
}

// TestXAA: names, values and times as mod_ucam_webauth sends them, byte for byte.
func TestXAA(t *testing.T) {
	for _, tt := range []struct {
		name       string
		inactivity time.Duration
		timeout    string
		later      string // X-AALast after 50 minutes
	}{
		{"without a timeout", 0, "0", "20260203T120003Z"},
		{"with a timeout", time.Hour, "3600", "20260203T125003Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backend := &wire{}
			w := newWorld(t, kit{backend: func(http.Handler) string { return startWire(t, backend) }, config: func(cfg *Config) {
				cfg.Identity = Identity{Send: []string{"x-aa"}}
				cfg.Session.Inactivity = Duration(tt.inactivity)
			}})
			v := w.visitor("test0001")
			transport := v.client.Transport
			seen := &idSeen{RoundTripper: transport}
			v.client.Transport = late{seen, w}
			require.Equal(t, http.StatusOK, v.get("/private/").StatusCode)
			require.NotEmpty(t, seen.id)
			want := func(last string) []string {
				return []string{
					"X-AAAuth: pwd", "X-AAID: " + seen.id, "X-AAIssue: 20260203T120003Z", "X-AALast: " + last, "X-AALife: 7200",
					"X-AAPrincipal: test0001", "X-AAPtags: current", "X-AASSO: ", "X-AATimeout: " + tt.timeout,
				}
			}
			assert.Equal(t, want("20260203T120003Z"), backend.aa())
			v.client.Transport = transport
			w.fake.SetNow(testNow.Add(50*time.Minute + 3*time.Second))
			require.Equal(t, http.StatusOK, v.get("/private/").StatusCode)
			assert.Equal(t, want(tt.later), backend.aa())
		})
	}
}

// late brings the login service's response three seconds after that was made.
type late struct {
	http.RoundTripper
	w *world
}

func (l late) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, found, _ := webauth.ResponseFrom(r.URL.RawQuery); found {
		l.w.fake.SetNow(testNow.Add(3 * time.Second))
	}
	return l.RoundTripper.RoundTrip(r)
}

// TestXAASigned: the signatures are those of a key's file as Apache's module reads it, and what
// is odd about that is told.
func TestXAASigned(t *testing.T) {
	for name, content := range map[string]string{
		"a newline": "0123456789abcdef0123\n", "no newline": "0123456789abcdef0123", "NUL": "0123456789\x00abcdef\x00\x00\n",
		"100 bytes": strings.Repeat("0123456789", 10), "a short one": "abc\n",
	} {
		t.Run(name, func(t *testing.T) {
			backend := &wire{}
			file := writeFile(t, "key", content)
			w := newWorld(t, kit{backend: func(http.Handler) string { return startWire(t, backend) }, config: func(cfg *Config) {
				cfg.Identity = Identity{Send: []string{"x-aa"}, HMACKeyFile: file}
			}})
			require.Equal(t, http.StatusOK, w.visitor("test0001").get("/private/").StatusCode)
			key, odd, err := aaheader.FromFile([]byte(content))
			require.NoError(t, err)
			lines := backend.aa()
			require.Len(t, lines, len(aaHeaders))
			assert.Contains(t, lines, "X-AAPrincipal: "+key.Signed("test0001"))
			assert.Contains(t, lines, "X-AASSO: "+strings.TrimSuffix(key.Signed(""), " "), "net/http sends no blank at the end, and nobody would read one")
			for _, o := range odd {
				assert.Contains(t, w.log.String(), o.Text[:12])
				found := Check(w.cfg)
				assert.True(t, slices.ContainsFunc(found, func(f site.Finding) bool {
					return f.Key == hmacKeyFile && f.Text == file+" "+o.Text && (f.Severity == site.SeverityWarning) == o.Weak
				}), "%v", found)
			}
			assert.NotContains(t, w.log.String(), strings.TrimSpace(content))
		})
	}
}
