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
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// takeMarked prepares a request from a page that keeps a form. What the Continue button
// sends becomes the request that was kept, before anybody judges it: v.kept, or
// v.keptErr where there is none in it. A page opened from there wants the login that
// the mark names. Anything else is a request like any other: a form of the site's own
// that was sent from a marked address, where Continue had led, so that its body is its
// own; and any other method, which a kept form never has.
func (q *request) takeMarked() {
	if !q.aboutKeptForm() {
		return
	}
	switch {
	case q.r.Method == http.MethodGet, q.r.Method == http.MethodHead:
		mark, _ := q.marked()
		wants, _ := q.a.policy.strength().and(mark)
		q.wants = &wants
		return
	case q.r.Method == http.MethodPost && q.bringsKeptForm():
		if q.kept, _, q.keptErr = q.openForm(); q.keptErr != nil {
			return
		}
		if wants, ok := parseMark(q.kept.wants, &q.cfg.Policy); ok {
			q.wants = &wants
		}
		q.r = q.restored(q.kept)
	default:
		q.r = withoutMark(q.r)
	}
	q.query = withoutKeptMark(q.query)
}

// bringsKeptForm reports whether a form begins as Continue's does. The body stays whole.
func (q *request) bringsKeptForm() bool {
	body := bufio.NewReader(q.r.Body)
	begin, _ := body.Peek(len(keptField) + 1) // too short is another form's
	q.r.Body = struct {
		io.Reader
		io.Closer
	}{body, q.r.Body}
	return string(begin) == keptField+"="
}

// authorize asks the policy who may come in. What Allow reads of a form is there again
// afterwards: to be kept, and for the handler.
func (q *request) authorize(id *Identity) Denial {
	p := &q.a.policy
	if p.Allow == nil || q.r.Body == nil || kindOf(q.r) != formKind {
		return p.authorize(q.r, id)
	}
	body := &heldBody{ReadCloser: q.r.Body}
	q.r.Body = body
	denial := p.authorize(q.r, id)
	q.r.Body = body.again()
	return denial
}

// resume sends the kept form on, once, for a session that satisfies this route and the
// one that kept it. Only then is it marked as used: who is refused, or must log in
// first, still has it.
func (v *exchange) resume(s *session, next http.Handler) {
	err := v.cfg.Site.OneUse().Once(context.WithoutCancel(v.r.Context()), webauth.Item{
		ID: "form:" + v.kept.nonce, Issued: v.kept.expires.Add(-keptLife), Expires: v.kept.expires, Unsigned: true,
	})
	switch {
	case errors.Is(err, webauth.ErrUsed), errors.Is(err, webauth.ErrForgotten):
		v.formGone(s, err)
	case err != nil:
		v.storeDown(err)
	default:
		v.log(site.Event{Name: EventFormResumed, Principal: s.Principal})
		v.serve(next, v.identified(s))
	}
}

// answersForKeeper answers for the handler inside that kept a form, as that would, where
// its route still lacks what it wants, and reports whether it did. What stands between the
// two, such as xsrf.Check, knows nothing of Continue and would refuse it.
func (v *exchange) answersForKeeper() bool {
	if v.wants == nil {
		return false
	}
	a := *v.a
	a.policy = *v.wants
	keeper := *v
	keeper.a = &a
	s, denial, err := keeper.evaluate()
	switch {
	case err != nil || denial == "": // then it is Optional's own policy that is not met
		return false
	case denial == deniedOwner:
		keeper.notYours(s)
	default:
		keeper.ask(s, denial)
	}
	return true
}

func (v *exchange) formGone(s *session, err error) {
	v.fail(site.Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: err}, pageFormGone)
}

func (v *exchange) notYours(s *session) {
	v.fail(site.Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: errors.New("the form is another person's")}, pageNotYours)
}

// goBack tells the new tab, where the person has logged in, that the form is elsewhere.
func (v *exchange) goBack(instead string) {
	page := pageGoBack
	page.Links = []site.Link{{Text: "Or open the page anew", Href: instead}}
	v.cfg.Site.Show(v.w, v.r, page)
}

// keepForm answers a form that lacks a good enough login.
func (v *exchange) keepForm(s *session, denial Denial) {
	owner, sealed, err := v.formToKeep(s)
	if err != nil {
		page := pageLoginAgain
		page.Text = append([]string{"What you sent was not stored: " + err.Error() + ". If you go back, your browser may still have it."}, page.Text...)
		page.Links = []site.Link{{Text: "Log in again", Href: v.startAgain()}}
		v.fail(site.Event{Name: EventRefused, Reason: string(denial), Err: err}, page)
		return
	}
	mark := markOf(v.asks(), &v.cfg.Policy)
	page := pageFormKept
	page.Links = []site.Link{{Text: "Log in again", Href: v.loginBeside(mark), NewTab: true}}
	page.Form = &site.Form{
		Action: v.origin.url(v.path, withMark(v.query, mark)), Button: "Continue",
		Hidden: map[string]string{keptField: sealed}, AnyTarget: true,
	}
	e := site.Event{Name: EventFormKept, Reason: string(denial), Principal: owner}
	if postOnly(v.r) && v.cfg.LoginPath == "" {
		e.Err = errors.New("the form's address takes POST alone: set Config.LoginPath, so that there is a page to log in at")
	}
	v.fail(e, page)
}

// asks returns how somebody must log in for this route and for the form that is kept.
func (v *exchange) asks() Policy {
	how := v.a.policy.strength()
	if v.wants != nil {
		how, _ = how.and(*v.wants)
	}
	return how
}

// formToKeep seals the request's form and returns whose it is. Somebody who pressed
// Continue too early gets the form back that is sealed already.
func (v *exchange) formToKeep(s *session) (owner, sealed string, err error) {
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
func (v *exchange) loginBeside(mark string) string {
	switch {
	case v.cfg.LoginPath != "":
		return v.origin.base + markPath(v.cfg.LoginPath, mark)
	case !postOnly(v.r):
		return v.origin.url(v.path, withMark(v.query, mark))
	}
	return v.origin.base + markPath(v.cameFrom(), mark)
}

// startAgain returns the URL of a page to log in at, and to fill in a form anew.
func (v *exchange) startAgain() string {
	switch {
	case !postOnly(v.r):
		return v.origin.url(v.path, withoutKeptMark(v.query))
	case v.cfg.LoginPath != "":
		path, query, _ := strings.Cut(v.cfg.LoginPath, "?")
		if query != "" {
			query += "&"
		}
		return v.origin.url(path, query+"next="+url.QueryEscape(v.cameFrom()))
	}
	return v.origin.base + v.cameFrom()
}

// postOnly reports whether the request was routed by a pattern such as "POST /add".
func postOnly(r *http.Request) bool {
	method, _, found := strings.Cut(r.Pattern, " ")
	return found && method == http.MethodPost
}

// cameFrom returns the path and query of the page of this site that a form was sent
// from, as far as the browser tells, or of the site's start.
func (v *exchange) cameFrom() string {
	from, ours := strings.CutPrefix(v.r.Referer(), v.origin.base)
	if !ours || !localpath.Is(from) || !v.cfg.Site.Local(from) {
		return v.origin.prefix + "/"
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
