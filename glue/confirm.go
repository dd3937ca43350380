package glue

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// A person who cancels, goes back and logs in after all brings a success for a token that
// has been in the access log since it failed. Whoever reads that log can send them a
// success of his own for it, to have them work in his name. So they are asked who they
// are: the button of that page carries the session to be, sealed, for the browser that it
// was made for alone, to be used once. It is a link, because a route may know no method
// but GET, and it is in the log in its turn.
const (
	confirmParam = "wls-confirm" // query parameter, ours alone
	confirmLife  = 10 * time.Minute

	reasonConfirm = "confirm"
)

// pageConfirmLogin asks, and names whom.
func pageConfirmLogin(who string) site.Page {
	return site.Page{Kind: "confirm-login", Status: http.StatusOK, Title: "Log in as " + who + "?", Text: []string{
		"Go on if you have just logged in as " + who + ". If that was not you, do not: what you do here would be done in that person’s name.",
		"We ask because the login for this page was cancelled, or had failed, in this browser before.",
	}}
}

// login is a login that everything was checked of.
type login struct {
	session *session
	url     string           // that was asked for
	iact    webauth.Interact // that was asked for
	depth   int              // of the request, see loopDepth
}

// askWho asks whether the login is the person's. old is the session that they have.
func (x *exchange) askWho(l login, old *session) {
	href, err := x.confirmURL(l)
	if err != nil {
		x.storeDown(err)
		return
	}
	who := l.session.Principal
	p := pageConfirmLogin(who)
	if x.loggedIn(old) {
		p.Principal = old.Principal
	}
	p.Links = []site.Link{{Text: "Log in as " + who, Href: href}, {Text: "No, do not log in", Href: x.origin.home()}}
	x.log(site.Event{Name: EventConfirm, Principal: who})
	x.cfg.Site.Show(x.w, x.r, p)
}

// confirmURL is where the button leads: the same path, and so the same handler.
func (x *exchange) confirmURL(l login) (string, error) {
	plain := strings.Join([]string{randomID(), l.session.way.service.ID(), x.path, l.url, string(l.iact), formatUnix(l.session.Expires), l.session.encode()}, "\n")
	expires := x.now.Add(confirmLife)
	if l.session.Expires.Before(expires) {
		expires = l.session.Expires
	}
	value, err := x.origin.confirm.Seal(confirmParam, expires, []byte(plain))
	if err == nil && len(value) > maxCookie {
		err = errSessionTooLarge
	}
	return x.origin.url(x.path, confirmParam+"="+value), err
}

var errNotConfirmed = errors.New("it is not a login that this browser was asked about here, or it was too long ago")

// answersConfirm deals with a request that comes from the button, and reports whether it
// is one.
func (x *exchange) answersConfirm() bool {
	value, rest, found := cutConfirm(x.query)
	if !found {
		return false
	}
	x.query = rest
	if !isNavigation(x.r) {
		x.refuseResponse(nil)
		return true
	}
	x.confirmed(x.openConfirm(value))
	return true
}

// confirmed starts the session that was asked about, once.
func (x *exchange) confirmed(l login, item webauth.Item, err error) {
	if err != nil {
		x.fail(site.Event{Name: EventRefused, Reason: reasonConfirm, Err: err}, pageRefused)
		return
	}
	old, err := x.own()
	if err == nil {
		err = x.cfg.Site.OneUse().Once(context.WithoutCancel(x.r.Context()), item)
	}
	forgotten := errors.Is(err, webauth.ErrForgotten)
	used := forgotten || errors.Is(err, webauth.ErrUsed)
	switch {
	case err == nil:
		x.logIn(l, old)
	case used && x.alive(old, l.session.Principal): // pressed twice
		x.log(site.Event{Name: EventRepeated, Reason: reasonConfirm})
		x.goOn(l.url, l.session.Principal, loopDepthUnknown)
	case used:
		page := pageRefused
		if forgotten {
			page = pageForgotten
		}
		page.Links = x.again(l.url, page.Kind)
		x.fail(site.Event{Name: EventRefused, Reason: reasonConfirm, Err: err}, page)
	default:
		x.storeDown(err)
	}
}

// openConfirm reads what the button carries, and checks that it is pressed in the browser
// and on the page that it was made for. The item marks it as used.
func (x *exchange) openConfirm(value string) (login, webauth.Item, error) {
	plain, expires, err := x.origin.confirm.Open(confirmParam, value, x.now)
	part := strings.SplitN(plain, "\n", 7)
	if err != nil || len(part) != 7 {
		return login{}, webauth.Item{}, errNotConfirmed
	}
	s, ok := decodeSession(part[6])
	ends, okEnds := parseUnix(part[5])
	w := x.origin.wayOf(part[1])
	if !ok || !okEnds || w == nil {
		return login{}, webauth.Item{}, errNotConfirmed
	}
	if fromOtherOrigin(x.r) || part[2] != x.path || !x.secret.Fits(s.binding) || s.client != x.clientBinding() {
		return login{}, webauth.Item{}, errNotConfirmed
	}
	s.Expires, s.way, s.Service = ends, w, w.info.Name
	item := webauth.Item{ID: "confirm:" + part[0], Issued: s.Accepted, Expires: expires}
	return login{session: s, url: part[3], iact: webauth.Interact(part[4])}, item, nil
}

// cutConfirm takes the button's parameter out of a query.
func cutConfirm(query string) (value, rest string, found bool) {
	if !strings.Contains(query, confirmParam+"=") {
		return "", query, false
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		if after, is := strings.CutPrefix(part, confirmParam+"="); is {
			value, found = after, true
			continue
		}
		kept = append(kept, part)
	}
	return value, strings.Join(kept, "&"), found
}
