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

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// envoy does what Envoy's ext_authz filter with an HTTP service is documented, and written,
// to do with the README's configuration: there is no Debian package of it to test with. It
// resolves no dot segments and joins no slashes, as Envoy does neither unless it is told to.
type envoy struct {
	ask      string   // where, with the path_prefix
	upstream []string // allowed_upstream_headers
	client   []string // allowed_client_headers_on_success
	removed  []string // by header_mutation
	open     []string // paths without ext_authz
	app      *httputil.ReverseProxy
	pages    *httputil.ReverseProxy
}

func startEnvoy(t testing.TB, addr, app, gateway string) bool {
	t.Helper()
	config := snippet(t, "envoy.yml", "http://127.0.0.1:8090", gateway)
	all := func(pattern string) (found []string) {
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(config, -1) {
			found = append(found, match[1])
		}
		require.NotEmpty(t, found, pattern)
		return found
	}
	exact := func(list string) []string {
		var names []string
		for _, match := range regexp.MustCompile(`exact: "(.*?)"`).FindAllStringSubmatch(all(list + `: (.*)`)[0], -1) {
			names = append(names, match[1])
		}
		return names
	}
	require.Contains(t, config, `regex: ".*"`, "the gateway gets all headers")
	e := &envoy{
		ask: all(`uri: "(.*?)"`)[0] + all(`path_prefix: "(.*)"`)[0], upstream: exact("allowed_upstream_headers"), client: exact("allowed_client_headers_on_success"),
		removed: all(`remove: "(.*?)"`), open: all(`path: "(.*?)"`), app: proxyTo(t, app), pages: proxyTo(t, gateway),
	}
	for _, match := range regexp.MustCompile(`(?m)^ +([\w-]+): ""$`).FindAllStringSubmatch(snippet(t, "traefik.yml"), -1) {
		e.removed = append(e.removed, match[1])
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: e}}
	server.Start()
	t.Cleanup(server.Close)
	return true
}

func (e *envoy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name := range strings.SplitSeq(strings.Join(r.Header["Connection"], ","), ",") {
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "upgrade") {
			r.Header.Del(name) // as its codec does, before any filter
		}
	}
	if r.Header.Get("Upgrade") == "" {
		r.Header.Del("Connection")
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	r.Header.Set("X-Forwarded-For", client)
	r.Header.Set("X-Forwarded-Proto", "http")
	maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return strings.Contains(name, "_") })
	for _, path := range e.open {
		if r.URL.Path == path && path != "/" {
			e.pages.ServeHTTP(w, r)
			return
		}
	}
	for _, name := range e.removed {
		r.Header.Del(name)
	}
	answer, err := e.check(r)
	if err != nil || answer.StatusCode >= 500 {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	for _, name := range e.upstream {
		if values := answer.Header.Values(name); len(values) > 0 {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	app := *e.app
	app.ModifyResponse = func(resp *http.Response) error {
		for _, name := range e.client {
			resp.Header[http.CanonicalHeaderKey(name)] = append(resp.Header.Values(name), answer.Header.Values(name)...)
		}
		return nil
	}
	app.ServeHTTP(w, r)
}

// check sends the request without its body to the gateway, with the prefix before its path.
func (e *envoy) check(r *http.Request) (*http.Response, error) {
	base, err := url.Parse(e.ask)
	if err != nil {
		return nil, err
	}
	path, query, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "http://"+r.Host), "?")
	ask := &http.Request{
		Method: r.Method, Host: r.Host, Header: http.Header{}, Body: http.NoBody,
		URL: &url.URL{Scheme: base.Scheme, Host: base.Host, Opaque: base.Path + path, RawQuery: query},
	}
	for name, values := range r.Header { // as a map with one value for each name
		sep := ","
		if name == "Cookie" {
			sep = "; "
		}
		ask.Header.Set(name, strings.Join(values, sep))
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Te", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		ask.Header.Del(name)
	}
	return http.DefaultTransport.RoundTrip(ask)
}

func asEnvoy(cfg *Config) { cfg.Front.URL = "path" }

func TestEnvoy(t *testing.T) { testFront(t, startEnvoy, asEnvoy) }

// TestEnvoyForged: the gateway believes nothing that clients write of the question.
func TestEnvoyForged(t *testing.T) {
	w := frontWorld(t, startEnvoy, asEnvoy)
	person := w.loggedIn("test0001")
	for name, value := range map[string]string{
		"X-Forwarded-Uri": "/public/a", "X-Forwarded-Method": "PUT", "X-Forwarded-Host": "wiki.soc.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7",
		"X-Envoy-Original-Path": "/public/a", "X-Original-Uri": "/public/a", "X-Original-Url": w.url + "/public/a",
	} {
		answer := person.get("/named", header(name, value), scripted)
		assert.Equal(t, http.StatusForbidden, answer.StatusCode, name)
		assert.Empty(t, w.backend.take(), name)
	}
	cookies := person.cookieHeader()
	for _, path := range []string{"/../../public/a", "/../auth/public/a", "/./named", "//named", "/%2e%2e/public/a", "/.wls/auth/public/a"} {
		assert.Equal(t, http.StatusForbidden, w.raw("GET "+path+" HTTP/1.1\nHost: "+w.host+"\nSec-Fetch-Mode: cors\nConnection: close\nCookie: "+cookies+"\n\n"), path)
		assert.Empty(t, w.backend.take(), path)
	}
}
