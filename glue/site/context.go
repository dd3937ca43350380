package site

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// state is what a Site knows about one request, and the context that leads to it.
type state struct {
	context.Context
	site *Site
	hop
	origin string // where absolute links go

	nonceOnce sync.Once
	nonce     string
}

// hop is where a request comes from: the client as far as it is known.
type hop struct {
	client netip.Addr // invalid where unknown
	scheme string     // "http" or "https"
	host   string     // as sent, until it is found to be allowed

	trusted              bool // it came through a trusted front server
	saysScheme, saysHost bool // which says so
}

type stateKey struct{}

// Value makes the state part of the context.
func (st *state) Value(key any) any {
	if key == (stateKey{}) {
		return st
	}
	return st.Context.Value(key)
}

func stateOf(ctx context.Context) *state {
	st, _ := ctx.Value(stateKey{}).(*state)
	return st
}

// attach returns the request that later handlers see. The one that came in stays as it
// was, for handlers outside that log it.
func (st *state) attach(r *http.Request) *http.Request {
	header := st.site.withoutTold(r)
	r = r.WithContext(st)
	r.Host, r.Header = st.host, header
	// A request in absolute form names a scheme, and nobody has checked it.
	if (r.URL.Scheme != "" || r.URL.Host != "") && r.Method != http.MethodConnect {
		u := *r.URL
		u.Scheme, u.Host, u.User = "", "", nil
		r.URL = &u
	}
	return r
}

// ClientIP returns the address that a request comes from: behind trusted proxies what they say,
// else the other end of the connection. It is the zero Addr, which is not valid, where nobody
// says: on a unix socket, for instance. It has no zone, and an IPv4 address is never written as
// IPv6. Without [Site.Handler] around the handler it is the other end of the connection.
//
// An address is no proof of identity, and many people share one.
func ClientIP(r *http.Request) netip.Addr {
	if st := stateOf(r.Context()); st != nil {
		return st.client
	}
	return otherEnd(r)
}

// Scheme returns "https" or "http", as the client used it: behind trusted proxies what they
// say, else whether the connection is encrypted. Without [Site.Handler] around the handler it
// is the latter.
func Scheme(r *http.Request) string {
	if st := stateOf(r.Context()); st != nil {
		return st.scheme
	}
	return ownScheme(r)
}

// URL returns the absolute URL of a path of the site, which may have a query; see [Site.URL].
// Without [Site.Handler] around the handler there is no configuration to make it from, and it
// is empty.
func URL(r *http.Request, path string) string {
	if st := stateOf(r.Context()); st != nil {
		return st.site.URL(r, path)
	}
	return ""
}

// URL returns the absolute URL of a path of the site, which may have a query, for links in
// mails, feeds and redirects. Nothing of it comes from the request: if that is for one of
// Config.Hosts by name, the URL has the name as configured and the scheme of BaseURL;
// otherwise, or if r is nil, it has BaseURL's origin. The path is as this program sees it: with
// Config.PrefixStripped the path of BaseURL is put in front.
//
// The path's escapes stay as they are. What cannot be in a URL is escaped, and a slash
// is put in front where there is none, so that no path leads to another host.
func (s *Site) URL(r *http.Request, path string) string {
	origin := s.origin
	if r != nil {
		if st := stateOf(r.Context()); st != nil && st.site == s {
			origin = st.origin
		}
	}
	return origin + s.prefix + escapeTarget(path)
}

// escapeTarget makes a path and query fit to follow an origin.
func escapeTarget(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 1)
	if !strings.HasPrefix(s, "/") {
		b.WriteByte('/')
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Nonce returns the request's nonce for the Content-Security-Policy, for the nonce attribute of
// script and style elements in templates. It is what "{nonce}" in [Headers.CSP] stands for, 130
// random bits in letters and digits. Without [Site.Handler] around the handler it is empty.
//
// A page with a nonce must not be cached for others.
func Nonce(ctx context.Context) string {
	if st := stateOf(ctx); st != nil {
		return st.makeNonce()
	}
	return ""
}

func (st *state) makeNonce() string {
	st.nonceOnce.Do(func() { st.nonce = rand.Text() })
	return st.nonce
}
