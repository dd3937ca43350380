package glue

import (
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// answersResponse deals with a request that carries a response of the WLS, and
// reports whether there was one. Whatever kind of request carries it, the response
// is verified first and so spent: otherwise what is refused here could be replayed
// by whoever reads it in a log. A browser that goes away does not stop that.
func (v *visit) answersResponse() bool {
	value, found, err := webauth.ResponseFrom(v.query)
	if !found {
		return false
	}
	v.query = webauth.StripResponse(v.query)
	var resp *webauth.Response
	if err == nil {
		resp, err = v.place.verifier.Verify(context.WithoutCancel(v.r.Context()), value, webauth.Expect{
			URL: v.place.url(v.path, v.query), Secret: v.secret,
		})
	}
	switch {
	case !isNavigation(v.r):
		v.log(Event{Name: EventRefused, Reason: "not-navigation", Err: err})
		v.unauthorised(lackSession)
	case err != nil:
		v.refused(err)
	default:
		v.accepted(resp)
	}
	return true
}

// spendElsewhere marks a response that came to a host which is not ours, so that it
// cannot be used at one that is. The verdict does not matter.
func (v *visit) spendElsewhere() {
	value, found, err := webauth.ResponseFrom(v.r.URL.RawQuery)
	if !found || err != nil {
		return
	}
	for _, p := range v.a.s.keys.Load().places { // the token is of one of them
		_, _ = p.verifier.Verify(context.WithoutCancel(v.r.Context()), value, webauth.Expect{Secret: p.cookies.secret(v.r)})
	}
}

// accepted starts a session and sends the browser to the URL it first asked for.
func (v *visit) accepted(resp *webauth.Response) {
	old, lack, err := v.session()
	if err != nil {
		v.storeDown(err)
		return
	}
	same := old != nil && old.Principal == resp.Principal()
	if same && lack == lackNothing && resp.Auth() == "" {
		// Two tabs logged in at once, and the other one proved more: a password.
		// Starting anew would take that away again.
		v.redirect(resp.URL())
		return
	}
	s := newSession(resp, v.secret, v.cfg.Service.Name, v.now, &v.cfg.Session)
	s.whence = v.whence()
	if old != nil && !same {
		v.personChanges(old.Identity, s.Identity)
	}
	if err := v.a.s.store.save(v.w, v.r, v.place, s); err != nil {
		v.storeDown(err)
		return
	}
	v.startUse(s)
	v.loopLogin()
	v.log(Event{Name: EventLogin, Principal: s.Principal})
	v.redirect(resp.URL())
}

// refused answers a response that did not pass. It never changes a session.
func (v *visit) refused(err error) {
	e, ok := errors.AsType[*webauth.Error](err)
	if !ok {
		e = &webauth.Error{Reason: webauth.ReasonMalformed, Detail: err.Error()}
	}
	if e.Reason == webauth.ReasonStore {
		v.storeDown(err)
		return
	}
	token, ours := e.Token()
	switch {
	case ours && e.Reason == webauth.ReasonStatus && token.IAct == webauth.IActNo && v.optional:
		v.log(Event{Name: EventSilent, Reason: e.Reason, Err: err})
		v.redirect(e.ReturnURL())
	case v.repeats(e):
		v.log(Event{Name: EventRepeated, Reason: e.Reason, Err: err})
		v.redirect(e.ReturnURL())
	case e.Reason == webauth.ReasonToken && v.secret == "":
		v.fail(Event{Name: EventRefused, Reason: e.Reason, Err: err}, pageNoCookies)
	default:
		page := pageFor(e)
		if ours && e.ReturnURL() != "" { // our own URL, whole, even if the service dropped the query
			page.Links = []Link{{Text: "Try again", Href: e.ReturnURL()}}
		}
		v.fail(Event{Name: EventRefused, Reason: e.Reason, Err: err}, page)
	}
}

// repeats reports whether a response is only superfluous: a tab restored together
// with others, the back button. The person has a session already that satisfies this
// route, and the response was about them and for here.
func (v *visit) repeats(e *webauth.Error) bool {
	switch e.Reason {
	case webauth.ReasonToken, webauth.ReasonReplay, webauth.ReasonStale:
	default:
		return false
	}
	s, lack, err := v.session()
	return err == nil && lack == lackNothing && e.ReturnURL() != "" && e.SamePrincipal(s.Principal)
}

func (v *visit) personChanges(from, to Identity) {
	v.log(Event{Name: EventPerson, Principal: to.Principal})
	if v.cfg.OnPersonChange != nil {
		v.cfg.OnPersonChange(v.w, v.r, from, to)
	}
}
