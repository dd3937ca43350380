package webauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"
)

// spend marks the response and its token as used, whatever else is wrong with them, and
// returns what that says against each.
//
// The response is marked no later than the token is judged: otherwise the token's owner
// could replay, from a log, what is refused here. For the same reason a response that is
// refused for its time or url is marked too.
func (a *attempt) spend(ctx context.Context) [2]*Error {
	response, hasResponse := a.responseItem()
	token, hasToken := a.tokenItem()
	var responseErr, tokenErr error
	switch {
	case hasResponse && hasToken:
		responseErr, tokenErr = spendPair(ctx, a.v.cfg.OneUse, response, token)
	case hasResponse:
		responseErr = a.once(ctx, response)
	case hasToken:
		tokenErr = a.once(ctx, token)
	}
	return [2]*Error{
		UseError(responseErr, ReasonReplay, "this response was used before"),
		a.judgeToken(ctx, tokenErr, errors.Is(responseErr, ErrUsed)),
	}
}

// spendPair marks a response and the token that it answers, in one step where the OneUse is a
// [PairOneUse], and returns for each what Once would. The response of a store that has no such
// step is marked first; of two copies of it that arrive at once, the second leaves the token to
// the first, which marks it next: else each could take one of the two, and both would be refused.
func spendPair(ctx context.Context, use OneUse, response, token Item) (responseErr, tokenErr error) {
	if pair, inOneStep := use.(PairOneUse); inOneStep {
		return pair.OncePair(ctx, response, token)
	}
	if responseErr = use.Once(ctx, response); errors.Is(responseErr, ErrUsed) {
		return responseErr, ErrUsed
	}
	return responseErr, use.Once(ctx, token)
}

func (a *attempt) once(ctx context.Context, item Item) error {
	return a.v.cfg.OneUse.Once(ctx, item)
}

// responseItem returns the mark of a response that the WLS signed for this site and that
// is not too old to be used. Others cannot get in, so they need no mark, and must have
// none: the store would fill with what anybody can send.
func (a *attempt) responseItem() (item Item, ok bool) {
	cfg := &a.v.cfg
	expires := a.u.issue.Add(cfg.MaxAge + cfg.Skew)
	if cfg.OneUse == nil || !a.signed || a.now.After(expires) || !a.forUs() {
		return Item{}, false
	}
	h := sha256.Sum256([]byte(cfg.Service.ID() + "\x00" + a.u.signed))
	item = a.inRoom(Item{
		ID:     "response:" + base64.RawURLEncoding.EncodeToString(h[:]),
		Issued: a.issued(), Expires: expires,
	})
	// Read from what was signed alone: whoever brings the response, wherever and whenever,
	// its mark is in the same place.
	if token, ok := readToken(a.u.params); ok {
		item.Group = tokenID(cfg.Service.ID(), a.u.addr.origin(), token.Nonce)
	}
	return item, true
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

// inRoom returns the item in the room of the response that brought it.
func (a *attempt) inRoom(item Item) Item {
	item.Unsigned, item.Failure = !a.signed, a.u.status != 200
	return item
}

func (a *attempt) forUs() bool {
	return a.originOK || a.want.InsecureAnyURL || slices.Contains(a.v.origins, a.u.addr.origin())
}

// tokenItem returns the mark of the token of any response that carries one made for this
// browser, or of one that came without the secret of the browser that it was made for: to
// another browser, without cookies, to another origin of ours. Its MAC cannot be checked
// then, but if the service signed the response for us, the token may well be good, and
// must not let in anybody who reads it in a log.
func (a *attempt) tokenItem() (item Item, ok bool) {
	cfg := &a.v.cfg
	switch {
	case cfg.Signer == nil || cfg.OneUse == nil:
		return Item{}, false
	case a.tokenErr == nil:
		return a.inRoom(cfg.Signer.item(a.token)), true
	case !a.signed || !a.forUs():
		return Item{}, false
	}
	item, ok = cfg.Signer.seen(a.u.addr.origin(), a.u.params)
	return a.inRoom(item), ok
}

// judgeToken returns what is wrong with the token, if err came of marking it. A copy of a
// response that was used before gets nothing more out of the token, so that it takes
// nothing from the one that came first.
func (a *attempt) judgeToken(ctx context.Context, err error, replay bool) *Error {
	used := errors.Is(err, ErrUsed)
	switch {
	case a.v.cfg.Signer == nil:
		return nil
	case a.tokenErr != nil && (err == nil || used || errors.Is(err, ErrForgotten)):
		return refuse(ReasonToken, "%v", a.tokenErr)
	case used && a.want.Failed != nil && a.want.Failed(a.token):
		err = a.useTokenAgain(ctx, replay)
	}
	if e := UseError(err, ReasonToken, "the token was used before"); e != nil {
		return e
	}
	a.ours = true
	return nil
}

// useTokenAgain uses a token that a failure spent in this browser. Further failures are
// let through: they let nobody in. One success may follow.
func (a *attempt) useTokenAgain(ctx context.Context, replay bool) error {
	switch {
	case a.u.status != 200:
		a.retold = true
		return nil
	case !a.signed, replay: // no success, and anybody can write one; or it had its turn
		return ErrUsed
	}
	a.again = true
	return a.once(ctx, a.inRoom(a.v.cfg.Signer.item(a.token).Again()))
}

// UseError returns the refusal that follows from an error of [OneUse.Once]: the reason given for
// [ErrUsed], else [ReasonForgotten] or [ReasonStore]. It is nil for no error.
func UseError(err error, used Reason, detail string) *Error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUsed):
		return refuse(used, "%s", detail)
	case errors.Is(err, ErrForgotten):
		return refuse(ReasonForgotten, "made before the memory of what was used began, so that it may have been used: the site or its store was restarted or lost its memory, or a clock was put back")
	}
	e := refuse(ReasonStore, "cannot tell whether it was used before")
	e.cause = err
	return e
}
