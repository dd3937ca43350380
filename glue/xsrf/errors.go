package xsrf

import "errors"

// Why a request was refused. Verify, VerifyOrigin and Token return them as they are:
// compare with errors.Is or ==.
var (
	// ErrCrossOrigin: the browser says that a page of another origin sent it.
	ErrCrossOrigin = errors.New("xsrf: sent by a page of another origin")
	// ErrUpgrade: an upgrade (WebSocket) without an Origin of this site.
	ErrUpgrade = errors.New("xsrf: an upgrade must come from a page of this site")
	// ErrMissing: no token where one is needed.
	ErrMissing = errors.New("xsrf: no token")
	// ErrMalformed: not of a token's form, or more than one.
	ErrMalformed = errors.New("xsrf: malformed token")
	// ErrTooLarge: a form too large to look for a token in.
	ErrTooLarge = errors.New("xsrf: the form is larger than Config.MaxForm")
	// ErrExpired: a token of ours whose time is over.
	ErrExpired = errors.New("xsrf: the token has expired")
	// ErrForgotten: a token that works once, made before a restart; it may have been used.
	ErrForgotten = errors.New("xsrf: the token is older than the memory of what was used: the site or its store was restarted")
	// ErrNotValid: not made here for this person, session and action, or used before.
	ErrNotValid = errors.New("xsrf: the token is not valid here")
	// ErrNoUser: there is neither a person nor a visitor's id that it could be for.
	ErrNoUser = errors.New("xsrf: nobody is logged in, and the visitor's cookie is missing")
)

// reasons are the stable words for logs and for scripts.
var reasons = map[error]string{
	ErrCrossOrigin: "cross-origin", ErrUpgrade: "upgrade", ErrMissing: "token-missing",
	ErrMalformed: "token-malformed", ErrExpired: "token-expired", ErrNotValid: "token-not-valid", ErrNoUser: "no-user",
	ErrTooLarge: "form-too-large", ErrForgotten: "token-forgotten",
}
