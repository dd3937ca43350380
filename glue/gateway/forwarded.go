package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
)

// forwarded is the request that a front server asks about, as the server tells it. Its
// host is that of the request that asks, which site.Handler has found out.
type forwarded struct {
	uri, method string
	override    string // the header by which some program takes the method for another; empty for none
	err         error  // why nothing is believed
}

// What front servers write unless Front.URL says otherwise: nginx as its configuration says,
// and the snippets for it say the first; Caddy and Traefik the second by themselves.
var forwardedNames = [...]struct{ uri, method string }{
	{"X-Original-Uri", "X-Original-Method"},
	{"X-Forwarded-Uri", "X-Forwarded-Method"},
}

// originalURL is the header that ingress-nginx tells the whole URL in.
const originalURL = "X-Original-Url"

// allForwardedNames are all of them.
var allForwardedNames = func() []string {
	all := []string{originalURL}
	for _, names := range forwardedNames {
		all = append(all, names.uri, names.method)
	}
	return all
}()

// isForwardedName reports whether a header is one of those.
func isForwardedName(name string) bool { return slices.Contains(allForwardedNames, name) }

var (
	errNotFront = errors.New("whoever asks is not among the front servers of the configuration")
	errNotAsked = errors.New("neither X-Original-URI and X-Original-Method came, nor X-Forwarded-Uri and X-Forwarded-Method")
	errMethod   = errors.New("the method is no token")
	errTwoWays  = errors.New("both X-Original- and X-Forwarded- headers came, and one of them may be the client's own: remove those that the front server does not write")
)

// captureForwarded reads what a front server asks about. It must see the request before
// site.Handler removes such headers.
func captureForwarded(r *http.Request, front *Front, chosen *stripping) forwarded {
	if proxies := front.Believed(); !proxies.Trusts(r) {
		return forwarded{err: errNotFront}
	}
	if name := chosen.oddlySpelled(r.Header); name != "" {
		return forwarded{err: fmt.Errorf("the front server passes on %s, which some programs read as %s: have it remove headers of such names", showName(name), headername.FoldString(name))}
	}
	if front.URL != "" {
		return forwarded{} // see question
	}
	return readForwarded(r.Header)
}

// oddlySpelled returns a name that the application may read as another that it believes:
// no honest client sends such a thing, and what comes with the question goes on to the
// application as well. What comes under its own name the front server may have written.
func (s *stripping) oddlySpelled(h http.Header) string {
	for name := range h {
		if !headername.IsOwn(name) && (headername.Lookup(name).Class&^headername.Suspects != 0 || s.chosen(name) == theirsAlone) {
			return name
		}
	}
	return ""
}

// readForwarded reads the headers of a front server. Both come once, from one family:
// a server that writes only one of them, or writes the other family, would pass on what
// the client says.
func readForwarded(h http.Header) forwarded {
	var found forwarded
	families := 0
	for _, names := range forwardedNames {
		uris, methods := h[names.uri], h[names.method]
		if len(uris) == 0 && len(methods) == 0 {
			continue
		}
		families++
		if len(uris) != 1 || len(methods) != 1 {
			return forwarded{err: fmt.Errorf("%s and %s must both come, and once", names.uri, names.method)}
		}
		found = forwarded{uri: uris[0], method: methods[0]}
	}
	switch {
	case families == 0:
		return forwarded{err: errNotAsked}
	case families > 1:
		return forwarded{err: errTwoWays}
	case !isMethod(found.method):
		return forwarded{err: errMethod}
	}
	return found.unlessOthersSay(h, originalURL)
}

// overrideIn returns the name of a header by which some program takes the method for another.
// The application may get it as well, whatever happens to it here.
func overrideIn(h http.Header) string {
	for name := range h {
		if headername.Lookup(name).Class&headername.Methods != 0 && !isForwardedName(name) {
			return name
		}
	}
	return ""
}

// isMethod reports whether s is a method as people use them (RFC 9110 section 9.1 has
// them in capitals; WebDAV's have a hyphen).
func isMethod(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}
