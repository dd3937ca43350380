package glue

import (
	"context"
	"errors"
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
func (v *exchange) answersResponse() bool {
	value, found, err := webauth.ResponseFrom(v.query)
	if !found {
		return v.answersConfirm()
	}
	v.query = webauth.StripResponse(v.query)
	var resp *webauth.Response
	if err == nil {
		copied := *v // else every exchange would have to be on the heap, for the few that get here
		resp, err = v.origin.verifier.Verify(context.WithoutCancel(v.r.Context()), value, webauth.Expect{
			URL: v.origin.url(v.path, v.query), Secret: v.secret, Failed: copied.failedBefore,
		})
	}
	switch {
	case !isNavigation(v.r):
		v.refuseResponse(err)
	case err != nil:
		v.refused(err)
	default:
		v.accepted(resp)
	}
	return true
}

// refuseResponse answers where nobody gets in by a response, which has been spent.
func (v *exchange) refuseResponse(err error) {
	v.log(site.Event{Name: EventRefused, Reason: "not-navigation", Err: err})
	v.unauthorised(DeniedSession)
}

// accepted starts a session and sends the browser to the URL it first asked for.
func (v *exchange) accepted(resp *webauth.Response) {
	old, err := v.own()
	if err != nil {
		v.storeDown(err)
		return
	}
	l := login{
		session: newSession(resp, v.secret, v.cfg.Service.Name, v.now, &v.cfg.Session),
		url:     resp.URL(), iact: resp.Token().IAct,
	}
	if resp.Version() < 3 && !v.cfg.Service.NoPtags {
		l.session.Ptags = []string{"current"} // what these versions imply, for want of room to say so
	}
	l.session.client = v.clientBinding()
	l.depth = depthOfNote(resp.Token().Note)
	if resp.Token().Note == noteSilent {
		l.iact = webauth.IActAsNeeded // it was not to trouble anybody: a session by a password will do, too
	}
	if resp.Confirm() && !v.alive(old, resp.Principal()) {
		v.askWho(l, old)
		return
	}
	v.logIn(l, old)
}

// logIn starts the session, unless the old one proves as much already, and goes on.
func (v *exchange) logIn(l login, old *session) {
	s := l.session
	if v.alive(old, s.Principal) && old.covers(s, l.iact) {
		// Two tabs logged in at once, and the other one proved more: a password.
		// Starting anew would take that away again.
		v.goOn(l.url, s.Principal, l.depth)
		return
	}
	if old != nil && old.Principal != s.Principal {
		v.personChanges(old.Identity, s.Identity)
	}
	if err := v.a.s.store.save(v.w, v.r, v.origin, s); err != nil {
		v.storeDown(err)
		return
	}
	v.startUse(v.w, s)
	v.log(site.Event{Name: EventLogin, Principal: s.Principal})
	v.goOn(l.url, s.Principal, l.depth)
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

// sameMembers reports whether two lists hold the same, in whatever order.
func sameMembers(a, b []string) bool {
	lacks := func(list []string) func(string) bool {
		return func(s string) bool { return !slices.Contains(list, s) }
	}
	return !slices.ContainsFunc(a, lacks(b)) && !slices.ContainsFunc(b, lacks(a))
}

// refused answers a response that did not pass. It never changes a session.
func (v *exchange) refused(err error) {
	e, ok := errors.AsType[*webauth.Error](err)
	if !ok {
		e = &webauth.Error{Reason: webauth.ReasonMalformed, Detail: err.Error()}
	}
	if e.Reason == webauth.ReasonStore {
		v.storeDown(err)
		return
	}
	token, ours := e.Token()
	failed := ours && e.Reason == webauth.ReasonStatus
	switch {
	case failed && token.Note == noteSilent:
		v.log(site.Event{Name: EventSilent, Reason: string(e.Reason), Err: err})
		v.goOn(e.ReturnURL(), "", loopDepthUnknown)
	case v.repeats(e):
		v.log(site.Event{Name: EventRepeated, Reason: string(e.Reason), Err: err})
		v.goOn(e.ReturnURL(), "", loopDepthUnknown)
	case e.Reason == webauth.ReasonToken && v.secret == "":
		v.fail(site.Event{Name: EventRefused, Reason: string(e.Reason), Err: err}, pageNoCookies)
	default:
		if failed {
			v.rememberFailure(token)
		}
		page := pageFor(e)
		if own := e.OwnURL(); own != "" { // whole, even if the service dropped the query
			page.Links = []site.Link{{Text: "Try again", Href: v.wanted(own).url}}
		}
		v.fail(site.Event{Name: EventRefused, Reason: string(e.Reason), Err: err}, page)
	}
}

// repeats reports whether a response is only superfluous: a tab restored together
// with others, the back button. The response was about the person who is logged in, and
// for here, and this route would not send them to log in anew at once.
func (v *exchange) repeats(e *webauth.Error) bool {
	switch e.Reason {
	case webauth.ReasonToken, webauth.ReasonReplay, webauth.ReasonStale:
	default:
		return false
	}
	s, denial, err := v.evaluate()
	return err == nil && (denial == "" || denial.Forbidden()) && e.ReturnURL() != "" && e.SamePrincipal(s.Principal)
}

func (v *exchange) personChanges(from, to Identity) {
	v.log(site.Event{Name: EventPerson, Principal: to.Principal})
	if v.cfg.OnPersonChange != nil {
		v.cfg.OnPersonChange(v.w, v.r, from, to)
	}
}
