package remoteuser_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	nowhere  = netip.MustParsePrefix("192.0.2.7/32") // no test connects from there
	start    = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
)

// seen is what a handler sees, as the echo handlers tell it.
type seen struct {
	Known    bool
	Identity glue.Identity
	User     string
	Header   http.Header
	Trailer  http.Header
}

// echo tells what it sees, trailers after the body included.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	var s seen
	s.Identity, s.Known = glue.IdentityFrom(r.Context())
	s.User, _ = remoteuser.UserFrom[string](r.Context())
	s.Header, s.Trailer = r.Header, r.Trailer
	_ = json.NewEncoder(w).Encode(s)
}

// backend is a program behind a front server, on a real listener.
type backend struct {
	t      *testing.T
	url    string
	people *remoteuser.RemoteUser
	server *httptest.Server

	mu     sync.Mutex
	now    time.Time
	log    bytes.Buffer
	events []site.Event
}

// config is all that a backend can be told. A Password is checked by HTTP Basic, or with a
// Form by that.
type config struct {
	remoteuser.Config
	Site     site.Config
	Password func(ctx context.Context, name, password string) (bool, error)
	Form     *password.FormConfig
}

type setup struct {
	config   func(c *config)
	listener net.Listener
	tls, h2  bool
	inside   bool // of site.Handler, which believes the front server's X-Forwarded headers
	wrap     func(http.Handler) http.Handler
}

// build makes what c asks for.
func (c *config) build(t *testing.T) (*remoteuser.RemoteUser, *password.Form) {
	t.Helper()
	soc, err := site.New(c.Site)
	require.NoError(t, err)
	c.Config.Site = soc
	var form *password.Form
	if c.Password != nil {
		checker, err := password.New(password.Config{Site: soc, Check: c.Password})
		require.NoError(t, err)
		if c.Form == nil {
			c.Config.Password = checker
		} else {
			form, err = password.NewForm(checker, *c.Form)
			require.NoError(t, err)
			c.Config.Form = form
		}
	}
	people, err := remoteuser.New(c.Config)
	require.NoError(t, err)
	return people, form
}

// newBackend starts one that believes its own machine: / needs a login, /optional does not.
func newBackend(t *testing.T, s setup) *backend {
	t.Helper()
	b := &backend{t: t, now: start}
	mux := http.NewServeMux()
	handler := http.Handler(mux)
	b.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	if s.listener != nil {
		_ = b.server.Listener.Close()
		b.server.Listener = s.listener
	}
	b.server.EnableHTTP2 = s.h2
	if s.tls || s.h2 {
		b.server.StartTLS()
	} else {
		b.server.Start()
	}
	t.Cleanup(b.server.Close)
	b.url = b.server.URL

	cfg := config{Config: remoteuser.Config{Peers: []netip.Prefix{loopback}}, Site: site.Config{
		BaseURL: b.url, Secret: newSecret(), Now: b.clock,
		Logger:  slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnEvent: func(_ context.Context, e site.Event) { b.mu.Lock(); b.events = append(b.events, e); b.mu.Unlock() },
	}}
	if !strings.Contains(b.url, "127.0.0.1") {
		cfg.Site.BaseURL = "http://localhost" // of a unix socket
	}
	if s.inside {
		cfg.Site.Proxies = site.Proxies{Ranges: []netip.Prefix{loopback}, Header: site.XForwarded}
	}
	if s.config != nil {
		s.config(&cfg)
	}
	people, form := cfg.build(t)
	b.people = people
	if s.inside {
		handler = cfg.Config.Site.Handler(mux)
	}
	if s.wrap != nil {
		handler = s.wrap(mux)
	}
	mux.Handle("/", b.people.Require(http.HandlerFunc(echo)))
	mux.Handle("/optional", b.people.Optional(http.HandlerFunc(echo)))
	mux.Handle("/nested", b.people.Optional(b.people.Require(http.HandlerFunc(echo))))
	if form != nil {
		mux.Handle("/login", b.people.Optional(http.HandlerFunc(form.Login)))
		mux.HandleFunc("/logout", form.Logout)
	}
	return b
}

// Write is where the log goes.
func (b *backend) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *backend) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *backend) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *backend) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// reasons are what was told of, as "event reason".
func (b *backend) reasons() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, e := range b.events {
		all = append(all, strings.TrimSpace(e.Name+" "+string(e.Reason)))
	}
	return all
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
	seen seen
}

func readAnswer(t *testing.T, resp *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	a := answer{Response: resp, body: string(body)}
	if resp.StatusCode == http.StatusOK && strings.HasPrefix(a.body, "{") {
		require.NoError(t, json.Unmarshal(body, &a.seen))
	}
	return a
}

var (
	pageKind   = regexp.MustCompile(`data-page="([a-z-]+)"`)
	hiddenText = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)
)

func (a answer) kind() string {
	if m := pageKind.FindStringSubmatch(a.body); m != nil {
		return m[1]
	}
	return ""
}

// raw sends header lines just as they are written, after the request line and Host.
func (b *backend) raw(path string, lines ...string) answer {
	b.t.Helper()
	return b.rawHost(strings.TrimPrefix(b.url, "http://"), path, lines...)
}

// rawHost is raw for another Host.
func (b *backend) rawHost(host, path string, lines ...string) answer {
	b.t.Helper()
	addr := b.server.Listener.Addr()
	conn, err := net.Dial(addr.Network(), addr.String())
	require.NoError(b.t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", path, host, joinLines(lines))
	require.NoError(b.t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b.t, err)
	return readAnswer(b.t, resp)
}

func joinLines(lines []string) string {
	var s strings.Builder
	for _, l := range lines {
		s.WriteString(l + "\r\n")
	}
	return s.String()
}

// browser is one with a cookie jar, which tells where its requests come from, or not.
type browser struct {
	b      *backend
	client *http.Client
	old    bool // sends no Sec-Fetch headers and no Origin
}

func (b *backend) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(b.t, err)
	client := b.server.Client()
	c := &http.Client{Jar: jar, Transport: client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &browser{b: b, client: c}
}

func (br *browser) do(method, path string, form url.Values, edit func(*http.Request)) answer {
	br.b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = br.b.url + path
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, path, body)
	require.NoError(br.b.t, err)
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if !br.old {
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if method == http.MethodPost {
			r.Header.Set("Origin", br.b.url)
		}
	}
	if edit != nil {
		edit(r)
	}
	resp, err := br.client.Do(r)
	require.NoError(br.b.t, err)
	return readAnswer(br.b.t, resp)
}

func (br *browser) get(path string) answer {
	br.b.t.Helper()
	return br.do(http.MethodGet, path, nil, nil)
}

// fill opens the login form and gives what sending it would send.
func (br *browser) fill(path, name, password string) url.Values {
	br.b.t.Helper()
	a := br.get(path)
	require.Equal(br.b.t, http.StatusOK, a.StatusCode)
	require.Equal(br.b.t, "login", a.kind())
	form := url.Values{"name": {name}, "password": {password}}
	for _, m := range hiddenText.FindAllStringSubmatch(a.body, -1) {
		form.Set(m[1], unescape(m[2]))
	}
	return form
}

func (br *browser) login(name, password string) answer {
	br.b.t.Helper()
	return br.do(http.MethodPost, "/login", br.fill("/login?next=/private", name, password), nil)
}

func unescape(s string) string {
	return strings.NewReplacer("&#43;", "+", "&amp;", "&", "&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'").Replace(s)
}

func newSecret() string { return rand.Text() + rand.Text() }

// onePassword is a checker that knows one person.
func onePassword(_ context.Context, name, password string) (bool, error) {
	return name == "ada" && password == "correct horse", nil
}

// rawBody sends a POST whose header ends, and body begins, in rest.
func (b *backend) rawBody(path, rest string) answer {
	b.t.Helper()
	addr := b.server.Listener.Addr()
	conn, err := net.Dial(addr.Network(), addr.String())
	require.NoError(b.t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s", path, rest)
	require.NoError(b.t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b.t, err)
	return readAnswer(b.t, resp)
}
