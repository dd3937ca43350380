package glue

import (
	"context"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// exchange is a request on its way through, and the answer to it. It lives on the stack.
type exchange struct {
	request
	w    http.ResponseWriter
	goal string // the path, with a query, that Login goes on to
}

// begin receives the request. It is false where that answers it already.
func (v *exchange) begin() bool {
	denial := v.receive()
	if denial != "" {
		v.deny(nil, denial)
	}
	return denial == ""
}

// require runs next for a session that satisfies the policy.
func (v *exchange) require(next http.Handler) {
	if v.answersResponse() || v.answersTarget() {
		return
	}
	v.takeMarked()
	s, denial, err := v.evaluate()
	switch {
	case err != nil:
		v.storeDown(err)
	case denial == deniedOwner:
		v.notYours(s)
	case denial == "" && v.keptErr != nil:
		v.formGone(s, v.keptErr)
	case denial == "" && v.kept != nil:
		v.resume(s, next)
	case denial == "" && v.wants != nil:
		v.goBack(v.origin.url(v.path, withoutKeptMark(v.query)))
	case denial == "":
		v.serve(next, v.identified(s))
	case denial.Forbidden():
		v.forbid(s, denial)
	default:
		v.ask(s, denial)
	}
}

// maybe runs next in any case, with an identity if there is one.
func (v *exchange) maybe(next http.Handler) {
	if v.answersResponse() || v.answersTarget() {
		return
	}
	asSent := *v
	if v.r.Method == http.MethodPost {
		v.takeMarked()
	}
	s, denial, err := v.evaluate()
	if v.keptErr != nil || v.kept != nil && err == nil && denial != "" {
		if v.keptErr == nil && v.answersForKeeper() {
			return
		}
		// Whether and what to answer is for the handler inside that needs a login.
		*v = asSent
		s, denial, err = v.evaluate()
	}
	switch {
	case err != nil:
		v.storeDown(err)
	case denial == "" && v.kept != nil:
		v.resume(s, next)
	case denial == "":
		v.serve(next, v.identified(s))
	case denial == DeniedSession && v.a.policy.Silent && v.trySilently():
	default:
		respond.VaryByCookie(v.w.Header())
		v.serve(next, v.r.WithContext(WithoutIdentity(v.r.Context())))
	}
}

// serve runs a handler with a request that we derived. net/http removes an upload's
// temporary files for the request that it made itself, and for no other.
func (v *exchange) serve(next http.Handler, r *http.Request) {
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // as net/http does
		}
	}()
	next.ServeHTTP(v.w, r)
}

// identified prepares a request for a handler that will know the person.
func (v *exchange) identified(s *session) *http.Request {
	v.mark(v.w, s)
	return v.r.WithContext(context.WithValue(v.r.Context(), identityKey{}, &s.Identity))
}

// ask answers a request that lacks a good enough login.
func (v *exchange) ask(s *session, denial Denial) {
	switch {
	case v.isDeadEnd():
	case isNavigation(v.r):
		v.startLogin(v.strength(denial))
	case isFormPost(v.r):
		v.keepForm(s, denial)
	default:
		v.unauthorised(denial)
	}
}

// deny answers a request for which nobody is sent to log in.
func (v *exchange) deny(s *session, denial Denial) {
	switch {
	case denial == DeniedHost:
		v.misdirected()
	case denial == DeniedPolicy:
		_ = v.spend() // nobody is let in either way
		v.fail(site.Event{Name: EventRefused, Err: v.a.err}, pageMisconfigured)
	case denial == DeniedResponse:
		v.refuseResponse(v.spend())
	case denial.Forbidden():
		v.forbid(s, denial)
	case !v.isDeadEnd():
		v.unauthorised(denial)
	}
}

// strength is what to ask the WLS for.
func (v *exchange) strength(denial Denial) webauth.Request {
	p := &v.a.policy
	how := v.asks()
	req := webauth.Request{Desc: p.Desc, Msg: p.Msg, AAuth: how.AAuth, IAct: how.IAct, Fail: p.Fail}
	if req.Msg == "" && (denial == DeniedExpired || denial == DeniedIdle) {
		req.Msg = v.cfg.Session.ExpiredMsg
	}
	return req
}

// startLogin sends the browser to the WLS, to come back to the URL it asked for.
func (v *exchange) startLogin(req webauth.Request) {
	depth, stop := v.loopStep()
	if stop {
		v.fail(site.Event{Name: EventLoop}, pageLoop)
		return
	}
	req.Note = noteOfDepth(depth)
	secret, isNew := v.secretToBe()
	location, err := v.loginURL(secret, req)
	if err != nil {
		v.fail(site.Event{Name: EventRefused, Err: err}, pageBadAddress)
		return
	}
	if isNew {
		v.origin.cookies.setSecret(v.w, secret)
	}
	v.log(site.Event{Name: EventRedirect})
	respond.Redirect(v.w, v.r, location)
}

// unauthorised answers what is no navigation: no redirect, no cookie.
func (v *exchange) unauthorised(denial Denial) {
	v.w.Header().Set("WWW-Authenticate", "Ucam-WebAuth")
	respond.Brief(v.w, v.r, http.StatusUnauthorized, "login_required", string(denial), "Log in first: open this site in a browser.")
}
