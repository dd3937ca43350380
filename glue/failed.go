package glue

import (
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Requests to the WLS that failed in this browser, by the nonces of their tokens: people
// cancel, go back and log in after all. They are in a sealed cookie bound to the browser's
// secret, so nobody can have a token count as failed that a success has used. An old copy
// of the cookie is no use: what failed here has failed for good.
const (
	failedLife   = time.Hour // as long as a token lasts
	failedTokens = 4         // the oldest is forgotten
)

// failedBefore reports whether the request with this token failed in this browser.
func (q *request) failedBefore(t webauth.Token) bool {
	return slices.Contains(q.failures(), t.Nonce)
}

func (q *request) failures() []string {
	line := strings.Split(q.opened(q.origin.failed, q.origin.cookies.failed), "\n")
	if !q.secret.Fits(line[0]) {
		return nil
	}
	return line[1:]
}

// rememberFailure notes that the request with this token failed. It is for the failure
// that spent the token and no other.
func (x *exchange) rememberFailure(t webauth.Token) {
	nonces := x.failures()
	if slices.Contains(nonces, t.Nonce) {
		return
	}
	nonces = append(nonces, t.Nonce)
	nonces = nonces[max(0, len(nonces)-failedTokens):]
	name := x.origin.cookies.failed
	plain := strings.Join(append([]string{x.secret.Binding()}, nonces...), "\n")
	value, err := x.origin.failed.Seal(name, x.now.Add(failedLife), []byte(plain))
	if err != nil {
		x.log(site.Event{Name: EventStoreError, Err: err})
		return
	}
	x.origin.cookies.setBelow(x.w, name, value, "/", failedLife)
}
