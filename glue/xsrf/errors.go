package xsrf

import "errors"

// The errors say why a request was refused. Verify, VerifyOrigin and Token return them as they
// are: compare with errors.Is or ==.
var (
	// ErrCrossOrigin is for a request that a page of another origin sent, as the browser says.
	ErrCrossOrigin = errors.New("xsrf: sent by a page of another origin")
	// ErrUpgrade is for an upgrade (WebSocket) without an Origin of this site.
	ErrUpgrade = errors.New("xsrf: an upgrade must come from a page of this site")
	// ErrMissing is for a request without a token where one is needed.
	ErrMissing = errors.New("xsrf: no token")
	// ErrMalformed is for something that does not have a token's form, and for more than one
	// token.
	ErrMalformed = errors.New("xsrf: malformed token")
	// ErrTooLarge is for a form too large to look for a token in; see [Config].MaxForm.
	ErrTooLarge = errors.New("xsrf: the form is larger than Config.MaxForm")
	// ErrExpired is for a token that was made here and has expired.
	ErrExpired = errors.New("xsrf: the token has expired")
	// ErrForgotten is for a token that works once and was made before a restart: it may have
	// been used.
	ErrForgotten = errors.New("xsrf: the token is older than the memory of what was used: the site or its store was restarted")
	// ErrNotValid is for a token that was not made here for this person, session and action, or
	// was used before.
	ErrNotValid = errors.New("xsrf: the token is not valid here")
	// ErrNoUser is for a request of nobody that a token could be for: neither a person nor a
	// visitor with an id.
	ErrNoUser = errors.New("xsrf: nobody is logged in, and the visitor's cookie is missing")
)

// reasons are the stable words for logs and for scripts.
var reasons = map[error]string{
	ErrCrossOrigin: "cross-origin", ErrUpgrade: "upgrade", ErrMissing: "token-missing",
	ErrMalformed: "token-malformed", ErrExpired: "token-expired", ErrNotValid: "token-not-valid", ErrNoUser: "no-user",
	ErrTooLarge: "form-too-large", ErrForgotten: "token-forgotten",
}
