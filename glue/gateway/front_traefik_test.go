package gateway

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
)

// traefik does what Traefik's ForwardAuth middleware is documented to do, as the README
// sets it up: there is no Debian package of it to test with.
type traefik struct {
	ask     string   // address
	copied  []string // authResponseHeaders
	removed []string // customRequestHeaders without a value
	app     *httputil.ReverseProxy
	pages   *httputil.ReverseProxy
}

func startTraefik(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	config := snippet(t, "traefik.yml", "http://127.0.0.1:8000", app, "http://127.0.0.1:8090", gateway)
	one := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(config)
		require.Len(t, found, 2, pattern)
		return found[1]
	}
	tr := &traefik{ask: one(`address: "(.*)"`), app: proxyTo(t, app), pages: proxyTo(t, gateway)}
	for _, name := range strings.Split(one(`authResponseHeaders: \[(.*)\]`), ", ") {
		tr.copied = append(tr.copied, strings.Trim(name, `"`))
	}
	for _, found := range regexp.MustCompile(`(?m)^ +([\w-]+): ""$`).FindAllStringSubmatch(config, -1) {
		tr.removed = append(tr.removed, found[1])
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: tr}}
	server.Start()
	t.Cleanup(server.Close)
	return true
}

// proxyTo passes on what comes, with the headers that Traefik writes.
func proxyTo(t testing.TB, to string) *httputil.ReverseProxy {
	u, err := url.Parse(to)
	require.NoError(t, err)
	return &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(u)
		p.Out.Host = p.In.Host
		p.SetXForwarded()
	}}
}

func (tr *traefik) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"Proto", "For", "Host", "Port", "Server", "Uri", "Method", "Prefix"} {
		r.Header.Del("X-Forwarded-" + name) // the entry point trusts nobody
	}
	if r.URL.Path == serve.LoginPath || r.URL.Path == serve.LogoutPath || r.URL.Path == whoamiPath {
		tr.pages.ServeHTTP(w, r)
		return
	}
	for _, name := range tr.removed {
		r.Header.Del(name)
	}
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, tr.ask, nil)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	ask.Header = r.Header.Clone()
	for name := range strings.SplitSeq(strings.Join(ask.Header["Connection"], ","), ",") {
		ask.Header.Del(strings.TrimSpace(name)) // as its RemoveConnectionHeaders does
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Te", "Trailers", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		ask.Header.Del(name)
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	maps.Copy(ask.Header, http.Header{
		"X-Forwarded-For": {client}, "X-Forwarded-Method": {r.Method}, "X-Forwarded-Proto": {"http"},
		"X-Forwarded-Host": {r.Host}, "X-Forwarded-Uri": {r.URL.RequestURI()},
	})
	answer, err := http.DefaultTransport.RoundTrip(ask)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode >= 300 {
		maps.Copy(w.Header(), answer.Header)
		// Traefik resolves it by the address that it asked at.
		if location, err := answer.Location(); err == nil {
			w.Header().Set("Location", location.String())
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	for _, name := range tr.copied {
		name = http.CanonicalHeaderKey(name)
		r.Header.Del(name)
		if values := answer.Header[name]; len(values) > 0 {
			r.Header[name] = values
		}
	}
	tr.app.ServeHTTP(w, r)
}

func TestTraefik(t *testing.T) {
	testFront(t, startTraefik, func(cfg *Config) { cfg.Front.Host = true })
}
