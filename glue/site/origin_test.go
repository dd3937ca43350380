package site_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestOrigins(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: "https://Soc.example:443/a/", Hosts: []string{"www.soc.example", ".other.example", "soc.example:8443", "[2001:DB8:0::1]"}})
	assert.Equal(t, []string{"https://soc.example", "https://www.soc.example", "https://soc.example:8443", "https://[2001:db8::1]"}, s.Origins())
	assert.Equal(t, "/a", s.Path())
	for host, want := range map[string]string{
		"soc.example":         "https://soc.example",
		"SOC.example":         "https://soc.example",
		"soc.example:443":     "https://soc.example",
		"Www.Soc.Example:443": "https://www.soc.example",
		"soc.example:8443":    "https://soc.example:8443",
		"[2001:db8::1]":       "https://[2001:db8::1]",
		"[2001:db8:0::1]":     "",
		"soc.example.":        "",
		"soc.example:80":      "",
		"soc.example:":        "",
		"a.other.example":     "",
		"other.example":       "",
		"":                    "",
	} {
		origin, ok := s.OriginOf(host)
		assert.Equal(t, want, origin, host)
		assert.Equal(t, want != "", ok, host)
	}
}

func TestOriginMistakes(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg   site.Config
		wants string
	}{
		"host twice":           {site.Config{BaseURL: base, Hosts: []string{"www.soc.example", "WWW.soc.example"}}, "Config.Hosts: host www.soc.example comes twice"},
		"host of BaseURL":      {site.Config{BaseURL: base, Hosts: []string{"soc.example"}}, "Config.Hosts: host soc.example comes twice"},
		"http":                 {site.Config{BaseURL: "http://soc.example"}, "Config.BaseURL: origin http://soc.example is http: use https, or http://localhost for trying things out"},
		"http at another host": {site.Config{BaseURL: "http://localhost", Hosts: []string{"www.soc.example"}, Secret: someSecret()}, "Config.Hosts: origin http://www.soc.example is http"},
		"dot segment":          {site.Config{BaseURL: base + "/a/../b"}, "dot segment"},
		"encoded dot segment":  {site.Config{BaseURL: base + "/a/%2e%2E"}, "dot segment"},
		"empty segment":        {site.Config{BaseURL: base + "/a//b"}, "empty segment"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := site.New(tt.cfg)
			require.ErrorContains(t, err, "site: Config.")
			assert.ErrorContains(t, err, tt.wants)
		})
	}
}

func TestAsked(t *testing.T) {
	for name, tt := range map[string]struct {
		stripped    bool
		uri, url    string
		path, query string
	}{
		"as sent":                 {false, "/a/b%2Fc?d=e", "/b", "/a/b%2Fc", "d=e"},
		"with the prefix removed": {true, "/b?c", "/b", "/club/b", "c"},
		"absolute form":           {false, "http://evil.example/a?b", "/a", "/a", "b"},
		"absolute without a path": {false, "http://evil.example?b", "/", "/", "b"},
		"made by hand":            {false, "", "/a%2Fb?c", "/a%2Fb", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newSite(t, site.Config{BaseURL: base + "/club", PrefixStripped: tt.stripped})
			r := httptest.NewRequest(http.MethodGet, tt.url, nil)
			r.RequestURI = tt.uri
			path, query := s.Asked(r)
			assert.Equal(t, tt.path, path)
			assert.Equal(t, tt.query, query)
		})
	}
}

func TestLocal(t *testing.T) {
	below, _ := newSite(t, site.Config{BaseURL: base + "/club"})
	root, _ := newSite(t, site.Config{BaseURL: base})
	for target, want := range map[string]struct{ below, root bool }{
		"/club":                 {true, true},
		"/club/a?b=//c":         {true, true},
		"/cl%75b/a":             {true, true},
		"/clubs":                {false, true},
		"/":                     {false, true},
		"/club/../a":            {false, true},
		"/club/%2e%2E/a":        {false, true},
		"/club/..%5ca":          {false, true},
		"//evil.example/club":   {},
		"/\\evil.example":       {},
		"https://soc.example/":  {},
		"/club/#a":              {},
		"/club/a b":             {},
		"":                      {},
		"javascript:alert(1)":   {},
		"/club/%zz":             {},
		"/club/a?next=https://": {true, true},
	} {
		assert.Equal(t, want.below, below.Local(target), target)
		assert.Equal(t, want.root, root.Local(target), target)
	}
	require.NoError(t, below.CheckPath("/club/logout"))
	require.ErrorContains(t, below.CheckPath("/logout"), `"/logout" is not below "/club", the path of BaseURL: write it as browsers see it, such as "/club/logout"`)
	require.ErrorContains(t, below.CheckPath("/club/../a"), "dot segment")
	require.ErrorContains(t, below.CheckPath("/good#bye"), "is not a path of this site")
}
