package glue

import (
	"fmt"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// locate finds out which address the request is for. From here on path and query are in
// the form in which browsers ask for them, so that what is signed, what comes back and
// what our links lead to are alike. Where there is no such form they stay as they came.
func (q *request) locate() {
	q.path, q.query = q.cfg.Site.Asked(q.r)
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
		return q.origin.home()
	}
	return q.origin.url(q.path, q.origin.strip(q.path, q.query))
}

// isDeadEnd answers a request for which nobody can be sent to log in, because its
// browser would come back to another page or to another's site. It reports whether it
// did. Scripts are not sent anywhere, so of them it refuses only what no login will mend.
func (x *exchange) isDeadEnd() bool {
	if x.unfit != nil {
		if !site.WantsPage(x.r) {
			return false
		}
		x.fail(site.Event{Name: EventRefused, Err: x.unfit}, pageBadAddress)
		return true
	}
	err := x.outside()
	switch {
	case err == nil:
		return false
	case site.WantsPage(x.r):
		x.fail(outsideEvent(err), pageMisconfigured)
	default:
		x.log(outsideEvent(err))
		respond.Brief(x.w, x.r, http.StatusInternalServerError, "misconfigured", reasonOutside, "The site's login is set up wrongly for this address.")
	}
	return true
}

// reasonOutside is the reason of events about requests outside BaseURL.
const reasonOutside = "base-url"

func outsideEvent(err error) site.Event {
	return site.Event{Name: EventRefused, Reason: reasonOutside, Err: err}
}

// outside says how a request got to where BaseURL does not reach; nil where it does.
// Browsers are never sent back to there: what is there may be somebody else's.
func (q *request) outside() error {
	if q.cfg.Site.Reaches(q.path) {
		return nil
	}
	return fmt.Errorf("the path asked for, %q, is not below %q, the path of BaseURL: if a front server removes that from requests, set PrefixStripped in site.Config; if not, this handler is mounted outside BaseURL", q.path, q.origin.prefix)
}
