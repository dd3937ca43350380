package webauth

import (
	"context"
	"errors"
	"time"
)

// OneUse remembers what has been used, so that a response and a token work once. All
// machines of a site must share one, or each lets a response in once.
type OneUse interface {
	// Once marks the item as used. It returns nil the first time, [ErrUsed] after that
	// (of concurrent callers, one gets nil), and any other error when it cannot know. Only
	// nil lets anybody in.
	Once(ctx context.Context, item Item) error
}

// PairOneUse is a OneUse that marks a response and the token that it answers in one step.
// With any other, each login takes two, and the verifier marks the response first.
type PairOneUse interface {
	OneUse
	// OncePair marks both items, each whatever becomes of the other, and returns for each
	// what Once would. Their Group is the same. No other caller may come in between: of
	// concurrent callers with the same response, one gets nil for it, and the same one for
	// the token, unless that was used before all of them.
	OncePair(ctx context.Context, response, token Item) (responseErr, tokenErr error)
}

// Item is a thing that can be used once. A store of bounded size divides it by
// [Item.Room], which reads Unsigned and Failure; they serve nothing else.
type Item struct {
	// ID names it: printable ASCII, under 100 bytes, not secret. It begins with its kind
	// and a colon: "response", "token", "form", "confirm", "typed", "xsrf", "xsrf-visitor".
	ID string
	// Group is printable ASCII, under 100 bytes, not secret. Items with the same Group are
	// used in one step, see [PairOneUse], so that a store which is spread over machines
	// keeps them on one. An ID always comes with the same Group. Empty is a group of its
	// own, the ID's.
	Group string
	// Issued is when it was made; a store that has lost its memory since then must refuse
	// it.
	Issued time.Time
	// Expires is when it is refused for its age anyway and may be forgotten. A store
	// whose clock has been past that time, and was put back, must refuse it.
	Expires time.Time
	// Unsigned marks an item that came without the WLS's signature, as anybody can make
	// one: a token that came back in an unsigned failure, a form.
	Unsigned bool
	// Failure marks a response with another status than 200, and the token that it spent.
	// Where the WLS signs its failures, anybody can get one signed without an account.
	Failure bool
}

// ErrUsed is the error of [OneUse.Once] from the second time on.
var ErrUsed = errors.New("webauth: used before")

// ErrFull is the error of a [OneUse], perhaps wrapped, that has no space for the item.
var ErrFull = errors.New("webauth: no room to remember another used item")

// ErrForgotten is the error of a [OneUse], perhaps wrapped, for an item that is older than
// its memory: it may have been used, and a new one will be accepted.
var ErrForgotten = errors.New("webauth: older than the memory of what was used")
