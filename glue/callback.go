package glue

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Whichever handler is the outermost sees a response first, and is the one that verifies
// and spends it: an inner one may never run. What comes of it is up to what the response
// proves and what its token asked for, never to that handler's own policy. Each handler
// then judges the session.

// answersResponse deals with a request that carries a response of the WLS, and
// reports whether there was one. Whatever kind of request carries it, the response
// is verified first and so spent: otherwise what is refused here could be replayed
// by whoever reads it in a log. A browser that goes away does not stop that.
func (x *exchange) answersResponse() bool {
	w, more := x.brought()
	switch {
	case w == nil:
		return x.answersConfirm()
	case more || !isNavigation(x.r):
		err := x.spend()
		x.query = x.origin.strip(x.path, x.query)
		switch {
		case !isNavigation(x.r):
			x.refuseResponse(err)
		case err != nil:
			x.storeDown(err)
		default:
			x.refused(webauth.NewError(webauth.ReasonMalformed, errTwoAnswers, webauth.Known{}))
		}
		return true
	}
	if err := x.spendElsewhere(); err != nil {
		x.query = w.Strip(x.path, x.query)
		x.storeDown(err)
		return true
	}
	copied := *x // else every exchange would have to be on the heap, for the few that get here
	arrival := x.arrival(x.origin)
	arrival.Failed = copied.failedBefore
	proof, err := w.Answer(context.WithoutCancel(x.r.Context()), arrival)
	x.query = w.Strip(x.path, x.query)
	if err != nil {
		x.refused(err)
	} else {
		x.accepted(w, proof)
	}
	return true
}

var errTwoAnswers = errors.New("the request brings the answers of two login services")

// refuseResponse answers where nobody gets in by a response, which has been spent.
func (x *exchange) refuseResponse(err error) {
	x.log(site.Event{Name: EventRefused, Reason: "not-navigation", Err: err})
	x.unauthorised(nil, DeniedSession)
}

// accepted starts a session and sends the browser to the URL it first asked for.
func (x *exchange) accepted(w *way, proof *webauth.Proof) {
	if err := checkProof(proof); err != nil {
		x.refused(webauth.NewError(webauth.ReasonIdentity, err, webauth.Known{Token: &proof.Token, URL: proof.URL, Signed: true, Status: http.StatusOK}))
		return
	}
	old, err := x.own()
	if err != nil {
		x.storeDown(err)
		return
	}
	l := login{
		session: newSession(w, proof, x.secret, x.now, &x.cfg.Session),
		url:     proof.URL, iact: proof.Token.IAct,
	}
	l.session.client = x.clientBinding()
	l.depth = depthOfNote(proof.Token.Note)
	if proof.Token.Note == noteSilent {
		l.iact = webauth.IActAsNeeded // it was not to trouble anybody: a session by a password will do, too
	}
	if proof.Confirm && !x.alive(old, proof.Principal) {
		x.askWho(l, old)
		return
	}
	x.logIn(l, old)
}

// logIn starts the session, unless the old one proves as much already, and goes on.
func (x *exchange) logIn(l login, old *session) {
	s := l.session
	if x.alive(old, s.Principal) && old.way == s.way && old.covers(s, l.iact) && x.endsAlike(old, s) {
		// Two tabs logged in at once, and the other one proved more: a password.
		// Starting anew would take that away again.
		x.goOn(l.url, s.Principal, l.depth)
		return
	}
	if old != nil && old.Principal != s.Principal {
		x.personChanges(old.Identity, s.Identity)
	}
	switch err := x.a.s.store.save(x.w, x.r, x.origin, s); {
	case errors.Is(err, ErrLoggedOut):
		page := pageRefused
		page.Links = x.again(l.url, page.Kind)
		x.fail(site.Event{Name: EventRefused, Reason: reasonLoggedOut, Principal: s.Principal, Err: err}, page)
		return
	case err != nil:
		x.storeDown(err)
		return
	}
	x.startUse(x.w, s)
	x.log(site.Event{Name: EventLogin, Principal: s.Principal})
	x.goOn(l.url, s.Principal, l.depth)
}

// covers reports whether a session of the same person is as good as a new one for every
// policy that the new one satisfies, and for the request that it answers.
func (s *session) covers(other *session, asked webauth.Interact) bool {
	has := func(kind string) bool { return kind == s.Auth || slices.Contains(s.SSO, kind) }
	switch {
	case other.Auth != "": // a password was typed just now
		return false
	case asked == webauth.IActNo && s.Auth != "": // that is what it must not have
		return false
	case slices.ContainsFunc(other.SSO, func(kind string) bool { return !has(kind) }):
		return false
	}
	return sameMembers(s.Ptags, other.Ptags)
}

// endsAlike reports whether the provider ends one session where it ends the other.
func (x *exchange) endsAlike(one, other *session) bool {
	if _, ends := x.cfg.Session.Store.(SessionEnder); !ends {
		return true
	}
	return one.Subject == other.Subject && one.provider == other.provider
}

// sameMembers reports whether two lists hold the same, in whatever order.
func sameMembers(a, b []string) bool {
	lacks := func(list []string) func(string) bool {
		return func(s string) bool { return !slices.Contains(list, s) }
	}
	return !slices.ContainsFunc(a, lacks(b)) && !slices.ContainsFunc(b, lacks(a))
}

// refused answers a response that did not pass. It never changes a session.
func (x *exchange) refused(err error) {
	e, ok := errors.AsType[*webauth.Error](err)
	if !ok {
		e = &webauth.Error{Reason: webauth.ReasonMalformed, Detail: err.Error()}
	}
	if e.Reason == webauth.ReasonStore {
		x.storeDown(err)
		return
	}
	token, ours := e.Token()
	failed := ours && e.Reason == webauth.ReasonStatus
	fault := isServiceFault(e.Reason)
	switch {
	case ours && token.Note == noteSilent && (failed || fault || e.Reason == webauth.ReasonIdentity || e.Reason == webauth.ReasonInteract || e.Reason == webauth.ReasonAuthType):
		x.log(site.Event{Name: EventSilent, Reason: string(e.Reason), Err: err})
		x.goOn(e.ReturnURL(), "", loopDepthUnknown)
	case x.repeats(e):
		x.log(site.Event{Name: EventRepeated, Reason: string(e.Reason), Err: err})
		x.goOn(e.ReturnURL(), "", loopDepthUnknown)
	case x.cancels(e):
		if failed {
			x.rememberFailure(token)
		}
		x.cancelled(e)
	case e.Reason == webauth.ReasonToken && x.secret == "":
		x.fail(site.Event{Name: EventRefused, Reason: string(e.Reason), Err: err}, pageNoCookies)
	case fault:
		x.serviceFails(e.Reason, err, e.OwnURL())
	default:
		if failed {
			x.rememberFailure(token)
		}
		page := pageFor(e)
		page.Links = x.again(e.OwnURL(), page.Kind)
		x.fail(site.Event{Name: EventRefused, Reason: string(e.Reason), Err: err}, page)
	}
}

// statusCancelled is that of a login that the person cancelled (WAA2WLS, "Status codes").
const statusCancelled = 410

// cancels reports whether an answer says that the person cancelled a login that began in this
// browser. It says so for good: the page is the same whenever it is loaded again.
func (x *exchange) cancels(e *webauth.Error) bool {
	switch e.Reason {
	case webauth.ReasonStatus, webauth.ReasonToken, webauth.ReasonReplay, webauth.ReasonStale, webauth.ReasonForgotten:
		return e.Status == statusCancelled && e.OwnURL() != ""
	}
	return false
}

// cancelled answers somebody who cancelled a login, which is no error.
func (x *exchange) cancelled(e *webauth.Error) {
	s, err := x.own()
	if err != nil {
		x.storeDown(err)
		return
	}
	x.log(site.Event{Name: EventRefused, Reason: string(e.Reason), Err: e})
	p := pageCancelled
	after := site.Link{Text: "Log in after all", Href: x.wanted(e.OwnURL()).url}
	if x.loggedIn(s) {
		p.Principal, after.Text = s.Principal, "Try again"
		p.Text = []string{"You can close this page, or try again. Your login from before has not changed."}
	}
	p.Links = x.orHome(after)
	x.cfg.Site.Show(x.w, x.r, p)
}

// repeats reports whether a response is only superfluous: a tab restored together
// with others, the back button. The response was about the person who is logged in, and
// for here, and this route would not send them to log in anew at once.
func (x *exchange) repeats(e *webauth.Error) bool {
	switch e.Reason {
	case webauth.ReasonToken, webauth.ReasonReplay, webauth.ReasonForgotten, webauth.ReasonStale:
	default:
		return false
	}
	s, denial, err := x.evaluate()
	if err != nil || s == nil || e.ReturnURL() == "" || !e.SamePrincipal(s.Principal) {
		return false
	}
	elsewhere := x.pathOf(e.ReturnURL()) != x.path // what LoginPath wants is not what that page does
	return denial == "" || denial.Forbidden() || elsewhere && x.ended(s) == ""
}

func (x *exchange) personChanges(from, to Identity) {
	x.log(site.Event{Name: EventPerson, Principal: to.Principal})
	if x.cfg.OnPersonChange != nil {
		x.cfg.OnPersonChange(x.w, x.r, from, to)
	}
}
