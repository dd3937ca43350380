package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/headers"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// inHeaderOnly are fields that were checked in the header, or set there, and would say
// something else in the trailer, for a program that takes the two for one.
var inHeaderOnly = append([]string{"Set-Cookie", "Cache-Control", "Expires", "Pragma", "Vary"}, headers.SharedCaching...)

// isTrailer reports whether a field may come after a message: under a name that all
// programs read alike, and none of those that say more than the application's word.
func (c *core) isTrailer(name string) bool {
	return headername.IsPlain(name) && headername.Lookup(name).Class == 0 &&
		!slices.Contains(inHeaderOnly, http.CanonicalHeaderKey(name)) && c.stripping.chosen(name) == nil
}

// announceTrailers has those fields go on that come after the request's body, have been
// announced, and may do so. What they say is there when the body has been read: see Read.
func (p *proxied) announceTrailers(out *http.Request) {
	out.Trailer = nil
	for name := range p.in.Trailer {
		if !p.c.isTrailer(name) {
			p.c.removals.trailer(p.c.cfg.Logger, name)
			continue
		}
		if out.Trailer == nil {
			out.Trailer = http.Header{}
		}
		out.Trailer[name] = nil
	}
	p.trailer = out.Trailer
}

// takeTrailers fills in what has come of the announced fields.
func (p *proxied) takeTrailers() {
	for name := range p.trailer {
		p.trailer[name] = p.in.Trailer[name]
	}
}

// cleanTrailers removes all others from what comes after the answer: the proxy has put
// what was not announced beside the header, marked as such.
func (p *proxied) cleanTrailers() {
	h := p.Header()
	for marked := range h {
		if name, ok := strings.CutPrefix(marked, http.TrailerPrefix); ok && !p.c.isTrailer(name) {
			delete(h, marked)
			p.c.removals.trailer(p.c.cfg.Logger, name)
		}
	}
}
