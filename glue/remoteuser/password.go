package remoteuser

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

const maxPassword = 1 << 10

const (
	reasonWrong     webauth.Reason = "password"
	reasonThrottled webauth.Reason = "tries"
)

// verdict is what comes of a name and a password.
type verdict struct {
	kind verdictKind
	wait time.Duration // until another try
	err  error
}

type verdictKind int

const (
	wrong verdictKind = iota
	right
	tooOften
	cannotSay
)

// How long, and how many, pairs of name and password are remembered as right.
const latelyLife, latelyMax = time.Minute, 1000

// passwordFunc is what Config.Password is.
type passwordFunc func(ctx context.Context, name, password string) (bool, error)

// check asks about a name and a password. A try counts while it is being looked at, so
// that many at once are no way around the limits, and is forgotten if it was right.
func (v *visit) check(ask passwordFunc, name, password string) verdict {
	if !validPrincipal(name) || password == "" || len(password) > maxPassword {
		return verdict{} // nobody has such a name, or password: there is nothing to guess
	}
	client := v.client()
	if !client.IsValid() {
		v.u.noAddress.Do(func() { v.log(glue.Event{Name: EventNoAddress, Err: errNoAddress}) })
	}
	t, wait := v.u.limit.take(client, name, password)
	if wait > 0 {
		return verdict{kind: tooOften, wait: wait}
	}
	ok, err := ask(v.r.Context(), name, password)
	switch {
	case err != nil:
		v.u.limit.giveBack(t)
		return verdict{kind: cannotSay, err: err}
	case !ok:
		v.u.limit.wrong(t)
		return verdict{}
	}
	v.u.limit.right(t)
	return verdict{kind: right}
}

// checkBasic is check for credentials that come with every request, and with many at
// once. The limits come first: who has no tries left learns nothing from what is
// remembered.
func (v *visit) checkBasic(name, password string) verdict {
	guess := v.u.lately.Sum(v.client().String(), name, password)
	return v.u.checks.do(v.r.Context(), guess, func() verdict {
		return v.check(v.u.passwordLately, name, password)
	})
}

// passwordLately is Config.Password, but for what it said was right a short while ago.
func (u *RemoteUser) passwordLately(ctx context.Context, name, password string) (bool, error) {
	if u.lately.Has(name, password) {
		return true, nil
	}
	ok, err := u.cfg.Password(ctx, name, password)
	if ok && err == nil {
		u.lately.Add(name, password)
	}
	return ok, err
}

var errNoAddress = errors.New("the client's address is not known: tries of passwords are limited per name only; put site.Handler around, with Proxies")

// client is the address that tries count for. It is not valid where there is none but
// the front server's, which all its clients have in common: one of them could lock out
// all the others.
func (v *visit) client() netip.Addr {
	addr := site.ClientIP(v.r)
	if v.u.trusts(v.r) && addr == otherEnd(v.r) {
		return netip.Addr{}
	}
	return addr
}

// answerCheck answers where a password was not looked at.
func (v *visit) answerCheck(c verdict) {
	if c.kind == cannotSay {
		v.unavailable("password", c.err)
		return
	}
	seconds := int64(math.Ceil(c.wait.Seconds()))
	v.w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	p := pageThrottled
	if v.u.form != nil {
		p.Links = []glue.Link{{Text: "Open the form", Href: v.u.form.loginURL("")}}
	}
	v.answer(glue.Event{Name: EventThrottled, Reason: reasonThrottled}, p)
}
