package gateway

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Front servers that tell what they ask about in another way than by the headers of
// forwardedNames, and which the configuration must name for it.
const (
	urlOriginal = "x-original-url" // ingress-nginx: the whole URL, and a Host of its own
	urlPath     = "path"           // Envoy: behind the question's own path
)

// question notes what a front server asks about and returns the request as it goes on: at
// the path of questions, for the site's host, and by the scheme that the page is asked for
// with. It returns false for a question that cannot be answered; the notes say why.
func (c *core) question(r *http.Request) (*http.Request, bool) {
	front := &c.cfg.Front
	f := captureForwarded(r, front, c.stripping)
	at, override := askedAt(front, r), overrideIn(r.Header)
	switch {
	case f.err != nil || at == "":
	case front.URL == urlPath:
		f = pathQuestion(r, at)
		r = r.WithContext(r.Context())
		r.URL, r.RequestURI = &url.URL{Path: at}, at
	case front.URL == urlOriginal:
		r, f = c.urlQuestion(r)
	}
	f.override = override
	notesOf(r.Context()).forwarded = f
	return r, at == "" || f.err == nil || c.auth.Brings(r)
}

// askedAt returns the path of questions that a request is for; empty for no question.
func askedAt(f *Front, r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	for _, at := range []string{authPath, orLoginPath} {
		if path == at || f.URL == urlPath && strings.HasPrefix(path, at+"/") {
			return at
		}
	}
	return ""
}

// pathQuestion reads what is asked about behind the path of questions. The method is the
// question's own.
func pathQuestion(r *http.Request, at string) forwarded {
	f := forwarded{uri: r.RequestURI[len(at):], method: r.Method}
	switch {
	case !strings.HasPrefix(f.uri, "/"):
		return forwarded{err: fmt.Errorf("no path stands behind %s, as front.url = %q has it", at, urlPath)}
	case !isMethod(f.method):
		return forwarded{err: errMethod}
	}
	return f.unlessOthersSay(r.Header, allForwardedNames...)
}

// unlessOthersSay returns f, or an error if a header is there by which another kind of front
// server would tell what it asks about.
func (f forwarded) unlessOthersSay(h http.Header, names ...string) forwarded {
	for _, name := range names {
		if len(h[name]) > 0 {
			return forwarded{err: fmt.Errorf("%s came too, which may be the client's own: have the front server remove it, or see front.url if the front server writes it", name)}
		}
	}
	return f
}

// urlQuestion reads X-Original-URL and X-Original-Method. The front server asks under the
// gateway's own name and tells no scheme apart from that; what it passes on of headers that
// other front servers write must say the same.
func (c *core) urlQuestion(r *http.Request) (*http.Request, forwarded) {
	urls, methods := r.Header[originalURL], r.Header[forwardedNames[0].method]
	if len(urls) != 1 || len(methods) != 1 {
		return r, forwarded{err: errors.New("X-Original-URL and X-Original-Method must both come, and once")}
	}
	scheme, rest, _ := strings.Cut(urls[0], "://")
	host, _, _ := strings.Cut(rest, "/")
	f := forwarded{uri: rest[len(host):], method: methods[0]}
	origin, ours := c.site.OriginOf(host)
	switch {
	case host == "" || f.uri == "":
		return r, forwarded{err: errors.New("X-Original-URL is no absolute URL")}
	case !isMethod(f.method):
		return r, forwarded{err: errMethod}
	case !ours:
		return r, forwarded{err: errors.New("X-Original-URL has a host that is not one of base-url and origins")}
	case !strings.HasPrefix(origin, scheme+"://"):
		return r, forwarded{err: fmt.Errorf("X-Original-URL has another scheme than %s: browsers must come to the front server as that says", origin)}
	}
	said := []struct{ name, want string }{{"X-Forwarded-Host", host}, {"X-Forwarded-Proto", scheme}}
	for _, names := range forwardedNames {
		said = append(said, struct{ name, want string }{names.uri, f.uri}, struct{ name, want string }{names.method, f.method})
	}
	for _, s := range said {
		if slices.ContainsFunc(r.Header[s.name], func(got string) bool { return got != s.want }) {
			return r, forwarded{err: fmt.Errorf("%s says something else than X-Original-URL, and may be the client's own", s.name)}
		}
	}
	asks := r.WithContext(r.Context())
	asks.Header, asks.Host = maps.Clone(r.Header), host
	asks.Header["X-Forwarded-Host"], asks.Header["X-Forwarded-Proto"] = []string{host}, []string{scheme}
	return asks, f
}

// loginElsewhere serves /.wls/login where a front server sends people there with the whole
// URL of the page in "rd", as ingress-nginx does: it sends them on to the login of the page's
// own origin, with the path in "next".
func (c *core) loginElsewhere(w http.ResponseWriter, r *http.Request) bool {
	query := r.URL.Query()
	if !c.cfg.ForwardAuth || !query.Has("rd") || query.Has("next") || c.auth.Brings(r) {
		return false
	}
	to, err := c.loginOf(query["rd"])
	if err != nil {
		c.refuse(w, r, "next", err, pageAddress)
		return true
	}
	respond.Redirect(w, r, to)
	return true
}

// loginOf returns the address of the login for a page of this site.
func (c *core) loginOf(rd []string) (string, error) {
	if len(rd) != 1 {
		return "", errors.New("rd comes more than once")
	}
	page, err := webauth.CanonicalURL(rd[0])
	if err != nil {
		return "", fmt.Errorf("rd: %v", err)
	}
	for _, origin := range c.site.Origins() {
		target, ok := strings.CutPrefix(page, origin)
		if !ok || !strings.HasPrefix(target, "/") {
			continue
		}
		path, query, _ := strings.Cut(target, "?")
		next, err := nextFor(path, query)
		if err != nil {
			return "", fmt.Errorf("rd: %v", err)
		}
		return origin + serve.LoginPath + "?next=" + url.QueryEscape(next), nil
	}
	return "", errors.New("rd is no page of this site")
}
