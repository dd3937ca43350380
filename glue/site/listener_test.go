package site_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// view is what a handler behind a Site knows of a request.
type view struct {
	Client, Scheme, Host, Link, Path string
	Header                           http.Header
}

func show(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(view{
		Client: site.ClientIP(r).String(), Scheme: site.Scheme(r), Host: r.Host,
		Link: site.URL(r, "/x"), Path: r.URL.String(), Header: r.Header,
	})
}

// listen serves handler on a listener of its own until the test ends.
func listen(t *testing.T, l net.Listener, handler http.Handler) {
	t.Helper()
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
}

// raw sends bytes over a new connection and reads one answer.
func raw(t *testing.T, network, addr, text string) (*http.Response, view) {
	t.Helper()
	conn, err := net.Dial(network, addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var v view
	if res.StatusCode == http.StatusOK {
		require.NoError(t, json.Unmarshal(body, &v))
	}
	return res, v
}

func TestRawRequests(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	s, _ := newSite(t, site.Config{BaseURL: fmt.Sprintf("http://localhost:%d", port), Hosts: []string{"soc.example"}})
	listen(t, l, s.Handler(http.HandlerFunc(show)))
	home := fmt.Sprintf("localhost:%d", port)

	tests := []struct {
		name, text string
		status     int
		host, path string
	}{
		{"usual", "GET /a HTTP/1.1\r\nHost: " + home + "\r\n\r\n", 200, home, "/a"},
		{"name of another case", "GET /a HTTP/1.1\r\nhOST: LOCALHOST:" + fmt.Sprint(port) + "\r\n\r\n", 200, home, "/a"},
		{"other host", "GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "", ""},
		{"address", fmt.Sprintf("GET /a HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", port), 421, "", ""},
		{"no Host", "GET /a HTTP/1.1\r\n\r\n", 400, "", ""},
		{"empty Host", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", 421, "", ""},
		{"two Hosts", "GET /a HTTP/1.1\r\nHost: " + home + "\r\nHost: evil.example\r\n\r\n", 400, "", ""},
		{"the same Host twice", "GET /a HTTP/1.1\r\nHost: " + home + "\r\nHost: " + home + "\r\n\r\n", 400, "", ""},
		{"list of Hosts", "GET /a HTTP/1.1\r\nHost: " + home + ", evil.example\r\n\r\n", 400, "", ""},
		{"HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", 421, "", ""},
		{"HTTP/1.0 with Host", "GET /a HTTP/1.0\r\nHost: soc.example\r\n\r\n", 200, "soc.example", "/a"},
		{"HTTP/1.0 with two Hosts", "GET /a HTTP/1.0\r\nHost: soc.example\r\nHost: evil.example\r\n\r\n", 400, "", ""},
		// RFC 9112 section 3.2.2: Host is ignored then.
		{"absolute form", "GET http://soc.example/a HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200, "soc.example", "/a"},
		{"absolute form for another host", "GET http://evil.example/a HTTP/1.1\r\nHost: soc.example\r\n\r\n", 421, "", ""},
		{"absolute form that claims https", "GET https://soc.example/a HTTP/1.1\r\nHost: soc.example\r\n\r\n", 200, "soc.example", "/a"},
		{"absolute form with a user name", "GET http://soc.example@evil.example/a HTTP/1.1\r\nHost: soc.example\r\n\r\n", 421, "", ""},
		{"path with two slashes", "GET //evil.example/a HTTP/1.1\r\nHost: soc.example\r\n\r\n", 200, "soc.example", "//evil.example/a"},
		{"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: soc.example\r\n\r\n", 421, "", ""},
		{"POST for another host", "POST /a HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabc", 421, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, v := raw(t, "tcp", l.Addr().String(), tt.text)
			assert.Equal(t, tt.status, res.StatusCode)
			assert.Equal(t, tt.host, v.Host)
			assert.Equal(t, tt.path, v.Path)
			if tt.status == 200 {
				assert.Equal(t, "127.0.0.1", v.Client)
				assert.Equal(t, "http", v.Scheme)
				assert.Equal(t, "nosniff", res.Header.Get(nosniff))
			}
		})
	}
}

func TestRawForwarding(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s, _ := newSite(t, site.Config{BaseURL: base, Proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}})
	listen(t, l, s.Handler(http.HandlerFunc(show)))
	_, v := raw(t, "tcp", l.Addr().String(), "GET / HTTP/1.1\r\nHost: soc.example\r\n"+
		"x-forwarded-for: 198.51.100.66\r\nX-FORWARDED-FOR: 203.0.113.5\r\nX_Forwarded_For: 198.51.100.66\r\nX-Forwarded-Proto: https\r\n"+
		"x_forwarded-proto: http\r\nForwarded: for=198.51.100.66\r\nX-REAL-IP: 198.51.100.66\r\nAccept: a\r\n\r\n")
	assert.Equal(t, view{Client: "203.0.113.5", Scheme: "https", Host: "soc.example", Link: "https://soc.example/x", Path: "/", Header: http.Header{"Accept": {"a"}}}, v)
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	s, _ := newSite(t, site.Config{BaseURL: base, Proxies: site.Proxies{UnixSocket: true, Header: site.XForwarded}})
	listen(t, l, s.Handler(http.HandlerFunc(show)))
	const text = "GET / HTTP/1.1\r\nHost: soc.example\r\nX-Forwarded-For: 198.51.100.66, 203.0.113.5\r\nX-Forwarded-Proto: https\r\n\r\n"
	_, v := raw(t, "unix", path, text)
	assert.Equal(t, "203.0.113.5", v.Client)
	assert.Equal(t, "https", v.Scheme)

	// The same without the option believes nobody.
	untrusting := filepath.Join(t.TempDir(), "s")
	l, err = net.Listen("unix", untrusting)
	require.NoError(t, err)
	s, _ = newSite(t, site.Config{BaseURL: base, Proxies: site.Proxies{Count: 1, Header: site.XForwarded}})
	listen(t, l, s.Handler(http.HandlerFunc(show)))
	_, v = raw(t, "unix", untrusting, text)
	assert.Equal(t, "invalid IP", v.Client)
	assert.Equal(t, "http", v.Scheme)
}

// Two real proxies in a row, of which the outer one believes no client.
func TestThroughReverseProxies(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s, _ := newSite(t, site.Config{BaseURL: base, Proxies: site.Proxies{Count: 2, Header: site.XForwarded, Host: true}})
	listen(t, l, s.Handler(http.HandlerFunc(show)))

	forward := func(to string, trusting bool) *httptest.Server {
		target, err := url.Parse(to)
		require.NoError(t, err)
		proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if trusting {
				r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			}
			r.SetXForwarded()
			if trusting {
				r.Out.Header["X-Forwarded-Host"] = r.In.Header["X-Forwarded-Host"]
			}
		}})
		t.Cleanup(proxy.Close)
		return proxy
	}
	inner := forward("http://"+l.Addr().String(), true)
	outer := forward(inner.URL, false)
	_, v := raw(t, "tcp", outer.Listener.Addr().String(), "GET /a HTTP/1.1\r\nHost: soc.example\r\nX-Forwarded-For: 198.51.100.66\r\nX-Forwarded-Host: evil.example\r\n\r\n")
	assert.Equal(t, "127.0.0.1", v.Client)
	assert.Equal(t, "soc.example", v.Host)
	assert.Equal(t, "/a", v.Path)
}

func TestOverTLS(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: "https://example.com", Redirect: site.RedirectCanonical, Headers: site.Headers{HSTS: site.HSTS{MaxAge: 60e9}}})
	server := httptest.NewUnstartedServer(s.Handler(http.HandlerFunc(show)))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := server.Client()
	for host, want := range map[string]int{"example.com": 200, "evil.example": 421} {
		req, err := http.NewRequest(http.MethodGet, server.URL+"/a", nil)
		require.NoError(t, err)
		req.Host = host
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, res.StatusCode)
		assert.Equal(t, 2, res.ProtoMajor)
		if want == 200 {
			assert.Equal(t, "max-age=60", res.Header.Get(hsts))
		} else {
			assert.Empty(t, res.Header.Get(hsts))
		}
	}
}
