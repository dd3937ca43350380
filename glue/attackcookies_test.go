package glue_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"
)

// cookies is a browser's cookie jar that keeps the rules which matter here (RFC 6265bis,
// "Storage Model" and "The Cookie Header Field"): who may set which cookie for whom, what
// the prefixes __Host- and __Secure- demand, and what SameSite=Lax holds back. Go's own
// jar knows no prefixes.
type cookies []storedCookie

type storedCookie struct {
	name, value, domain, path string
	hostOnly                  bool
}

// take stores cookies that a host sets, and reports whether the browser took them all.
func (j *cookies) take(base, host string, set []*http.Cookie) bool {
	all := true
	for _, c := range set {
		if !acceptable(base, host, c) {
			all = false
			continue
		}
		j.put(cookieFrom(host, c), c.MaxAge < 0)
	}
	return all
}

func cookieFrom(host string, c *http.Cookie) storedCookie {
	stored := storedCookie{name: c.Name, value: c.Value, domain: withoutPort(host), path: c.Path, hostOnly: true}
	if c.Domain != "" {
		stored.domain, stored.hostOnly = strings.ToLower(strings.TrimPrefix(c.Domain, ".")), false
	}
	return stored
}

// put stores a cookie in place of the one that it updates, or removes that.
func (j *cookies) put(c storedCookie, remove bool) {
	var kept cookies
	for _, old := range *j {
		if old.name != c.name || old.domain != c.domain || old.path != c.path || old.hostOnly != c.hostOnly {
			kept = append(kept, old)
		}
	}
	if !remove {
		kept = append(kept, c)
	}
	*j = kept
}

func acceptable(base, host string, c *http.Cookie) bool {
	host = withoutPort(host)
	domain := strings.ToLower(strings.TrimPrefix(c.Domain, "."))
	switch name := strings.ToLower(c.Name); {
	case domain != "" && (!strings.Contains(domain, ".") || !domainMatches(host, domain)):
		return false
	case c.Secure && !strings.HasPrefix(base, "https:"):
		return false
	case strings.HasPrefix(name, "__host-"):
		return c.Secure && c.Domain == "" && c.Path == "/"
	case strings.HasPrefix(name, "__secure-"):
		return c.Secure
	}
	return true
}

func domainMatches(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

func withoutPort(host string) string {
	host, _, _ = strings.Cut(host, ":")
	return host
}

// header is the Cookie header of a request. All cookies here are SameSite=Lax: what comes
// from another site takes them along only where it is a navigation by GET.
func (j cookies) header(host, target, method string, h header) string {
	navigation := method == http.MethodGet && h.get("Sec-Fetch-Mode") == "navigate" && h.get("Sec-Fetch-Dest") == "document"
	if h.get("Sec-Fetch-Site") == "cross-site" && !navigation {
		return ""
	}
	path, _, _ := strings.Cut(target, "?")
	if _, rest, absolute := strings.Cut(path, "://"); absolute {
		path = strings.TrimLeftFunc(rest, func(c rune) bool { return c != '/' })
	}
	var sent []string
	for _, longest := range []bool{true, false} { // longer paths first
		for _, c := range j {
			matches := c.domain == withoutPort(host) || !c.hostOnly && domainMatches(withoutPort(host), c.domain)
			below := c.path == "/" || path == c.path || strings.HasPrefix(path, strings.TrimSuffix(c.path, "/")+"/")
			if matches && below && (c.path != "/") == longest {
				sent = append(sent, c.name+"="+c.value)
			}
		}
	}
	return strings.Join(sent, "; ")
}

// find gives the cookie for a host whose name holds part, such as "login" or "session".
func (j cookies) find(part string) (storedCookie, bool) {
	for _, c := range j {
		if strings.Contains(c.name, "wls-"+part) {
			return c, true
		}
	}
	return storedCookie{}, false
}

// tossed has a host next door set a cookie for the site, where the browser lets it.
func (p *actor) tossed(setCookie string) {
	base, host := "https://evil.soc.example", "evil.soc.example"
	if p.world.has("http") {
		base, host = "http://localhost:1", "localhost"
	}
	c, err := http.ParseSetCookie(setCookie)
	require.NoError(p.world.t, err, "%q", setCookie)
	p.jar.take(base, host, []*http.Cookie{c})
}

// moves has the cookies of one host sent to another, as no browser would.
func (p *actor) moves(rest string) {
	from, to, ok := strings.Cut(rest, " to ")
	require.True(p.world.t, ok)
	for i := range p.jar {
		if p.jar[i].domain == from {
			p.jar[i].domain = to
		}
	}
}

// forges changes a cookie in this person's jar, whatever browsers allow:
//
//	PART cut N          without its last N bytes
//	PART bit N          with one bit of its text changed
//	PART byte N D       with D added to a byte of what its text decodes to
//	PART append TEXT, PART prepend TEXT, PART is TEXT
//	PART twice TEXT     with a second one of the same name
//	PART named NAME     under another name
func (p *actor) forges(rest string) {
	t := p.world.t
	words := strings.SplitN(rest, " ", 3)
	require.GreaterOrEqual(t, len(words), 2)
	words = append(words, "")
	part, how, arg := words[0], words[1], words[2]
	c, ok := p.jar.find(part)
	require.True(t, ok, "no cookie %q to forge", part)
	old := c
	switch how {
	case "cut":
		n, err := strconv.Atoi(arg)
		require.NoError(t, err)
		c.value = c.value[:len(c.value)-n]
	case "bit":
		n, err := strconv.Atoi(arg)
		require.NoError(t, err)
		b := []byte(c.value)
		b[n/8] ^= 1 << (n % 8)
		c.value = string(b)
	case "byte":
		var n, by int
		_, err := fmt.Sscan(arg, &n, &by)
		require.NoError(t, err)
		b, err := base64.RawURLEncoding.DecodeString(c.value)
		require.NoError(t, err)
		b[n] += byte(by)
		c.value = base64.RawURLEncoding.EncodeToString(b)
	case "append":
		c.value += arg
	case "prepend":
		c.value = arg + c.value
	case "is":
		c.value = arg
	case "twice":
		c.hostOnly, c.value = !c.hostOnly, arg
	case "named":
		p.jar.put(c, true)
		c.name = arg
	default:
		require.Fail(t, "forges how?", "%q", how)
	}
	require.NotEqual(t, old, c, "nothing was forged")
	p.jar.put(c, false)
}
