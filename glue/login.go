package glue

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// loginThen logs in and goes on to the path in "next".
func (x *exchange) loginThen() {
	if x.answersResponse() || x.answersTarget() {
		return
	}
	next, err := x.next()
	if err != nil {
		x.fail(site.Event{Name: EventRefused, Reason: "next", Err: err}, pageBadNext)
		return
	}
	if mark, marked := x.marked(); marked && x.r.Method != http.MethodPost {
		x.loginForForm(&mark, next)
		return
	}
	x.goal = strings.TrimPrefix(next, x.origin.base)
	s, denial, err := x.evaluate()
	switch {
	case err != nil:
		x.storeDown(err)
	case denial == "":
		x.noteUse(x.w, s)
		respond.Redirect(x.w, x.r, next)
	case denial.Forbidden():
		x.forbid(s, denial)
	default:
		x.ask(s, denial)
	}
}

// loginForForm logs in for a form that another tab keeps, as its route wants. Who may
// send it that route decides.
func (x *exchange) loginForForm(wants *Policy, next string) {
	a := *x.a
	a.policy = *wants
	a.policy.Desc, a.policy.Msg, a.policy.Fail = x.a.policy.Desc, x.a.policy.Msg, x.a.policy.Fail
	x.a = &a
	s, denial, err := x.evaluate()
	switch {
	case err != nil:
		x.storeDown(err)
	case denial == "" && x.namesNext(): // for a part of a page, not for a form
		x.noteUse(x.w, s)
		respond.Redirect(x.w, x.r, next)
	case denial == "":
		x.noteUse(x.w, s)
		x.goBack(next)
	default:
		x.ask(s, denial)
	}
}

// next returns the URL to go to after Login. It is our own origin with a path appended,
// so whatever a browser makes of the path it stays here.
func (x *exchange) next() (string, error) {
	q, err := url.ParseQuery(x.query)
	if err != nil || len(q["next"]) > 1 {
		return "", errors.New("next: the query is malformed, or has more than one")
	}
	next := q.Get("next")
	switch {
	case next == "":
		return x.origin.home(), nil
	case !x.cfg.Site.Local(next):
		return "", errors.New("next: not a path of this site")
	}
	return x.origin.base + next, nil
}

// namesNext reports whether a request for LoginPath says where to go on to, beyond what
// LoginPath itself says.
func (x *exchange) namesNext() bool {
	_, usual, _ := strings.Cut(x.cfg.LoginPath, "?")
	return hasNext(x.query) && !hasNext(usual)
}

// hasNext reports whether a query says where to go on to.
func hasNext(query string) bool {
	q, err := url.ParseQuery(query)
	return err == nil && q.Has("next")
}
