package gateway

import (
	"errors"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/htpasswd"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// basic asks for a name and a password of an .htpasswd file (RFC 7617). One is made
// for each rule that wants it, anew at each reload; attempts and metrics are the
// gateway's.
type basic struct {
	auth      *glue.Auth // for pages and log
	realm     string     // what people are told it is for; "" for the host
	passwords *htpasswd.Passwords
	attempts  *attempts
	metrics   *observe.Metrics
	checked   *recent.Memory // pairs of name and password that were right
	flights   flights        // checks under way
}

// A right password is not checked again for a while, because browsers send it with
// every request and a check costs up to a second. A reload forgets them all.
const checkedLife, checkedMax = 5 * time.Minute, 1000

func newBasic(auth *glue.Auth, realm string, p *htpasswd.Passwords, a *attempts, m *observe.Metrics) *basic {
	return &basic{
		auth: auth, realm: realm, passwords: p, attempts: a, metrics: m,
		checked: recent.New(checkedLife, checkedMax, auth.Now),
		flights: flights{now: map[string]*flight{}},
	}
}

// What becomes of an attempt, for metrics.
const (
	attemptRight   = "right"
	attemptWrong   = "wrong"
	attemptLimited = "limited"
	attemptCrowded = "crowded"
)

// attempt is what a check has found.
type attempt struct {
	right bool
	wait  time.Duration // how long until a password is looked at; zero if this one was
	err   error         // it was not looked at: too many are, or nobody waits for it
}

// authenticate gives the name of a user who sent the right password. Where it is false,
// the request has been answered: 401 or, with Retry-After, 429 or 503.
func (b *basic) authenticate(w http.ResponseWriter, r *http.Request) (user string, ok bool) {
	user, password, ok := r.BasicAuth()
	if !ok || len(r.Header["Authorization"]) != 1 {
		b.challenge(w, r)
		http.Error(w, "Log in with name and password.", http.StatusUnauthorized)
		return "", false
	}
	v := b.check(r, user, password)
	switch {
	case v.err != nil:
		b.metrics.PasswordAttempt(attemptCrowded)
		w.Header().Set("Retry-After", strconv.Itoa(int(crowdedWait/time.Second)))
		b.refuse(w, r, "crowded", v.err, pageCrowded)
		return "", false
	case v.wait > 0:
		b.metrics.PasswordAttempt(attemptLimited)
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(v.wait.Seconds()))))
		b.refuse(w, r, "attempts", errors.New("too many wrong passwords for this user or from this address"), pageTooMany)
		return "", false
	case !v.right:
		b.metrics.PasswordAttempt(attemptWrong)
		b.challenge(w, r)
		b.refuse(w, r, "password", errors.New("no such user, or not the password"), pagePassword)
		return "", false
	}
	return user, true
}

// crowdedWait is when to try again where too many passwords are being checked.
const crowdedWait = 5 * time.Second

// check tells whether the password is right, or why it was not looked at. A limited
// attempt learns nothing, not even from the memory of right ones.
func (b *basic) check(r *http.Request, user, password string) attempt {
	addr := site.ClientIP(r)
	if wait := b.attempts.wait(addr, user); wait > 0 {
		return attempt{wait: wait}
	}
	if b.checked.Has(user, password) {
		return attempt{right: true}
	}
	if wait := b.attempts.waitAgain(addr, user, b.here(password)); wait > 0 {
		return attempt{wait: wait} // no turn is taken for it
	}
	key := b.checked.Sum(networkOf(addr), user, password)
	return b.flights.share(r.Context(), string(key[:]), func() attempt {
		done, err := b.attempts.turns.take(r.Context(), b.attempts.isFamiliar(addr, user))
		if err != nil {
			return attempt{err: err}
		}
		defer done()
		return b.verify(addr, user, password)
	})
}

// verify looks at the password, when it is its turn.
func (b *basic) verify(addr netip.Addr, user, password string) attempt {
	if b.checked.Has(user, password) { // a request beside this one was first
		return attempt{right: true}
	}
	g, wait := b.attempts.take(addr, user, b.here(password))
	if wait > 0 {
		return attempt{wait: wait}
	}
	if !b.passwords.Verify(user, password) {
		b.attempts.wrong(g)
		return attempt{}
	}
	b.attempts.right(g)
	b.checked.Add(user, password)
	b.metrics.PasswordAttempt(attemptRight)
	return attempt{right: true}
}

// here makes of a password what is remembered as wrong: in another file the same one of the
// same name may be right, and browsers send it to all paths.
func (b *basic) here(password string) string { return b.passwords.File + "\x00" + password }

// challenge asks the browser to ask the person.
func (b *basic) challenge(w http.ResponseWriter, r *http.Request) {
	realm := b.realm
	if realm == "" {
		realm = r.Host
	}
	h := w.Header()
	h.Set("WWW-Authenticate", `Basic realm="`+quotable(realm)+`", charset="UTF-8"`)
	h.Set("Cache-Control", "no-store")
}

// refuse answers without the name that was sent: people type their password there.
func (b *basic) refuse(w http.ResponseWriter, r *http.Request, reason webauth.Reason, err error, p glue.Page) {
	w.Header().Set("Cache-Control", "no-store")
	b.auth.Refuse(w, r, glue.Event{Name: glue.EventRefused, Reason: reason, Err: err}, p)
}

// quotable leaves out what would need an escape in a quoted string.
func quotable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, s)
}

var (
	pagePassword = glue.Page{Kind: "password", Status: http.StatusUnauthorized, Title: "That did not fit",
		Text: []string{"The name or the password is not right. Load the page again to try once more."}}
	pageTooMany = glue.Page{Kind: "too-many", Status: http.StatusTooManyRequests, Title: "Too many attempts",
		Text: []string{"There were too many wrong passwords for this name, or from your network. Wait a few minutes and load the page again."}}
	pageCrowded = glue.Page{Kind: "crowded", Status: http.StatusServiceUnavailable, Title: "Too many people are logging in",
		Text: []string{"Your password was not looked at. Please load the page again in a moment."}}
)
