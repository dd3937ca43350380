package oidclogin

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// answerLimit is how long the provider may take over all that an answer needs of it.
const answerLimit = 15 * time.Second

// attempt is one answer on its way through the checks.
type attempt struct {
	*login
	answer answer
	secret webauth.BrowserSecret
	failed func(webauth.Token) bool

	state   *state
	known   webauth.Known
	confirm bool
}

// Answer verifies an answer.
func (l *login) Answer(ctx context.Context, arrival webauth.Arrival) (*webauth.Proof, error) {
	a := l.attempt(arrival)
	if err := a.spend(ctx); err != nil {
		return nil, a.refuse(err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	proof, err := a.judge(ctx)
	if err != nil {
		return nil, a.refuse(err)
	}
	return proof, nil
}

// Spend spends the state and the code.
func (l *login) Spend(ctx context.Context, arrival webauth.Arrival) error {
	arrival.Failed = nil
	a := l.attempt(arrival)
	if err := a.spend(ctx); webauth.ReasonOf(err) == webauth.ReasonStore {
		return err
	}
	return nil
}

func (l *login) attempt(arrival webauth.Arrival) *attempt {
	return &attempt{login: l, answer: parseAnswer(arrival.Query), secret: arrival.Secret, failed: arrival.Failed}
}

// spend marks the code and the state as used, whatever else is wrong, and returns what that
// says against the answer. It is before the provider is asked for anything: of two copies of an
// answer that arrive at once, one gets so far.
func (a *attempt) spend(ctx context.Context) error {
	now := a.place.Now()
	a.state = readState(a.keys, a.answer.state, now)
	ours := a.state != nil && a.secret.Fits(a.state.binding)
	if a.state != nil {
		a.known.URL = a.state.url // to begin anew at, also in another browser
	}
	if ours && a.cancelled() {
		a.known.Status = statusCancelled // also where it is used, or too old
	}
	codeErr, stateErr := a.mark(ctx, now)
	if err := storeFailed(codeErr, stateErr); err != nil {
		return webauth.UseError(err, webauth.ReasonReplay, "")
	}
	switch {
	case a.state == nil && a.answer.err != nil:
		return malformed(a.answer.err)
	case a.state == nil:
		return refusef(webauth.ReasonToken, "the state was not made here")
	case a.state.expired(now):
		return refusef(webauth.ReasonToken, "the state was made %s ago and lasts %s", words.Ago(now.Sub(a.state.Issued)), words.Duration(stateLife))
	case !ours:
		return refusef(webauth.ReasonToken, "the state was not made for this browser")
	case errors.Is(stateErr, webauth.ErrUsed):
		if stateErr = a.useAgain(ctx, codeErr); errors.Is(stateErr, webauth.ErrUsed) {
			a.known.SamePerson = true
		}
	}
	if err := webauth.UseError(stateErr, webauth.ReasonReplay, "the state or the code was used before"); err != nil {
		a.known.SamePerson = a.known.SamePerson || err.Reason == webauth.ReasonForgotten
		return err
	}
	token := a.state.Token
	a.known.Token = &token
	if a.answer.err != nil {
		return malformed(a.answer.err)
	}
	return nil
}

// cancelled reports whether the answer says that the person cancelled, who was asked: as far as that
// can be told without the provider's configuration, which is not fetched for what was used.
func (a *attempt) cancelled() bool {
	return a.answer.err == nil && a.answer.failure == errAccessDenied && !a.ofAnother() && a.state.IAct != webauth.IActNo
}

// ofAnother reports whether the answer names an issuer that was not asked (RFC 9207).
func (a *attempt) ofAnother() bool { return a.answer.hasISS && a.answer.iss != a.p.Issuer }

// mark marks the code, if there is one, and the state. Of two copies of an answer that arrive at
// once, the second leaves the state to the first.
func (a *attempt) mark(ctx context.Context, now time.Time) (codeErr, stateErr error) {
	if a.answer.code != "" {
		codeErr = a.place.OneUse.Once(ctx, a.codeItem(now))
	}
	switch {
	case a.state == nil || a.state.expired(now):
		return codeErr, nil
	case errors.Is(codeErr, webauth.ErrUsed):
		return codeErr, webauth.ErrUsed
	}
	return codeErr, a.place.OneUse.Once(ctx, a.stateItem())
}

// codeItem is the mark of the code, whatever state came with it. Somebody can have a code issued to
// another person's browser for nonce and challenge of a request of his own, with a state that is
// good for nothing; what is refused then is in logs, and would log him in with his own state. So
// the mark is one, whichever state, service or origin the code comes with, and as old as it is
// now: the state that it may fit is older.
func (a *attempt) codeItem(now time.Time) webauth.Item {
	h := sha256.Sum256([]byte("code\x00" + a.answer.code))
	return webauth.Item{
		ID: "response:" + encode(h[:]), Issued: now, Expires: now.Add(stateLife + stateSkew),
		Unsigned: a.state == nil, // anybody can send that
	}
}

func (a *attempt) stateItem() webauth.Item {
	item := webauth.TokenItem(a.p.ID(), a.place.Origin, a.state.Token, stateLife)
	item.Failure = a.answer.code == ""
	return item
}

// useAgain uses a state that a failure spent in this browser: see [webauth.Expect.Failed].
// Further failures are let through: they let nobody in. One success may follow.
func (a *attempt) useAgain(ctx context.Context, codeErr error) error {
	switch {
	case a.failed == nil || !a.failed(a.state.Token):
		return webauth.ErrUsed
	case a.answer.code == "":
		return nil
	case codeErr != nil:
		return webauth.ErrUsed
	}
	a.confirm = true
	return a.place.OneUse.Once(ctx, a.stateItem().Again())
}

// storeFailed returns the first error by which a store says that it cannot know.
func storeFailed(errs ...error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, webauth.ErrUsed) && !errors.Is(err, webauth.ErrForgotten) {
			return err
		}
	}
	return nil
}

// judge returns what a person proves with an answer that may be used.
func (a *attempt) judge(ctx context.Context) (*webauth.Proof, error) {
	if a.ofAnother() {
		return nil, refusef(webauth.ReasonURL, "the answer is of the issuer %+.200q, asked was %s", a.answer.iss, a.p.Issuer)
	}
	m, err := a.p.discover(ctx, a.place.Now)
	if err != nil {
		return nil, err
	}
	if m.AnswersName && !a.answer.hasISS {
		return nil, refusef(webauth.ReasonURL, "the answer does not name its issuer, as the provider's configuration says that all do")
	}
	if a.answer.failure != "" {
		return nil, a.failure()
	}
	tokens, err := a.redeem(ctx, m)
	if err != nil {
		return nil, err
	}
	c, err := a.verifyIDToken(ctx, m, tokens)
	if err != nil {
		return nil, err
	}
	return a.proof(c)
}
