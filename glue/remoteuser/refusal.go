package remoteuser

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// EventUntrusted is the name of the event of an identity header from somebody else than a
// peer, which was removed. The other events are glue.EventRefused, glue.EventForbidden (by
// Lookup), glue.EventStoreError (Lookup or a password's check failed) and those of package
// password.
const EventUntrusted = "untrusted-header"

var (
	pageNobody = site.Page{Kind: "login-required", Status: http.StatusUnauthorized, Title: "Please log in first",
		Text: []string{"Start from the site’s front page and log in there. If you have just done so, tell the site’s webmaster, and quote the reference below.",
			"This page is for people who are logged in, and nobody has told it who you are."}}
	pageContradiction = site.Page{Kind: "bad-identity", Status: http.StatusBadRequest, Title: "This site cannot tell who you are",
		Text: []string{"Please tell the site’s webmaster, and quote the reference below. What this part of the site was told about your login makes no sense, so nobody is let in by it."}}
	pageUnknown = site.Page{Kind: "unknown-user", Status: http.StatusForbidden, Title: "You have no account on this site",
		Text: []string{"If you think that you should have one, ask the site’s webmaster, and quote the reference below.", "Your login is in order, but this site does not know you."}}
	pageInactive = site.Page{Kind: "inactive-user", Status: http.StatusForbidden, Title: "Your account on this site is not active",
		Text: []string{"If you think that it should be, ask the site’s webmaster, and quote the reference below.", "Your login is in order, but your account here is closed, or not open yet."}}
)

// refuse answers what a front server should not have said.
func (x *exchange) refuse(err error) {
	reason := ""
	if r, ok := errors.AsType[*refusal](err); ok {
		reason = r.reason
	}
	x.answer(&password.Refusal{Event: x.u.event(glue.EventRefused, reason, err), Page: pageContradiction})
}

// ask answers a request of which nobody knows who sends it.
func (x *exchange) ask() {
	if x.u.cfg.Form != nil && x.u.cfg.Form.Ask(x.w, x.r) {
		return
	}
	no := &password.Refusal{Event: x.u.event(glue.EventRefused, password.ReasonNobody, nil), Page: pageNobody}
	if x.u.cfg.Password != nil {
		_, no = x.u.cfg.Password.Basic(x.r, x.u.cfg.Realm) // which asks for it
	}
	x.answer(no)
}

// turnAway answers somebody who is known and may not come in, or cannot be looked up.
func (x *exchange) turnAway(id glue.Identity, err error) {
	no := &password.Refusal{Event: x.u.event(glue.EventForbidden, "", err)}
	switch {
	case errors.Is(err, ErrInactive):
		no.Event.Reason, no.Page = "inactive-user", pageInactive
	case errors.Is(err, ErrUnknown):
		no.Event.Reason, no.Page = "unknown-user", pageUnknown
	default:
		x.answer(password.Unavailable("lookup", err))
		return
	}
	no.Event.Principal, no.Page.Principal = id.Principal, id.Principal
	if x.u.cfg.Form != nil && !x.believed {
		no.Page.Links = []site.Link{{Text: "Log out", Href: x.u.cfg.Form.LogoutURL()}}
	}
	x.answer(no)
}

func (x *exchange) answer(no *password.Refusal) {
	no.Event.From, no.Event.More = "remoteuser", x.u.service()
	no.Answer(x.u.cfg.Site, x.w, x.r)
}

// event returns what the operators are told.
func (u *RemoteUser) event(name, reason string, err error) site.Event {
	e := site.Event{From: "remoteuser", Name: name, Reason: reason, Err: err, Level: slog.LevelWarn, More: u.service()}
	if reason == password.ReasonNobody {
		e.Level = slog.LevelDebug // everybody begins like that
	}
	return e
}

func (u *RemoteUser) service() []slog.Attr { return []slog.Attr{slog.String("service", u.cfg.Service)} }
