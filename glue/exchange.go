package glue

import (
	"context"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/internal/sender"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// exchange is a request on its way through, and the answer to it. It lives on the stack.
type exchange struct {
	request
	w    http.ResponseWriter
	goal string // the path, with a query, that Login goes on to

	parking []parkedTarget // what this answer parks: one for each service that it leads to
}

// begin receives the request. It is false where that answers it already.
func (x *exchange) begin() bool {
	denial := x.receive()
	if denial != "" {
		x.deny(nil, denial)
	}
	return denial == ""
}

// require runs next for a session that satisfies the policy.
func (x *exchange) require(next http.Handler) {
	if x.answersResponse() || x.answersTarget() {
		return
	}
	x.takeMarked()
	s, denial, err := x.evaluate()
	switch {
	case err != nil:
		x.storeDown(err)
	case denial == deniedOwner:
		x.notYours(s)
	case denial == "" && x.keptErr != nil:
		x.formGone(s, x.keptErr)
	case denial == "" && x.kept != nil:
		x.resume(s, next)
	case denial == "" && x.wants != nil:
		x.goBack(x.origin.url(x.path, withoutKeptMark(x.query)))
	case denial == "":
		x.serve(next, x.identified(s))
	case denial.Forbidden():
		x.forbid(s, denial)
	default:
		x.ask(s, denial)
	}
}

// maybe runs next in any case, with an identity if there is one.
func (x *exchange) maybe(next http.Handler) {
	if x.answersResponse() || x.answersTarget() {
		return
	}
	asSent := *x
	if x.r.Method == http.MethodPost {
		x.takeMarked()
	}
	s, denial, err := x.evaluate()
	if x.keptErr != nil || x.kept != nil && err == nil && denial != "" {
		if x.keptErr == nil && x.answersForKeeper() {
			return
		}
		// Whether and what to answer is for the handler inside that needs a login.
		*x = asSent
		s, denial, err = x.evaluate()
	}
	switch {
	case err != nil:
		x.storeDown(err)
	case denial == "" && x.kept != nil:
		x.resume(s, next)
	case denial == "":
		x.serve(next, x.identified(s))
	case denial == DeniedSession && x.a.policy.Silent && x.trySilently():
	default:
		respond.VaryByCookie(x.w.Header())
		x.serve(next, x.r.WithContext(WithoutIdentity(x.r.Context())))
	}
}

// serve runs a handler with a request that we derived. net/http removes an upload's
// temporary files for the request that it made itself, and for no other.
func (x *exchange) serve(next http.Handler, r *http.Request) {
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http does
		}
	}()
	next.ServeHTTP(x.w, r)
}

// identified prepares a request for a handler that will know the person.
func (x *exchange) identified(s *session) *http.Request {
	x.mark(x.w, s)
	return x.r.WithContext(context.WithValue(x.r.Context(), identityKey{}, &s.Identity))
}

// ask answers a request that lacks a good enough login.
func (x *exchange) ask(s *session, denial Denial) {
	switch {
	case x.isDeadEnd():
	case isNavigation(x.r):
		x.startLogin(x.strength(denial))
	case isFormPost(x.r):
		x.keepForm(s, denial)
	case sender.IsOffice(x.r):
		x.cfg.Site.Show(x.w, x.r, x.pageForOffice())
	default:
		x.unauthorised(s, denial)
	}
}

// deny answers a request for which nobody is sent to log in.
func (x *exchange) deny(s *session, denial Denial) {
	switch {
	case x.origin == nil: // whatever else the request brings
		x.misdirected()
	case x.a.err != nil:
		_ = x.spend() // nobody is let in either way
		x.fail(site.Event{Name: EventRefused, Err: x.a.err}, pageMisconfigured)
	case denial == DeniedResponse:
		x.refuseResponse(x.spend())
	case denial.Forbidden():
		x.forbid(s, denial)
	case !x.isDeadEnd():
		x.unauthorised(s, denial)
	}
}

// strength returns what to ask the WLS for.
func (x *exchange) strength(denial Denial) webauth.Request {
	p := &x.a.policy
	how := x.asks()
	req := webauth.Request{Desc: p.Desc, Msg: p.Msg, AAuth: how.AAuth, IAct: how.IAct, Fresh: how.Fresh, Fail: p.Fail}
	if req.Msg == "" && (denial == DeniedExpired || denial == DeniedIdle) {
		req.Msg = x.cfg.Session.ExpiredMsg
	}
	return req
}

// startLogin sends the browser to the WLS, to come back to the URL it asked for.
func (x *exchange) startLogin(req webauth.Request) {
	depth, stop := x.loopStep()
	if stop {
		x.fail(site.Event{Name: EventLoop}, pageLoop)
		return
	}
	req.Note = noteOfDepth(depth)
	secret, isNew := x.secretToBe()
	if x.cfg.ChooseService && len(x.origin.ways) > 1 {
		x.choose(secret, isNew, req)
	} else {
		x.send(secret, isNew, req)
	}
}
