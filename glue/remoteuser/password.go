package remoteuser

import (
	"math"
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

// check asks the site about a name and a password. A try counts while it is being
// looked at, so that many at once are no way around the limits, and is forgotten if it was
// right.
func (v *visit) check(name, password string) verdict {
	keys := v.u.limit.keys(site.ClientIP(v.r), name)
	if wait := v.u.limit.take(keys); wait > 0 {
		return verdict{kind: tooOften, wait: wait}
	}
	if !validPrincipal(name) || password == "" || len(password) > maxPassword {
		return verdict{} // nobody has such a name, or password
	}
	ok, err := v.u.cfg.Password(v.r.Context(), name, password)
	switch {
	case err != nil:
		v.u.limit.giveBack(keys)
		return verdict{kind: cannotSay, err: err}
	case !ok:
		return verdict{}
	}
	v.u.limit.giveBack(keys)
	return verdict{kind: right}
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
