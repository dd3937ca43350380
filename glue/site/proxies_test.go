package site_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Addresses: 203.0.113.x are people, 10.x and 2001:db8:10::x proxies, 198.51.100.66 is
// what liars claim.
func TestProxies(t *testing.T) {
	type lines = [][2]string
	const (
		xff, xfp, xfh, fwd = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"
		tcp                = "10.0.0.1:4711"
	)
	count := func(n int, header site.ProxyHeader) site.Proxies {
		return site.Proxies{Count: n, Header: header, Host: true}
	}
	ranges := func(header site.ProxyHeader) site.Proxies {
		return site.Proxies{Ranges: prefixes("10.0.0.0/8", "2001:db8:10::/48"), Header: header, Host: true}
	}
	socket := site.Proxies{UnixSocket: true, Header: site.XForwarded, Host: true}
	socketCount := site.Proxies{UnixSocket: true, Count: 2, Header: site.Forwarded}
	x, f := site.XForwarded, site.Forwarded
	liar := lines{{xff, "198.51.100.66"}, {xfp, "https"}, {xfh, "www.soc.example"}}

	tests := []struct {
		name    string
		proxies site.Proxies
		from    string
		lines   lines
		client  string // empty: not valid
		scheme  string
		host    string // empty: soc.example
	}{
		{"count 0: nobody is believed", site.Proxies{}, tcp, liar, "10.0.0.1", "http", ""},
		{"count 0, Forwarded", site.Proxies{}, tcp, lines{{fwd, "for=198.51.100.66;proto=https;host=www.soc.example"}}, "10.0.0.1", "http", ""},

		{"count 1", count(1, x), tcp, lines{{xff, "203.0.113.5"}, {xfp, "https"}, {xfh, "www.soc.example"}}, "203.0.113.5", "https", "www.soc.example"},
		{"count 1, no headers", count(1, x), tcp, nil, "10.0.0.1", "http", ""},
		{"count 1, only the scheme", count(1, x), tcp, lines{{xfp, "https"}}, "10.0.0.1", "https", ""},
		{"count 1, lies on the left", count(1, x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5"}, {xfp, "https, http"}, {xfh, "evil.example, www.soc.example"}}, "203.0.113.5", "http", "www.soc.example"},
		{"count 1, lies in lines before", count(1, x), tcp, lines{{xff, "198.51.100.66"}, {xff, "203.0.113.5"}, {xfp, "https"}, {xfp, "http"}, {xfh, "evil.example"}, {xfh, "www.soc.example"}}, "203.0.113.5", "http", "www.soc.example"},
		{"count 1, lies in the other spelling", count(1, x), tcp, lines{{"X_Forwarded_For", "198.51.100.66"}, {"x_forwarded_proto", "https"}}, "10.0.0.1", "http", ""},
		{"count 1, lies in the other family", count(1, x), tcp, lines{{fwd, "for=198.51.100.66;proto=https;host=www.soc.example"}}, "10.0.0.1", "http", ""},
		{"count 1, lower case", count(1, x), tcp, lines{{"x-forwarded-for", "203.0.113.5"}, {"x-forwarded-proto", "HTTPS"}}, "203.0.113.5", "https", ""},
		{"count 1, blanks", count(1, x), tcp, lines{{xff, "198.51.100.66 ,\t203.0.113.5 "}, {xfp, " https "}}, "203.0.113.5", "https", ""},
		{"count 1, malformed", count(1, x), tcp, lines{{xff, "198.51.100.66, nonsense"}, {xfp, "https, nonsense"}}, "10.0.0.1", "http", ""},
		{"count 1, unknown", count(1, x), tcp, lines{{xff, "198.51.100.66, unknown"}}, "10.0.0.1", "http", ""},
		{"count 1, empty entry", count(1, x), tcp, lines{{xff, "198.51.100.66, "}, {xfp, "https,"}, {xfh, "www.soc.example,"}}, "10.0.0.1", "http", ""},
		{"count 1, empty line", count(1, x), tcp, lines{{xff, "198.51.100.66"}, {xff, ""}}, "10.0.0.1", "http", ""},
		{"count 1, nonsense on the left", count(1, x), tcp, lines{{xff, `",;=[::1, 203.0.113.5`}}, "203.0.113.5", "http", ""},
		{"count 1, too long", count(1, x), tcp, lines{{xff, strings.Repeat(" ", 1025)}}, "10.0.0.1", "http", ""},
		{"count 1, long on the left", count(1, x), tcp, lines{{xff, strings.Repeat("9", 100000) + ", 203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"count 1, WebSocket", count(1, x), tcp, lines{{xfp, "wss"}}, "10.0.0.1", "https", ""},
		{"count 1, unencrypted WebSocket", count(1, x), tcp, lines{{xfp, "ws"}}, "10.0.0.1", "http", ""},

		{"count 2", count(2, x), tcp, lines{{xff, "203.0.113.5, 10.0.0.2"}, {xfp, "https, http"}, {xfh, "www.soc.example, app"}}, "203.0.113.5", "https", "www.soc.example"},
		{"count 2, replaced and not added to", count(2, x), tcp, lines{{xff, "203.0.113.5, 10.0.0.2"}, {xfp, "https"}, {xfh, "www.soc.example"}}, "203.0.113.5", "https", "www.soc.example"},
		{"count 2, lies on the left", count(2, x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5, 10.0.0.2"}, {xfp, "https, http, http"}}, "203.0.113.5", "http", ""},
		{"count 2, one entry", count(2, x), tcp, lines{{xff, "203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"count 2, second malformed", count(2, x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5:x, 10.0.0.2"}, {xfp, "https, httpx, http"}}, "10.0.0.2", "http", ""},
		{"count 2, first malformed", count(2, x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5, x"}, {xfp, "https, http"}}, "10.0.0.1", "http", ""},
		{"count 2, IPv6 with port", count(2, x), tcp, lines{{xff, "[2001:db8::5]:1234, 10.0.0.2:80"}}, "2001:db8::5", "http", ""},
		{"count 3", count(3, x), tcp, lines{{xff, "198.51.100.66,203.0.113.5,10.0.0.3,10.0.0.2"}, {xfp, "http,https,http,http"}}, "203.0.113.5", "https", ""},
		{"count 3, over several lines", count(3, x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5"}, {xff, "10.0.0.3"}, {xff, "10.0.0.2"}}, "203.0.113.5", "http", ""},
		{"count 3, malformed scheme and host between", count(3, x), tcp, lines{{xff, "203.0.113.5, 10.0.0.3, 10.0.0.2"}, {xfp, "https, httpx, http"}, {xfh, "www.soc.example, , soc.example"}}, "203.0.113.5", "http", ""},
		{"count does not look at addresses", count(2, x), "192.0.2.200:1", lines{{xff, "203.0.113.5, 192.0.2.201"}}, "203.0.113.5", "http", ""},
		{"count, proxies only", count(1, x), tcp, lines{{xff, "10.0.0.9"}}, "10.0.0.9", "http", ""},
		{"count and a unix socket nobody spoke of", count(1, x), "@", liar, "", "http", ""},

		{"ranges", ranges(x), tcp, lines{{xff, "203.0.113.5"}, {xfp, "https"}, {xfh, "www.soc.example"}}, "203.0.113.5", "https", "www.soc.example"},
		{"ranges, from elsewhere", ranges(x), "203.0.113.5:99", liar, "203.0.113.5", "http", ""},
		{"ranges, lies on the left", ranges(x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5"}, {xfp, "https, http"}, {xfh, "www.soc.example, soc.example"}}, "203.0.113.5", "http", ""},
		{"ranges, a lie that looks like a proxy", ranges(x), tcp, lines{{xff, "198.51.100.66, 10.0.0.7, 203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"ranges, several proxies", ranges(x), tcp, lines{{xff, "198.51.100.66, 203.0.113.5, 10.9.9.9, 2001:db8:10::2"}, {xfp, "http, https, http, http"}}, "203.0.113.5", "https", ""},
		{"ranges, only proxies", ranges(x), tcp, lines{{xff, "10.0.0.3, 10.0.0.2"}}, "10.0.0.3", "http", ""},
		{"ranges, malformed between", ranges(x), tcp, lines{{xff, "203.0.113.5, 10.0.0.3x, 10.0.0.2"}, {xfp, "https, http, http"}}, "10.0.0.2", "http", ""},
		{"ranges, IPv6", ranges(x), "[2001:db8:10::1]:443", lines{{xff, "2001:db8::5"}}, "2001:db8::5", "http", ""},
		{"ranges, IPv6 with zone", site.Proxies{Ranges: prefixes("fe80::/10"), Header: x}, "[fe80::1%eth0]:443", lines{{xff, "203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"ranges, IPv4 as IPv6", ranges(x), "[::ffff:10.0.0.1]:443", lines{{xff, "::ffff:203.0.113.5, ::ffff:10.0.0.2"}}, "203.0.113.5", "http", ""},
		{"ranges, an entry with a zone", ranges(x), tcp, lines{{xff, "198.51.100.66, fe80::1%eth0"}}, "10.0.0.1", "http", ""},
		{"ranges, 32 proxies in a row and no more", ranges(x), tcp, lines{{xff, "203.0.113.5, 10.0.0.99, 10.0.0.88" + strings.Repeat(", 10.0.0.2", 31)}}, "10.0.0.88", "http", ""},
		{"ranges, no port", ranges(x), "10.0.0.1", lines{{xff, "203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"ranges, no address", ranges(x), "nonsense", liar, "", "http", ""},

		{"Forwarded, count 1", count(1, f), tcp, lines{{fwd, `for=203.0.113.5;proto=https;host="www.soc.example:443"`}}, "203.0.113.5", "https", "www.soc.example"},
		{"Forwarded, a host nobody asked for", site.Proxies{Count: 1, Header: f}, tcp, lines{{fwd, `for=203.0.113.5;host=www.soc.example`}}, "203.0.113.5", "http", ""},
		{"Forwarded, lies in the other family", count(1, f), tcp, liar, "10.0.0.1", "http", ""},
		{"Forwarded, lies on the left", count(1, f), tcp, lines{{fwd, "for=198.51.100.66;proto=https;host=evil.example, for=203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"Forwarded, an open quote on the left", count(1, f), tcp, lines{{fwd, `for=198.51.100.66;x=", for=203.0.113.5;proto=https`}}, "203.0.113.5", "https", ""},
		{"Forwarded, an open quote against a closing one", count(1, f), tcp, lines{{fwd, `for=198.51.100.66;x=", for="[2001:db8::5]"`}}, "2001:db8::5", "http", ""},
		{"Forwarded, an escape on the left", count(1, f), tcp, lines{{fwd, `for="\, for="203.0.113.5"`}}, "203.0.113.5", "http", ""},
		{"Forwarded, lies in lines before", count(1, f), tcp, lines{{fwd, `for=198.51.100.66;x="`}, {fwd, "for=203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"Forwarded, a comma in quotes", count(1, f), tcp, lines{{fwd, `for=203.0.113.5;x=",for=198.51.100.66";proto=https`}}, "203.0.113.5", "https", ""},
		{"Forwarded, count 2", count(2, f), tcp, lines{{fwd, "for=198.51.100.66, for=203.0.113.5;proto=https;host=www.soc.example, for=10.0.0.2;proto=http;host=app"}}, "203.0.113.5", "https", "www.soc.example"},
		{"Forwarded, the near proxy alone knows the scheme", count(2, f), tcp, lines{{fwd, "for=203.0.113.5, for=10.0.0.2;proto=https"}}, "203.0.113.5", "https", ""},
		{"Forwarded, count 3, one hides", count(3, f), tcp, lines{{fwd, "for=203.0.113.5;proto=https, for=_hidden, for=10.0.0.2"}}, "10.0.0.2", "http", ""},
		{"Forwarded, a hidden client", count(1, f), tcp, lines{{fwd, "for=198.51.100.66, for=unknown;proto=https"}}, "10.0.0.1", "https", ""},
		{"Forwarded, no for", count(2, f), tcp, lines{{fwd, "for=198.51.100.66, proto=https"}}, "10.0.0.1", "https", ""},
		{"Forwarded, malformed", count(2, f), tcp, lines{{fwd, "for=198.51.100.66;proto=https, for=203.0.113.5;for=203.0.113.6;proto=https"}}, "10.0.0.1", "http", ""},
		{"Forwarded, IPv6 without brackets", count(1, f), tcp, lines{{fwd, `for="2001:db8::5"`}}, "10.0.0.1", "http", ""},
		{"Forwarded, other scheme", count(1, f), tcp, lines{{fwd, `for=203.0.113.5;proto=ftp`}}, "203.0.113.5", "http", ""},
		{"Forwarded, ranges", ranges(f), tcp, lines{{fwd, `for=198.51.100.66, for="[2001:db8::5]:1234";proto=https, for="[2001:db8:10::9]:80";proto=http`}}, "2001:db8::5", "https", ""},
		{"Forwarded, ranges, an unknown proxy", ranges(f), tcp, lines{{fwd, "for=198.51.100.66, for=_proxy;proto=https"}}, "10.0.0.1", "https", ""},

		{"unix socket", socket, "@", lines{{xff, "198.51.100.66, 203.0.113.5"}, {xfp, "http, https"}, {xfh, "www.soc.example"}}, "203.0.113.5", "https", "www.soc.example"},
		{"unix socket, empty address", socket, "", lines{{xff, "203.0.113.5"}}, "203.0.113.5", "http", ""},
		{"unix socket, nothing said", socket, "@", nil, "", "http", ""},
		{"unix socket trusts no network", socket, tcp, liar, "10.0.0.1", "http", ""},
		{"unix socket is the first of two", socketCount, "@", lines{{fwd, "for=198.51.100.66, for=203.0.113.5, for=10.0.0.2"}}, "203.0.113.5", "http", ""},
		{"unix socket, and ranges behind it", site.Proxies{UnixSocket: true, Ranges: prefixes("10.0.0.0/8"), Header: x}, "@", lines{{xff, "198.51.100.66, 203.0.113.5, 10.0.0.2"}}, "203.0.113.5", "http", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := site.Config{BaseURL: base, Hosts: []string{"www.soc.example"}, Proxies: tt.proxies}
			seen, _ := send(t, cfg, get(tt.from, tt.lines...))
			require.NotNil(t, seen)
			var want netip.Addr
			if tt.client != "" {
				want = netip.MustParseAddr(tt.client)
			}
			if tt.host == "" {
				tt.host = "soc.example"
			}
			assert.Equal(t, want, site.ClientIP(seen))
			assert.Equal(t, tt.scheme, site.Scheme(seen))
			assert.Equal(t, tt.host, seen.Host)
			assert.Empty(t, seen.Header, "what nobody may believe is removed")
		})
	}
}

func TestForwardedHostIsChecked(t *testing.T) {
	for _, header := range [][2]string{{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Host", "soc.example/"}} {
		for _, believed := range []bool{true, false} {
			cfg := site.Config{BaseURL: base, Proxies: site.Proxies{Count: 1, Header: site.XForwarded, Host: believed}}
			seen, res := send(t, cfg, get("10.0.0.1:1", header))
			if believed {
				assert.Nil(t, seen)
				assert.Equal(t, http.StatusMisdirectedRequest, res.StatusCode)
			} else {
				assert.NotNil(t, seen, "a header that nobody reads")
			}
		}
	}
}

func TestOwnConnection(t *testing.T) {
	r := get("[fe80::1%eth0]:1234", [2]string{"X-Forwarded-For", "198.51.100.66"}, [2]string{"X-Forwarded-Proto", "https"})
	assert.Equal(t, netip.MustParseAddr("fe80::1"), site.ClientIP(r), "without a Site")
	assert.Equal(t, "http", site.Scheme(r))
	r.TLS = &tls.ConnectionState{}
	assert.Equal(t, "https", site.Scheme(r))
	seen, _ := send(t, site.Config{BaseURL: base}, r)
	assert.Equal(t, "https", site.Scheme(seen))
	r.RemoteAddr = "[::ffff:192.0.2.1]:1"
	assert.Equal(t, netip.MustParseAddr("192.0.2.1"), site.ClientIP(r))
}

// A client may bind its end of a unix socket to a file of any name.
func TestUnixSocketThatIsCalledLikeAnAddress(t *testing.T) {
	r := get("10.0.0.1:4711", [2]string{"X-Forwarded-For", "198.51.100.66"})
	r = r.WithContext(withLocalAddr(r.Context(), &net.UnixAddr{Name: "/run/soc", Net: "unix"}))
	seen, _ := send(t, site.Config{BaseURL: base, Proxies: site.Proxies{Ranges: prefixes("10.0.0.0/8"), Header: site.XForwarded}}, r)
	assert.False(t, site.ClientIP(seen).IsValid())
	assert.False(t, site.ClientIP(r).IsValid())
}

// Where headers are gone, a Site inside of a Site takes the outer one's word.
func TestSiteInsideOfSite(t *testing.T) {
	cfg := site.Config{BaseURL: base, Redirect: site.RedirectHTTPS, Proxies: site.Proxies{Count: 1, Header: site.XForwarded}}
	s, _ := newSite(t, cfg)
	var seen recorder
	h := s.Handler(s.Handler(&seen))
	h.ServeHTTP(nopWriter{http.Header{}}, get("10.0.0.1:1", [2]string{"X-Forwarded-For", "203.0.113.5"}, [2]string{"X-Forwarded-Proto", "https"}))
	require.NotNil(t, seen.r)
	assert.Equal(t, "203.0.113.5", site.ClientIP(seen.r).String())
	assert.Equal(t, "https", site.Scheme(seen.r))
}

func TestProxiesMistakes(t *testing.T) {
	ten := prefixes("10.0.0.0/8")
	tests := []struct {
		name    string
		proxies site.Proxies
		want    string
	}{
		{"negative", site.Proxies{Count: -1, Header: site.XForwarded}, "Count is -1, want 0 to 32"},
		{"many", site.Proxies{Count: 33, Header: site.XForwarded}, "Count is 33, want 0 to 32"},
		{"both", site.Proxies{Count: 1, Ranges: ten, Header: site.XForwarded}, "not both"},
		{"no header", site.Proxies{Count: 1}, "Header is missing"},
		{"no header, ranges", site.Proxies{Ranges: ten}, "Header is missing"},
		{"no header, unix socket", site.Proxies{UnixSocket: true}, "Header is missing"},
		{"unknown header", site.Proxies{Count: 1, Header: "X-Real-Ip"}, `Header is "X-Real-Ip", want`},
		{"nobody", site.Proxies{Header: site.Forwarded}, "nobody is trusted"},
		{"nobody, host", site.Proxies{Host: true}, "nobody is trusted"},
		{"zero range", site.Proxies{Ranges: []netip.Prefix{{}}, Header: site.Forwarded}, "netip.MustParsePrefix"},
		{"everybody", site.Proxies{Ranges: prefixes("0.0.0.0/0"), Header: site.Forwarded}, "trusts everybody"},
		{"everybody in IPv6", site.Proxies{Ranges: prefixes("::/0"), Header: site.Forwarded}, "trusts everybody"},
		{"bits beyond", site.Proxies{Ranges: prefixes("10.1.2.3/8"), Header: site.Forwarded}, "write 10.0.0.0/8"},
		{"IPv4 as IPv6", site.Proxies{Ranges: prefixes("::ffff:10.0.0.0/104"), Header: site.Forwarded}, "as IPv4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := site.New(site.Config{BaseURL: base, Proxies: tt.proxies})
			require.ErrorContains(t, err, "site: Config.Proxies.")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAddressPrefix(t *testing.T) {
	tests := []struct {
		addr   string
		v4, v6 int
		want   string // empty: not valid
	}{
		{"192.0.2.77", 24, 48, "192.0.2.0/24"},
		{"192.0.2.77", 32, 0, "192.0.2.77/32"},
		{"192.0.2.77", 0, 48, "0.0.0.0/0"},
		{"::ffff:192.0.2.77", 16, 48, "192.0.0.0/16"},
		{"2001:db8:1:2::3", 24, 48, "2001:db8:1::/48"},
		{"2001:db8:1:2::3", 24, 128, "2001:db8:1:2::3/128"},
		{"fe80::1%eth0", 24, 64, "fe80::/64"},
		{"192.0.2.77", 33, 48, ""},
		{"192.0.2.77", -1, 48, ""},
		{"2001:db8::1", 24, 129, ""},
		{"", 24, 48, ""},
	}
	for _, tt := range tests {
		var addr netip.Addr
		if tt.addr != "" {
			addr = netip.MustParseAddr(tt.addr)
		}
		got := site.AddressPrefix(addr, tt.v4, tt.v6)
		if tt.want == "" {
			assert.Equal(t, netip.Prefix{}, got, tt.addr)
		} else {
			assert.Equal(t, netip.MustParsePrefix(tt.want), got, tt.addr)
		}
	}
}
