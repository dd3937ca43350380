package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/config"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// CrossOrigin lists the origins, such as "https://app.example", whose pages may send
// requests; [AnyOrigin] alone is all of them. In a file, true stands for that, and false for
// none.
type CrossOrigin []string

// AnyOrigin stands for all origins in [CrossOrigin].
const AnyOrigin = "*"

// SetBool implements [config.BoolSetter].
func (o *CrossOrigin) SetBool(all bool) {
	*o = nil
	if all {
		*o = CrossOrigin{AnyOrigin}
	}
}

func (o CrossOrigin) any() bool { return slices.Contains(o, AnyOrigin) }

// covers reports whether all that others lists is allowed.
func (o CrossOrigin) covers(others CrossOrigin) bool { return o.any() || contains(o, others) }

// allow reports whether the page that a request comes from is of one of the origins.
func (o CrossOrigin) allow(h http.Header) bool {
	from := h["Origin"]
	return len(from) == 1 && from[0] != "" && (o.any() || slices.Contains(o, from[0]))
}

// checkCrossOrigin checks that origins are written as browsers send them, or nobody would be
// let in.
func (k *checker) checkCrossOrigin(i int) {
	o := k.Rules[i].CrossOrigin
	if o == nil {
		return
	}
	key := ruleKey(i, "cross-origin")
	if len(o) == 0 {
		k.Errorf(key, "an empty list is no origin: leave it out")
	}
	if o.any() && len(o) == 1 {
		k.Notef(key, "pages of other sites can send requests here in the name of whoever reads them, and ask without a login whether they may (OPTIONS), unless the backend sees to that: list the origins that are meant, if it is some")
		return
	}
	for j, from := range o {
		key := config.Element(key, j+1)
		switch origin, err := webauth.Origin(from); {
		case err != nil || serve.HasPath(from):
			k.Errorf(key, "%q: write an origin such as https://app.example, without a path; true stands for all", from)
		case origin != from:
			k.Errorf(key, "%q is not how browsers write it: write %s", from, origin)
		case strings.HasPrefix(origin, "http:") && !webauth.IsLoopback(origin):
			k.Warnf(key, "whoever is on the way to %s can change its pages, and so send requests in the name of their readers: use https", origin)
		}
	}
}

// preflightHeaders are what browsers send when they ask whether a page of another origin may
// send some request (Fetch Standard, "CORS-preflight fetch").
var preflightHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Pragma", "Priority", "Referer", "User-Agent", "Origin",
	"Access-Control-Request-Headers", "Access-Control-Request-Method", "Access-Control-Request-Private-Network", "Access-Control-Request-Local-Network",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
}

// isPreflight reports whether a request is such a question. It comes without credentials
// and without a body: what has either, or says what its body is, is judged as a request for
// whatever OPTIONS may do.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.ContentLength == 0 &&
		len(r.Header["Access-Control-Request-Method"]) == 1 && isMethod(r.Header["Access-Control-Request-Method"][0]) &&
		!slices.ContainsFunc([]string{"Cookie", "Authorization", "Content-Type", "Upgrade"}, func(name string) bool { return r.Header[name] != nil })
}

// preflight returns the question as a backend gets it: nobody's, and with no header that a
// browser would not send. Nobody has logged in for it, so it must not do anything else, such
// as what another header makes of its method.
func preflight(r *http.Request) *http.Request {
	r = r.WithContext(glue.WithoutIdentity(r.Context()))
	all := r.Header
	r.Header = make(http.Header, len(preflightHeaders))
	for _, name := range preflightHeaders {
		if values := all[name]; values != nil {
			r.Header[name] = values
		}
	}
	return r
}
