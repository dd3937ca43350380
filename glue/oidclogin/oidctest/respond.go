package oidctest

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Person is what the person does in Respond.
type Person int

// What a person does.
const (
	// Types logs in with a password. That is what Respond supposes.
	Types Person = iota
	// SignedOn has logged in an hour before, so that the provider need not ask.
	SignedOn
	// Cancels presses Cancel; the user does not matter.
	Cancels
)

// signedOnFor is how long ago somebody who is SignedOn logged in.
const signedOnFor = time.Hour

// Respond returns the URL that the provider would redirect a browser to which arrives at
// location (that of a site's redirect), without any browser, cookie or request to the site.
// user is who logs in; the person types the password unless doing says otherwise.
//
// Scripts and faults apply as they do to a login with a browser, but nobody waits. It is an
// error if the provider would not redirect: it shows a page of its own, would ask for a
// password from somebody who is SignedOn, or does not know user.
func (p *Provider) Respond(location, user string, doing ...Person) (returnURL string, err error) {
	u, err := url.Parse(location)
	if err != nil || !p.isLogin(u) {
		return "", fmt.Errorf("oidctest: Respond: want a URL that begins with %s", p.issuer+authPath)
	}
	person := Types
	if len(doing) > 0 {
		person = doing[len(doing)-1]
	}
	a := p.newAuthRequest(u.RawQuery)
	if person == Cancels {
		a.cancelled = true
	} else {
		if _, active := p.user(user); !active {
			return "", fmt.Errorf("oidctest: Respond: there is no user %q who may log in", user)
		}
		s := p.newSession(user)
		if a.typed = person == Types; !a.typed {
			s.typed = s.typed.Add(-signedOnFor)
		}
		p.sessions.start(s)
		a.login = &s
	}
	switch e := p.exchange(a, func(time.Duration) bool { return true }); e.Reply {
	case ReplyReturn:
		return e.ReturnURL, nil
	case ReplyForm:
		return "", errors.New("oidctest: Respond: the provider would ask for the password")
	case ReplyPage:
		return "", fmt.Errorf("oidctest: Respond: the provider would show a page of its own: %s, %s", a.refused.code, a.refused.description)
	default:
		return "", fmt.Errorf("oidctest: Respond: the provider would be %s", e.Reply)
	}
}
