package gateway

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// The bypass catalogue. Requests go over raw sockets, byte for byte; the backend records
// what reaches it; and what reaches it is judged as the most obliging of backends would
// read it: asAnyProgramMight for paths, headername for headers.

// openWorld is where stepping around a rule would pay: all is public but a few folders.
func openWorld(t testing.TB, edit ...func(*kit)) *world {
	rules := everyAccess(t)
	rules = append(rules, Rule{Path: "/", Access: Public})
	k := kit{rules: rules, config: func(cfg *Config) {
		cfg.Identity.Send = []string{sendRemoteUser, sendXForwardedUser, sendXAA}
		cfg.Identity.Strip = []string{"X-Who"}
	}}
	for _, e := range edit {
		e(&k)
	}
	return newWorld(t, k)
}

// eachBackend runs a test with a backend by each version of HTTP.
func eachBackend(t *testing.T, test func(t *testing.T, speaking func(*kit))) {
	for name, set := range map[string]func(*http.Protocols){"HTTP/1.1": nil, "h2": h2AndH1, "h2c": h2cOnly} {
		t.Run(name, func(t *testing.T) {
			test(t, func(k *kit) {
				if set == nil {
					return
				}
				var of Rule
				k.backend = func(h http.Handler) string {
					of = startHTTP2(t, h, set).rule(t, "/")
					return of.To
				}
				config := k.config
				k.config = func(cfg *Config) {
					config(cfg)
					for i := range cfg.Rules {
						cfg.Rules[i].BackendCA = of.BackendCA
					}
				}
			})
		})
	}
}

// protected are the folders of openWorld that nobody gets into without a login.
var protected = []string{"/private", "/public/deep", "/named", "/basic"}

// mustBeHonest fails if the backend got anything that it could take for a request for a
// protected folder, or by somebody, unless it is user's and made with their session.
func mustBeHonest(t testing.TB, all []seen, user string) {
	t.Helper()
	for _, s := range all {
		target, _, _ := strings.Cut(s.Target, "?")
		reading := asAnyProgramMight(target)
		for _, folder := range protected {
			if paths.Covers(folder, strings.ToLower(reading)) {
				assert.NotEmpty(t, user, "anonymous request for %q reached the backend", s.Target)
				assert.Equal(t, user, s.user(), "request for %q", s.Target)
			}
		}
		assert.False(t, paths.Covers("/.wls", strings.ToLower(reading)), "the gateway's own paths are not the backend's")
		mustNotClaim(t, s, user)
	}
}

// ourHeaders are those of the names that mean something to many which the gateway sets.
var ourHeaders = []string{
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "Remote-User",
	"X-Aaprincipal", "X-Aaptags", "X-Aaauth", "X-Aasso", "X-Aaissue", "X-Aalast", "X-Aalife", "X-Aatimeout", "X-Aaid",
}

// mustNotClaim fails if a request says in any way that it is somebody else's than user's.
func mustNotClaim(t testing.TB, s seen, user string) {
	t.Helper()
	for name := range s.Trailer {
		assert.True(t, headername.IsPlain(name), "trailer %q", name)
		assert.Zero(t, headername.Lookup(name).Class, "trailer %s", name)
	}
	for name, values := range s.Header {
		assert.True(t, headername.IsPlain(name), "header %q", name)
		if class := headername.Lookup(name).Class; class&^(headername.Frames|headername.Judged) != 0 {
			assert.Contains(t, ourHeaders, name, "header %s, which %s", name, class)
		}
		folded := strings.ReplaceAll(headername.FoldString(name), "http-", "")
		for _, value := range values {
			if name != "Accept" && name != "Origin" { // the former is what folded lines become part of
				assert.NotContains(t, value, "evil", "header %s", name)
			}
			if strings.Contains(folded, "remote-user") || strings.Contains(folded, "aaprincipal") || strings.Contains(folded, "forwarded-user") {
				assert.Equal(t, user, value, "header %s", name)
				assert.Len(t, values, 1, "header %s", name)
			}
		}
	}
}

// wire sends bytes over a connection of its own and gives all that comes back until the
// gateway closes it, or has nothing more to say.
func (w *world) wire(request string) string {
	w.t.Helper()
	return w.wireEnding(request, false)
}

// wireEnding is wire; if ends is true the client says that it has nothing more to say.
func (w *world) wireEnding(request string, ends bool) string {
	w.t.Helper()
	conn := w.dial()
	defer conn.Close()
	_, err := io.WriteString(conn, request)
	require.NoError(w.t, err)
	if ends {
		require.NoError(w.t, conn.(*net.TCPConn).CloseWrite())
	}
	return readAll(conn)
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	require.NoError(w.t, err)
	require.NoError(w.t, conn.SetDeadline(time.Now().Add(patience)))
	if strings.HasPrefix(w.url, "https:") {
		return tls.Client(conn, &tls.Config{ServerName: "localhost", InsecureSkipVerify: true}) // our own, on loopback
	}
	return conn
}

// request makes a request with a head that ends the connection.
func (w *world) request(line string, lines ...string) string {
	head := []string{line, "Host: " + w.host, "Connection: close", "Accept: text/html"}
	return strings.Join(append(head, lines...), "\r\n") + "\r\n\r\n"
}

func statusOf(t testing.TB, answer string) int {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
	require.NoError(t, err, "%q", answer)
	return resp.StatusCode
}

// pathTricks lead from somewhere public to /private/x, for some program or other.
var pathTricks = []string{
	"/private/x", "//private/x", "///private//x", "/./private/x", "/.//private/x", "/private/./x", "/private//x",
	"/public/../private/x", "/public/./../private/x", "/public//../private/x", "/public/a/../../private/x",
	"/public/..//private/x", "/public/../../private/x", "/../private/x", "/../../private/x", "/..//private/x",
	"/%2e/private/x", "/public/%2e%2e/private/x", "/public/%2E%2E/private/x", "/public/.%2e/private/x", "/public/%2e./private/x",
	"/%2e%2e/private/x", "/public/..%2fprivate/x", "/public/..%2Fprivate/x", "/public%2f..%2fprivate/x", "/%2fprivate/x", "%2fprivate/x",
	"/public/..%5cprivate/x", `/public/..\private/x`, `\private/x`, `/\private/x`, `/public\..\private\x`, "/%5cprivate/x", "/%5Cprivate%5Cx",
	"/public/..;/private/x", "/public/..;a=b/private/x", "/;/private/x", "/private;/x", "/private;a=b/x", "/private%3b/x", "/;a=b/private/x",
	"/public/..%3b/private/x", "/public/.;/../private/x",
	"/public/%252e%252e/private/x", "/public/%252e%252e%252fprivate/x", "/%252fprivate/x", "/public/..%252fprivate/x", "/%2570rivate/x",
	"/public/%25252e%25252e/private/x", "/public/%25%32%65%25%32%65/private/x", "/public/%u002e%u002e/private/x", "/%u0070rivate/x",
	"/public/%c0%ae%c0%ae/private/x", "/public/..%c0%afprivate/x", "/public/%e0%80%ae%e0%80%ae/private/x", "/public/..%e0%80%afprivate/x",
	"/public/..%c1%9cprivate/x", "/public/%f0%80%80%ae%f0%80%80%ae/private/x",
	"/public/%ef%bc%8e%ef%bc%8e/private/x", "/public/..%ef%bc%8fprivate/x", "/public/..%e2%88%95private/x", "/public/%e2%80%a5/private/x",
	"/%70rivate/x", "/privat%65/x", "/%70%72%69%76%61%74%65/x", "/%50rivate/../private/x", "/private%2fx", "/private%2Fx", "/private%00/x", "/private%0a/x",
	"/private?x", "/private/?x", "/private#x", "/private/x#", "/public#/../private/x", "/public?/../private/x", "/public%23/../private/x", "/public%3f/../private/x",
	"/private%3fx", "/private%23x", "/private%20/x", "/private/%2e", "/private/..%2fprivate/x", "/private/../private/x", "/.%00/private/x",
	"/public/../private/../private/x", "/public/deep/../../private", "/public/%2e/deep/x", "/public//deep/x", "/public/x/../deep/x", "/public/de%65p",
	"/public/deep", "/public/deep/", "/named", "/named/%2e%2e/named", "/basic/x", "//basic", "/optional/../basic",
	"/.wls/login/../../private/x", "/.wls/../private/x", "/.wls/x", "/.WLS/x", "/.%77ls/x", "//.wls//x", "/public/../.wls/x", "/.wls%2fx", "/.wls;/x", "/.wls",
	"private/x", "./private/x", "*", "", "?", "http:/private/x", "http:private/x", "///", "//..//private", "/\tprivate", "/ private/x", "/private/x HTTP/1.1",
	"/\xc0\xae\xc0\xae/private", "/\x00private", "/private\x7f", "/\u2215private/x",
}

// TestBypassPaths sends every path trick without a login, in each form of target.
func TestBypassPaths(t *testing.T) {
	w := openWorld(t)
	forms := map[string]func(path string) string{
		"origin-form":        func(p string) string { return w.request("GET " + p + " HTTP/1.1") },
		"HTTP/1.0":           func(p string) string { return w.request("GET " + p + " HTTP/1.0") },
		"absolute-form":      func(p string) string { return w.request("GET http://" + w.host + p + " HTTP/1.1") },
		"absolute, host big": func(p string) string { return w.request("GET HTTP://" + strings.ToUpper(w.host) + p + " HTTP/1.1") },
		"absolute, user":     func(p string) string { return w.request("GET http://x@" + w.host + p + " HTTP/1.1") },
		"authority first":    func(p string) string { return w.request("GET //" + w.host + p + " HTTP/1.1") },
		"HEAD":               func(p string) string { return w.request("HEAD " + p + " HTTP/1.1") },
		"OPTIONS":            func(p string) string { return w.request("OPTIONS " + p + " HTTP/1.1") },
		"POST":               func(p string) string { return w.request("POST "+p+" HTTP/1.1", "Content-Length: 0") },
		"TRACE":              func(p string) string { return w.request("TRACE " + p + " HTTP/1.1") },
		"CONNECT":            func(p string) string { return w.request("CONNECT " + p + " HTTP/1.1") },
		"own method":         func(p string) string { return w.request("GeT " + p + " HTTP/1.1") },
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			for _, path := range pathTricks {
				answer := w.wire(form(path))
				mustBeHonest(t, w.backend.take(), "")
				assert.NotContains(t, answer, "backend: GET /private", "%q", path)
				if t.Failed() {
					t.Fatalf("at %q:\n%s", path, answer)
				}
			}
		})
	}
}

// TestBypassPathsTwins: who is logged in gets through by honest spellings, and everybody
// gets at what is public.
func TestBypassPathsTwins(t *testing.T) {
	w := openWorld(t)
	cookie := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	for _, tt := range []struct{ sent, forwarded, user string }{
		{"/private/x", "/private/x", "test0001"},
		{"/private", "/private", "test0001"},
		{"/public/../private/x?a=/../b", "/private/x?a=/../b", "test0001"},
		{"//private//x/", "/private/x/", "test0001"},
		{"/%70rivate/%78", "/private/x", "test0001"},
		{"/public/deep/../x", "/public/x", ""},
		{"/private/../public/x", "/public/x", ""},
		{"/privatex", "/privatex", ""},
		{"/private.html", "/private.html", ""},
		{"/caf%c3%a9?", "/caf%C3%A9?", ""},
		{"/optional/%7Ex", "/optional/~x", "test0001"},
		{"/?next=/private", "/?next=/private", ""},
	} {
		t.Run(tt.sent, func(t *testing.T) {
			for _, line := range []string{"GET " + tt.sent + " HTTP/1.1", "GET " + tt.sent + " HTTP/1.0", "GET http://" + w.host + tt.sent + " HTTP/1.1"} {
				answer := w.wire(w.request(line, cookie))
				require.Equal(t, 200, statusOf(t, answer), answer)
				got := w.backend.one(t)
				assert.Equal(t, strings.TrimSuffix(tt.forwarded, "?"), strings.TrimSuffix(got.Target, "?"))
				assert.Equal(t, tt.user, got.user())
				assert.Equal(t, w.host, got.Host)
				assert.Empty(t, got.Header["Cookie"])
			}
		})
	}
}

// TestBypassPathsLoggedIn: a login of somebody does not lead past a rule for others.
func TestBypassPathsLoggedIn(t *testing.T) {
	w := openWorld(t)
	cookie := "Cookie: " + w.loggedIn("test0001").cookieHeader()
	for _, trick := range pathTricks {
		path := strings.ReplaceAll(trick, "private", "named")
		_ = w.wire(w.request("GET "+path+" HTTP/1.1", cookie))
		for _, s := range w.backend.take() {
			target, _, _ := strings.Cut(s.Target, "?")
			reading := asAnyProgramMight(target)
			assert.False(t, paths.Covers("/named", reading) || paths.Covers("/basic", reading), "%q arrived as %q", path, s.Target)
		}
	}
	assert.Equal(t, 200, statusOf(t, w.wire(w.request("GET /named HTTP/1.1", "Cookie: "+w.loggedIn("test0002").cookieHeader()))))
}

// TestBypassHosts: only our own hosts, however they are given.
func TestBypassHosts(t *testing.T) {
	w := openWorld(t)
	for _, tt := range []struct{ name, request string }{
		{"another host", "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"},
		{"no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"},
		{"empty host", "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"},
		{"no host, HTTP/1.0", "GET / HTTP/1.0\r\n\r\n"},
		{"two hosts", "GET / HTTP/1.1\r\nHost: " + w.host + "\r\nHost: evil.example\r\nConnection: close\r\n\r\n"},
		{"two hosts, ours last", "GET / HTTP/1.1\r\nHost: evil.example\r\nHost: " + w.host + "\r\nConnection: close\r\n\r\n"},
		{"another port", "GET / HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n"},
		{"user in the host", "GET / HTTP/1.1\r\nHost: x@" + w.host + "\r\nConnection: close\r\n\r\n"},
		{"path in the host", "GET / HTTP/1.1\r\nHost: " + w.host + "/private\r\nConnection: close\r\n\r\n"},
		{"absolute-form of another", "GET http://evil.example/ HTTP/1.1\r\nHost: " + w.host + "\r\nConnection: close\r\n\r\n"},
		{"X-Forwarded-Host", "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: " + w.host + "\r\nConnection: close\r\n\r\n"},
		{"folded host", "GET / HTTP/1.1\r\nHost:\r\n " + w.host + "\r\n evil.example\r\nConnection: close\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := w.wire(tt.request)
			assert.Contains(t, []int{400, 421}, statusOf(t, answer), answer)
			assert.Empty(t, w.backend.take())
		})
	}
	for _, host := range []string{w.host, strings.ToUpper(w.host), strings.Replace(w.host, "localhost", "localhost.", 1)} {
		assert.Equal(t, 200, statusOf(t, w.wire(fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host))))
		assert.Equal(t, w.host, w.backend.one(t).Host, "the backend gets the name as configured")
	}
}

// readAll gives what comes until the end; a reset is an end.
func readAll(conn net.Conn) string {
	var all bytes.Buffer
	_, _ = io.Copy(&all, conn)
	return all.String()
}

func itoa(n int) string { return strconv.Itoa(n) }

func hexadecimal(n int) string { return strconv.FormatInt(int64(n), 16) }
