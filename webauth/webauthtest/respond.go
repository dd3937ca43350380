package webauthtest

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
)

// Person is what the person does in Respond.
type Person int

// What a person does.
const (
	// Types logs in with the password. That is what Respond supposes.
	Types Person = iota
	// SignedOn has logged in before, so that the fake need not ask.
	SignedOn
	// Cancels presses Cancel; the user does not matter.
	Cancels
)

// Respond returns the URL that the fake would redirect a browser to which arrives at
// loginURL (the Location of a site's redirect, Service.AuthURL with a query), without
// any browser, cookie or request to the site. user is who logs in; the person types the
// password unless doing says otherwise.
//
// Scripts, quirks and faults apply as they do to a login with a browser, but nobody
// waits. It is an error if the fake would not redirect: it shows a page of its own, is
// down, would ask for a password from somebody who is SignedOn, or does not know user.
func (w *WLS) Respond(loginURL, user string, doing ...Person) (returnURL string, err error) {
	u, err := url.Parse(loginURL)
	if err != nil || !w.isLogin(u) {
		return "", fmt.Errorf("webauthtest: Respond: want a URL that begins with %s", fakelogin.Origin(w.base)+authPath)
	}
	person := Types
	if len(doing) > 0 {
		person = doing[len(doing)-1]
	}
	a := newAuthRequest(u.RawQuery)
	switch person {
	case Cancels:
		a.cancelled = true
	case Types, SignedOn:
		if _, active := w.users.active(user); !active {
			return "", fmt.Errorf("webauthtest: Respond: there is no user %q who may log in", user)
		}
		a.login = &session{user: user, expires: w.Now().Add(w.sessionLife)}
		a.typed = person == Types
	}
	e := w.exchange(a, func(Outcome) bool { return true })
	switch e.Reply {
	case ReplyReturn:
		return e.ReturnURL, nil
	case ReplyForm:
		return "", errors.New("webauthtest: Respond: the fake would ask for the password")
	case ReplyPage:
		return "", fmt.Errorf("webauthtest: Respond: the fake would show a page of its own: status %d, %s", e.Response.Status, e.Response.Msg)
	default:
		return "", fmt.Errorf("webauthtest: Respond: the fake would be %s", e.Reply)
	}
}
