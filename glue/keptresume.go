package glue

import (
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
// sends becomes the request that was kept, before anybody judges it: q.kept, or
// q.keptErr where there is none in it. A page opened from there wants the login that
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
		wants, _ := q.a.policy.strength().and(mark, q.usualAAuth())
		q.wants = &wants
		return
	case q.r.Method == http.MethodPost && q.bringsKeptForm():
		if q.kept, q.keptErr = q.openForm(); q.keptErr != nil {
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
	begin := make([]byte, len(keptField)+1)
	n, _ := io.ReadFull(q.r.Body, begin) // too short is another form's
	q.r.Body = readAgain(begin[:n], q.r.Body)
	return string(begin[:n]) == keptField+"="
}

// authorize asks the policy who may come in. What Allow reads of a form is there again
// afterwards: to be kept, and for the handler.
func (q *request) authorize(s *session) Denial {
	p := &q.a.policy
	if p.Allow == nil || q.r.Body == nil || kindOf(q.r) != formKind {
		return p.authorize(q.r, s)
	}
	body := &heldBody{ReadCloser: q.r.Body}
	q.r.Body = body
	denial := p.authorize(q.r, s)
	q.r.Body = body.again()
	return denial
}

// resume sends the kept form on, once, for a session that satisfies this route and the
// one that kept it. Only then is it marked as used: who is refused, or must log in
// first, still has it.
func (x *exchange) resume(s *session, next http.Handler) {
	err := x.cfg.Site.OneUse().Once(context.WithoutCancel(x.r.Context()), webauth.Item{
		ID: "form:" + x.kept.nonce, Issued: x.kept.expires.Add(-KeptFormLife), Expires: x.kept.expires, Unsigned: true,
	})
	switch {
	case errors.Is(err, webauth.ErrUsed), errors.Is(err, webauth.ErrForgotten):
		x.formGone(s, err)
	case err != nil:
		x.storeDown(err)
	default:
		x.log(site.Event{Name: EventFormResumed, Principal: s.Principal})
		x.serve(next, x.identified(s))
	}
}

// answersForKeeper answers for the handler inside that kept a form, as that would, where
// its route still lacks what it wants, and reports whether it did. What stands between the
// two, such as xsrf.Check, knows nothing of Continue and would refuse it.
func (x *exchange) answersForKeeper() bool {
	if x.wants == nil {
		return false
	}
	a := *x.a
	a.policy = *x.wants
	keeper := *x
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

func (x *exchange) formGone(s *session, err error) {
	page := pageFormGone
	if errors.Is(err, webauth.ErrForgotten) {
		page = pageFormForgotten
	}
	x.fail(site.Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: err}, page)
}

func (x *exchange) notYours(s *session) {
	x.fail(site.Event{Name: EventRefused, Reason: "kept-form", Principal: s.Principal, Err: errors.New("the form is another person's")}, pageNotYours)
}

// goBack tells the new tab, where the person has logged in, that the form is elsewhere.
func (x *exchange) goBack(instead string) {
	page := pageGoBack
	page.Links = []site.Link{{Text: "Or open the page anew", Href: instead}}
	x.cfg.Site.Show(x.w, x.r, page)
}

// keepForm answers a form that lacks a good enough login.
func (x *exchange) keepForm(s *session, denial Denial) {
	x.challenge()
	owner, sealed, err := x.formToKeep(s)
	if err != nil {
		page := pageLoginAgain
		page.Text = []string{"Copy what you wrote before you log in: go back, where your browser may still have it. It was not stored: " + err.Error() + ".", loginOver}
		page.Links = []site.Link{{Text: "Log in again", Href: x.startAgain()}}
		x.fail(site.Event{Name: EventRefused, Reason: string(denial), Err: err}, page)
		return
	}
	mark := markOf(x.asks(), &x.cfg.Policy)
	page := pageFormKept
	page.Links = []site.Link{{Text: "Log in again", Href: x.loginBeside(mark), NewTab: true}}
	page.Form = &site.Form{
		Action: x.origin.url(x.path, withMark(x.query, mark)), Button: "Continue",
		Hidden: map[string]string{keptField: sealed}, AnyTarget: true,
	}
	e := site.Event{Name: EventFormKept, Reason: string(denial), Principal: owner}
	if postOnly(x.r) && x.cfg.LoginPath == "" {
		e.Err = errors.New("the form's address takes POST alone: set Config.LoginPath, so that there is a page to log in at")
	}
	x.fail(e, page)
}

// asks returns how somebody must log in for this route and for the form that is kept.
func (x *exchange) asks() Policy {
	how := x.a.policy.strength()
	if x.wants != nil {
		how, _ = how.and(*x.wants, x.usualAAuth())
	}
	return how
}

// formToKeep seals the request's form and returns whose it is. Somebody who pressed
// Continue too early gets the form back that is sealed already.
func (x *exchange) formToKeep(s *session) (owner, sealed string, err error) {
	switch {
	case x.keptErr != nil:
		return "", "", x.keptErr
	case x.kept != nil:
		return x.kept.Principal, x.kept.sealed, nil
	case s == nil:
		return "", "", errors.New("it is not known who you were logged in as")
	}
	sealed, err = x.sealForm(s)
	return s.Principal, sealed, err
}

// loginBeside returns the URL for the new tab in which a person logs in while a form is
// kept. A route of http.ServeMux that takes POST alone is no page to open: the page that
// the form came from is, or else the site's start.
func (x *exchange) loginBeside(mark string) string {
	switch {
	case x.cfg.LoginPath != "":
		return x.origin.base + markPath(x.cfg.LoginPath, mark)
	case !postOnly(x.r):
		return x.origin.url(x.path, withMark(x.query, mark))
	}
	return x.origin.base + markPath(x.cameFrom(), mark)
}

// startAgain returns the URL of a page to log in at, and to fill in a form anew.
func (x *exchange) startAgain() string {
	switch {
	case !postOnly(x.r):
		return x.origin.url(x.path, withoutKeptMark(x.query))
	case x.cfg.LoginPath != "":
		return x.loginThenURL(x.cameFrom())
	}
	return x.origin.base + x.cameFrom()
}

// loginThenURL returns where a person logs in, at LoginPath, to go on to a path of this site.
func (x *exchange) loginThenURL(next string) string {
	path, query, _ := strings.Cut(x.cfg.LoginPath, "?")
	if query != "" {
		query += "&"
	}
	return x.origin.url(path, query+"next="+url.QueryEscape(next))
}

// postOnly reports whether the request was routed by a pattern such as "POST /add".
func postOnly(r *http.Request) bool {
	method, _, found := strings.Cut(r.Pattern, " ")
	return found && method == http.MethodPost
}

// cameFrom returns the path and query of the page of this site that a form was sent
// from, as far as the browser tells, or of the site's start.
func (x *exchange) cameFrom() string {
	if local, ours := x.localOf(x.r.Referer()); ours {
		return local
	}
	return x.origin.prefix + "/"
}

// localOf returns the path and query of a URL that a browser names, without what comes back
// from a login. It reports whether it is a page of this very origin.
func (x *exchange) localOf(url string) (local string, ours bool) {
	from, ours := strings.CutPrefix(url, x.origin.base)
	if !ours || !localpath.Is(from) || !x.cfg.Site.Local(from) {
		return "", false
	}
	path, query, _ := strings.Cut(from, "?")
	query = x.origin.strip(path, query)
	return localpath.WithQuery(path, withoutKeptMark(query)), true
}

// markPath adds a mark to a path with or without a query.
func markPath(local, mark string) string {
	path, query, _ := strings.Cut(local, "?")
	return path + "?" + withMark(query, mark)
}
