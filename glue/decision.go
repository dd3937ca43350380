package glue

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Decision is what a policy makes of a request; see [Auth.Evaluate]. The zero Decision
// lets nobody in.
type Decision struct {
	// Allowed says that the request may go on.
	Allowed bool
	// Denial is why it may not; empty where it may.
	Denial Denial
	// Identity is who asks, also where they may not come in. It is zero where that is not
	// known, or where their session has ended.
	Identity Identity

	request *request // nil in the zero Decision
	session *session // nil where there is none
	err     error    // why sessions cannot be looked up
}

// Denial is why a policy does not let a request in: what it lacks.
type Denial string

const (
	DeniedSession   Denial = "session" // nobody is logged in
	DeniedExpired   Denial = "expired"
	DeniedIdle      Denial = "idle"      // see Session.Inactivity
	DeniedMoved     Denial = "moved"     // from another browser or network; see Session.BindBrowser
	DeniedInteract  Denial = "interact"  // see Policy.IAct
	DeniedAuthType  Denial = "authtype"  // see Policy.AAuth
	DeniedFresh     Denial = "fresh"     // see Policy.Fresh
	DeniedPrincipal Denial = "principal" // see Policy.Principals
	DeniedPtag      Denial = "ptag"      // see Policy.Ptags
	DeniedAllow     Denial = "allow"     // see Policy.Allow
	DeniedGroup     Denial = "group"     // in no group that is let in; see Policy.AllowDenial

	// These are of Evaluate alone: Require and Optional answer such requests themselves.
	DeniedResponse Denial = "response" // it brings a response of the WLS; see [Auth.Spend]
	DeniedHost     Denial = "host"     // it is for a host that is not the site's
	DeniedPolicy   Denial = "policy"   // the policy contradicts itself; see [Auth.Err]

	deniedOwner Denial = "kept-form" // the form that was kept is another person's
)

// Login reports whether a login may mend it.
func (d Denial) Login() bool {
	switch d {
	case DeniedSession, DeniedExpired, DeniedIdle, DeniedMoved, DeniedInteract, DeniedAuthType, DeniedFresh:
		return true
	}
	return false
}

// Forbidden reports whether the person is known, and a login would not help.
func (d Denial) Forbidden() bool {
	return d == DeniedPrincipal || d == DeniedPtag || d == DeniedAllow || d == DeniedGroup
}

// Evaluate decides as [Auth.Require] would, and does nothing about it: nobody is sent anywhere,
// no cookie is set, no response of the WLS is taken or spent. It is for those who answer
// requests themselves: APIs, WebSockets, front servers that ask. They call [Decision.Mark]
// before an answer to a person let in, and [Auth.Spend] where Denial is [DeniedResponse], or
// have [Decision.Refuse] answer those who are not let in. Forms that Require keeps over a login
// mean nothing here: the request is judged as it came.
//
// An error means that sessions cannot be looked up just now; nobody is let in meanwhile.
func (a *Auth) Evaluate(r *http.Request) (Decision, error) {
	q := &request{a: a, r: r}
	d := Decision{request: q}
	d.Denial = q.receive()
	if q.bringsLogin() {
		d.Denial = DeniedResponse // above all: it must be spent
	}
	if d.Denial != "" {
		return d, nil
	}
	if d.session, d.Denial, d.err = q.evaluate(); d.err != nil {
		return d, d.err
	}
	d.Allowed = d.Denial == ""
	if d.session != nil && (d.Allowed || q.ended(d.session) == "") {
		d.Identity = d.session.Identity
	}
	return d, nil
}

// Brings reports whether a request, for whatever host, brings an answer of a login service:
// one that goes no further than [Auth.Require], [Auth.Optional], [Auth.Login] or [Auth.Spend].
func (a *Auth) Brings(r *http.Request) bool {
	if r.URL.RawQuery == "" { // asked of every request to a gateway
		return false
	}
	q := request{a: a, r: r, cfg: &a.s.cfg}
	q.locate()
	return q.bringsAnswer()
}

func (q *request) bringsAnswer() bool {
	if q.query == "" {
		return false
	}
	for _, o := range *q.a.s.origins.Load() {
		for _, w := range o.ways {
			if w.Brings(q.path, q.query) {
				return true
			}
		}
	}
	return false
}

// bringsLogin reports whether the request brings what may begin a session, at whatever host.
func (q *request) bringsLogin() bool {
	_, _, confirm := cutConfirm(q.query)
	return confirm || q.bringsAnswer()
}

// Mark sets the headers by which the browser, and caches, know that an answer is for the
// person let in, and notes the use of the session. Where nobody was let in it sets Vary
// alone. Call it before the status is written.
func (d *Decision) Mark(w http.ResponseWriter) {
	if d.Allowed && d.session != nil {
		d.request.mark(w, d.session)
		return
	}
	respond.VaryByCookie(w.Header())
}

// Refuse answers a request that was not let in, as Require does where nobody is sent to log
// in: 401 where a login may mend it, and a page where it does not. A response of the WLS
// is spent.
func (d *Decision) Refuse(w http.ResponseWriter) {
	if d.request == nil {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	x := exchange{request: *d.request, w: w}
	if d.err != nil {
		x.storeDown(d.err)
		return
	}
	x.deny(d.session, d.Denial)
}

// mark prepares an answer to the person who has a session.
func (q *request) mark(w http.ResponseWriter, s *session) {
	respond.Private(w.Header(), &s.headers)
	q.noteUse(w, s)
}

// evaluate decides on a request for all who ask. The session is returned even
// where it has ended, and only where it belongs to this browser.
func (q *request) evaluate() (*session, Denial, error) {
	s, err := q.own()
	if err != nil || s == nil {
		return nil, DeniedSession, err
	}
	return s, q.judge(s), nil
}

// judge returns what a session of this browser lacks for this route. Whether it has
// ended comes first: nobody is told what an ended session may not do.
func (q *request) judge(s *session) Denial {
	if denial := q.ended(s); denial != "" {
		return denial
	}
	if q.kept != nil && q.kept.Principal != s.Principal {
		return deniedOwner
	}
	if denial := q.authorize(s); denial != "" {
		return denial
	}
	if denial := q.a.policy.checkStrength(s, q.now); denial != "" || q.wants == nil {
		return denial
	}
	return q.wants.checkStrength(s, q.now)
}

// Spend marks the response of the WLS that a request brings as used, where nobody is logged in
// by it, so that it cannot be used elsewhere: somebody who reads it in a log could send it to
// another person. Call it where Denial is [DeniedResponse]. A request without one is left
// alone. An error means that it could not be marked as used.
func (a *Auth) Spend(r *http.Request) error {
	q := request{a: a, r: r}
	q.receive()
	err := q.spend()
	if err != nil {
		q.log(site.Event{Name: EventStoreError, Reason: string(webauth.ReasonStore), Err: err})
	}
	return err
}
