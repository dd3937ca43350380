package webauth

import (
	"context"
	"errors"
	"time"
)

// OneUse remembers what has been used, so that a response and a token work once. All
// machines of a site must share one, or each lets a response in once.
type OneUse interface {
	// Once marks the item as used: nil the first time, ErrUsed after that (64 callers
	// at once: one nil), any other error when it cannot say. Only nil lets anybody in.
	Once(ctx context.Context, item Item) error
}

// Item is what can be used once. A store that bounds how many it holds divides that by
// Room, which reads Unsigned and Failure; it needs neither for anything else.
type Item struct {
	// ID names it: printable ASCII, under 100 bytes, not secret. What stands before the
	// first colon is its kind: "response", "token", "form", "confirm", "xsrf", "xsrf-visitor".
	ID string
	// Issued is when it was made; a store that has lost its memory since then must
	// not vouch for it.
	Issued time.Time
	// Expires is when it is refused for its age anyway and may be forgotten. A store
	// whose clock has been past that time, and was put back, must not vouch for it.
	Expires time.Time
	// Unsigned marks what came without the WLS's signature, as anybody can make it: a
	// token that came back in an unsigned failure, a form.
	Unsigned bool
	// Failure marks a response that is no success, and the token that it spent. Where
	// the WLS signs its failures, nobody needs an account to get one signed.
	Failure bool
}

// ErrUsed is what OneUse.Once answers from the second time on.
var ErrUsed = errors.New("webauth: used before")

// ErrFull is what a OneUse answers, or wraps, when it has no room for the item.
var ErrFull = errors.New("webauth: no room to remember another used item")

// ErrForgotten is what a OneUse answers, or wraps, for an item that is older than its
// memory: it may have been used, and a new one will do.
var ErrForgotten = errors.New("webauth: older than the memory of what was used")
