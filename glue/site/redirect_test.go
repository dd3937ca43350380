package site_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestRedirect(t *testing.T) {
	hosts := []string{"www.soc.example", "soc.example:8080", ".clubs.example", "alt.example:8443"}
	const none, secure, canonical = site.RedirectNone, site.RedirectHTTPS, site.RedirectCanonical
	tests := []struct {
		name     string
		redirect site.Redirect
		url      string
		want     string // empty: served
	}{
		{"none, http", none, "http://soc.example/a", ""},
		{"none, alias", none, "https://www.soc.example/a", ""},
		{"https, at home", secure, "https://soc.example/a", ""},
		{"https, http", secure, "http://soc.example/a?b=c", "https://soc.example/a?b=c"},
		{"https, http with port", secure, "http://soc.example:80/a", "https://soc.example/a"},
		{"https, http in other spelling", secure, "http://SOC.example./a", "https://soc.example/a"},
		{"https, alias by https", secure, "https://www.soc.example/a", ""},
		{"https, alias by http", secure, "http://www.soc.example/a", "https://www.soc.example/a"},
		{"https, port by http", secure, "http://soc.example:8080/a", "https://soc.example/a"},
		{"https, port by https", secure, "https://alt.example:8443/a", ""},
		{"https, suffix by http", secure, "http://chess.clubs.example/a", "https://soc.example/a"},
		{"https, suffix by https", secure, "https://chess.clubs.example/a", ""},
		{"https, final dot by https", secure, "https://soc.example./a", ""},
		{"canonical, at home", canonical, "https://soc.example/a", ""},
		{"canonical, at home with port", canonical, "https://soc.example:443/a", ""},
		{"canonical, http", canonical, "http://soc.example/a", "https://soc.example/a"},
		{"canonical, alias", canonical, "https://www.soc.example/a?b", "https://soc.example/a?b"},
		{"canonical, alias by http", canonical, "http://www.soc.example/a", "https://soc.example/a"},
		{"canonical, suffix", canonical, "https://chess.clubs.example/a", "https://soc.example/a"},
		{"canonical, port", canonical, "https://alt.example:8443/a", "https://soc.example/a"},
		{"canonical, final dot", canonical, "https://soc.example./a", "https://soc.example/a"},
		{"canonical, final dot and port", canonical, "https://soc.example.:443/a", "https://soc.example/a"},
		{"escapes stay", canonical, "http://soc.example/%2F%c3%a9/..//x?q=%20+&&", "https://soc.example/%2F%c3%a9/..//x?q=%20+&&"},
		{"two slashes", canonical, "http://soc.example//evil.example/x", "https://soc.example//evil.example/x"},
		{"backslash", canonical, `http://soc.example/\evil.example`, "https://soc.example/%5Cevil.example"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, absolute := range []bool{false, true} {
				r := httptest.NewRequest(http.MethodGet, tt.url, nil)
				if !absolute {
					r.RequestURI = tt.url[len(r.URL.Scheme+"://"+r.URL.Host):]
					r.URL.Scheme, r.URL.Host = "", ""
				}
				seen, res := send(t, site.Config{BaseURL: base, Hosts: hosts, Redirect: tt.redirect}, r)
				if tt.want == "" {
					assert.NotNil(t, seen)
					assert.Empty(t, res.Header.Get("Location"))
					continue
				}
				assert.Nil(t, seen)
				assert.Equal(t, http.StatusTemporaryRedirect, res.StatusCode)
				assert.Equal(t, tt.want, res.Header.Get("Location"))
				assert.Equal(t, []string{"no-store"}, res.Header["Cache-Control"])
			}
		})
	}
}

// TestRedirectStatus: a form stays a POST, and no cache keeps the answer by itself.
func TestRedirectStatus(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
		r := httptest.NewRequest(method, "/form", nil)
		r.Host = "soc.example"
		seen, res := send(t, site.Config{BaseURL: base, Redirect: site.RedirectHTTPS}, r)
		assert.Nil(t, seen)
		assert.Equal(t, http.StatusTemporaryRedirect, res.StatusCode, method)
		assert.Equal(t, "https://soc.example/form", res.Header.Get("Location"))
	}
}

func TestRedirectNeverForOtherHosts(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://evil.example/a", nil)
	_, res := send(t, site.Config{BaseURL: base, Redirect: site.RedirectCanonical}, r)
	assert.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)
	assert.Empty(t, res.Header.Get("Location"))
}

func TestRedirectNeverToHTTP(t *testing.T) {
	cfg := site.Config{BaseURL: "http://localhost:8080", Hosts: []string{"127.0.0.1:8080"}, Redirect: site.RedirectCanonical}
	r := httptest.NewRequest(http.MethodGet, "/a", nil)
	r.Host, r.TLS = "localhost:8080", &tls.ConnectionState{}
	seen, _ := send(t, cfg, r)
	assert.NotNil(t, seen)

	r.TLS = nil
	seen, _ = send(t, cfg, r)
	assert.NotNil(t, seen, "it is where it should be")

	r.Host = "127.0.0.1:8080"
	_, res := send(t, cfg, r)
	assert.Equal(t, "http://localhost:8080/a", res.Header.Get("Location"))
}

func TestRedirectWithPrefix(t *testing.T) {
	tests := []struct {
		name     string
		stripped bool
		want     string
	}{
		{"the path is passed on whole", false, "https://soc.example/a?b"},
		{"the prefix was removed", true, "https://soc.example/club/a?b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/a?b", nil)
			r.Host = "soc.example"
			_, res := send(t, site.Config{BaseURL: base + "/club/", PrefixStripped: tt.stripped, Redirect: site.RedirectHTTPS}, r)
			assert.Equal(t, tt.want, res.Header.Get("Location"))
		})
	}
}

func TestURL(t *testing.T) {
	tests := []struct{ name, path, want string }{
		{"path", "/news/7", "/news/7"},
		{"query", "/news?id=7&x=%20", "/news?id=7&x=%20"},
		{"nothing", "", "/"},
		{"no slash", "news", "/news"},
		{"another host by user name", "@evil.example/", "/@evil.example/"},
		{"another host by suffix", ".evil.example/", "/.evil.example/"},
		{"another port", ":8443/", "/:8443/"},
		{"two slashes", "//evil.example", "//evil.example"},
		{"backslashes", `\\evil.example`, "/%5C%5Cevil.example"},
		{"a whole URL", "https://evil.example", "/https://evil.example"},
		{"line break", "/a\r\nSet-Cookie: b", "/a%0D%0ASet-Cookie:%20b"},
		{"markup", `/"><script>`, "/%22%3E%3Cscript%3E"},
		{"other scripts", "/été", "/%C3%A9t%C3%A9"},
		{"DEL", "/\x7f", "/%7F"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newSite(t, site.Config{BaseURL: base + "/club", PrefixStripped: true})
			assert.Equal(t, base+"/club"+tt.want, s.URL(nil, tt.path))
			s, _ = newSite(t, site.Config{BaseURL: base + "/club"})
			assert.Equal(t, base+tt.want, s.URL(nil, tt.path))
		})
	}
}

func TestURLOfAnotherSite(t *testing.T) {
	seen, _ := send(t, site.Config{BaseURL: "https://other.example", Hosts: []string{"soc.example"}}, get("192.0.2.9:1234"))
	require.NotNil(t, seen)
	assert.Equal(t, "https://soc.example/", site.URL(seen, "/"))
	s, _ := newSite(t, site.Config{BaseURL: "https://third.example"})
	assert.Equal(t, "https://third.example/", s.URL(seen, "/"))
	assert.Empty(t, site.URL(get("192.0.2.9:1234"), "/"), "no configuration to make it from")
}
