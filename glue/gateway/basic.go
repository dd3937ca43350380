package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/htpasswd"
	"github.com/ucam-webauth/go-webauth/glue/password"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// newChecker makes what limits how often passwords are tried, for all .htpasswd files. It
// outlives a reload. Checks take at most half of the processors.
func newChecker(s *site.Site) (*password.Checker, error) {
	return password.New(password.Config{
		Site:   s,
		Check:  func(context.Context, string, string) (bool, error) { return false, errNoFile },
		Limits: password.Limits{Name: password.Rate{Tries: 10, Rest: 30 * time.Second}, Network: password.Rate{Tries: 20, Rest: 15 * time.Second}},
		AtOnce: max(1, runtime.GOMAXPROCS(0)/2-1), Remember: 5 * time.Minute,
	})
}

var errNoFile = errors.New("no .htpasswd file to look into")

// checkerOf makes the checker of a rule's .htpasswd file, anew at each reload: passwords
// that were right are forgotten by that.
func (c *core) checkerOf(file string, p *htpasswd.Passwords) *password.Checker {
	return c.checker.With(file, func(_ context.Context, user, password string) (bool, error) {
		right := p.Verify(user, password)
		if right {
			c.metrics.passwordAttempts.WithLabelValues(attemptRight).Inc()
		}
		return right, nil
	})
}

// What becomes of an attempt, for metrics.
const (
	attemptRight   = "right"
	attemptWrong   = "wrong"
	attemptLimited = "limited"
	attemptCrowded = "crowded"
)

// passwordRefusal is what the gateway makes of a password that lets nobody in.
type passwordRefusal struct {
	verdict string // for metrics
	reason  string
	text    string
	page    site.Page
}

// passwordRefusals are those of the reasons of package password.
var passwordRefusals = map[string]passwordRefusal{
	password.ReasonWrong: {attemptWrong, "password", "no such user, or not the password",
		site.Page{Kind: "password", Status: http.StatusUnauthorized, Title: "That did not fit",
			Text: []string{"Load the page again to try once more. The name or the password is not right."}}},
	password.ReasonThrottled: {attemptLimited, "attempts", "too many wrong passwords for this user or from this address",
		site.Page{Kind: "too-many", Status: http.StatusTooManyRequests, Title: "Too many attempts",
			Text: []string{"Wait a few minutes, and load the page again. There were too many wrong passwords for this name, or from your network."}}},
	password.ReasonCrowded: {attemptCrowded, "crowded", "too many passwords are being checked at this moment",
		site.Page{Kind: "crowded", Status: http.StatusServiceUnavailable, Title: "Too many people are logging in",
			Text: []string{"Please load the page again in a moment. Your password was not looked at."}}},
}

// authenticate returns the name of a user who sent the right password for a rule, or why
// there is none: 401 or, with Retry-After, 429 or 503.
func (c *core) authenticate(ru *rule, r *http.Request) (user string, no *refusal) {
	user, denied := ru.checker.Basic(r, cmp.Or(ru.cfg.Host, r.Host))
	if denied == nil {
		return user, nil
	}
	because, known := passwordRefusals[denied.Event.Reason]
	if !known { // nothing that can be read
		return "", &refusal{page: pageNoPassword, header: denied.Header}
	}
	c.metrics.passwordAttempts.WithLabelValues(because.verdict).Inc()
	no = newRefusal(because.reason, errors.New(because.text), because.page)
	no.header = denied.Header
	return "", no
}

// pageNoPassword is what a browser gets that is only to ask for a password.
var pageNoPassword = site.Page{Kind: "password-needed", Status: http.StatusUnauthorized, Title: "Log in with name and password",
	Text: []string{"Load the page again, and type them when your browser asks."}}
