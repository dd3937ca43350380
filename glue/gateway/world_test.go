package gateway

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// patience is for what takes a moment, on an idle machine.
const patience = 2 * time.Minute

var testNow = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// wlsKey is a key that nobody else knows: gateways that are not on loopback refuse the
// fake's default one.
var wlsKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err) // the system's random source never fails
	}
	return key
})

// world is a gateway on a real listener with a fake login service and a backend.
type world struct {
	t       testing.TB
	fake    *webauthtest.WLS
	backend *recorder
	gateway *Gateway
	cfg     Config
	url     string // of the site
	host    string // of the site, with the port
	addr    string // where it listens
	log     *lockedBuffer
}

// kit says what a world is made of.
type kit struct {
	tls     bool // https with HTTP/2
	rules   []Rule
	config  func(cfg *Config)
	handler http.HandlerFunc                        // the backend's, after it has recorded the request
	server  func(server *http.Server)               // changes the gateway's server
	backend func(http.Handler) (to string)          // starts another backend than an http one
	site    func(gateway http.Handler) http.Handler // goes around the gateway
}

// newWorld starts all of it. Rules without a backend get the recorder.
func newWorld(t testing.TB, k kit) *world {
	t.Helper()
	w := &world{t: t, log: &lockedBuffer{}, backend: &recorder{next: k.handler}}
	w.fake = webauthtest.New(t, webauthtest.WithKey("7", wlsKey()))
	w.fake.SetNow(testNow)
	to := ""
	if k.backend != nil {
		to = k.backend(w.backend)
	} else {
		server := httptest.NewServer(w.backend)
		t.Cleanup(server.Close)
		to = server.URL
	}
	if k.rules == nil {
		k.rules = everyAccess(t)
	}
	server := httptest.NewUnstartedServer(nil)
	scheme := "http://"
	if k.tls {
		scheme, server.EnableHTTP2 = "https://", true
	}
	w.addr = server.Listener.Addr().String()
	_, port, err := net.SplitHostPort(w.addr)
	require.NoError(t, err)
	w.host = "localhost:" + port // a name apart from the fake's, whose cookies it would get
	w.url = scheme + w.host
	service := w.fake.Service()
	w.cfg = Config{
		BaseURL: w.url, Service: &service, SecretFile: filepath.Join(t.TempDir(), "secret"),
		Log: Log{Access: "off"}, Rules: slices.Clone(k.rules), Now: w.fake.Now,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for i := range w.cfg.Rules {
		if r := &w.cfg.Rules[i]; r.To == "" {
			r.To = to
		}
	}
	if k.config != nil {
		k.config(&w.cfg)
	}
	w.gateway, err = New(w.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.gateway.Close()) })
	server.Config.Handler = w.gateway.Handler()
	if k.site != nil {
		server.Config.Handler = k.site(server.Config.Handler)
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if k.server != nil {
		k.server(server.Config)
	}
	if k.tls {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{localhostCertificate(t)}}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return w
}

// localhostCertificate is one that the clients of a fake trust.
func localhostCertificate(t testing.TB) tls.Certificate {
	server := webauthtest.SiteTLS(t, func(string) http.Handler { return http.NotFoundHandler() })
	return server.TLS.Certificates[0]
}

// everyAccess is a rule of each kind, with /deep below /public being protected.
func everyAccess(t testing.TB) []Rule {
	htpasswd := filepath.Join(t.TempDir(), "htpasswd")
	require.NoError(t, os.WriteFile(htpasswd, []byte("bob:"+hashOf(t, "sesame", 4)+"\n"), 0o600))
	return []Rule{
		{Path: "/public", Access: Public},
		{Path: "/public/deep", Access: Login},
		{Path: "/optional", Access: Optional},
		{Path: "/private", Access: Login},
		{Path: "/named", Access: Login, Principals: []string{"test0002"}},
		{Path: "/basic", Access: Basic, Htpasswd: htpasswd},
	}
}

// visitor is a person at a browser with a cookie jar. As user it logs in at the fake.
func (w *world) visitor(user string) *visitor {
	client := w.fake.Client(user)
	return &visitor{w: w, client: client}
}

type visitor struct {
	w      *world
	client *http.Client
}

// loggedIn is a visitor who has logged in.
func (w *world) loggedIn(user string) *visitor {
	w.t.Helper()
	v := w.visitor(user)
	require.Equal(w.t, http.StatusOK, v.get("/private/").StatusCode)
	w.backend.reset()
	return v
}

// reply is an answer that has been read.
type reply struct {
	*http.Response
	body string
}

func (v *visitor) get(path string, edit ...func(*http.Request)) reply {
	v.w.t.Helper()
	return v.do(http.MethodGet, path, nil, edit...)
}

// do sends a request as a browser's navigation and follows redirects.
func (v *visitor) do(method, path string, body io.Reader, edit ...func(*http.Request)) reply {
	v.w.t.Helper()
	answer, err := v.try(method, path, body, edit...)
	require.NoError(v.w.t, err)
	return answer
}

func (v *visitor) try(method, path string, body io.Reader, edit ...func(*http.Request)) (reply, error) {
	r, err := http.NewRequest(method, v.w.url+path, body)
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Accept", "text/html")
	for _, e := range edit {
		e(r)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return reply{resp, string(text)}, err
}

// cookieHeader is what the browser would send to the site.
func (v *visitor) cookieHeader() string {
	u, err := url.Parse(v.w.url)
	require.NoError(v.w.t, err)
	var pairs []string
	for _, c := range v.client.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	require.NotEmpty(v.w.t, pairs)
	return strings.Join(pairs, "; ")
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = append(r.Header[name], value) }
}

// metric returns what operators see of a metric; 0 for one that nothing has happened about.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	answer := httptest.NewRecorder()
	w.gateway.Admin().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
	_, rest, _ := strings.Cut(answer.Body.String(), "\nwlsgateway_"+name+" ")
	value, _, found := strings.Cut(rest, "\n")
	if !found {
		return 0
	}
	n, err := strconv.ParseFloat(value, 64)
	require.NoError(w.t, err)
	return n
}

// seen is a request as the backend got it.
type seen struct {
	Method, Target, Host string
	Header, Trailer      http.Header
	Body                 string
	Length               int64
	Encoding             []string
	Close                bool
}

// user is who the backend is told it is.
func (s seen) user() string { return s.Header.Get("Remote-User") }

// recorder is a backend that remembers everything.
type recorder struct {
	next http.HandlerFunc

	mu   sync.Mutex
	seen []seen
}

func (b *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := seen{
		Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: maps.Clone(r.Header),
		Length: r.ContentLength, Encoding: r.TransferEncoding, Close: r.Close,
	}
	if b.next == nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it did not arrive whole
		}
		s.Body, s.Trailer = string(body), r.Trailer
	}
	b.mu.Lock()
	b.seen = append(b.seen, s)
	b.mu.Unlock()
	if b.next != nil {
		b.next(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "backend: "+r.Method+" "+r.RequestURI+" for "+r.Header.Get("Remote-User")+"\n")
}

func (b *recorder) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = nil
}

// take gives what the backend got since it was last asked.
func (b *recorder) take() []seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.seen = nil }()
	return b.seen
}

// one gives the only request that the backend got.
func (b *recorder) one(t testing.TB) seen {
	t.Helper()
	all := b.take()
	require.Len(t, all, 1)
	return all[0]
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// hashOf makes a cheap hash.
func hashOf(t testing.TB, password string, cost int) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	require.NoError(t, err)
	return string(hash)
}

// writeFile makes a file for a test and gives its path.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
