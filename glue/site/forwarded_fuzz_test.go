package site

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the proxy at the other end of the connection writes, and what that means. It is
// the right end of the header; the fuzzers make up what clients sent before.
var fuzzedProxies = Proxies{Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Host: true}

func believeLines(header ProxyHeader, name string, lines ...string) hop {
	p := fuzzedProxies
	p.Header = header
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = "10.0.0.1:80", "soc.example"
	r.Header[name] = lines
	return p.believe(r)
}

// checkHop says where a client may come from: it is the proxy that we see, or in an
// element that has only trusted addresses to its right.
func checkHop(t *testing.T, h hop, addrs []netip.Addr) {
	t.Helper()
	allowed := []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	for i := len(addrs) - 1; i >= 0 && addrs[i].IsValid(); i-- {
		allowed = append(allowed, addrs[i])
		if !fuzzedProxies.inRanges(addrs[i]) {
			break
		}
	}
	assert.Contains(t, allowed, h.client)
	assert.Equal(t, allowed[min(len(allowed), maxHops+1)-1], h.client)
	assert.Contains(t, []string{"http", "https"}, h.scheme)
}

func FuzzForwardedFor(f *testing.F) {
	for _, seed := range []string{
		"", ",", "203.0.113.5", "10.0.0.3, 10.0.0.2", "203.0.113.5, 10.0.0.2", "203.0.113.5, x, 10.0.0.2",
		"203.0.113.5\n10.0.0.2", "10.0.0.2\n\n", "[2001:db8::5]:1234", "2001:db8::5:80", "::ffff:10.0.0.2", "203.0.113.5:80, 10.0.0.2:80",
		"unknown, 10.0.0.2", "fe80::1%eth0", `",`, strings.Repeat("10.0.0.2,", 40) + "10.0.0.2", strings.Repeat("9", 2000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		var addrs []netip.Addr
		for _, e := range all(false, lines...) {
			addr, ok := parseForwardedFor(e)
			if !ok {
				addr = netip.Addr{}
			}
			addrs = append(addrs, addr)
			if ok {
				for _, again := range []string{addr.String(), netip.AddrPortFrom(addr, 80).String()} {
					got, ok := parseForwardedFor(again)
					require.True(t, ok, again)
					assert.Equal(t, addr, got)
				}
				assert.Empty(t, addr.Zone())
				assert.False(t, addr.Is4In6())
			}
		}
		checkHop(t, believeLines(XForwarded, "X-Forwarded-For", lines...), addrs)

		// Whatever is to the left of what our proxy adds changes nothing.
		const ours = "203.0.113.77"
		for _, more := range [][]string{append(lines, ours), {text + ", " + ours}} {
			assert.Equal(t, ours, believeLines(XForwarded, "X-Forwarded-For", more...).client.String())
		}
	})
}

func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		"", ",", ";", "for=203.0.113.5", "for=203.0.113.5, for=10.0.0.2;proto=https", `for="[2001:db8::5]:80"`,
		`for=192.0.2.60;proto=http;by=203.0.113.43`, `for=192.0.2.43, for="[2001:db8:cafe::17]", for=unknown`,
		`for=198.51.100.66;x="`, `for="\`, `for=198.51.100.66;x="\"`, "for=_hidden, for=_SEVKISEK", `host="a\"b,c;d\\"`,
		"for=10.0.0.3\nfor=10.0.0.2", "for=1;for=2", "proto=https", `for="_gazonk"`, `for="unknown:_p";proto=wss`,
		strings.Repeat("for=10.0.0.2,", 40) + "for=10.0.0.2", `a="` + strings.Repeat(`\\`, 600) + `"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		elements := all(true, lines...)
		var addrs []netip.Addr
		var wellFormed []string
		for _, e := range elements {
			parsed, err := parseElement(e)
			addrs = append(addrs, parsed.client)
			if err != nil {
				assert.Zero(t, parsed)
				continue
			}
			again, err := parseElement(formatElement(parsed))
			require.NoError(t, err, formatElement(parsed))
			assert.Equal(t, parsed, again)
			wellFormed = append(wellFormed, e)
		}
		// Joined and taken apart again, well-formed elements are the same.
		if len(wellFormed) > 0 {
			assert.Equal(t, wellFormed, all(true, strings.Join(wellFormed, ",")))
		}
		checkHop(t, believeLines(Forwarded, "Forwarded", lines...), addrs)

		// Whatever is to the left of what our proxy adds changes nothing.
		for _, ours := range []string{
			`for=203.0.113.77;proto=https;host=www.soc.example`,
			`for="203.0.113.77:80";host="www.soc.example";proto="https";x=",\",\\"`,
		} {
			for _, more := range [][]string{append(lines, ours), {text + ", " + ours}} {
				h := believeLines(Forwarded, "Forwarded", more...)
				assert.Equal(t, hop{netip.MustParseAddr("203.0.113.77"), "https", "www.soc.example", true, true, true}, h)
			}
		}
	})
}

// formatElement writes an element as RFC 7239 has it.
func formatElement(e element) string {
	var params []string
	if e.client.Is4() {
		params = append(params, "for="+e.client.String())
	} else if e.client.IsValid() {
		params = append(params, `for="[`+e.client.String()+`]"`)
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	if e.proto != "" {
		params = append(params, `proto="`+quote.Replace(e.proto)+`"`)
	}
	if e.host != "" {
		params = append(params, `host="`+quote.Replace(e.host)+`"`)
	}
	return strings.Join(params, ";")
}
