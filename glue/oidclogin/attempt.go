package oidclogin

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

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

// spend marks the state and the code as used, whatever else is wrong, and returns what that
// says against the answer. It is before the provider is asked for anything: of two copies of an
// answer that arrive at once, one gets so far.
func (a *attempt) spend(ctx context.Context) error {
	now := a.place.Now()
	a.state = readState(a.keys, a.answer.state, now)
	switch {
	case a.state == nil && a.answer.err != nil:
		return malformed(a.answer.err)
	case a.state == nil:
		return refusef(webauth.ReasonToken, "the state was not made here")
	}
	ours := a.secret.Fits(a.state.binding)
	if ours {
		a.known.URL = a.state.url
	}
	if a.state.expired(now) {
		return refusef(webauth.ReasonToken, "the state was made %v ago and lasts %v", now.Sub(a.state.Issued).Truncate(time.Second), stateLife)
	}
	responseErr, tokenErr := a.mark(ctx)
	switch {
	case storeFailed(responseErr, tokenErr) != nil:
		return webauth.UseError(storeFailed(responseErr, tokenErr), webauth.ReasonReplay, "")
	case !ours:
		return refusef(webauth.ReasonToken, "the state was not made for this browser")
	case errors.Is(tokenErr, webauth.ErrUsed):
		if tokenErr = a.useAgain(ctx, responseErr); errors.Is(tokenErr, webauth.ErrUsed) {
			a.known.SamePerson = true
		}
	}
	if err := webauth.UseError(tokenErr, webauth.ReasonReplay, "the state was used before"); err != nil {
		a.known.SamePerson = a.known.SamePerson || err.Reason == webauth.ReasonForgotten
		return err
	}
	token := a.state.Token
	a.known.Token = &token
	if err := webauth.UseError(responseErr, webauth.ReasonReplay, "the code was used before"); err != nil {
		return err
	}
	if a.answer.err != nil {
		return malformed(a.answer.err)
	}
	return nil
}

// mark marks the state, and the code if there is one. Both are in the room of what comes without
// a signature: whoever asks for a login can make up an answer to it.
func (a *attempt) mark(ctx context.Context) (responseErr, tokenErr error) {
	token := a.tokenItem()
	if a.answer.code == "" {
		return nil, a.place.OneUse.Once(ctx, token)
	}
	response := token
	h := sha256.Sum256([]byte(a.p.ID() + "\x00" + a.answer.code))
	response.ID = "response:" + encode(h[:])
	return webauth.SpendPair(ctx, a.place.OneUse, response, token)
}

func (a *attempt) tokenItem() webauth.Item {
	item := webauth.TokenItem(a.p.ID(), a.place.Origin, a.state.Token, stateLife)
	item.Unsigned, item.Failure = true, a.answer.code == ""
	return item
}

// useAgain uses a state that a failure spent in this browser: see [webauth.Expect.Failed].
// Further failures are let through: they let nobody in. One success may follow.
func (a *attempt) useAgain(ctx context.Context, responseErr error) error {
	switch {
	case a.failed == nil || !a.failed(a.state.Token):
		return webauth.ErrUsed
	case a.answer.code == "":
		return nil
	case responseErr != nil:
		return webauth.ErrUsed
	}
	a.confirm = true
	return a.place.OneUse.Once(ctx, a.tokenItem().Again())
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
	if a.answer.hasISS && a.answer.iss != a.p.Issuer {
		return nil, refusef(webauth.ReasonURL, "the answer is of the issuer %.200q, asked was %s", a.answer.iss, a.p.Issuer)
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
