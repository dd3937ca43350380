package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Some requests act on more than the resource at their path: on all that is below it, or
// on another one that a header names. WebDAV (RFC 4918) is full of them. Whoever makes
// one must be let in by the rules for all of that, or could read, move or remove by way of
// /a what only others may at /a/private.

// withinReach passes requests on to next that reach no further than the rules let the same
// person. It is asked when rule ru has let the request in.
func (c *core) withinReach(ru *rule, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, no := c.beyondPath(ru, r, false)
		if no != nil {
			c.answer(w, r, no)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// beyondPath returns the request that goes on, with the headers that name other resources
// in the form that the backend will understand; or why rule ru, which has let it in, is not
// all that counts. A front server passes on what it got itself, and knows its backends
// itself.
func (c *core) beyondPath(ru *rule, r *http.Request, atFront bool) (*http.Request, *refusal) {
	reach := reachOf(r)
	if len(ru.overrides) > 0 {
		reach = max(reach, overriddenReach(r.Header, ru.overrides))
	}
	if reach == resource && len(r.Header["Destination"]) == 0 && len(r.Header["If"]) == 0 && !namesSource(r) {
		return r, nil
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
	return b.r, b.refusal
}

// beyond is one request while it is judged by other rules than that of its path.
type beyond struct {
	c       *core
	r       *http.Request
	rule    *rule // of its path, which has let it in
	reach   reach
	atFront bool

	admitted []*rule  // which let it in as well
	refusal  *refusal // why it reaches too far; the first one counts
}

func (b *beyond) deny(reason string, p site.Page, err error) {
	if b.refusal == nil {
		b.refusal = newRefusal(reason, err, p)
	}
}

// below denies what a request does below a path if a rule for that keeps it out. With ru,
// the path's own rule, goes how else its backend may read it.
func (b *beyond) below(ru *rule, path string, reach reach) {
	if reach == resource {
		return
	}
	for _, interpretation := range b.c.interpretations(path, ru) {
		if b.c.cfg.IgnoreCase {
			interpretation, _ = paths.Fold(interpretation) // empty, for the whole site, where that is not clear
		}
		interpretation = paths.FoldPlus(interpretation)
		for _, other := range b.c.rules[b.r.Host] {
			if reach.includes(interpretation, other.prefix) && b.c.match(b.r.Host, other.prefix) == other {
				b.ask(other, "below", pageBelow, func(rest string) error {
					return fmt.Errorf("%s acts on what is below %s, and there the rule for %q %s", b.r.Method, path, other.label, rest)
				})
			}
		}
	}
}

// interpretations returns all that a program may take a normal path of rule ru for, itself first.
func (c *core) interpretations(path string, ru *rule) []string {
	all := []string{path, plusAsBlank(path)}
	if c.isOdd(path) {
		readings, _ := paths.Readings(path) // as its rule did
		blank, _ := paths.Readings(plusAsBlank(path))
		all = append(readings, blank...)
	}
	for _, p := range slices.Clip(all) {
		all = append(all, paths.Interpretations(p, c.cfg.IgnoreCase)...)
	}
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
func (b *beyond) ask(other *rule, reason string, p site.Page, err func(rest string) error) {
	if b.refusal != nil || other == b.rule || other.asksNoMore(b.rule) || slices.Contains(b.admitted, other) {
		return
	}
	v := b.verdict(other)
	if v.admitted != nil {
		mine, _ := personOf(b.r.Context(), b.rule)
		theirs, _ := personOf(v.admitted.Context(), other)
		if mine == "" || theirs == "" || mine == theirs {
			b.admitted = append(b.admitted, other)
			return
		}
		b.deny(reason, p, err("lets in somebody else"))
		return
	}
	b.deny(reason, p, err("does not let this request in"))
	switch status, header := b.c.statusOf(&v); status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		b.refusal.page.Status, b.refusal.header = status, header
	}
}

// verdict asks a rule about the request. Passwords are not tried where a session has told
// who it is: they would be another person's, or the backend's business.
func (b *beyond) verdict(other *rule) verdict {
	mine, _ := personOf(b.r.Context(), b.rule)
	if other.cfg.Access == Basic && b.rule.cfg.Access != Basic && mine != "" {
		return verdict{}
	}
	asked := b.r.WithContext(b.r.Context())
	asked.Body, asked.ContentLength = http.NoBody, 0
	if other.cfg.Access == LoginOrBearer && b.rule.cfg.Access != LoginOrBearer {
		// The backend does not look at the token of a request that another rule has let in.
		asked.Header = asked.Header.Clone()
		asked.Header.Del("Authorization")
	}
	return b.c.decide(other, asked)
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

// reachOf returns how far a request acts. RFC 4918 lets Depth limit PROPFIND and LOCK (sections
// 9.1 and 9.10.3); servers differ about COPY with one.
func reachOf(r *http.Request) reach {
	if single[r.Method] {
		return resource
	}
	depth := r.Header["Depth"]
	if len(depth) != 1 || httpguts.HeaderValuesContainsToken(r.Header["Connection"], "Depth") { // what Connection lists goes no further (RFC 9110 section 7.6.1)
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
