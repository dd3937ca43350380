package gateway

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/headers"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// reverse has an answer name addresses as browsers know them, where the backend has other
// ones because of Rule.StripPath or Rule.BackendHost: what ProxyPassReverse,
// ProxyPassReverseCookiePath and ProxyPassReverseCookieDomain do in Apache. Whatever it
// writes is at the site's own origin, and what it does not understand it leaves as it is.
func (p *proxied) reverse(h http.Header) {
	if p.rule.strip == "" && !p.rule.renamed {
		return
	}
	for _, name := range [...]string{"Location", "Content-Location"} {
		for i, reference := range h[name] {
			h[name][i] = p.reverseURL(reference)
		}
	}
	for i, line := range h["Refresh"] {
		if parts := refresh.FindStringSubmatch(line); parts != nil {
			h["Refresh"][i] = parts[1] + p.reverseURL(parts[2])
		}
	}
	for i, line := range h["Set-Cookie"] {
		h["Set-Cookie"][i] = headers.MapSetCookie(line, p.reverseCookiePath, p.isBackendDomain)
	}
}

// refresh is a Refresh header with a reference that is not in quotes.
var refresh = regexp.MustCompile(`^([0-9]+[;,] ?(?i:url)=)([^"'].*)$`)

// reverseURL returns what a browser is to be told instead of a URL reference: the same,
// unless that is a path, or a URL at the backend's origin. References that browsers read
// otherwise than they look, with a backslash or a tab, are neither.
func (p *proxied) reverseURL(reference string) string {
	if strings.ContainsFunc(reference, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' }) {
		return reference
	}
	ours, _ := p.c.site.OriginOf(p.in.Host) // package site lets no other host through
	absolute := reference
	switch {
	case strings.HasPrefix(reference, "//"):
		scheme, _, _ := strings.Cut(ours, ":")
		absolute = scheme + ":" + reference
	case strings.HasPrefix(reference, "/"):
		return p.reversePath(reference)
	}
	scheme, rest, found := strings.Cut(absolute, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if !found || ours == "" || !p.isBackendOrigin(scheme+"://"+rest[:end]) {
		return reference
	}
	path := rest[end:]
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return ours + p.reversePath(path)
}

// isBackendOrigin reports whether an origin is the backend's: that by which it was asked, or
// that which it was told about, with either one's scheme, as programs take the two together
// or one of them.
func (p *proxied) isBackendOrigin(written string) bool {
	origin, err := webauth.Origin(written)
	if err != nil {
		return false
	}
	b := p.rule.backend
	candidates := []string{b.scheme + "://" + p.in.Host, site.Scheme(p.in) + "://" + p.in.Host}
	if p.rule.renamed {
		candidates = append(candidates, b.scheme+"://"+b.host)
	}
	for _, candidate := range candidates {
		if own, err := webauth.Origin(candidate); err == nil && own == origin {
			return true
		}
	}
	return false
}

// reversePath puts the path that was stripped in front of another, with its query, unless it
// is there already, from X-Forwarded-Prefix. The gateway's own pages have none.
func (p *proxied) reversePath(path string) string {
	strip := p.rule.strip
	if strip == "" || !strings.HasPrefix(path, "/") {
		return path
	}
	plain := path
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		plain = path[:end]
	}
	if normal, err := paths.Normalise(plain); err == nil {
		plain = normal
	}
	if isReserved(plain) || paths.Covers(strip, plain) || p.c.cfg.IgnoreCase && paths.Covers(strings.ToLower(strip), strings.ToLower(plain)) {
		return path
	}
	return strip + path
}

// reverseCookiePath is reversePath for cookies: one for all that the backend has is for the
// stripped path itself too, which it would not be with a final slash.
func (p *proxied) reverseCookiePath(path string) string {
	if path == "/" && p.rule.strip != "" {
		return p.rule.strip
	}
	return p.reversePath(path)
}

// isBackendDomain reports whether the Domain of a cookie is the backend's, and none that a
// browser would take from the site.
func (p *proxied) isBackendDomain(domain string) bool {
	within := func(host string) bool {
		name := strings.ToLower(serve.HostnameOf(host))
		return name == domain || strings.HasSuffix(name, "."+domain)
	}
	domain = strings.ToLower(strings.TrimPrefix(domain, "."))
	return p.rule.renamed && within(p.rule.backend.host) && !within(p.in.Host)
}
