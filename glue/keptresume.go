package glue

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// takeMarked prepares a request from a page that keeps a form. What the Continue button
// sends becomes the request that was kept, before anybody judges it: v.kept, or
// v.keptErr where there is none in it. A page opened from there wants the login that
// the mark names. Anything else is a request like any other: a form of the site's own
// that was sent from a marked address, where Continue had led, so that its body is its
// own; and any other method, which a kept form never has.
func (v *visit) takeMarked() {
	if !v.aboutKeptForm() {
		return
	}
	switch {
	case v.r.Method == http.MethodGet, v.r.Method == http.MethodHead:
		mark, _ := v.marked()
		wants, _ := v.a.policy.strength().and(mark)
		v.wants = &wants
		return
	case v.r.Method == http.MethodPost && v.bringsKeptForm():
		if v.kept, _, v.keptErr = v.openForm(); v.keptErr != nil {
			return
		}
		if wants, ok := parseMark(v.kept.wants, &v.cfg.Policy); ok {
			v.wants = &wants
		}
		v.r = v.restored(v.kept)
	default:
		v.r = withoutMark(v.r)
	}
	v.query = withoutKeptMark(v.query)
}

// bringsKeptForm reports whether a form begins as Continue's does. The body stays whole.
func (v *visit) bringsKeptForm() bool {
	body := bufio.NewReader(v.r.Body)
	begin, _ := body.Peek(len(keptField) + 1) // too short is another form's
	v.r.Body = struct {
		io.Reader
		io.Closer
	}{body, v.r.Body}
	return string(begin) == keptField+"="
}

// authorize asks the policy who may come in. What Allow reads of a form is there again
// afterwards: to be kept, and for the handler.
func (v *visit) authorize(id *Identity) shortfall {
	p := &v.a.policy
	if p.Allow == nil || v.r.Body == nil || kindOf(v.r) != formKind {
		return p.who(v.r, id)
	}
	body := &heldBody{ReadCloser: v.r.Body}
	v.r.Body = body
	lack := p.who(v.r, id)
	v.r.Body = body.again()
	return lack
}

// resume sends the kept form on, once, for a session that satisfies this route and the
// one that kept it. Only then is it marked as used: who is refused, or must log in
// first, still has it.
func (v *visit) resume(s *session, next http.Handler) {
	err := v.cfg.OneUse.Once(context.WithoutCancel(v.r.Context()), webauth.Item{
		ID: "form:" + v.kept.nonce, Issued: v.kept.expires.Add(-keptLife), Expires: v.kept.expires, Unsigned: true,
	})
	switch {
	case errors.Is(err, webauth.ErrUsed), errors.Is(err, webauth.ErrForgotten):
		v.formGone(s, err)
	case err != nil:
		v.storeDown(err)
	default:
		v.log(Event{Name: EventFormResumed, Principal: s.Principal})
		v.serve(next, v.identified(s))
	}
}

// answersForKeeper answers for the handler inside that kept a form, as that would, where
// its route still lacks what it wants, and reports whether it did. What stands between the
// two, such as xsrf.Check, knows nothing of Continue and would refuse it.
func (v *visit) answersForKeeper() bool {
	if v.wants == nil {
		return false
	}
	a := *v.a
	a.policy = *v.wants
	keeper := *v
	keeper.a = &a
	s, lack, err := keeper.session()
	switch {
	case err != nil || lack == lackNothing: // then it is Optional's own policy that is not met
		return false
	case lack == lackOwner:
		keeper.notYours(s)
	default:
		keeper.ask(s, lack)
	}
	return true
}

func (v *visit) formGone(s *session, err error) {
	v.fail(Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: err}, pageFormGone)
}

func (v *visit) notYours(s *session) {
	v.fail(Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: errors.New("the form is another person's")}, pageNotYours)
}

// goBack tells the new tab, where the person has logged in, that the form is elsewhere.
func (v *visit) goBack(instead string) {
	page := pageGoBack
	page.Links = []Link{{Text: "Or open the page anew", Href: instead}}
	v.show(page)
}

// keepForm answers a form that lacks a good enough login.
func (v *visit) keepForm(s *session, lack shortfall) {
	owner, sealed, err := v.formToKeep(s)
	if err != nil {
		page := pageLoginAgain
		page.Text = append([]string{"What you sent was not stored: " + err.Error() + ". If you go back, your browser may still have it."}, page.Text...)
		page.Links = []Link{{Text: "Log in again", Href: v.startAgain()}}
		v.fail(Event{Name: EventRefused, Reason: webauth.Reason(lack), Err: err}, page)
		return
	}
	mark := markOf(v.asks(), &v.cfg.Policy)
	page := pageFormKept
	page.Links = []Link{{Text: "Log in again", Href: v.loginBeside(mark), NewTab: true}}
	page.Form = &Form{
		Action: v.place.url(v.path, withMark(v.query, mark)), Button: "Continue",
		Hidden: map[string]string{keptField: sealed}, anyTarget: true,
	}
	e := Event{Name: EventFormKept, Reason: webauth.Reason(lack), Principal: owner}
	if postOnly(v.r) && v.cfg.LoginPath == "" {
		e.Err = errors.New("the form's address takes POST alone: set Config.LoginPath, so that there is a page to log in at")
	}
	v.fail(e, page)
}

// asks returns how somebody must log in for this route and for the form that is kept.
func (v *visit) asks() Policy {
	how := v.a.policy.strength()
	if v.wants != nil {
		how, _ = how.and(*v.wants)
	}
	return how
}

// formToKeep seals the request's form and returns whose it is. Somebody who pressed
// Continue too early gets the form back that is sealed already.
func (v *visit) formToKeep(s *session) (owner, sealed string, err error) {
	switch {
	case v.keptErr != nil:
		return "", "", v.keptErr
	case v.kept != nil:
		return v.kept.principal, v.kept.sealed, nil
	case s == nil:
		return "", "", errors.New("it is not known who you were logged in as")
	}
	sealed, err = v.sealForm(s)
	return s.Principal, sealed, err
}

// loginBeside returns the URL for the new tab in which a person logs in while a form is
// kept. A route of http.ServeMux that takes POST alone is no page to open: the page that
// the form came from is, or else the site's start.
func (v *visit) loginBeside(mark string) string {
	switch {
	case v.cfg.LoginPath != "":
		return v.place.origin + markPath(v.cfg.LoginPath, mark)
	case !postOnly(v.r):
		return v.place.url(v.path, withMark(v.query, mark))
	}
	return v.place.origin + markPath(v.cameFrom(), mark)
}

// startAgain returns the URL of a page to log in at, and to fill in a form anew.
func (v *visit) startAgain() string {
	switch {
	case !postOnly(v.r):
		return v.place.url(v.path, withoutKeptMark(v.query))
	case v.cfg.LoginPath != "":
		path, query, _ := strings.Cut(v.cfg.LoginPath, "?")
		if query != "" {
			query += "&"
		}
		return v.place.url(path, query+"next="+url.QueryEscape(v.cameFrom()))
	}
	return v.place.origin + v.cameFrom()
}

// postOnly reports whether the request was routed by a pattern such as "POST /add".
func postOnly(r *http.Request) bool {
	method, _, found := strings.Cut(r.Pattern, " ")
	return found && method == http.MethodPost
}

// cameFrom returns the path and query of the page of this site that a form was sent
// from, as far as the browser tells, or of the site's start.
func (v *visit) cameFrom() string {
	from, ours := strings.CutPrefix(v.r.Referer(), v.place.origin)
	if !ours || !localpath.Is(from) || !v.place.holds(from) {
		return v.place.prefix + "/"
	}
	path, query, _ := strings.Cut(from, "?")
	if query = withoutKeptMark(webauth.StripResponse(query)); query != "" {
		path += "?" + query
	}
	return path
}

// markPath adds a mark to a path with or without a query.
func markPath(local, mark string) string {
	path, query, _ := strings.Cut(local, "?")
	return path + "?" + withMark(query, mark)
}
