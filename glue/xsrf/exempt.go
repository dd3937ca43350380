package xsrf

import (
	"maps"
	"net/http"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
)

// Exempt makes [Guard.Protect] pass on requests of any page to these paths, as browsers see
// them, but without their cookies. It is for what is called from pages of other origins, goes
// by no cookie and judges those pages itself, as the token endpoint of an OAuth 2.0 server
// does: package oauth2server calls it for its own.
func (g *Guard) Exempt(paths ...string) {
	for {
		old := g.exempt.Load()
		all := slices.Clone(paths)
		if old != nil {
			all = append(all, *old...)
		}
		if g.exempt.CompareAndSwap(old, &all) {
			return
		}
	}
}

// isExempt reports whether the path that a browser asked for is exempt, spelled as it was
// given.
func (g *Guard) isExempt(r *http.Request) bool {
	all := g.exempt.Load()
	if all == nil {
		return false
	}
	path, _ := g.cfg.Site.Asked(r)
	return slices.Contains(*all, path)
}

// withoutCookies returns the request as a browser without cookies would have sent it: if a
// path is exempt that should not be, still nobody acts in a person's name there.
func withoutCookies(r *http.Request) *http.Request {
	r = r.WithContext(glue.WithoutIdentity(r.Context())) // of a login that is mounted outside
	r.Header = maps.Clone(r.Header)
	r.Header.Del("Cookie")
	return r
}
