package site_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestNewMistakes(t *testing.T) {
	tests := []struct {
		name string
		cfg  site.Config
		want string
	}{
		{"no BaseURL", site.Config{}, "Config.BaseURL is missing"},
		{"no scheme", site.Config{BaseURL: "soc.example"}, "write it such as https://soc.example"},
		{"other scheme", site.Config{BaseURL: "ftp://soc.example"}, "not an absolute http or https URL"},
		{"user", site.Config{BaseURL: "https://me@soc.example"}, "user name"},
		{"query", site.Config{BaseURL: "https://soc.example/?a"}, "must not have a query"},
		{"empty query", site.Config{BaseURL: "https://soc.example/?"}, "must not have a query"},
		{"fragment", site.Config{BaseURL: "https://soc.example/#a"}, "fragment"},
		{"final dot", site.Config{BaseURL: "https://soc.example."}, `write the host "soc.example." as "soc.example"`},
		{"long IPv6", site.Config{BaseURL: "https://[2001:db8:0::1]"}, `as "[2001:db8::1]"`},
		{"short IPv4", site.Config{BaseURL: "https://127.1"}, "no IPv4 address"},
		{"http", site.Config{BaseURL: "http://soc.example"}, "use https"},
		{"redirect to https without any", site.Config{BaseURL: "http://localhost", Redirect: site.RedirectHTTPS}, "no https to go to"},
		{"unknown redirect", site.Config{BaseURL: base, Redirect: "everything"}, `"everything" is none of`},
		{"name of several lines", site.Config{BaseURL: base, SiteName: "Quiz\nSociety"}, `Config.SiteName: "Quiz\nSociety": Leave out characters that cannot be seen.`},
		{"name that turns round", site.Config{BaseURL: base, SiteName: "\u202equiz"}, "cannot be seen"},
		{"name of a blank", site.Config{BaseURL: base, SiteName: " "}, "end with a blank"},
		{"name that piles up", site.Config{BaseURL: base, SiteName: "Q\u0301\u0301uiz"}, "pile up"},
		{"long name", site.Config{BaseURL: base, SiteName: strings.Repeat("é", 61)}, "60 characters"},
		{"no prefix", site.Config{BaseURL: base + "/", PrefixStripped: true}, "no path that could be removed"},
		{"no prefix at all", site.Config{BaseURL: base, PrefixStripped: true}, "no path that could be removed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := site.New(tt.cfg)
			assert.Nil(t, s)
			require.ErrorContains(t, err, "site: Config.")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestNewTellsAllMistakes(t *testing.T) {
	_, err := site.New(site.Config{
		BaseURL: base, Hosts: []string{"*", "a b"}, Redirect: "x",
		Proxies: site.Proxies{Count: -1, Header: "y"}, Headers: site.Headers{CSP: ",", OpenerPolicy: "z"},
	})
	require.Error(t, err)
	assert.Equal(t, 7, len(strings.Split(err.Error(), "\n")), err)
}

func TestNewAllows(t *testing.T) {
	for name, cfg := range map[string]site.Config{
		"loopback":         {BaseURL: "http://localhost:8080"},
		"loopback address": {BaseURL: "http://127.0.0.1"},
		"loopback in IPv6": {BaseURL: "http://[::1]:8080"},
		"path":             {BaseURL: "https://soc.example/club/"},
		"upper case":       {BaseURL: "HTTPS://Soc.Example"},
		"default port":     {BaseURL: "https://soc.example:443"},
		"http on purpose":  {BaseURL: "http://soc.example", InsecureAllowHTTP: true},
		"nil logger":       {BaseURL: base, Logger: nil},
		"name":             {BaseURL: base, SiteName: strings.Repeat("é", 60)},
		"long host":        {BaseURL: "https://" + strings.Repeat("soc.", 20) + "example"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := site.New(cfg)
			assert.NoError(t, err)
		})
	}
}

func TestConfigIsCopied(t *testing.T) {
	hosts, ranges := []string{"www.soc.example"}, prefixes("10.0.0.0/8")
	s, _ := newSite(t, site.Config{BaseURL: base, Hosts: hosts, Proxies: site.Proxies{Ranges: ranges, Header: site.XForwarded}})
	hosts[0] = "evil.example"
	ranges[0] = netip.MustParsePrefix("192.0.2.0/24")

	var seen recorder
	s.Handler(&seen).ServeHTTP(httptest.NewRecorder(), get("192.0.2.1:1", [2]string{"X-Forwarded-For", "198.51.100.66"}))
	require.NotNil(t, seen.r)
	assert.Equal(t, "192.0.2.1", site.ClientIP(seen.r).String())
	r := get("192.0.2.1:1")
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	s.Handler(&seen).ServeHTTP(w, r)
	assert.Equal(t, 421, w.Code)
}

func TestAbsoluteForm(t *testing.T) {
	r := httptest.NewRequest("GET", "https://SOC.example/a?b", nil)
	r.TLS = nil
	seen, _ := send(t, site.Config{BaseURL: base}, r)
	require.NotNil(t, seen)
	assert.Equal(t, "/a?b", seen.URL.String(), "neither scheme nor host for later code to believe")
	assert.Equal(t, "http", site.Scheme(seen), "the client's word is not how it came")
	assert.Equal(t, "https://SOC.example/a?b", r.URL.String(), "the request that came in is left alone")
}
