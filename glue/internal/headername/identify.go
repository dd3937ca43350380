package headername

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MayIdentify returns nil if a configuration may choose a name for the header by which a
// backend learns who somebody is, else the reason why it may not: it means something else.
func MayIdentify(name string) error {
	e := Lookup(name)
	switch folded := FoldString(name); {
	case !IsOwn(name) || len(name) > MaxName:
		return fmt.Errorf("want a header's name of letters, digits and hyphens, %d at most: programs do not read others alike", MaxName)
	case e.Class&(Frames|Judged|Routes|Methods) != 0, e.Class&Peers != 0 && e.Class&Identifies == 0:
		return fmt.Errorf("it means something else: %s", e.Reason)
	case isStandard(folded):
		return errors.New("it means something else to HTTP: choose a name such as X-Webauth-User")
	}
	return nil
}

// standard are the names, and beginnings of names, of fields of requests and answers that
// HTTP or browsers give a meaning to (RFC 9110, RFC 9111, the Fetch Standard): a backend
// gets the header with a request, and a front server that asks with an answer.
var standard = strings.Fields(`accept* access-control-* age allow alt-* authentication-info cache-* cdn-* clear-site-data content-*
	cross-origin-* date dnt early-data etag expires from http-* if-* last-* link location max-forwards nel origin-* permissions-policy
	pragma prefer preference-applied priority proxy-* range referrer-policy refresh report-to reporting-endpoints retry-after sec-*
	server server-timing service-worker* set-cookie* sourcemap strict-transport-security surrogate-control timing-allow-origin trailer*
	upgrade-* user-agent vary via want-* warning www-authenticate x-accel-* x-content-type-options x-frame-options x-requested-with x-xsrf-token`)

// isStandard reports whether a name, as Fold returns it, is one of standard.
func isStandard(folded string) bool {
	return slices.ContainsFunc(standard, func(s string) bool {
		prefix, open := strings.CutSuffix(s, "*")
		return folded == s || open && strings.HasPrefix(folded, prefix)
	})
}
