package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/dav"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// maxDAVBody is the longest body that is looked through, in bytes. A list of some thousand
// calendar entries is shorter.
const maxDAVBody = 1 << 20

// ownBody are methods whose body names no further resource: its hrefs, if it has any, say
// who locks.
var ownBody = map[string]bool{"DELETE": true, "MOVE": true, "COPY": true, "PROPFIND": true, "LOCK": true}

// body judges the resources that hrefs in an XML body name: what SEARCH looks through (RFC
// 5323), a REPORT lists (RFC 4791 section 7.9) or BIND makes appear elsewhere (RFC 5842).
// Servers do not all see to it that these are below the path.
func (b *beyond) body() {
	if b.reach == resource || ownBody[b.r.Method] || b.r.Body == nil || b.refusal != nil || !b.mayMatter() {
		return
	}
	text, err := io.ReadAll(io.LimitReader(b.r.Body, maxDAVBody+1))
	switch {
	case errors.Is(err, errSlowBody):
		b.deny("slow-body", pageSlowBody, err)
		b.refusal.header = http.Header{"Connection": {"close"}}
		return
	case err != nil:
		b.deny("body", pageBadRequest, err)
		return
	case len(text) > maxDAVBody:
		b.deny("too-large", pageTooLarge, fmt.Errorf("the body of %s is longer than %d bytes", b.r.Method, maxDAVBody))
		return
	case len(text) == 0:
		return
	}
	refs, err := dav.Hrefs(text, b.r.Header["Content-Type"])
	if b.r.Header["Content-Encoding"] != nil {
		err = dav.ErrBody
	}
	for _, ref := range refs {
		if !b.named("an href", ref, tree) {
			return
		}
	}
	if err != nil {
		b.deny("body", pageBody, err)
		return
	}
	b.r = b.r.WithContext(b.r.Context())
	b.r.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(text), b.r.Body}
	b.r.ContentLength, b.r.TransferEncoding = int64(len(text)), nil
}

// unseenBody denies what makes a resource that its body names appear at the path (RFC 5842),
// where the body is at a front server. Others read what they name, at most.
func (b *beyond) unseenBody() {
	if (b.r.Method == "BIND" || b.r.Method == "REBIND") && b.mayMatter() {
		b.deny("body", pageBelow, fmt.Errorf("the body of %s names another resource, and it is not here to be judged", b.r.Method))
	}
}

// named judges a resource that the backend is told of as it was sent, and what is below it.
// Nothing is stripped there, so that it may be another one to the backend.
func (b *beyond) named(what, ref string, reach reach) bool {
	at, ok := b.locate(what, ref, true)
	if !ok {
		return false
	}
	b.below(at.rule, at.path, reach)
	if b.rule.strip != "" {
		path := b.rule.strip + at.path
		if ru, ok := b.mayReach(what, path); ok {
			b.below(ru, path, reach)
		}
	}
	return b.refusal == nil
}

// mayMatter reports whether what a request names can make a difference: whether the backend
// serves all of the host, and no rule there keeps out whom that of the path has let in.
func (b *beyond) mayMatter() bool {
	return b.c.mayDiffer(b.r.Host, b.rule) || slices.ContainsFunc(b.c.allRules(b.r.Host), func(other *rule) bool { return !isSameServer(b.rule, other) })
}

var pageBody = site.Page{Kind: "body", Status: http.StatusBadRequest, Title: "What you sent cannot be read",
	Text: []string{"Please update the program that you use, or use another one. It has sent something in a form that this site does not read."}}
