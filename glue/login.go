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
func (v *exchange) loginThen() {
	if v.answersResponse() || v.answersTarget() {
		return
	}
	next, err := v.next()
	if err != nil {
		v.fail(site.Event{Name: EventRefused, Reason: "next", Err: err}, pageBadNext)
		return
	}
	if mark, marked := v.marked(); marked && v.r.Method != http.MethodPost {
		v.loginForForm(&mark, next)
		return
	}
	v.goal = strings.TrimPrefix(next, v.origin.base)
	s, denial, err := v.evaluate()
	switch {
	case err != nil:
		v.storeDown(err)
	case denial == "":
		v.noteUse(v.w, s)
		respond.Redirect(v.w, v.r, next)
	case denial.Forbidden():
		v.forbid(s, denial)
	default:
		v.ask(s, denial)
	}
}

// loginForForm logs in for a form that another tab keeps, as its route wants. Who may
// send it that route decides.
func (v *exchange) loginForForm(wants *Policy, next string) {
	a := *v.a
	a.policy = *wants
	a.policy.Desc, a.policy.Msg, a.policy.Fail = v.a.policy.Desc, v.a.policy.Msg, v.a.policy.Fail
	v.a = &a
	s, denial, err := v.evaluate()
	switch {
	case err != nil:
		v.storeDown(err)
	case denial == "":
		v.noteUse(v.w, s)
		v.goBack(next)
	default:
		v.ask(s, denial)
	}
}

// next gives the URL to go to after Login. It is our own origin with a path appended,
// so whatever a browser makes of the path it stays here.
func (v *exchange) next() (string, error) {
	q, err := url.ParseQuery(v.query)
	if err != nil || len(q["next"]) > 1 {
		return "", errors.New("next: the query is malformed, or has more than one")
	}
	next := q.Get("next")
	switch {
	case next == "":
		return v.origin.home(), nil
	case !v.cfg.Site.Local(next):
		return "", errors.New("next: not a path of this site")
	}
	return v.origin.base + next, nil
}
