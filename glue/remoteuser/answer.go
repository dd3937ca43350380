package remoteuser

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
)

// The pages, but for what depends on the request.
var (
	pageNobody = glue.Page{Kind: "login-required", Status: http.StatusUnauthorized, Title: "Please log in first",
		Text: []string{"This page is for people who are logged in, and nobody has told it who you are.",
			"Start from the site’s front page and log in there. If you have just done so, tell the site’s webmaster."}}
	pageContradiction = glue.Page{Kind: "bad-identity", Status: http.StatusBadRequest, Title: "This site cannot tell who you are",
		Text: []string{"What this program was told about your login makes no sense, so nobody is let in by it. Please tell the site’s webmaster."}}
	pageUnknown = glue.Page{Kind: "unknown-user", Status: http.StatusForbidden, Title: "You have no account on this site",
		Text: []string{"Your login is in order, but this site does not know you.", "If you think that it should, ask the site’s webmaster."}}
	pageInactive = glue.Page{Kind: "inactive-user", Status: http.StatusForbidden, Title: "Your account on this site is not active",
		Text: []string{"Your login is in order, but your account here is closed, or not open yet.", "If you think that it should be open, ask the site’s webmaster."}}
	pageUnavailable = glue.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up accounts just now. Nothing is wrong with yours."}}
	pageThrottled = glue.Page{Kind: "throttled", Status: http.StatusTooManyRequests, Title: "Too many wrong passwords",
		Text: []string{"For this account, or from where you are, wrong passwords were typed too often. Wait a few minutes and try again."}}
)

// refuse answers what a front server should not have said.
func (v *visit) refuse(err error) {
	e := glue.Event{Name: glue.EventRefused, Err: err}
	if r, ok := errors.AsType[*refusal](err); ok {
		e.Reason = r.reason
	}
	v.answer(e, pageContradiction)
}

// ask answers a request of which nobody knows who sends it.
func (v *visit) ask() {
	switch {
	case v.u.form != nil && v.u.form.isHere(v.r):
		v.askByForm()
	case v.u.cfg.Password != nil && v.u.form == nil:
		v.askByBasic(glue.Event{Name: glue.EventRefused, Reason: reasonNobody})
	default:
		v.answer(glue.Event{Name: glue.EventRefused, Reason: reasonNobody}, pageNobody)
	}
}

// answer logs the event and answers with the same reference: by the page to a person, by
// a line of text, or JSON, to a script.
func (v *visit) answer(e glue.Event, p glue.Page) {
	page := glue.WantsPage(v.r)
	if page {
		v.ref = respond.Ref()
		p.Ref = v.ref
		if p.Links == nil {
			p.Links = v.nextStep(p.Status)
		}
	}
	v.log(e)
	if page {
		v.show(p)
		return
	}
	v.brief(p, string(e.Reason))
}

// nextStep is what to do about a page that knows nothing better. Where browsers see the
// site we need not know: the links are relative.
func (v *visit) nextStep(status int) []glue.Link {
	again := v.r.Method == http.MethodGet && localpath.Is(v.r.RequestURI)
	switch {
	case again && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests):
		return []glue.Link{{Text: "Try again", Href: v.r.RequestURI}}
	case v.r.RequestURI != "/":
		return []glue.Link{{Text: "Front page", Href: "/"}}
	}
	return nil
}

func (v *visit) show(p glue.Page) {
	if err := glue.ShowPage(v.w, v.r, p, v.u.cfg.Page); err != nil {
		v.u.cfg.Logger.Error("page template", "error", err)
	}
}

func (v *visit) brief(p glue.Page, reason string) {
	h := v.w.Header()
	if p.Status == http.StatusUnauthorized && h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Ucam-WebAuth")
	}
	respond.Brief(v.w, v.r, p.Status, strings.ReplaceAll(p.Kind, "-", "_"), reason, p.Title+".")
}

// wrapUnavailable says which of the site's functions could not say.
func wrapUnavailable(what string, err error) error {
	return fmt.Errorf("remoteuser: %s: %w", what, err)
}
