package glue

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The address of a page that keeps a form ends in a mark, so that no other body is read
// in search of a kept form, and so that a login from there is as strong as the form's
// route wants:
//
//	wls-kept=1          as Config.Policy wants
//	wls-kept=y~pwd      by iact and aauth, as webauth.FormatStrength writes them
//	wls-kept=300y~pwd   the same, by a password typed at most 300 seconds ago
//
// Anybody can write one. It only adds to what a route wants itself, never contradicts
// it, and leads to a login or to a page. None that another site sent costs a session its
// password.
const (
	keptField  = "wls-kept" // the form field that holds the sealed form, too
	markAsSite = "1"
	maxMark    = 300 // bytes: 8 types of 32 letters, and a duration
	maxFresh   = 400 * 24 * time.Hour
)

// strength returns the part of a policy that a login can satisfy: who may come in is no part
// of it.
func (p *Policy) strength() Policy {
	s := Policy{IAct: p.IAct, AAuth: p.AAuth, Fresh: min(p.Fresh, maxFresh), AnyPtags: true}
	if s.Fresh != 0 || p.NotSession != "" {
		s.IAct = webauth.IActYes
	}
	return s
}

// and returns the strength that satisfies both p and q, which are strengths themselves.
// Where they contradict each other ok is false, and it is p. usual is ServiceInfo.DefaultAAuth.
func (p Policy) and(q Policy, usual []string) (both Policy, ok bool) {
	both = p
	switch {
	case p.IAct == webauth.IActAsNeeded:
		both.IAct = q.IAct
	case q.IAct != webauth.IActAsNeeded && q.IAct != p.IAct:
		return p, false
	}
	if q.Fresh != 0 && (p.Fresh == 0 || q.Fresh < p.Fresh) {
		both.Fresh = q.Fresh
	}
	if p.AAuth != nil || q.AAuth != nil {
		both.AAuth = intersect(acceptable(p.AAuth, usual), acceptable(q.AAuth, usual))
		if both.AAuth != nil && len(both.AAuth) == 0 {
			return p, false
		}
	}
	return both, true
}

// acceptable returns AAuth with the service's default; nil is any.
func acceptable(aauth, usual []string) []string {
	if aauth == nil {
		return usual
	}
	return aauth
}

// intersect returns what is in both lists, of which nil holds everything.
func intersect(a, b []string) []string {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return slices.DeleteFunc(slices.Clone(a), func(t string) bool { return !slices.Contains(b, t) })
}

// markOf returns the mark's value for a strength; usual is the policy that needs no words.
func markOf(p Policy, usual *Policy) string {
	if value := formatMark(p); value != formatMark(usual.strength()) {
		return value
	}
	return markAsSite
}

func formatMark(p Policy) string {
	fresh := ""
	if p.Fresh != 0 {
		fresh = strconv.FormatInt(int64(p.Fresh/time.Second), 10)
	}
	return fresh + webauth.FormatStrength(p.IAct, p.AAuth)
}

// parseMark reads what markOf wrote.
func parseMark(value string, usual *Policy) (Policy, bool) {
	if value == markAsSite {
		return usual.strength(), true
	}
	rest := strings.TrimLeft(value, "0123456789")
	digits := strings.TrimSuffix(value, rest)
	p := Policy{AnyPtags: true}
	var ok bool
	if p.IAct, p.AAuth, ok = webauth.ParseStrength(rest); !ok || len(value) > maxMark {
		return Policy{}, false
	}
	if digits != "" {
		seconds, err := strconv.Atoi(digits)
		if err != nil || strconv.Itoa(seconds) != digits || seconds < 60 || seconds > int(maxFresh/time.Second) || p.IAct != webauth.IActYes {
			return Policy{}, false
		}
		p.Fresh = time.Duration(seconds) * time.Second
	}
	return p, true
}

// aboutKeptForm reports whether a request came from a page that keeps a form.
func (q *request) aboutKeptForm() bool { return q.cfg.KeepForms >= 0 && hasKeptMark(q.query) }

// marked returns the strength that the request's mark wants.
func (q *request) marked() (Policy, bool) {
	if !q.aboutKeptForm() {
		return Policy{}, false
	}
	mark, ok := parseMark(q.query[strings.LastIndex(q.query, keptField+"=")+len(keptField+"="):], &q.cfg.Policy)
	if mark.IAct == webauth.IActNo && fromOtherOrigin(q.r) {
		// A login of that kind would take the place of one by a password. Who comes back
		// from it has what the mark wants already.
		mark.IAct = webauth.IActAsNeeded
	}
	return mark, ok
}

// unmarkedLen returns how much of a query is left without the mark at its end.
func unmarkedLen(query string) (n int, found bool) {
	i := strings.LastIndex(query, keptField+"=")
	if i < 0 || i > 0 && query[i-1] != '&' {
		return len(query), false
	}
	if _, ok := parseMark(query[i+len(keptField+"="):], &Policy{}); !ok {
		return len(query), false
	}
	return max(i-1, 0), true
}

func hasKeptMark(query string) bool {
	_, found := unmarkedLen(query)
	return found
}

// withKeptMark marks a query for a route that wants what the site does.
func withKeptMark(query string) string { return withMark(query, markAsSite) }

func withMark(query, value string) string {
	query = withoutKeptMark(query)
	if query != "" {
		query += "&"
	}
	return query + keptField + "=" + value
}

func withoutKeptMark(query string) string {
	for {
		n, found := unmarkedLen(query)
		if !found {
			return query
		}
		query = query[:n]
	}
}

func withoutKeptMarkURI(uri string) string {
	path, query, _ := strings.Cut(uri, "?")
	return localpath.WithQuery(path, withoutKeptMark(query))
}

// Unmarked returns the request as it was before its address was marked as that of a kept
// form: a request for another host or backend is judged by its plain address. It is for
// package gateway.
func Unmarked(r *http.Request) *http.Request {
	if !hasKeptMark(r.URL.RawQuery) {
		return r
	}
	return withoutMark(r)
}

// withoutMark returns the request as it was before it was marked.
func withoutMark(r *http.Request) *http.Request {
	r = r.WithContext(r.Context())
	u := *r.URL
	u.RawQuery = withoutKeptMark(u.RawQuery)
	r.URL = &u
	r.RequestURI = withoutKeptMarkURI(r.RequestURI)
	return r
}
