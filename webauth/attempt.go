package webauth

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // the protocol's hash (WAA2WLS, "Authentication response")
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"
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
	// The response is marked before the token is judged: otherwise the token's owner could
	// replay, from a log, what is refused here. For the same reason a response that is
	// refused for its time or url is marked too.
	for _, e := range [...]*Error{a.useResponse(ctx), a.useToken(ctx)} {
		if e != nil && (refusal == nil || e.Reason == ReasonStore) {
			refusal = e
		}
	}
	if a.retold && a.urlOK && refusal != nil && (refusal.Reason == ReasonReplay || refusal.Reason == ReasonStale) {
		refusal = nil // a page that is reloaded: what it said is still so
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
		return refuse(ReasonStale, "issued %v ago, %v more than the %v (and %v skew) allowed; if this is not an old link, check that both clocks are set by NTP",
			age.Truncate(time.Second), (age - max - skew).Truncate(time.Millisecond), max, skew)
	case age < -skew: // not -age > skew: the least Duration has no positive counterpart
		return refuse(ReasonFuture, "issued %v in the future, the skew allowed is %v; check that both clocks are set by NTP",
			-age.Truncate(time.Millisecond), skew)
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

// readToken finds out whether the token was made here for this browser; useToken, whether
// it may be used.
func (a *attempt) readToken() {
	if signer := a.v.cfg.Signer; signer != nil {
		a.token, a.made, a.tokenErr = signer.check(a.want.Secret, a.u.url, a.u.params)
	}
}

// useResponse marks a response that the WLS signed for this site and that is not too
// old to be used. Others cannot get in, so they need no mark, and must have none: the
// store would fill with what anybody can send.
func (a *attempt) useResponse(ctx context.Context) *Error {
	cfg := &a.v.cfg
	expires := a.u.issue.Add(cfg.MaxAge + cfg.Skew)
	if cfg.OneUse == nil || !a.signed || a.now.After(expires) || !a.forUs() {
		return nil
	}
	h := sha256.Sum256([]byte(cfg.Service.ID() + "\x00" + a.u.signed))
	err := a.once(ctx, Item{
		ID:     "response:" + base64.RawURLEncoding.EncodeToString(h[:]),
		Issued: a.issued(), Expires: expires,
	})
	return onceError(err, ReasonReplay, "this response was used before")
}

// issued returns when the response was made. Its issue has whole seconds, so that a memory
// which began within that second takes it for older; but a response to a token of this
// second was made after the token.
func (a *attempt) issued() time.Time {
	issue := a.u.issue
	if a.token.Issued.Truncate(time.Second).Equal(issue) {
		return a.token.Issued
	}
	return issue
}

// once marks an item as used, in the room of the response that brought it.
func (a *attempt) once(ctx context.Context, item Item) error {
	item.Unsigned, item.Failure = !a.signed, a.u.status != 200
	return a.v.cfg.OneUse.Once(ctx, item)
}

func (a *attempt) forUs() bool {
	return a.originOK || a.want.InsecureAnyURL || slices.Contains(a.v.origins, a.u.addr.origin())
}

// useToken spends the token of any response that carries one made for this browser.
func (a *attempt) useToken(ctx context.Context) *Error {
	cfg := &a.v.cfg
	if cfg.Signer == nil {
		return nil
	}
	if a.tokenErr != nil {
		if e := a.useSeenToken(ctx); e != nil {
			return e
		}
		return refuse(ReasonToken, "%v", a.tokenErr)
	}
	var err error
	if cfg.OneUse != nil {
		err = a.once(ctx, cfg.Signer.item(a.token))
	}
	if errors.Is(err, ErrUsed) && a.want.Failed != nil && a.want.Failed(a.token) {
		err = a.useTokenAgain(ctx)
	}
	if e := onceError(err, ReasonToken, "the token was used before"); e != nil {
		return e
	}
	a.ours = true
	return nil
}

// useTokenAgain uses a token that a failure spent in this browser. Further failures are
// let through: they let nobody in. One success may follow.
func (a *attempt) useTokenAgain(ctx context.Context) error {
	switch {
	case a.u.status != 200:
		a.retold = true
		return nil
	case !a.signed: // no success, and anybody can write one
		return ErrUsed
	}
	a.again = true
	return a.once(ctx, a.v.cfg.Signer.againItem(a.token))
}

// useSeenToken spends a token that came without the secret of the browser that it was
// made for: to another browser, without cookies, to another origin of ours. Its MAC
// cannot be checked then, but the service signed the response for us, so the token may
// well be good, and must not let in anybody who reads it in a log.
func (a *attempt) useSeenToken(ctx context.Context) *Error {
	cfg := &a.v.cfg
	if cfg.OneUse == nil || !a.signed || !a.forUs() {
		return nil
	}
	item, ok := cfg.Signer.seen(a.u.addr.origin(), a.u.params)
	if !ok {
		return nil
	}
	if err := a.once(ctx, item); err != nil && !errors.Is(err, ErrUsed) {
		return onceError(err, ReasonToken, "")
	}
	return nil
}

func onceError(err error, used Reason, detail string) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUsed):
		return refuse(used, "%s", detail)
	case errors.Is(err, ErrForgotten) && used == ReasonReplay:
		return refuse(ReasonStale, "older than the memory of what was used (a restart, or a clock that was put back?)")
	case errors.Is(err, ErrForgotten):
		return refuse(used, "the token is older than the memory of what was used (a restart, or a clock that was put back?)")
	}
	e := refuse(ReasonStore, "cannot tell whether it was used before")
	e.cause = err
	return e
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
