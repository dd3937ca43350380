package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Some requests act on more than the resource at their path: on all that is below it, or
// on another one that a header names. WebDAV (RFC 4918) is full of them. Whoever makes
// one must be let in by the rules for all of that, or could read, move or remove by way of
// /a what only others may at /a/private.

// beyondPath passes requests on to next that reach no further than the rules let the same
// person, and the headers that name other resources in the form that the backend will
// understand. It is asked when rule ru has let the request in. A front server passes on
// what it got itself, and knows its backends itself.
func (c *core) beyondPath(ru *rule, next http.Handler, atFront bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reach := reachOf(r)
		if len(ru.overrides) > 0 {
			reach = max(reach, overriddenReach(r.Header, ru.overrides))
		}
		if reach == resource && len(r.Header["Destination"]) == 0 && len(r.Header["If"]) == 0 && !namesSource(r) {
			next.ServeHTTP(w, r)
			return
		}
		b := &beyond{c: c, r: r, rule: ru, reach: reach, atFront: atFront}
		b.below(ru, r.URL.RawPath, reach)
		b.destination()
		b.sources()
		b.conditions()
		if atFront {
			b.unseenBody()
		} else {
			b.body()
		}
		if b.refusal != nil {
			b.refuse(w)
			return
		}
		next.ServeHTTP(w, b.r)
	})
}

// beyond is one request while it is judged by other rules than that of its path.
type beyond struct {
	c       *core
	r       *http.Request
	rule    *rule // of its path, which has let it in
	reach   reach
	atFront bool

	admitted []*rule // which let it in as well
	refusal  *refusal
}

// refusal is why a request reaches too far. The first one counts.
type refusal struct {
	reason webauth.Reason
	err    error
	page   glue.Page
	header http.Header // how to be let in, such as WWW-Authenticate
}

func (b *beyond) deny(reason webauth.Reason, p glue.Page, err error) {
	if b.refusal == nil {
		b.refusal = &refusal{reason: reason, page: p, err: err}
	}
}

func (b *beyond) refuse(w http.ResponseWriter) {
	for _, name := range []string{"Www-Authenticate", "Retry-After", "Connection"} {
		if values := b.refusal.header[name]; values != nil {
			w.Header()[name] = values
		}
	}
	b.c.refuse(w, b.r, b.refusal.reason, b.refusal.err, b.refusal.page)
}

// below denies what a request does below a path if a rule for that keeps it out. With ru,
// the path's own rule, goes how else its backend may read it.
func (b *beyond) below(ru *rule, path string, reach reach) {
	if reach == resource {
		return
	}
	for _, reading := range b.c.readings(path, ru) {
		if b.c.cfg.IgnoreCase {
			reading, _ = paths.Fold(reading) // empty, for the whole site, where that is not clear
		}
		for _, other := range b.c.rules[b.r.Host] {
			if reach.includes(reading, other.prefix) && b.c.match(b.r.Host, other.prefix) == other {
				b.ask(other, "below", pageBelow, func(rest string) error {
					return fmt.Errorf("%s acts on what is below %s, and there the rule for %q %s", b.r.Method, path, other.label, rest)
				})
			}
		}
	}
}

// readings gives all that a program may take a normal path of rule ru for, itself first.
func (c *core) readings(path string, ru *rule) []string {
	all := append([]string{path}, paths.Interpretations(path, c.cfg.IgnoreCase)...)
	for _, p := range slices.Clip(all) {
		found, _ := ru.scripts.In(p)
		for _, s := range found {
			all = append(all, s.Without, s.After)
		}
	}
	return all
}

// ask denies the request if another rule keeps it out, or knows the person by another
// name. It answers as that rule would: a login may help, or not.
func (b *beyond) ask(other *rule, reason webauth.Reason, p glue.Page, err func(rest string) error) {
	if b.refusal != nil || other == b.rule || other.asksNoMore(b.rule) || slices.Contains(b.admitted, other) {
		return
	}
	v := b.verdict(other)
	mine, _ := personOf(b.r.Context(), b.rule)
	switch {
	case v.admitted && (mine == "" || v.person == "" || mine == v.person):
		b.admitted = append(b.admitted, other)
		return
	case v.admitted:
		b.deny(reason, p, err("lets in somebody else"))
	default:
		b.deny(reason, p, err("does not let this request in"))
	}
	switch v.status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		b.refusal.page.Status, b.refusal.header = v.status, v.header
	}
}

// verdict asks a rule about the request. Passwords are not tried where a session has told
// who it is: they would be another person's, or the backend's business.
func (b *beyond) verdict(other *rule) *verdict {
	v := &verdict{header: http.Header{}}
	mine, _ := personOf(b.r.Context(), b.rule)
	if other.cfg.Access == Basic && b.rule.cfg.Access != Basic && mine != "" {
		return v
	}
	asked := b.r.WithContext(context.WithValue(b.r.Context(), verdictKey{}, v))
	asked.Header = b.r.Header.Clone()
	asked.Body, asked.ContentLength = http.NoBody, 0
	markScripted(asked.Header) // nobody is to be sent anywhere, and no form kept
	other.judge.ServeHTTP(v, asked)
	return v
}

// verdict is what a rule says of a request, instead of an answer to it.
type verdict struct {
	admitted bool
	person   string // whom the rule has let in; empty for nobody in particular

	header http.Header // of the answer where it is no
	status int
}

type verdictKey struct{}

// admitted ends in a verdict what a rule lets in.
func (c *core) admitted(ru *rule) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if v, ok := r.Context().Value(verdictKey{}).(*verdict); ok {
			v.admitted = true
			v.person, _ = personOf(r.Context(), ru)
		}
	})
}

func (v *verdict) Header() http.Header { return v.header }

func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }

func (v *verdict) WriteHeader(status int) {
	if v.status == 0 {
		v.status = status
	}
}

// reach is how far below its path a request acts.
type reach int

const (
	resource reach = iota // on the one at its path
	members               // and on the members of a collection
	tree                  // and on all that is below
)

// includes reports whether a prefix of a rule lies below a path, and not too far.
func (d reach) includes(path, prefix string) bool {
	path = paths.TrimSlash(path)
	if d == resource || len(prefix) <= len(path) || !paths.Covers(path, prefix) {
		return false
	}
	return d == tree || strings.LastIndexByte(prefix, '/') == len(path)
}

// single are the methods that act on one resource (RFC 9110, RFC 5789, RFC 4918, RFC 4791,
// and the QUERY method). What is not known to do so acts on a whole tree.
var single = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true,
	http.MethodOptions: true, "MKCOL": true, "MKCALENDAR": true, "PROPPATCH": true, "UNLOCK": true, "QUERY": true,
}

// reachOf tells how far a request acts. RFC 4918 lets Depth limit PROPFIND and LOCK (sections
// 9.1 and 9.10.3); servers differ about COPY with one.
func reachOf(r *http.Request) reach {
	if single[r.Method] {
		return resource
	}
	depth := r.Header["Depth"]
	if len(depth) != 1 || isDropped(r.Header, "Depth") {
		return tree
	}
	switch r.Method + " " + depth[0] {
	case "PROPFIND 0", "LOCK 0":
		return resource
	case "PROPFIND 1":
		return members
	}
	return tree
}

// overriddenReach returns how far a request acts by what headers that a rule passes on say
// of its method.
func overriddenReach(h http.Header, overrides []string) reach {
	for _, name := range overrides {
		for _, method := range h[name] {
			if !single[method] {
				return tree
			}
		}
	}
	return resource
}

// isDropped reports whether Connection lists a header, so that it goes no further (RFC
// 9110 section 7.6.1).
func isDropped(h http.Header, name string) bool {
	for _, line := range h["Connection"] {
		for listed := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(listed), name) {
				return true
			}
		}
	}
	return false
}
