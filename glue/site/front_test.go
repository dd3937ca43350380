package site_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// TestRedirectWithoutEnd: a redirect that would bring the browser back to the address that it
// asked for is an error page, and every other one is not.
func TestRedirectWithoutEnd(t *testing.T) {
	const front, stranger = "127.0.0.1:9", "192.0.2.9:9"
	type lines = [][2]string
	proto := func(v string) [2]string { return [2]string{"X-Forwarded-Proto", v} }
	host := func(v string) [2]string { return [2]string{"X-Forwarded-Host", v} }
	secFetch := [2]string{"Sec-Fetch-Site", "none"}
	xf := site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}
	xfHost := xf
	xfHost.Host = true
	rfc := site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.Forwarded}
	const canonical, secure = site.RedirectCanonical, site.RedirectHTTPS
	for _, row := range []struct {
		name     string
		proxies  site.Proxies
		redirect site.Redirect
		host     string // in Host; soc.example if empty
		from     string
		lines    lines
		asks     bool   // the front server does not pass anything on
		reason   string // of the error page; empty for none
		want     string // where it leads to; empty where it is served
	}{
		{name: "no scheme", proxies: xf, redirect: secure, from: front, reason: "front-scheme"},
		{name: "no scheme, canonical", proxies: xf, redirect: canonical, from: front, reason: "front-scheme"},
		{name: "no scheme, another host", proxies: xf, redirect: canonical, host: "www.soc.example", from: front, reason: "front-scheme"},
		{name: "a scheme that is none", proxies: xf, redirect: secure, from: front, lines: lines{proto("on")}, reason: "front-scheme"},
		{name: "an empty scheme", proxies: xf, redirect: secure, from: front, lines: lines{proto("")}, reason: "front-scheme"},
		{name: "several, the nearest is none", proxies: xf, redirect: secure, from: front, lines: lines{proto("https, on")}, reason: "front-scheme"},
		{name: "in a header that is not read", proxies: xf, redirect: secure, from: front, lines: lines{{"X-Forwarded-Ssl", "on"}}, reason: "front-scheme"},
		{name: "in the other form", proxies: rfc, redirect: secure, from: front, lines: lines{proto("https")}, reason: "front-scheme"},
		{name: "element without proto", proxies: rfc, redirect: secure, from: front, lines: lines{{"Forwarded", "for=192.0.2.1"}}, reason: "front-scheme"},
		{name: "http by the second server, https by the browser", proxies: xf, redirect: secure, from: front, lines: lines{proto("https, http"), secFetch}, reason: "front-scheme"},
		{name: "http, and https by the browser", proxies: xf, redirect: canonical, from: front, lines: lines{proto("http"), secFetch}, reason: "front-scheme"},
		{name: "nobody is named, https by the browser", redirect: secure, from: front, lines: lines{secFetch}, reason: "front-scheme"},
		{name: "another server than those named", proxies: xf, redirect: secure, from: stranger, lines: lines{secFetch, proto("https")}, reason: "front-scheme"},
		{name: "a person, and nothing else", proxies: xf, redirect: secure, from: front, asks: true, lines: lines{{"Accept", "text/html"}}, reason: "front-scheme"},
		{name: "the front server asks for itself", proxies: xf, redirect: secure, from: front, asks: true, want: base},
		{name: "the front server asks for itself, with a host", proxies: xfHost, redirect: canonical, host: "www.soc.example", from: front, asks: true, lines: lines{{"User-Agent", "probe"}}, want: base},
		{name: "http, said", proxies: xf, redirect: secure, from: front, lines: lines{proto("http")}, want: base},
		{name: "http, said in Forwarded", proxies: rfc, redirect: secure, from: front, lines: lines{{"Forwarded", "proto=http"}}, want: base},
		{name: "https, said", proxies: xf, redirect: secure, from: front, lines: lines{proto("https"), secFetch}},
		{name: "several, the nearest counts", proxies: xf, redirect: secure, from: front, lines: lines{proto("http, https"), secFetch}},
		{name: "no front server", redirect: secure, from: stranger, want: base},
		{name: "past the front server", proxies: xf, redirect: secure, from: stranger, want: base},
		{name: "an alias by https", proxies: xf, redirect: canonical, host: "www.soc.example", from: front, lines: lines{proto("https"), secFetch}, want: base},
		{name: "an alias, passed on", proxies: xf, redirect: canonical, host: "www.soc.example", from: front, lines: lines{proto("https"), host("www.soc.example")}, want: base},
		{name: "Host is not the browser's", proxies: xf, redirect: canonical, host: "www.soc.example", from: front, lines: lines{proto("https"), host("soc.example")}, reason: "front-host"},
		{name: "Host is not the browser's, by http", redirect: canonical, host: "www.soc.example", from: stranger, lines: lines{host("soc.example")}, want: base},
		{name: "Host is an alias, and no other is named", proxies: xfHost, redirect: canonical, host: "www.soc.example", from: front, lines: lines{proto("https")}, reason: "front-host"},
		{name: "the other name is named", proxies: xfHost, redirect: canonical, host: "www.soc.example", from: front, lines: lines{proto("https"), host("soc.example")}},
		{name: "the alias is named", proxies: xfHost, redirect: canonical, host: "10.0.0.1", from: front, lines: lines{proto("https"), host("www.soc.example")}, want: base},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, log := newSite(t, site.Config{BaseURL: base, Hosts: []string{"www.soc.example"}, Proxies: row.proxies, Redirect: row.redirect})
			var seen recorder
			ask := func() *http.Response {
				r := get(row.from, row.lines...)
				if !row.asks && row.from == front {
					r.Header.Set("X-Forwarded-For", "203.0.113.5") // which all of them write
				}
				if row.host != "" {
					r.Host = row.host
				}
				w := httptest.NewRecorder()
				s.Handler(&seen).ServeHTTP(w, r)
				return w.Result()
			}
			res := ask()
			if seen.r == nil {
				assert.Equal(t, []string{"no-store"}, res.Header["Cache-Control"])
			}
			if row.reason == "" {
				assert.NotContains(t, log.String(), "set up wrongly")
				assert.Equal(t, row.want == "", seen.r != nil)
				assert.Equal(t, row.want, strings.TrimSuffix(res.Header.Get("Location"), "/page?q=1"))
				return
			}
			assert.Nil(t, seen.r)
			assert.Empty(t, res.Header.Get("Location"))
			assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
			require.Equal(t, http.StatusInternalServerError, ask().StatusCode)
			assert.Equal(t, 1, strings.Count(log.String(), "a front server is set up wrongly"), "once is enough: %s", log)
			assert.Equal(t, 2, strings.Count(log.String(), `msg="site front-server" event=front-server reason=`+row.reason), log.String())
		})
	}
}

// TestRedirectWithoutEnd_words: the page is for people, the log for operators.
func TestRedirectWithoutEnd_words(t *testing.T) {
	const apache, nginx = "RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}", "proxy_set_header X-Forwarded-Proto $scheme"
	for _, row := range []struct {
		name    string
		proxies site.Proxies
		host    string
		lines   [][2]string
		want    []string
	}{
		{name: "no scheme", proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}, lines: [][2]string{{"X-Forwarded-Ssl", "on"}, {"X-Forwarded-Proto", "1\n"}}, want: []string{
			"the front server at 127.0.0.1 does not say in X-Forwarded-Proto whether people came by https", "what it sends is not read: X-Forwarded-Proto with the value 1\\\\n, X-Forwarded-Ssl", apache, nginx}},
		{name: "on a unix socket", proxies: site.Proxies{UnixSocket: true, Header: site.Forwarded}, want: []string{
			"the front server at the unix socket does not say in proto= of Forwarded", "write proto=https, or proto=http, into its element of Forwarded"}},
		{name: "wrong scheme", proxies: site.Proxies{Count: 1, Header: site.XForwarded}, lines: [][2]string{{"X-Forwarded-Proto", "http"}, {"Sec-Fetch-Site", "none"}}, want: []string{
			"says in X-Forwarded-Proto that people came by http, and their browsers used https", "if another server in front of it ends TLS"}},
		{name: "nobody is named", lines: [][2]string{{"Sec-Fetch-Site", "none"}}, want: []string{
			"people came by https, and not to this program: what connects from 127.0.0.1 ends TLS, and Proxies does not name it", apache}},
		{name: "host", host: "www.soc.example", proxies: site.Proxies{Count: 1, Header: site.XForwarded}, lines: [][2]string{{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "soc.example"}}, want: []string{
			"people asked for https://soc.example, as X-Forwarded-Host says", "ProxyPreserveHost On"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, log := newSite(t, site.Config{BaseURL: base, Hosts: []string{"www.soc.example"}, Proxies: row.proxies, Redirect: site.RedirectCanonical})
			r := get("127.0.0.1:9", append(row.lines, [2]string{"Accept", "text/html"}, [2]string{"Sec-Fetch-Mode", "navigate"}, [2]string{"Sec-Fetch-Dest", "document"})...)
			if row.proxies.UnixSocket {
				r.RemoteAddr = "@"
			}
			if row.host != "" {
				r.Host = row.host
			}
			w := httptest.NewRecorder()
			s.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
			require.Contains(t, w.Body.String(), "This page is out of order")
			for _, words := range row.want {
				assert.Contains(t, log.String(), words)
				assert.NotContains(t, w.Body.String(), words)
			}
			_, rest, _ := strings.Cut(log.String(), " ref=")
			ref, _, _ := strings.Cut(rest, " ")
			assert.NotEmpty(t, ref)
			assert.Contains(t, w.Body.String(), ref)
		})
	}
}

// TestSchemeUnsaid: also where nothing is redirected, the log says once what the front server
// lacks.
func TestSchemeUnsaid(t *testing.T) {
	proxies := site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}
	for _, row := range []struct {
		name, base, proto string
		want              int
	}{
		{"unsaid", base, "", 1},
		{"said", base, "https", 0},
		{"said, http", base, "http", 0},
		{"a site on http", "http://localhost", "", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, log := newSite(t, site.Config{BaseURL: row.base, Proxies: proxies})
			for range 3 {
				r := get("127.0.0.1:9", [2]string{"X-Forwarded-For", "203.0.113.5"})
				_, r.Host, _ = strings.Cut(row.base, "://")
				if row.proto != "" {
					r.Header.Set("X-Forwarded-Proto", row.proto)
				}
				var seen recorder
				s.Handler(&seen).ServeHTTP(httptest.NewRecorder(), r)
				assert.NotNil(t, seen.r, "it is served")
			}
			assert.Equal(t, row.want, strings.Count(log.String(), "RequestHeader set X-Forwarded-Proto"), log.String())
		})
	}
}

// TestSecFetchOnLoopback: there browsers send Sec-Fetch-Site by http as well.
func TestSecFetchOnLoopback(t *testing.T) {
	for _, host := range []string{"localhost:8443", "127.0.0.1:8443", "club.localhost:8443"} {
		r := get("127.0.0.1:9", [2]string{"Sec-Fetch-Site", "none"})
		r.Host = host
		_, res := send(t, site.Config{BaseURL: "https://" + host, Redirect: site.RedirectHTTPS}, r)
		assert.Equal(t, "https://"+host+"/page?q=1", res.Header.Get("Location"))
	}
}

func TestMisdirectedSaysWhy(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: base, Proxies: site.Proxies{Count: 1, Header: site.XForwarded}})
	r := get("127.0.0.1:9", [2]string{"X-Forwarded-Proto", "https"}, [2]string{"X-Forwarded-Host", "soc.example"})
	r.Host = "10.0.0.7:8080"
	w := httptest.NewRecorder()
	s.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
	assert.Contains(t, log.String(), "people asked for https://soc.example, as X-Forwarded-Host says, and the front server at 127.0.0.1 wrote another name into Host")
}

func TestRedirectHandler(t *testing.T) {
	for _, row := range []struct {
		name, base, host, from, method, target string
		lines                                  [][2]string
		status                                 int
		want                                   string
	}{
		{name: "a page", host: "soc.example", target: "/a?b=%2F", status: 307, want: base + "/a?b=%2F"},
		{name: "whatever the host", host: "evil.example", target: "//evil.example/", status: 307, want: base + "//evil.example/"},
		{name: "a form", host: "soc.example", method: "POST", target: "/a", status: 307, want: base + "/a"},
		{name: "absolute form", host: "evil.example", target: "http://evil.example/a", status: 307, want: base + "/a"},
		{name: "no page", host: "soc.example", method: "OPTIONS", target: "*", status: 400},
		{name: "a tunnel", host: "evil.example:443", method: "CONNECT", target: "evil.example:443", status: 400},
		{name: "behind what ends TLS", host: "soc.example", target: "/a", lines: [][2]string{{"Sec-Fetch-Site", "none"}}, status: 500},
		{name: "behind a front server that says nothing", host: "soc.example", target: "/a", from: "127.0.0.1:9", status: 307, want: base + "/a"},
		{name: "behind one that says http", host: "soc.example", target: "/a", from: "127.0.0.1:9", lines: [][2]string{{"X-Forwarded-Proto", "http"}}, status: 307, want: base + "/a"},
		{name: "behind one that says https", host: "soc.example", target: "/a", from: "127.0.0.1:9", lines: [][2]string{{"X-Forwarded-Proto", "https"}}, status: 500},
		{name: "an alias, behind one that says https", host: "www.soc.example", target: "/a", from: "127.0.0.1:9", lines: [][2]string{{"X-Forwarded-Proto", "https"}, {"Sec-Fetch-Site", "none"}}, status: 307, want: base + "/a"},
		{name: "an alias, behind what ends TLS", host: "www.soc.example", target: "/a", lines: [][2]string{{"Sec-Fetch-Site", "none"}}, status: 307, want: base + "/a"},
		{name: "to http", base: "http://localhost:8080", host: "localhost", target: "/a", lines: [][2]string{{"Sec-Fetch-Site", "none"}}, status: 307, want: "http://localhost:8080/a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := site.Config{BaseURL: row.base, Hosts: []string{"www.soc.example"}, Proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}}
			if cfg.BaseURL == "" {
				cfg.BaseURL = base
			}
			s, _ := newSite(t, cfg)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if row.method != "" {
				r.Method = row.method
			}
			r.Host, r.RequestURI = row.host, row.target
			if row.from != "" {
				r.RemoteAddr = row.from
			}
			for _, l := range row.lines {
				r.Header.Add(l[0], l[1])
			}
			w := httptest.NewRecorder()
			s.RedirectHandler().ServeHTTP(w, r)
			assert.Equal(t, row.status, w.Code)
			assert.Equal(t, row.want, w.Header().Get("Location"))
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			assert.Equal(t, "close", w.Header().Get("Connection"))
		})
	}
}

// TestSchemeSaidOfHTTPSAlone: HAProxy is often told to write X-Forwarded-Proto for https only.
// The log says what is wrong with that; people who come by http are sent on.
func TestSchemeSaidOfHTTPSAlone(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: base, Redirect: site.RedirectHTTPS, Proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}})
	ask := func(lines ...[2]string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler(http.NotFoundHandler()).ServeHTTP(w, get("127.0.0.1:9", append(lines, [2]string{"X-Forwarded-For", "203.0.113.5"})...))
		return w
	}
	assert.Equal(t, http.StatusNotFound, ask([2]string{"X-Forwarded-Proto", "https"}).Code)
	assert.Equal(t, base+"/page?q=1", ask().Header().Get("Location"))
	assert.Contains(t, log.String(), "set up wrongly")
	assert.Equal(t, http.StatusInternalServerError, ask([2]string{"Sec-Fetch-Site", "none"}).Code, "that came by https")
}

// TestAdviceByStrangers: anybody can look like a front server that is not named. The log does
// not say to trust them, and still has its advice about the real one.
func TestAdviceByStrangers(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: base, Redirect: site.RedirectHTTPS, Proxies: site.Proxies{Ranges: prefixes("127.0.0.0/8"), Header: site.XForwarded}})
	ask := func(from string, lines ...[2]string) {
		s.Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), get(from, lines...))
	}
	ask("203.0.113.66:9", [2]string{"Sec-Fetch-Site", "none"})
	assert.Contains(t, log.String(), "any client can bring this line about")
	ask("127.0.0.1:9", [2]string{"X-Forwarded-For", "203.0.113.5"})
	assert.Contains(t, log.String(), "the front server at 127.0.0.1 does not say")
	assert.Equal(t, 2, strings.Count(log.String(), "set up wrongly"))
}
