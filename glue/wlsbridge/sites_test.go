package wlsbridge_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// sharedHosts are sites that have a host of their own, or a part of one.
func sharedHosts(c *wlsbridge.Config) {
	c.Sites = []wlsbridge.Site{
		{URLPrefix: "https://soc.example"},
		{URLPrefix: "https://other.example:8443/app/"},
		{URLPrefix: "https://people.example/~soc"},
		{URLPrefix: "https://people.example/~soc/members/", Ptags: []string{"current"}},
		{URLPrefix: "https://people.example/~soc/members/guests/"},
		{URLPrefix: "https://[2001:db8::1]:8443/"},
		{URLPrefix: "http://localhost:5000/"},
		{URLPrefix: "http://old.example/", InsecureHTTP: true},
		{URLPrefix: "https://xn--caf-dma.example/"},
	}
}

// TestSendsNobodyElsewhere has a person who is logged in, and whom nobody would ask anything,
// open requests that name other places, with failures and without.
func TestSendsNobodyElsewhere(t *testing.T) {
	rows := []struct{ name, url string }{
		{"another host", "https://evil.example/"},
		{"a host below", "https://x.soc.example/"},
		{"the host as the beginning of another", "https://soc.example.evil.example/"},
		{"the host as the end of another", "https://evilsoc.example/"},
		{"the domain above", "https://example/"},
		{"a user name", "https://soc.example@evil.example/"},
		{"a user name and password", "https://soc.example:443@evil.example/"},
		{"a user name before the right host", "https://evil.example@soc.example/"},
		{"a user name with a slash, encoded", "https://soc.example%2f@evil.example/"},
		{"a backslash and a user name", `https://soc.example\@evil.example/`},
		{"a backslash in the host", `https://evil.example\.soc.example/`},
		{"backslashes for slashes", `https:\\evil.example/`},
		{"a backslash in the path", `https://other.example:8443/app\..\x`},
		{"a backslash in the query", `https://soc.example/?\`},
		{"one slash", "https:/evil.example/"},
		{"three slashes", "https:///evil.example/"},
		{"four slashes", "https:////evil.example/"},
		{"no scheme", "//evil.example/"},
		{"no scheme, the right host", "//soc.example/"},
		{"a path", "/private/"},
		{"no slashes", "https:evil.example"},
		{"a script", "javascript:alert(1)//https://soc.example/"},
		{"data", "data:text/html,https://soc.example/"},
		{"another scheme", "ftp://soc.example/"},
		{"http for https", "http://soc.example/"},
		{"https for http", "https://old.example/"},
		{"https for http, on loopback", "https://localhost:5000/"},
		{"another port", "https://soc.example:8443/"},
		{"the port of http", "https://soc.example:80/"},
		{"a port with a zero in front", "https://soc.example:0443/"},
		{"a port beyond all", "https://soc.example:65536443/"},
		{"no port where one is configured", "https://other.example/app/"},
		{"another name of loopback", "http://127.0.0.1:5000/"},
		{"a final dot", "https://soc.example./"},
		{"an encoded dot in the host", "https://soc%2eexample/"},
		{"a full-width letter", "https://ｓoc.example/"},
		{"a full-width dot", "https://soc。example/"},
		{"a soft hyphen in the host", "https://soc\u00ad.example/"},
		{"a name that is not in its xn-- form", "https://café.example/"},
		{"a tab in the host", "https://soc\t.example/"},
		{"a line break in the host", "https://soc\n.example/"},
		{"a line break and a header", "https://soc.example/\r\nLocation: https://evil.example/"},
		{"NUL", "https://soc.example\x00.evil.example/"},
		{"a blank in front", " https://soc.example/"},
		{"a control in front", "\x01https://soc.example/"},
		{"the host in the query of another", "https://evil.example?https://soc.example/"},
		{"the host in the fragment of another", "https://evil.example#https://soc.example/"},
		{"a fragment before the host ends", "https://evil.example#@soc.example/"},
		{"the host in the path of another", "https://evil.example/https://soc.example/"},
		{"no UTF-8", "https://soc.example/\xff"},
		{"an address in another form", "https://[2001:db8:0::1]:8443/"},
		{"an address without its brackets", "https://2001:db8::1:8443/"},
		{"an address with a zone", "https://[2001:db8::1%25eth0]:8443/"},
		{"a number for a host", "https://2130706433/"},

		{"a path that begins like it", "https://other.example:8443/application/"},
		{"another path", "https://other.example:8443/"},
		{"a path in capitals", "https://other.example:8443/APP/"},
		{"a slash more in front", "https://other.example:8443//app/"},
		{"dots", "https://other.example:8443/app/../x"},
		{"a dot", "https://other.example:8443/./app/"},
		{"dots, encoded", "https://other.example:8443/app/%2e%2E/x"},
		{"dots, half encoded", "https://other.example:8443/app/.%2e/x"},
		{"dots and an encoded slash", "https://other.example:8443/app/..%2fx"},
		{"dots and an encoded backslash", "https://other.example:8443/app/..%5cx"},
		{"dots behind an encoded slash", "https://other.example:8443/app/y%2f../x"},
		{"all of it encoded", "https://other.example:8443/app%2f%2e%2e%2fx"},
		{"encoded twice", "https://other.example:8443/app/%252e%252e%252fx"},
		{"encoded six times", "https://other.example:8443/app/%25252525252e%25252525252e/x"},
		{"dots with a parameter", "https://other.example:8443/app/..;a=b/x"},
		{"dots with an encoded parameter", "https://other.example:8443/app/..%3ba/x"},
		{"dots after a bad escape", "https://other.example:8443/app/%zz%2f../x"},
		{"somebody else's pages", "https://people.example/~soc2/"},
		{"somebody else's pages by dots", "https://people.example/~soc/..%2f~other/"},
		{"the encoded name of somebody else", "https://people.example/%7Eother/"},
		{"an encoded slash for the first", "https://people.example/%2f~soc/"},
	}
	w := start(t, setup{config: sharedHosts})
	p := w.person("test0001")
	p.success(p.visit(asks()), "")
	kinds := []struct {
		name string
		edit func(r *wls.Request)
	}{
		{"success", func(*wls.Request) {}},
		{"password", yes},
		{"silent", no},
		{"no such type", func(r *wls.Request) { r.AAuth = []string{"x-none"} }},
		{"bad parameter", func(r *wls.Request) { r.IAct = "maybe" }},
		{"unknown version", func(r *wls.Request) { r.Ver = 9 }},
		{"fail", func(r *wls.Request) { r.Ver, r.Fail = 9, true }},
	}
	tried := 0
	for _, row := range rows {
		for _, kind := range kinds {
			t.Run(row.name+"/"+kind.name, func(t *testing.T) {
				a := p.visit(asks(func(r *wls.Request) { r.URL = row.url }, kind.edit))
				assert.Empty(t, a.Header.Get("Location"))
				assert.Contains(t, []string{"bridge-site", "bridge-request"}, a.kind())
				assert.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest}, a.StatusCode)
				assert.NotContains(t, a.body, "evil")
				assert.NotContains(t, a.body, "<form")
				w.fake.Advance(1e9) // for the limit
			})
			tried++
		}
	}
	assert.Greater(t, tried, 400)
}

// TestReturnURLs sends people back to what sites ask for, as they wrote it.
func TestReturnURLs(t *testing.T) {
	rows := []struct{ name, url, location string }{ // location is without the response; empty for url itself
		{"the front page", "https://soc.example/", ""},
		{"no path", "https://soc.example", ""},
		{"no path and a query", "https://soc.example?a=b", ""},
		{"the default port", "https://soc.example:443/a", ""},
		{"an empty port", "https://soc.example:/a", ""},
		{"capitals in scheme and host", "HTTPS://SOC.example/A", ""},
		{"a query", "https://soc.example/a?b=c&d=e", ""},
		{"blank values and an empty pair", "https://soc.example/a?b=&c&&d", ""},
		{"escapes that need not be", "https://soc.example/%41?%41=%7e+%20", ""},
		{"a semicolon", "https://soc.example/a;b?c;d=e;f", ""},
		{"percent signs in the query", "https://soc.example/?100%&%zz=%", ""},
		{"the separators of a response", "https://soc.example/a!b%21?c!d%2521=%25", ""},
		{"a URL in the query", "https://soc.example/?next=https://evil.example/?a=b&c=d", ""},
		{"dots in the query", "https://soc.example/?../..//x", ""},
		{"dots in a name", "https://soc.example/a..b/..c/d../.../x", ""},
		{"two slashes", "https://soc.example//a//b", ""},
		{"sub-delimiters", "https://soc.example/$&'()*+,;=:@?$&'()*+,;=:@/?", ""},
		{"brackets and bars", "https://soc.example/a?b[]=1&c|d={e}^`", ""},
		{"quotes and angle brackets", `https://soc.example/?"<b>'`, ""},
		{"an encoded slash", "https://soc.example/a%2Fb", ""},
		{"an encoded line break", "https://soc.example/a%0d%0ab?c%0D%0a", ""},
		{"raw UTF-8 in the path", "https://soc.example/café/日本", "https://soc.example/caf%C3%A9/%E6%97%A5%E6%9C%AC"},
		{"raw UTF-8 in the query", "https://soc.example/?q=Zoë&r=€", "https://soc.example/?q=Zo%C3%AB&r=%E2%82%AC"},
		{"UTF-8, encoded", "https://soc.example/caf%C3%A9", ""},
		{"no UTF-8, encoded", "https://soc.example/caf%E9?%ff", ""},
		{"a bidirectional control", "https://soc.example/\u202egnp.exe", "https://soc.example/%E2%80%AEgnp.exe"},
		{"a fragment", "https://soc.example/a?b=c#d?e", "https://soc.example/a?b=c#d?e"},
		{"IPv6 and a port", "https://[2001:db8::1]:8443/a?b", ""},
		{"IPv6 in capitals", "https://[2001:DB8::1]:8443/a", ""},
		{"http on loopback", "http://localhost:5000/a?b", ""},
		{"http where it is allowed", "http://old.example/a?b", ""},
		{"an international name", "https://xn--caf-dma.example/a", ""},
		{"a shared host", "https://people.example/~soc/a?b", ""},
		{"a shared host without the slash", "https://people.example/~soc", ""},
		{"a shared host, the tilde encoded", "https://people.example/%7Esoc/a", ""},
		{"a letter of the prefix encoded", "https://other.example:8443/%61pp/x", ""},
		{"dots in the query below a prefix", "https://other.example:8443/app/?../x", ""},
		{"2 kB", "https://soc.example/?" + strings.Repeat("long-", 400), ""},
		{"5 kB", "https://soc.example/?" + strings.Repeat("long-", 1000), ""},
		{"2 kB that are all encoded", "https://soc.example/?" + strings.Repeat("%F0%9F%98%80", 170), ""},
	}
	w := start(t, setup{config: sharedHosts})
	for _, ver := range []int{1, 2, 3} {
		for _, row := range rows {
			t.Run(row.name+"/version "+string(rune('0'+ver)), func(t *testing.T) {
				p := w.person("test0001").in(t) // logs in on the way
				a := p.visit(asks(func(r *wls.Request) { r.URL, r.Ver = row.url, ver }))
				fields := p.fields(a)
				require.Equal(t, []string{strconv.Itoa(ver), "200", ""}, fields[:3])
				assert.Equal(t, []string{row.url, "test0001"}, fields[5:7])
				want := row.location
				if want == "" {
					want = row.url
				}
				want, fragment, _ := strings.Cut(want, "#")
				if path, _, _ := strings.Cut(want, "?"); ver == 1 {
					want = path
				}
				location, after, _ := strings.Cut(a.Header.Get("Location"), "#")
				i := strings.Index(location, "WLS-Response=")
				require.Positive(t, i)
				assert.Equal(t, want, location[:i-1])
				assert.Equal(t, fragment, after)
				w.fake.Advance(2e9)
			})
		}
	}
}

// TestSiteWithinASite: what is told is up to the site with the longest prefix.
func TestSiteWithinASite(t *testing.T) {
	w := start(t, setup{config: sharedHosts})
	p := w.person("test0001")
	for path, ptags := range map[string][]string{"x": nil, "members/": {"current"}, "members/x": {"current"}, "%6Dembers/x": {"current"}, "members/guests/x": nil} {
		r := p.success(p.visit(asks(func(r *wls.Request) { r.URL = "https://people.example/~soc/" + path })), "")
		assert.Equal(t, ptags, r.Ptags(), path)
	}
}

// TestSiteWithinASiteThatServersRead: the site within is not told what the one around it is,
// because its path was written as another that servers take for the same.
func TestSiteWithinASiteThatServersRead(t *testing.T) {
	w := start(t, setup{config: sharedHosts})
	p := w.person("test0001")
	for _, path := range []string{
		"members//guests/x", "members///guests", "members/%2fguests/x", "members/guests%2Fx", "members/guests%252Fx", "members/guests;a=b/x",
		"members/;/guests/x", "members/guests%00/x", "members/guests%3fx", "members/guests%20/x", "members/Guests/x", `members/%5Cguests%5Cx`,
		"members/..%3f/x", "members/..%23x", "members/..%00/x", "members/..%20/x",
	} {
		a := p.visit(asks(func(r *wls.Request) { r.URL = "https://people.example/~soc/" + path }))
		assert.Equal(t, http.StatusForbidden, a.StatusCode, path)
		assert.Equal(t, "bridge-site", a.kind(), path)
	}
	for _, path := range []string{"members//x", "members/;a/x", "members/guests.html", "members/x/guests/", "members/%E2%80%93", "members/x;y=%3f", "members/X%2Fy"} {
		r := p.success(p.visit(asks(func(r *wls.Request) { r.URL = "https://people.example/~soc/" + path })), "")
		assert.Equal(t, []string{"current"}, r.Ptags(), path)
	}
}

func TestLongerThanAnyBrowserSends(t *testing.T) {
	w := start(t, setup{})
	p := w.person("test0001")
	a := p.visit(asks(func(r *wls.Request) { r.URL = "https://soc.example/?" + strings.Repeat("a", 9000) }))
	assert.Equal(t, "bridge-request", a.kind())
	assert.Equal(t, http.StatusBadRequest, a.StatusCode)
}

// TestParametersThatCannotBeRead: what is not certain is not acted upon.
func TestParametersThatCannotBeRead(t *testing.T) {
	good, evil := url.QueryEscape(socURL), url.QueryEscape("https://evil.example/")
	rows := []struct {
		name, query string
		status      int // sent to the site with it; 0 is a page
	}{
		{"nothing", "", 0},
		{"url twice", "ver=3&url=" + good + "&url=" + evil, 0},
		{"url twice, the other first", "ver=3&url=" + evil + "&url=" + good, 0},
		{"url twice, the same", "ver=3&url=" + good + "&url=" + good, 0},
		{"url twice, once encoded", "ver=3&url=" + good + "&%75rl=" + evil, 0},
		{"url in capitals", "ver=3&URL=" + good, 0},
		{"url behind a semicolon", "ver=3;url=" + good, 0},
		{"url empty", "ver=3&url=", 0},
		{"url badly encoded", "ver=3&url=%zz", 0},
		{"ver twice", "ver=3&ver=1&url=" + good, 530},
		{"no ver", "url=" + good, 530},
		{"ver of another form", "ver=03&url=" + good, 520},
		{"iact twice", "ver=3&iact=yes&iact=no&url=" + good, 530},
		{"iact of another form", "ver=3&iact=YES&url=" + good, 530},
		{"aauth of another form", "ver=3&aauth=pwd,&url=" + good, 530},
		{"desc beyond ASCII", "ver=3&desc=%C3%A9&url=" + good, 530},
		{"a control in params", "ver=3&params=%0a&url=" + good, 530},
		{"fail of another form", "ver=3&fail=no&url=" + good, 530},
		{"date of another form", "ver=3&date=2026-01-01&url=" + good, 530},
		{"an unknown parameter", "ver=3&x=y&url=" + good, 530},
		{"a response", "ver=3&url=" + good + "&WLS-Response=3!200", 0},
		{"a mark", "ver=3&url=" + good + "&wls-asked=x&wls-asked=y", 530},
	}
	w := start(t, setup{})
	p := w.person("test0001")
	p.success(p.visit(asks()), "")
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := p.open(w.url + "/auth/authenticate.html?" + row.query)
			if row.status == 0 {
				assert.Empty(t, a.Header.Get("Location"))
				assert.NotEmpty(t, a.kind())
				assert.GreaterOrEqual(t, a.StatusCode, 400)
				return
			}
			r, location := p.in(t).response(a)
			assert.Equal(t, row.status, r.Status())
			assert.True(t, strings.HasPrefix(location, "https://soc.example/private/?"), location)
		})
	}
}
