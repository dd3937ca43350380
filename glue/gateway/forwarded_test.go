package gateway

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
)

func TestReadForwarded(t *testing.T) {
	for _, row := range []struct {
		name    string
		headers []string // "Name: value"
		uri     string
		method  string
		err     string
	}{
		{"nginx", []string{"X-Original-URI: /a?b", "X-Original-Method: POST"}, "/a?b", "POST", ""},
		{"Caddy and Traefik", []string{"X-Forwarded-Uri: /a?b", "X-Forwarded-Method: GET"}, "/a?b", "GET", ""},
		{"WebDAV", []string{"X-Forwarded-Uri: /", "X-Forwarded-Method: VERSION-CONTROL"}, "/", "VERSION-CONTROL", ""},
		{"nothing", nil, "", "", "neither X-Original-URI"},
		{"underscores", []string{"X_Original_URI: /a", "X_Original_Method: GET"}, "", "", "neither X-Original-URI"},
		{"no method", []string{"X-Original-URI: /a"}, "", "", "X-Original-Uri and X-Original-Method must both come"},
		{"no URI", []string{"X-Forwarded-Method: GET"}, "", "", "must both come, and once"},
		{"method of the other family", []string{"X-Original-URI: /a", "X-Forwarded-Method: GET"}, "", "", "must both come"},
		{"two URIs", []string{"X-Original-URI: /a", "X-Original-URI: /a", "X-Original-Method: GET"}, "", "", "and once"},
		{"two methods", []string{"X-Original-URI: /a", "X-Original-Method: GET", "X-Original-Method: GET"}, "", "", "and once"},
		{"both families", []string{"X-Original-URI: /a", "X-Original-Method: GET", "X-Forwarded-Uri: /b", "X-Forwarded-Method: GET"}, "", "", "both X-Original- and X-Forwarded-"},
		{"both families, saying the same", []string{"X-Original-URI: /a", "X-Original-Method: GET", "X-Forwarded-Uri: /a", "X-Forwarded-Method: GET"}, "", "", "both"},
		{"a third way", []string{"X-Original-URI: /a", "X-Original-Method: GET", "X-Original-URL: https://soc.example/b"}, "", "", "X-Original-Url came too"},
		{"a third way alone", []string{"X-Original-Method: GET", "X-Original-URL: https://soc.example/b"}, "", "", "must both come"},
		{"empty method", []string{"X-Original-URI: /a", "X-Original-Method: "}, "", "", "no token"},
		{"small letters", []string{"X-Original-URI: /a", "X-Original-Method: get"}, "", "", "no token"},
		{"two methods in one", []string{"X-Original-URI: /a", "X-Original-Method: GET, POST"}, "", "", "no token"},
		{"long method", []string{"X-Original-URI: /a", "X-Original-Method: " + strings.Repeat("A", 33)}, "", "", "no token"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := http.Header{}
			for _, line := range row.headers {
				name, value, _ := strings.Cut(line, ": ")
				h.Add(name, value)
			}
			got := readForwarded(h)
			if row.err != "" {
				require.ErrorContains(t, got.err, row.err)
				assert.Equal(t, forwarded{err: got.err}, got, "nothing else is told")
				return
			}
			assert.Equal(t, forwarded{uri: row.uri, method: row.method}, got)
		})
	}
}

func TestFrontTrusts(t *testing.T) {
	front := Front{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}}
	unix := &net.UnixAddr{Net: "unix", Name: "/run/x"}
	tcp := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	for _, row := range []struct {
		name   string
		front  Front
		local  net.Addr
		remote string
		want   bool
	}{
		{"in a range", front, tcp, "127.0.0.1:1234", true},
		{"IPv6", front, tcp, "[2001:db8::1]:1234", true},
		{"IPv4 written as IPv6", front, tcp, "[::ffff:127.0.0.1]:1234", true},
		{"with a zone", front, tcp, "[2001:db8::1%eth0]:1234", true},
		{"in none", front, tcp, "192.0.2.1:1234", false},
		{"nobody is trusted", Front{}, tcp, "127.0.0.1:1234", false},
		{"no address", front, tcp, "", false},
		{"unix socket, not trusted", front, unix, "@", false},
		{"unix socket called like an address", front, unix, "127.0.0.1:1234", false},
		{"unix socket", Front{UnixSocket: true}, unix, "@", true},
		{"TCP where unix sockets are trusted", Front{UnixSocket: true}, tcp, "127.0.0.1:1234", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, row.local))
			r.RemoteAddr = row.remote
			r.Header.Set("X-Original-URI", "/a")
			r.Header.Set("X-Original-Method", "GET")
			want := forwarded{err: errNotFront}
			if row.want {
				want = forwarded{uri: "/a", method: "GET"}
			}
			assert.Equal(t, want, captureForwarded(r, &row.front, &stripping{}))
		})
	}
}

func TestNextFor(t *testing.T) {
	for _, row := range []struct{ name, path, query, want string }{
		{"path", "/a", "", "/a"},
		{"query", "/a", "b=c&d=%20", "/a?b=c&d=%20"},
		{"response", "/a", "b=c&WLS-Response=3!200", "/a?b=c"},
		{"response alone", "/a", "WLS-Response=3!200", "/a"},
		{"hidden response", "/a", "b=%2557LS-Response", "/a"},
		{"what browsers encode", "/a", `q='é'&f=C:\x`, "/a?q=%27%C3%A9%27&f=C:%5Cx"},
		{"response in the path", "/WLS-Response=3!200", "b", ""},
		{"long query", "/a", strings.Repeat("x", maxNext), "/a"},
		{"as long as can be", "/a", strings.Repeat("x", maxNext-11), "/a?" + strings.Repeat("x", maxNext-11)},
		{"one byte longer", "/a", strings.Repeat("x", maxNext-10), "/a"},
		{"long when it is encoded", "/a", strings.Repeat("&", maxNext/5), "/a"},
		{"long path", "/" + strings.Repeat("x", maxNext), "b", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			next, err := nextFor(row.path, row.query)
			assert.Equal(t, row.want, next)
			assert.Equal(t, row.want == "", err != nil)
		})
	}
}

// Whatever a front server says the URI was: if it is accepted, it has one reading, and
// the login brings people back to no other place than what was judged.
func FuzzForwardedURI(f *testing.F) {
	for _, seed := range []string{
		"/", "/a/b?c=d", "/a/../b", "//evil.example/", "/%2e%2e/a", "/a;b", "/a%2fb", "http://soc.example/a?b", "*", "",
		"/.wls/login", "/%2Ewls/auth", "/a?WLS-Response=3!200", "/a?b=%2557LS-Response", "/é", "/%c0%ae", "/a b", "/a#b", "/a\x00",
	} {
		f.Add(seed, "GET")
	}
	f.Add("/", "get")
	f.Fuzz(func(t *testing.T, uri, method string) {
		h := http.Header{"X-Original-Uri": {uri}, "X-Original-Method": {method}}
		said := readForwarded(h)
		if said.err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/.wls/auth", nil)
		noting(t, r, func(noted *http.Request) {
			notesOf(noted.Context()).forwarded = said
			r = noted
		})
		asked, err := (&core{}).askedAbout(r)
		if err != nil {
			return
		}
		path := asked.URL.RawPath
		again, err := paths.Normalise(path)
		require.NoError(t, err)
		require.Equal(t, path, again)
		require.False(t, isReserved(path))
		require.Equal(t, method, asked.Method)
		require.Equal(t, "/.wls/auth", r.RequestURI, "the request that asks is as it was")

		next, err := nextFor(path, asked.URL.RawQuery)
		if err != nil {
			return
		}
		nextPath, _, _ := strings.Cut(next, "?")
		require.Equal(t, path, nextPath)
		require.LessOrEqual(t, len(next), maxNext)
		require.Negative(t, observe.ResponseIn(next))
	})
}

// noting calls use with a request that has notes.
func noting(t testing.TB, r *http.Request, use func(*http.Request)) {
	log, err := observe.NewAccessLog("wls gateway", observe.Off, observe.Combined)
	require.NoError(t, err)
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		observe.RecordOf(r.Context()).Notes = &notes{}
		use(r)
	})
	observe.Handler(handler, log, observe.NewMetrics("wlsgateway"), time.Now).ServeHTTP(httptest.NewRecorder(), r)
}
