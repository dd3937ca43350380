package site_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

func TestHosts(t *testing.T) {
	hosts := []string{"www.soc.example", "soc.example:8443", ".clubs.example", ".dev.example:8080", "[2001:db8::1]", "[2001:DB8:0::2]:8443", "192.0.2.1", "Old.SOC.example.", "my_app"}
	tests := []struct {
		name, host string
		https      bool
		want       string // the host that the handler sees; empty for 421
		link       string // origin of URL
	}{
		{"BaseURL's", "soc.example", true, "soc.example", base},
		{"BaseURL's by http", "soc.example", false, "soc.example", base},
		{"alias", "www.soc.example", true, "www.soc.example", "https://www.soc.example"},
		{"upper case", "WWW.Soc.Example", true, "www.soc.example", "https://www.soc.example"},
		{"final dot", "soc.example.", true, "soc.example", base},
		{"final dot and port", "soc.example.:443", true, "soc.example", base},
		{"entry in other spelling", "old.soc.example", true, "old.soc.example", "https://old.soc.example"},
		{"underscore", "my_app", true, "my_app", "https://my_app"},
		{"two final dots", "soc.example..", true, "", ""},
		{"dot in front", ".soc.example", true, "", ""},
		{"below BaseURL's", "evil.soc.example", true, "", ""},
		{"beside BaseURL's", "evilsoc.example", true, "", ""},
		{"BaseURL's as a prefix", "soc.example.evil.example", true, "", ""},

		{"default port of https", "soc.example:443", true, "soc.example", base},
		{"default port of http", "soc.example:80", false, "soc.example", base},
		{"BaseURL's default port, by http", "soc.example:443", false, "soc.example", base},
		{"http's default port, by https", "soc.example:80", true, "", ""},
		{"port", "soc.example:8443", true, "soc.example:8443", "https://soc.example:8443"},
		{"wrong port", "soc.example:8444", true, "", ""},
		{"port of another host", "www.soc.example:8443", true, "", ""},
		{"empty port", "soc.example:", true, "", ""},
		{"port with a zero", "soc.example:0443", true, "", ""},
		{"port with a sign", "soc.example:+443", true, "", ""},
		{"port zero", "soc.example:0", true, "", ""},
		{"huge port", "soc.example:65979", true, "", ""},
		{"two ports", "soc.example:443:443", true, "", ""},

		{"below a suffix", "chess.clubs.example", true, "chess.clubs.example", base},
		{"far below a suffix", "a.b.Clubs.example.", true, "a.b.clubs.example", base},
		{"a suffix's own name", "clubs.example", true, "clubs.example", base},
		{"suffix with the default port", "chess.clubs.example:443", true, "chess.clubs.example", base},
		{"suffix with a port", "x.dev.example:8080", true, "x.dev.example:8080", base},
		{"suffix with a port, own name", "dev.example:8080", true, "dev.example:8080", base},
		{"suffix without its port", "x.dev.example", true, "", ""},
		{"suffix with another port", "chess.clubs.example:8080", true, "", ""},
		{"beside a suffix", "evilclubs.example", true, "", ""},
		{"suffix as a prefix", "clubs.example.evil.example", true, "", ""},
		{"empty label below a suffix", "..clubs.example", true, "", ""},
		{"only the suffix", ".clubs.example", true, "", ""},
		{"odd characters below a suffix", "a/b.clubs.example", true, "", ""},
		{"user name below a suffix", "user@x.clubs.example", true, "", ""},
		{"escape below a suffix", "%2f.clubs.example", true, "", ""},
		{"other script below a suffix", "é.clubs.example", true, "", ""},
		{"long label below a suffix", strings.Repeat("a", 64) + ".clubs.example", true, "", ""},
		{"long name below a suffix", strings.Repeat("a.", 130) + "clubs.example", true, "", ""},

		{"IPv6", "[2001:db8::1]", true, "[2001:db8::1]", "https://[2001:db8::1]"},
		{"IPv6 written at length", "[2001:0DB8:0:0::0:1]", true, "[2001:db8::1]", "https://[2001:db8::1]"},
		{"IPv6 with the default port", "[2001:db8::1]:443", true, "[2001:db8::1]", "https://[2001:db8::1]"},
		{"IPv6 with a port", "[2001:db8::2]:8443", true, "[2001:db8::2]:8443", "https://[2001:db8::2]:8443"},
		{"IPv6 with another port", "[2001:db8::1]:8443", true, "", ""},
		{"IPv6 without brackets", "2001:db8::1", true, "", ""},
		{"IPv6 with a zone", "[2001:db8::1%25eth0]", true, "", ""},
		{"IPv6 with more after it", "[2001:db8::1]x", true, "", ""},
		{"IPv6 not closed", "[2001:db8::1", true, "", ""},
		{"name in brackets", "[soc.example]", true, "", ""},
		{"IPv4", "192.0.2.1", true, "192.0.2.1", "https://192.0.2.1"},
		{"IPv4 in brackets", "[192.0.2.1]", true, "", ""},
		{"IPv4 within IPv6", "[::ffff:192.0.2.1]", true, "", ""},
		{"IPv4 in other notation", "192.0.513", true, "", ""},
		{"none", "", true, "", ""},
		{"blank", " ", true, "", ""},
		{"blank at the end", "soc.example ", true, "", ""},
		{"list", "soc.example, evil.example", true, "", ""},
		{"with a path", "soc.example/evil", true, "", ""},
		{"with a scheme", "https://soc.example", true, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, log := newSite(t, site.Config{BaseURL: base, Hosts: hosts})
			r := get("192.0.2.9:1234")
			r.Host = tt.host
			if tt.https {
				r.TLS = &tls.ConnectionState{}
			}
			var seen recorder
			w := httptest.NewRecorder()
			s.Handler(&seen).ServeHTTP(w, r)
			assert.Equal(t, tt.host, r.Host, "the request that came in is left alone")
			if tt.want == "" {
				assert.Nil(t, seen.r, "the handler ran")
				assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
				assert.Contains(t, log.String(), "site misdirected")
				return
			}
			require.NotNil(t, seen.r)
			assert.Equal(t, tt.want, seen.r.Host)
			assert.Equal(t, tt.link+"/x", site.URL(seen.r, "/x"))
			assert.Empty(t, log.String())
		})
	}
}

func TestHostsMistakes(t *testing.T) {
	tests := []struct{ name, entry, want string }{
		{"scheme", "https://www.soc.example", "without scheme and path"},
		{"path", "www.soc.example/", "without scheme and path"},
		{"user", "me@soc.example", "without scheme and path"},
		{"everybody", "*", "name the hosts"},
		{"asterisk", "*.soc.example", "put a dot in front, as .soc.example"},
		{"empty", "", "it is empty"},
		{"dot", ".", "it is empty"},
		{"other script", "été.example", "xn--"},
		{"blank", "soc example", "use letters, digits"},
		{"empty label", "soc..example", "63 between two dots"},
		{"long", strings.Repeat("a.", 150) + "example", "at most 253"},
		{"no port", "soc.example:", "1 to 65535"},
		{"port as a name", "soc.example:http", "1 to 65535"},
		{"port with a zero", "www.soc.example:08443", "1 to 65535"},
		{"IPv4 in brackets", "[192.0.2.1]", "write IPv6 addresses in brackets"},
		{"default port", "www.soc.example:443", "leave port 443 out"},
		{"other default port", "www.soc.example:80", "leave port 80 out"},
		{"bare IPv6", "2001:db8::1", "in brackets"},
		{"zone", "[fe80::1%eth0]", "without a zone"},
		{"port after brackets", "[2001:db8::1]8443", "1 to 65535"},
		{"short IPv4", "127.1", "no IPv4 address"},
		{"hexadecimal IPv4", "0x7f.0.0.0x1", "no IPv4 address"},
		{"huge number", "1.99999999999999999999", "no IPv4 address"},
		{"below an address", ".192.0.2.1", "remove the dot"},
		{"below an IPv6 address", ".[2001:db8::1]", "remove the dot"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := site.New(site.Config{BaseURL: base, Hosts: []string{"www.soc.example", tt.entry}})
			require.ErrorContains(t, err, "site: Config.Hosts: ")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestMisdirectedPage(t *testing.T) {
	s, log := newSite(t, site.Config{BaseURL: "https://soc.example/a&b"})
	r := get("192.0.2.9:1234")
	r.Host = "evil.example\"<script>\n" + strings.Repeat("x", 1000)
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	s.Handler(http.NotFoundHandler()).ServeHTTP(w, r)

	body := w.Body.String()
	assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
	assert.Contains(t, body, `href="https://soc.example/a&amp;b">`)
	assert.NotContains(t, body, "script")
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	assert.Less(t, log.Len(), 500)
	assert.Equal(t, 1, strings.Count(log.String(), "\n"))
	assert.Contains(t, log.String(), `client=192.0.2.9`)
	ref := regexp.MustCompile(`<code>([A-Z2-7]{8})</code>`).FindStringSubmatch(body)
	require.NotNil(t, ref, body)
	assert.Contains(t, log.String(), " ref="+ref[1])

	log.Reset()
	r.Host = "évil.example\x00"
	s.Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	assert.Contains(t, log.String(), `\u00e9vil.example\x00`)
	log.Reset()
	r.Host = "evil.example"
	s.Handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	assert.Contains(t, log.String(), " host=evil.example\n")

	r.Header.Del("Accept") // those who look for holes, say: they get little
	w = httptest.NewRecorder()
	s.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
	assert.Equal(t, "This site is at https://soc.example/a&b.\n", w.Body.String())

	r.Method = http.MethodHead
	w = httptest.NewRecorder()
	s.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Equal(t, http.StatusMisdirectedRequest, w.Code)
}

func TestOnMisdirected(t *testing.T) {
	var told string
	cfg := site.Config{BaseURL: base, OnMisdirected: func(r *http.Request) {
		told = r.Host + " " + site.URL(r, "/") + " " + r.Header.Get("X-Forwarded-For")
	}}
	r := get("192.0.2.9:1234", [2]string{"X-Forwarded-For", "203.0.113.5"})
	r.Host = "evil.example"
	seen, res := send(t, cfg, r)
	assert.Nil(t, seen)
	assert.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)
	assert.Equal(t, "evil.example https://soc.example/ ", told)
}
