package webauth

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // the protocol's hash (WAA2WLS, "Authentication response")
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

// attempt is one response on its way through the checks.
type attempt struct {
	v    *Verifier
	u    *Unverified
	want Expect
	now  time.Time

	signed   bool // the signature held
	originOK bool // the signed url is of the origin asked for
	urlOK    bool // the signed url is the one asked for
	token    Token
	tokenErr error // why there is no token of ours
	made     bool  // the token's MAC held: we signed this url for this browser
	ours     bool  // so it did, and the token may be used here
	again    bool  // the token failed in this browser before, and this is a success
	retold   bool  // the same, and this is a failure
}

func (a *attempt) judge(ctx context.Context) *Error {
	refusal := cmp.Or(a.checkSignature(), a.checkVersion(), a.checkTime(), a.checkURL()) // the first; all are made
	a.readToken()
	for _, e := range a.spend(ctx) {
		if e != nil && (refusal == nil || e.Reason == ReasonStore) {
			refusal = e
		}
	}
	if a.retold && a.urlOK && refusal != nil {
		switch refusal.Reason {
		case ReasonReplay, ReasonForgotten, ReasonStale:
			refusal = nil // a page that is reloaded: what it said is still so
		}
	}
	if refusal != nil {
		return refusal
	}
	return a.checkOutcome()
}

// describe adds to a refusal what its reader may rely on.
func (a *attempt) describe(e *Error) {
	f := &a.u.fields
	e.Status, e.Signed, e.msg = f.status, a.signed, f.msg
	if a.ours {
		token := a.token
		e.token = &token
	}
	if a.urlOK && (a.signed || a.made) {
		e.returnURL, e.ownURL = f.url, a.made
	}
	if a.urlOK && a.signed {
		e.principal = f.principal
	}
}

func (a *attempt) checkSignature() *Error {
	u := a.u
	if !u.Signed() {
		if u.status == 200 {
			return refuse(ReasonUnsigned, "a success must be signed")
		}
		return nil // failures may be unsigned (WAA2WLS, "Authentication response")
	}
	key, ok := a.v.cfg.Service.Keys.Lookup(u.kid)
	if !ok {
		return refuse(ReasonUnknownKey, "kid %s is no key of service %q", u.kid, a.v.cfg.Service.Name)
	}
	if key.Published() && !a.v.cfg.InsecurePublishedKeys && !u.addr.loopback() {
		return refuse(ReasonUnknownKey, "the private half of the key under kid %s is public: it proves nothing to a site that is not on loopback", u.kid)
	}
	if err := key.VerifySHA1(sha1.Sum([]byte(u.signed)), u.sig); err != nil {
		return refuse(ReasonSignature, "the signature does not verify under kid %s", u.kid)
	}
	a.signed = true
	return nil
}

func (a *attempt) checkVersion() *Error {
	ver, asked := a.u.ver, slices.Max(a.v.cfg.Versions)
	switch {
	case slices.Contains(a.v.cfg.Versions, ver):
		return nil
	case a.u.status != 200 && ver < asked:
		return nil // live services answer failures as version 1
	}
	return refuse(ReasonVersion, "version %d is not accepted", ver)
}

func (a *attempt) checkTime() *Error {
	age := a.now.Sub(a.u.issue)
	max, skew := a.v.cfg.MaxAge, a.v.cfg.Skew
	switch {
	case age > max+skew:
		return refuse(ReasonStale, "issued %s ago, %s more than the %s (and %s of skew) allowed; if this is not an old link, check that both clocks are set by NTP",
			words.Ago(age), words.Duration((age - max - skew).Truncate(time.Millisecond)), words.Duration(max), words.Duration(skew))
	case age < -skew: // not -age > skew: the least Duration has no positive counterpart
		return refuse(ReasonFuture, "issued %s in the future, the skew allowed is %s; check that both clocks are set by NTP",
			words.Duration(-age.Truncate(time.Millisecond)), words.Duration(skew))
	}
	return nil
}

func (a *attempt) checkURL() *Error {
	switch {
	case a.want.InsecureAnyURL:
		return nil
	case a.want.URL == a.u.url: // ParseResponse has looked at it
		a.originOK = true
		return a.checkReturn()
	}
	here, err := parseAddress(a.want.URL)
	if err != nil {
		return refuse(ReasonURL, "the URL being asked for: %v", err)
	}
	signed := a.u.addr
	a.originOK = signed.origin() == here.origin()
	switch {
	case !a.originOK:
		return refuse(ReasonURL, "made for %s, this is %s", signed.origin(), here.origin())
	case signed.path != here.path:
		return refuse(ReasonURL, "made for another path of this site")
	case a.v.cfg.Signer == nil && signed.query != here.query:
		return refuse(ReasonURL, "made for another query of this path")
	}
	return a.checkReturn()
}

// checkReturn refuses a url that no browser requests as it is written: the response has
// been at another page, and was brought here by somebody who could read it there. Without
// a Signer the request may be another program's, whose url browsers only encode.
func (a *attempt) checkReturn() *Error {
	addr := a.u.addr
	_, _, err := CanonicalTarget(addr.path, addr.query)
	if a.v.cfg.Signer != nil {
		err = addr.checkCanonical()
	}
	if err != nil {
		return refuse(ReasonURL, "%v", err)
	}
	a.urlOK = true
	return nil
}

// readToken finds out whether the token was made here for this browser; judgeToken, whether
// it may be used.
func (a *attempt) readToken() {
	if signer := a.v.cfg.Signer; signer != nil {
		a.token, a.made, a.tokenErr = signer.check(a.want.Secret, a.u.url, a.u.params)
	}
}

func (a *attempt) checkOutcome() *Error {
	f := &a.u.fields
	if f.status != 200 {
		text := statusText[f.status]
		if text == "" {
			text = "a status that the protocol does not define"
		}
		signed := "unsigned"
		if a.signed {
			signed = "signed"
		}
		return refuse(ReasonStatus, "status %d (%s), %s", f.status, text, signed)
	}
	iact, aauth := a.want.IAct, a.want.AAuth
	if a.v.cfg.Signer != nil {
		iact, aauth = a.token.IAct, a.token.AAuth
	}
	switch reason := CheckStrength(iact, aauth, f.auth, f.sso); reason {
	case "":
		return nil
	case ReasonInteract:
		return refuse(reason, "iact %q was asked for, the response says auth %q", string(iact), f.auth)
	default:
		return refuse(reason, "no accepted type in auth %q and sso %q", f.auth, f.sso)
	}
}
