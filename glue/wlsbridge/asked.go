package wlsbridge

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Whether a password was typed for a request, and not before it came, is told by a mark at the
// end of its URL while the person logs in: when the request came, and which session there was.
// A login makes a new session each time, so another one now is of a login after that. The mark
// is sealed for this browser and this very request.
const (
	markField = "wls-asked"
	markLife  = 15 * time.Minute
)

type asked struct {
	at      time.Time
	session string // the id of the session that there was; empty for none
	sealed  string
}

// isAfter reports whether a session began before the request came, as far as seconds tell.
func (a *asked) isAfter(id glue.Identity) bool { return id.Accepted.Before(a.at.Truncate(time.Second)) }

// readMark takes the mark off the query.
func (x *exchange) readMark() {
	x.browser = cookie.Get(x.r, x.b.cookieName(browserCookie, x.origin()))
	i := strings.LastIndex(x.query, "&"+markField+"=")
	if i < 0 {
		return
	}
	sealed := x.query[i+len("&"+markField+"="):]
	x.query, x.marked = x.query[:i], true
	plain, _, err := x.b.seals.Load().asked.Open(x.markName(), sealed, x.b.site.Now())
	at, session, ok := strings.Cut(plain, " ")
	micro, convErr := strconv.ParseInt(at, 10, 64)
	if err != nil || convErr != nil || !ok {
		return
	}
	x.asked = &asked{at: time.UnixMicro(micro), session: session, sealed: sealed}
}

// markName binds a mark to the browser and the request.
func (x *exchange) markName() string {
	h := sha256.Sum256([]byte(x.query))
	return x.origin() + "\x00" + x.browser + "\x00" + string(h[:])
}

// begin marks the request, to find out what happens after it. session is the one that there is.
func (x *exchange) begin(session string) {
	if x.browser == "" && x.marked { // it had the time to come back
		x.stop("cookies", nil, pageCookies)
		return
	}
	if x.browser == "" {
		x.browser = rand.Text()
		http.SetCookie(x.w, x.b.cookie(browserCookie, x.origin(), x.browser))
	}
	now := x.b.site.Now()
	mark, err := x.b.seals.Load().asked.Seal(x.markName(), now.Add(markLife), []byte(strconv.FormatInt(now.UnixMicro(), 10)+" "+session))
	if err != nil {
		x.storeDown(err)
		return
	}
	respond.Redirect(x.w, x.r, x.self(mark))
}

// loggedInFor reports whether the person logged in by a password after the request came. Where
// there was a session, judge and [glue.Policy.NotSession] have seen to it that this is another.
func (x *exchange) loggedInFor(id glue.Identity) bool {
	return x.asked != nil && x.ask.IAct != "no" && !id.Password.IsZero()
}

// spendPassword reports whether the password of a login for this request has proved nothing to
// another: it does so once. A page that is reloaded, a second tab, or whoever uses the browser
// next has another one typed. It answers where that is not so, or where nobody can know.
func (x *exchange) spendPassword(id glue.Identity) bool {
	issued := id.Accepted // in whole seconds
	if x.asked.at.After(issued) {
		issued = x.asked.at
	}
	err := x.b.site.OneUse().Once(context.WithoutCancel(x.r.Context()), webauth.Item{
		ID: "typed:" + id.SessionID, Issued: issued, Expires: issued.Add(markLife), // and the mark is no younger
	})
	switch {
	case err == nil:
		return true
	case errors.Is(err, webauth.ErrUsed), errors.Is(err, webauth.ErrForgotten):
		x.restart()
	default:
		x.storeDown(err)
	}
	return false
}

// Names, without prefix and suffix, of our cookies, which last as long as the browser runs.
const (
	browserCookie   = "wls-bridge"       // a random name of the browser
	confirmedCookie = "wls-bridge-sites" // which sites its person confirmed
)

func (b *Bridge) cookieName(base, origin string) string {
	u, _ := url.Parse(origin) // in normal form
	name := base + cookie.Suffix(b.site.Path(), u.Port())
	if u.Scheme == "https" {
		return "__Host-" + name
	}
	return name
}

func (b *Bridge) cookie(base, origin, value string) *http.Cookie {
	return &http.Cookie{
		Name: b.cookieName(base, origin), Value: value, Path: "/", Secure: strings.HasPrefix(origin, "https:"),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
