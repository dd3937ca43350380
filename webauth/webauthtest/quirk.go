package webauthtest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// Quirk is something odd that services in use do and a site must live with. Its text
// is its name on a command line.
type Quirk string

// The quirks.
const (
	// QuirkV1Cancel sends a cancel, and every other failure, as a version 1 response,
	// so that the return URL has lost its query. Raven does.
	QuirkV1Cancel Quirk = "v1-cancel"
	// QuirkUnsignedFailure leaves failures unsigned.
	QuirkUnsignedFailure Quirk = "unsigned-failure"
	// QuirkRewriteQuery writes the return URL's query anew, as ucam-wls does: arguments
	// with blank values and the fragment are dropped, %41 becomes A, %20 becomes +. The
	// url in the response stays as the site sent it.
	QuirkRewriteQuery Quirk = "rewrite-query"
	// QuirkPlus encodes blanks of the response as + and not as %20.
	QuirkPlus Quirk = "plus"
	// QuirkResponseFirst puts the response before the query and not after it.
	QuirkResponseFirst Quirk = "response-first"
	// QuirkNoPtags sends no ptags for anybody, as SRCF Goose. Service says so too.
	QuirkNoPtags Quirk = "no-ptags"
	// QuirkLifeEmpty, QuirkLifeZero and QuirkLifeNegative send that life.
	QuirkLifeEmpty    Quirk = "life-empty"
	QuirkLifeZero     Quirk = "life-zero"
	QuirkLifeNegative Quirk = "life-negative"
	// QuirkShortID sends six-digit numbers as id; QuirkOldID ids as Raven's first.
	QuirkShortID Quirk = "short-id"
	QuirkOldID   Quirk = "old-id"
	// QuirkSSOBesideAuth fills sso also where the password was typed just now.
	QuirkSSOBesideAuth Quirk = "sso-beside-auth"
)

var quirks = []Quirk{
	QuirkV1Cancel, QuirkUnsignedFailure, QuirkRewriteQuery, QuirkPlus, QuirkResponseFirst, QuirkNoPtags, QuirkLifeEmpty,
	QuirkLifeZero, QuirkLifeNegative, QuirkShortID, QuirkOldID, QuirkSSOBesideAuth,
}

// Quirks returns every quirk.
func Quirks() []Quirk { return slices.Clone(quirks) }

func (q Quirk) check() error {
	if !slices.Contains(quirks, q) {
		return fmt.Errorf("webauthtest: no quirk is called %q; there are %q", q, quirks)
	}
	return nil
}

// applyQuirks changes a response that follows the protocol otherwise. n counts the
// responses made so far.
func applyQuirks(r *wls.Response, have []Quirk, n int) {
	success := r.Status == wls.StatusSuccess
	for _, q := range have {
		switch {
		case q == QuirkShortID:
			r.ID = fmt.Sprintf("%06d", 100000+n%900000)
		case q == QuirkOldID:
			r.ID = fmt.Sprintf("%d-%05d-%02d", r.Issue.Unix(), n%100000, n%100)
		case q == QuirkV1Cancel && !success:
			r.Ver = 1
		case !success: // the others are about successes
		case q == QuirkNoPtags:
			r.Ptags = nil
		case q == QuirkLifeEmpty:
			r.Life = nil
		case q == QuirkLifeZero:
			r.Life = new(0)
		case q == QuirkLifeNegative:
			r.Life = new(-60)
		case q == QuirkSSOBesideAuth && len(r.SSO) == 0:
			r.SSO = []string{password}
		}
	}
}

// returnURL is wls.ReturnURL with the quirks.
func returnURL(target string, ver int, value string, have []Quirk) (string, error) {
	var options []wls.ReturnOption
	if slices.Contains(have, QuirkPlus) {
		options = append(options, wls.PlusSpaces)
	}
	if slices.Contains(have, QuirkRewriteQuery) {
		target = rewriteQuery(target)
	}
	whole, err := wls.ReturnURL(target, ver, value, options...)
	if err != nil || !slices.Contains(have, QuirkResponseFirst) {
		return whole, err
	}
	base, fragment, hasFragment := strings.Cut(whole, "#")
	path, query, _ := strings.Cut(base, "?")
	if i := strings.LastIndexByte(query, '&'); i >= 0 { // what ReturnURL has appended
		base = path + "?" + query[i+1:] + "&" + query[:i]
	}
	if hasFragment {
		base += "#" + fragment
	}
	return base, nil
}

// rewriteQuery does what Python's parse_qsl and urlencode make of a query.
func rewriteQuery(target string) string {
	base, _, _ := strings.Cut(target, "#")
	path, query, _ := strings.Cut(base, "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" {
			kept = append(kept, url.QueryEscape(unescapeLeniently(name))+"="+url.QueryEscape(unescapeLeniently(value)))
		}
	}
	if len(kept) == 0 {
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}

// unescapeLeniently leaves malformed escapes alone, where Go's function would give up.
func unescapeLeniently(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return strings.ReplaceAll(s, "+", " ")
}
