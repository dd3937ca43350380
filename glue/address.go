package glue

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// locate finds out which address the request is for. From here on path and query are in
// the form in which browsers ask for them, so that what is signed, what comes back and
// what our links lead to are alike. Where there is no such form they stay as they came.
func (q *request) locate() {
	q.path, q.query = q.place.target(q.r)
	path, query, err := webauth.CanonicalTarget(q.path, q.query)
	if err != nil {
		q.unfit = err
		return
	}
	q.path, q.query = path, query
}

// here is the URL of the page that was asked for, without what comes back from a login;
// the site's start where browsers cannot ask for that page.
func (q *request) here() string {
	if q.unfit != nil {
		return q.place.home()
	}
	_, query, _ := cutConfirm(webauth.StripResponse(q.query))
	return q.place.url(q.path, query)
}

// isDeadEnd answers a request for which nobody can be sent to log in, because its
// browser would come back to another page or to another's site. It reports whether it
// did. Scripts are not sent anywhere, so of them it refuses only what no login will mend.
func (v *exchange) isDeadEnd() bool {
	if v.unfit != nil {
		if !WantsPage(v.r) {
			return false
		}
		v.fail(Event{Name: EventRefused, Err: v.unfit}, pageBadAddress)
		return true
	}
	err := v.outside()
	switch {
	case err == nil:
		return false
	case WantsPage(v.r):
		v.fail(outsideEvent(err), pageMisconfigured)
	default:
		v.log(outsideEvent(err))
		respond.Brief(v.w, v.r, http.StatusInternalServerError, "misconfigured", reasonOutside, "The site's login is set up wrongly for this address.")
	}
	return true
}

// reasonOutside is the reason of events about requests outside BaseURL.
const reasonOutside = "base-url"

func outsideEvent(err error) Event {
	return Event{Name: EventRefused, Reason: reasonOutside, Err: err}
}

// outside says how a request got to where BaseURL does not reach; nil where it does.
// Browsers are never sent back to there: what is there may be somebody else's.
func (q *request) outside() error {
	if q.place.reaches(q.path) {
		return nil
	}
	return fmt.Errorf("the path asked for, %q, is not below %q, the path of BaseURL: if a front server removes that from requests, set Config.PrefixStripped; if not, this handler is mounted outside BaseURL", q.path, q.place.prefix)
}

// reaches reports whether a path without dot segments is that of BaseURL or below it,
// segment by segment, however its letters are percent-encoded.
func (p *place) reaches(path string) bool {
	rest, found := strings.CutPrefix(path, p.prefix)
	if found && (rest == "" || rest[0] == '/') {
		return true
	}
	want := strings.Split(p.prefix, "/")
	got := strings.SplitN(path, "/", len(want)+1)
	if len(got) < len(want) {
		return false
	}
	for i := range want {
		if !sameSegment(got[i], want[i]) {
			return false
		}
	}
	return true
}

func sameSegment(a, b string) bool {
	a, errA := url.PathUnescape(a)
	b, errB := url.PathUnescape(b)
	return errA == nil && errB == nil && a == b
}

// basePath is the path of BaseURL in the form in which browsers ask for it, without a
// final slash.
func basePath(base *url.URL) (string, error) {
	path := strings.TrimRight(base.EscapedPath(), "/")
	if path == "" {
		return "", nil
	}
	path, _, err := webauth.CanonicalTarget(path, "")
	switch {
	case err != nil:
		return "", fmt.Errorf("glue: Config.BaseURL: %v", err)
	case strings.Contains(path, "//"):
		return "", errors.New("glue: Config.BaseURL: the path has an empty segment")
	}
	return path, nil
}

// checkPath checks a local path of the configuration, as browsers see it: it must be one
// of this site, and not of what else its origin has.
func (p *place) checkPath(field, local string) error {
	if !localpath.Is(local) { // normalise has said so; or there is none
		return nil
	}
	path, _, _ := strings.Cut(local, "?")
	if _, _, err := webauth.CanonicalTarget(path, ""); err != nil {
		return fmt.Errorf("glue: Config.%s: %q: %v", field, local, err)
	}
	if !p.reaches(path) {
		return fmt.Errorf("glue: Config.%s: %q is not below %q, the path of BaseURL: write it as browsers see it, such as %q", field, local, p.prefix, p.prefix+local)
	}
	return nil
}

// holds reports whether a local path is below the path of BaseURL, whatever a browser,
// or a server that decodes first, makes of it. What is beside it is another's site.
func (p *place) holds(local string) bool {
	if p.prefix == "" {
		return true
	}
	escaped, _, _ := strings.Cut(local, "?")
	decoded, err := url.PathUnescape(escaped)
	return err == nil && p.reaches(escaped) && !slices.Contains(strings.FieldsFunc(decoded, isSlash), "..")
}

func isSlash(r rune) bool { return r == '/' || r == '\\' }
