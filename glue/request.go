package glue

import (
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// request is what was asked, and of which of our origins. It lives on the stack: nothing
// keeps it, but for a [Decision].
type request struct {
	a      *Auth
	cfg    *Config
	r      *http.Request
	origin *origin // nil for a host that is not ours
	now    time.Time
	secret webauth.BrowserSecret // "" where the browser brought none

	path, query string // as the browser asked; see locate
	unfit       error  // why no browser would ask for them
	started     int64  // when the session that came began, Unix seconds; 0 where none did

	kept    *keptForm // what the request was made of, see takeMarked
	keptErr error     // why it could not be
	wants   *Policy   // how somebody must have logged in for a kept form, beside the policy
}

// receive finds out which of our origins the request is for. It refuses
// other hosts and wrong policies before a session is loaded.
func (q *request) receive() Denial {
	q.cfg = &q.a.s.cfg
	q.now = inSeconds(q.cfg.Site.Now())
	origin, _ := q.cfg.Site.OriginOf(q.r.Host)
	q.origin = (*q.a.s.origins.Load())[origin]
	q.locate() // also for another host: it may bring an answer, to be spent
	if q.origin == nil {
		return DeniedHost
	}
	if q.a.err != nil {
		return DeniedPolicy
	}
	q.secret = q.origin.cookies.secret(q.r)
	return ""
}

// own loads the session of this browser, ended or not; nil where there is none.
func (q *request) own() (*session, error) {
	if q.secret == "" {
		return nil, nil
	}
	s, err := q.a.s.store.load(q.r, q.origin)
	if err != nil || s == nil || !q.secret.Fits(s.binding) {
		return nil, err
	}
	s.Service, q.started = s.way.info.Name, s.Accepted.Unix()
	return s, nil
}

// ended reports why a session of this browser is over, for all routes alike.
func (q *request) ended(s *session) Denial {
	switch {
	case !q.now.Before(s.Expires):
		return DeniedExpired
	case s.client != q.clientBinding():
		return DeniedMoved
	case q.idle(s):
		return DeniedIdle
	}
	return ""
}

// loggedIn reports whether there is a session, and it has not ended.
func (q *request) loggedIn(s *session) bool { return s != nil && q.ended(s) == "" }

// alive reports whether there is a session of this person that has not ended.
func (q *request) alive(s *session, principal string) bool {
	return q.loggedIn(s) && s.Principal == principal
}
