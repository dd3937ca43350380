package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/dav"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

var (
	errOrigin        = errors.New("is at another origin than the request")
	errOtherServer   = errors.New("has another backend than the request's path, or is known to it by another host")
	errOwnPages      = errors.New("is one of the gateway's own pages")
	errReference     = errors.New("has a query or a fragment, or begins with two slashes")
	errNoDestination = errors.New("no Destination came with the question: have the front server pass on all headers of requests")
)

// destination judges the second path of COPY and MOVE (RFC 4918 section 10.3), and of
// whatever else a backend may find Destination in. What is there goes, and what comes may
// have anything below it, so that the rules below it count as well.
func (b *beyond) destination() {
	lines := b.r.Header["Destination"]
	switch {
	case len(lines) == 0:
		if b.atFront && (b.r.Method == "COPY" || b.r.Method == "MOVE") {
			b.deny("destination", pageDestination, errNoDestination)
		}
		return
	case len(lines) > 1:
		b.deny("destination", pageDestination, fmt.Errorf("the header Destination %w", dav.ErrLines))
		return
	}
	at, ok := b.locate("Destination", lines[0], b.atFront)
	if !ok {
		return
	}
	b.below(at.rule, at.path, tree)
	b.replace("Destination", b.forBackend(at))
}

// located is a resource of the site that a header names.
type located struct {
	rule     *rule
	path     string // in its normal form
	absolute bool   // it was named with an origin
}

// locate finds the resource that a header names, and denies the request if that is none of
// ours, or not for whoever asks. A reference that goes on as it was sent must be resolved.
func (b *beyond) locate(name, reference string, asSent bool) (located, bool) {
	c, host := b.c, b.r.Host
	path, absolute, err := c.localPath(host, reference)
	if err != nil {
		p := pageDestination
		if errors.Is(err, errOrigin) {
			p.Status = http.StatusForbidden
		}
		b.deny("destination", p, fmt.Errorf("%s %w", name, err))
		return located{}, false
	}
	normal, err := paths.Normalise(path)
	if err == nil && asSent && !paths.IsResolved(path, normal) {
		err = errUnresolved
	}
	if err == nil && isReserved(normal) {
		err = errOwnPages
	}
	if err != nil {
		b.deny("destination", pageDestination, fmt.Errorf("%s: %w", name, err))
		return located{}, false
	}
	ru, ok := b.mayReach(name, normal)
	return located{ru, normal, absolute}, ok
}

// mayReach finds the rule for a second path, and denies the request if that keeps it out,
// or the path is at another server.
func (b *beyond) mayReach(name, path string) (ru *rule, ok bool) {
	ru = b.c.ruleFor(b.r.Host, path)
	if ru == b.c.ambiguous {
		b.deny("destination", pageDestination, fmt.Errorf("%s: %w", name, paths.ErrAmbiguous))
		return ru, false
	}
	b.ask(ru, "destination", pageNotThere, func(rest string) error {
		return fmt.Errorf("%s is %s, and the rule for %q %s", name, path, ru.label, rest)
	})
	if !b.atFront && !isSameServer(b.rule, ru) {
		p := pageDestination
		p.Status = http.StatusForbidden
		b.deny("destination", p, fmt.Errorf("%s %w", name, errOtherServer))
	}
	return ru, b.refusal == nil
}

// localPath returns the path, as it was sent, of a Simple-ref (RFC 4918 section 8.3) at the
// origin of a host: an absolute URI, or a path.
func (c *core) localPath(host, reference string) (path string, absolute bool, err error) {
	if strings.HasPrefix(reference, "//") || strings.ContainsAny(reference, "?#") {
		return "", false, errReference
	}
	if strings.HasPrefix(reference, "/") {
		return reference, false, nil
	}
	_, rest, _ := strings.Cut(reference, "://")
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash, rest = len(rest), rest+"/"
	}
	origin, err := webauth.Origin(strings.TrimSuffix(reference, rest[slash:]))
	if err != nil {
		return "", false, err
	}
	if own, ok := c.site.OriginOf(host); !ok || own != origin {
		return "", false, errOrigin
	}
	return rest[slash:], true, nil
}

// isSameServer reports whether what two rules have is in one place, where a request for
// the one can name the other.
func isSameServer(a, b *rule) bool {
	if a.backend == nil || b.backend == nil {
		return a.backend == b.backend
	}
	return a.backend.key.to == b.backend.key.to && a.renamed == b.renamed
}

// forBackend names a resource as the backend knows it: without a path that is stripped,
// and with the scheme and the host that the request for it has there.
func (b *beyond) forBackend(at located) string {
	path := at.path
	if at.rule.strip != "" {
		_, path = stripPath(at.rule, path)
	}
	server := at.rule.backend
	if !at.absolute || server == nil {
		return path
	}
	host := b.r.Host
	if at.rule.renamed {
		host = server.host
	}
	return server.scheme + "://" + host + path
}

// replace changes a header of the request that goes on, and not that of the one that came.
func (b *beyond) replace(name, value string) {
	h := b.r.Header.Clone()
	h[name] = []string{value}
	b.r = b.r.WithContext(b.r.Context())
	b.r.Header = h
}

// sourceNames are headers in which object stores (S3, Swift, Azure, Google) are told what to
// copy or rename to the request's path.
var sourceNames = []string{
	"X-Amz-Copy-Source", "X-Amz-Rename-Source", "X-Copy-From", "X-Goog-Copy-Source", "X-Ms-Copy-Source", "X-Ms-Rename-Source",
}

// namesSource reports whether a request has one of them.
func namesSource(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && slices.ContainsFunc(sourceNames, func(name string) bool { return r.Header[name] != nil })
}

// sources judges what they name: a path, which may begin without a slash, or a URL; a
// version may follow. They go on as they came, because clients sign them.
func (b *beyond) sources() {
	if !namesSource(b.r) || !b.mayMatter() {
		return
	}
	for _, name := range sourceNames {
		for _, ref := range b.r.Header[name] {
			ref, _, _ = strings.Cut(ref, "?")
			if !strings.HasPrefix(ref, "/") && !strings.Contains(ref, "://") {
				ref = "/" + ref
			}
			if !b.named(name, ref, resource) {
				return
			}
		}
	}
}

// conditions judges the resources that tags in If name (RFC 4918 section 10.4): whether
// these have some state, the answer tells.
func (b *beyond) conditions() {
	lines := b.r.Header["If"]
	if len(lines) == 0 {
		return
	}
	pieces, err := dav.SplitConditions(lines)
	if err != nil {
		b.deny("conditions", pageConditions, fmt.Errorf("the header If %w", err))
		return
	}
	for i := 1; i < len(pieces); i += 2 {
		at, ok := b.locate("a tag of If", pieces[i], b.atFront)
		if !ok {
			return
		}
		pieces[i] = "<" + b.forBackend(at) + ">"
	}
	b.replace("If", strings.Join(pieces, ""))
}

var (
	pageBelow = site.Page{Kind: "below", Status: http.StatusForbidden, Title: "Part of this is not for you",
		Text: []string{"Ask for the parts that you need one by one; if you should have all, ask the site’s webmaster, and quote the reference below. What you asked for is about everything below this address, and you may not have all of that."}}
	pageNotThere = site.Page{Kind: "destination", Status: http.StatusForbidden, Title: "You may not do this there",
		Text: []string{"Choose another address to copy or move to, or ask the site’s webmaster, and quote the reference below. The one that you named is for particular people, or wants a login of another kind."}}
	pageConditions = site.Page{Kind: "conditions", Status: http.StatusBadRequest, Title: "The conditions cannot be read",
		Text: []string{"Please update the program that you use, or use another one. It has sent conditions in a form that this site does not know."}}
	pageDestination = site.Page{Kind: "destination", Status: http.StatusBadRequest, Title: "The second address cannot be used",
		Text: []string{"To copy to other places, download and upload. The second address must be a plain one of this very site, and of the same part of it."}}
)
