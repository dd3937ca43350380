package glue_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/chromiumtest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// fragments are what an attacker, or an honest link, may put into an address.
var fragments = []struct{ name, text string }{
	{"a letter", "a"},
	{"one dot", "."}, {"two dots", ".."}, {"three dots", "..."},
	{"one dot, encoded", "%2e"}, {"one dot, encoded in capitals", "%2E"},
	{"two dots, encoded", "%2e%2e"}, {"two dots, encoded in mixed letters", "%2E%2e"},
	{"two dots, the first encoded", "%2E."}, {"two dots, the second encoded", ".%2e"},
	{"three dots, one encoded", ".%2e."}, {"dots encoded twice", "%252e%252e"}, {"overlong dots", "%c0%ae%c0%ae"},
	{"dots and a slash", "../"}, {"dots and an encoded slash", "..%2f"}, {"dots and an encoded backslash", "..%5C"},
	{"dots and a parameter", "..;"}, {"dots and an encoded tab", ".%09."}, {"dots and an encoded blank", "..%20"},
	{"dots and a tab", ".\t."}, {"dots and an encoded NUL", "..%00"}, {"a dot of another script", "\u3002\u3002"},
	{"a full-width dot", "\uff0e\uff0e"}, {"a soft hyphen between dots", ".\u00ad."},
	{"backslash", `\`}, {"two backslashes", `\\`}, {"backslash and dots", `\..\`}, {"encoded backslash", "%5c"}, {"a full-width slash", "\uff0f"},
	{"slash", "/"}, {"two slashes", "//"}, {"encoded slash", "%2F"}, {"a host", "/evil.example/"}, {"a URL", "https://evil.example/"},
	{"tab", "\t"}, {"encoded tab", "%09"}, {"encoded line break", "%0d%0a"}, {"encoded NUL", "%00"}, {"NUL", "\x00"}, {"DEL", "\x7f"}, {"encoded DEL", "%7F"},
	{"blank", " "}, {"encoded blank", "%20"}, {"plus", "+"},
	{"percent sign", "%"}, {"encoded percent sign", "%25"}, {"bad escape", "%zz"}, {"encoded letter", "%41"}, {"tilde", "~"}, {"encoded tilde", "%7e"},
	{"UTF-8", "caf\u00e9"}, {"UTF-8, encoded", "caf%C3%A9"}, {"UTF-8, encoded in small letters", "%c3%a9"}, {"Japanese", "\u65e5\u672c"}, {"an emoji", "\U0001F600"},
	{"no UTF-8", "\xff"}, {"no UTF-8, encoded", "%ff"}, {"half a character", "\xc3"}, {"bidirectional control", "%e2%80%ae"},
	{"number sign", "#"}, {"encoded number sign", "%23"}, {"encoded question mark", "%3F"}, {"question mark", "?"},
	{"quote", `"`}, {"apostrophe", "'"}, {"angle brackets", "<b>"}, {"square brackets", "[]"}, {"braces", "{}"}, {"bar", "|"}, {"caret", "^"}, {"grave accent", "`"},
	{"sub-delimiters", "!$&()*,;="}, {"at sign", "me@"}, {"colon", "a:80"}, {"a drive letter", "C:"}, {"a drive letter with a bar", "C|"},
}

// positions are where it stands.
var positions = []struct{ name, before, after string }{
	{"first", "/", "/x"}, {"between", "/a/", "/b"}, {"last", "/a/", ""}, {"in a name", "/a/x", "y"},
	{"in the query", "/a?q=", "&r=1"}, {"a path in the query", "/a?/b/", "/c"},
}

// TestChromiumAsksForWhatIsSigned: for every spelling of an address, what a real browser
// asks for when the login service sends it back is what we signed, to the byte; and we
// refuse to sign where, and only where, it would ask for another page.
func TestChromiumAsksForWhatIsSigned(t *testing.T) {
	ctx, cancel := context.WithTimeout(chromiumtest.Start(t), 10*time.Minute) // seconds, on an idle machine
	t.Cleanup(cancel)
	server := newRawServer(t)
	var auth *glue.Auth
	s := startSite(t, setup{
		config: func(c *config) { c.BaseURL, c.LogoutPath = server.origin, "" },
		routes: func(_ *http.ServeMux, a *glue.Auth) { auth = a },
		wrap:   func(http.Handler) http.Handler { return auth.Require(echo) },
	})

	var spellings []*spelling
	var open []string // the addresses as they are spelled, and what was signed for them
	for _, position := range positions {
		for _, fragment := range fragments {
			c := &spelling{name: position.name + ": " + fragment.name, asked: position.before + fragment.text + position.after}
			c.signed, c.refused = askRaw(t, s, server.host(), c.asked)
			spellings = append(spellings, c)
			open = append(open, server.origin+c.asked)
			if c.signed != "" && c.signed != server.origin+c.asked {
				open = append(open, c.signed)
			}
		}
	}
	opened := map[string]string{}
	for i, target := range server.sends(t, ctx, open) {
		opened[open[i]] = target
	}
	count := map[string]int{}
	for _, c := range spellings {
		count[cmp.Or(c.refused, "signed")]++
		browsers, plain := opened[c.signed], opened[server.origin+c.asked]
		t.Run(c.name, func(t *testing.T) {
			switch c.refused {
			case "":
				assert.Equal(t, c.signed, server.origin+browsers, "what it asks for is what was signed")
				assert.Equal(t, browsers, canonical(t, plain), "and what it makes of the address itself")
			case refusedByUs:
				assert.NotEqual(t, c.asked, plain, "a browser would ask for this very page")
			}
		})
	}
	t.Logf("%d spellings: %v", len(spellings), count)
	assert.GreaterOrEqual(t, count["signed"], 200)
	assert.GreaterOrEqual(t, count[refusedByUs], 40)
}

// spelling is one way to write an address, and what becomes of it.
type spelling struct {
	name, asked string
	signed      string // the url; empty where it is refused
	refused     string // by whom
}

const (
	refusedByUs   = "refused by us"
	refusedByHTTP = "refused by net/http"
)

// canonical is the form in which we sign a target.
func canonical(t *testing.T, target string) string {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	path, query, err := webauth.CanonicalTarget(path, query)
	require.NoError(t, err)
	if query != "" {
		path += "?" + query
	}
	return path
}

// askRaw navigates to an address that is written as it stands, and returns the url that
// the site had signed, or how it refused.
func askRaw(t *testing.T, s *testSite, host, target string) (signed, refused string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.Replace(strings.TrimPrefix(s.url, "http://"), "localhost", "127.0.0.1", 1))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n", target, host)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodGet, URL: &url.URL{Path: target}})
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	if resp.StatusCode == http.StatusSeeOther {
		return fields(t, resp.Header.Get("Location")).Get("url"), ""
	}
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Empty(t, resp.Header.Get("Location"))
	assert.Empty(t, resp.Cookies())
	if !strings.Contains(string(body), "<html") {
		return "", refusedByHTTP
	}
	answer{resp, t, string(body)}.requirePage(http.StatusBadRequest, "address")
	return "", refusedByUs
}

// rawServer sends a browser around, and notes what it is then asked for as that stands on
// the wire: net/http would refuse some of it.
type rawServer struct {
	origin string

	mu    sync.Mutex
	next  []string // where to redirect to
	asked []string // the targets of the requests that came of it
}

func newRawServer(t *testing.T) *rawServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	s := &rawServer{origin: "http://localhost:" + port}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *rawServer) host() string { return strings.TrimPrefix(s.origin, "http://") }

// sends has the browser of ctx redirected to URLs, as the login service does it, and
// returns the targets that it asks for; empty where a URL is none to it. It goes to many
// of them in one navigation, which is quicker; a browser gives up after 20.
func (s *rawServer) sends(t *testing.T, ctx context.Context, urls []string) (targets []string) {
	t.Helper()
	for len(targets) < len(urls) {
		rest := urls[len(targets):]
		s.mu.Lock()
		s.next, s.asked = rest[:min(len(rest), 16)], nil
		s.mu.Unlock()
		err := chromedp.Do(ctx, chromedp.Navigate(s.origin+"/-/"))
		require.NoError(t, ctx.Err())
		s.mu.Lock()
		got := s.asked
		s.mu.Unlock()
		if targets = append(targets, got...); err != nil || len(got) == 0 {
			targets = append(targets, "")
		}
	}
	return targets
}

func (s *rawServer) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		for header := line; err == nil && header != "\r\n"; {
			header, err = r.ReadString('\n')
		}
		if err != nil {
			return
		}
		target := strings.TrimPrefix(line[:strings.LastIndex(line, " HTTP/")], "GET ")
		if _, err := io.WriteString(conn, s.answer(target)); err != nil {
			return
		}
	}
}

func (s *rawServer) answer(target string) string {
	const nothing = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
	s.mu.Lock()
	defer s.mu.Unlock()
	if target == "/favicon.ico" {
		return nothing
	}
	if target != "/-/" {
		s.asked = append(s.asked, target)
	}
	if len(s.next) == 0 {
		return nothing
	}
	location := s.next[0]
	s.next = s.next[1:]
	return "HTTP/1.1 303 See Other\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n"
}
