package webauth

import (
	"errors"
	"fmt"
)

// Reason is the check that a response failed.
type Reason string

// The checks, in the order in which they are made. ReasonStore and ReasonForgotten are no
// fault of the response: the store of what was used could not answer, or cannot know. A
// token can be forgotten, too.
const (
	ReasonMalformed  Reason = "malformed"   // not of the protocol's shape
	ReasonUnknownKey Reason = "unknown-key" // kid names no key trusted for this service
	ReasonUnsigned   Reason = "unsigned"    // a success without a signature
	ReasonSignature  Reason = "signature"   // the signature does not verify
	ReasonVersion    Reason = "version"     // not a version that we asked for
	ReasonStale      Reason = "stale"       // issued too long ago
	ReasonFuture     Reason = "future"      // issued in the future, beyond the skew
	ReasonURL        Reason = "url"         // made for another URL
	ReasonStore      Reason = "store"       // the OneUse store failed
	ReasonForgotten  Reason = "forgotten"   // made before the OneUse lost its memory, so perhaps used
	ReasonReplay     Reason = "replay"      // this response was used before
	ReasonToken      Reason = "token"       // params is not a token of ours for this browser
	ReasonStatus     Reason = "status"      // the WLS says that the login failed
	ReasonInteract   Reason = "interact"    // iact is not satisfied
	ReasonAuthType   Reason = "authtype"    // no authentication type that is accepted

	// These are of logins that ask the service themselves, see package glue/oidclogin.
	ReasonProvider Reason = "provider" // the service cannot be asked just now, or is out of order
	ReasonSetup    Reason = "setup"    // the service does not know this site, or refuses its credentials or its request
	ReasonIdentity Reason = "identity" // the person cannot be told by what the service says of them
	ReasonPtags    Reason = "ptags"    // the service does not say here which ptags the person has
)

// Error is the failure of a response. Its text is for operators and never holds the
// response itself.
type Error struct {
	Reason Reason
	// Detail says what was wrong, for logs.
	Detail string
	// Status is the response's status code where the shape was right, else 0.
	Status int
	// Signed reports whether the response has a signature that verified.
	Signed bool

	cause     error
	msg       string
	principal string // set only where signature and url held
	returnURL string
	ownURL    bool // returnURL is under our own token's MAC
	token     *Token
	anybody   bool // see Known.SamePerson
	told      bool // the cause is in Detail
}

// Known is what is known of an answer that was refused.
type Known struct {
	// Status and Signed are those of an [Error], Message is what the service said.
	Status  int
	Signed  bool
	Message string
	// Token is the token of the request that was answered, if the site made it for this browser
	// and it was not used before; see [Error.Token].
	Token *Token
	// URL is where the site's own request asked to come back to, even if the answer was used
	// before or came to another browser: it is fit for a link to try again. It is empty where
	// the site made no such request.
	URL string
	// SamePerson says that this browser asked for the answer itself, so that it may keep the
	// session that it has, whomever the answer names.
	SamePerson bool
}

// NewError returns the error of another login protocol. Its Detail is the text of err, which it
// wraps; err may be nil.
func NewError(reason Reason, err error, k Known) *Error {
	e := &Error{Reason: reason, Status: k.Status, Signed: k.Signed, msg: k.Message, token: k.Token, returnURL: k.URL, ownURL: k.URL != "", anybody: k.SamePerson}
	if err != nil {
		e.Detail, e.cause, e.told = err.Error(), err, true
	}
	return e
}

func (e *Error) Error() string {
	s := fmt.Sprintf("webauth: response refused (%s): %s", e.Reason, e.Detail)
	if e.cause != nil && !e.told {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the error of the [OneUse] behind a [ReasonStore], or that given to [NewError],
// else nil.
func (e *Error) Unwrap() error { return e.cause }

// Message returns the text that the WLS sent with a failure. Anybody can write one where
// Signed is false: it is for logs, not for pages.
func (e *Error) Message() string { return e.msg }

// SamePrincipal reports whether the refused response was nevertheless signed by the
// service for the requested URL, a success, and about this principal. It
// can only confirm a name that the caller already has, which is what a repeated
// response (back button, restored tabs) needs; it is no login.
func (e *Error) SamePrincipal(principal string) bool {
	return principal != "" && (e.anybody || e.principal == principal)
}

// ReturnURL returns the signed url of a refused response, if signature, origin and path
// held, or the url under our own token's MAC; else "".
func (e *Error) ReturnURL() string { return e.returnURL }

// OwnURL returns [Error.ReturnURL] if our own token's MAC holds over it, whether or not the
// token is still good; else "". It is the whole URL that we asked to come back to, and so fit
// for a link. A response of Ucam-WebAuth has it in this browser alone.
func (e *Error) OwnURL() string {
	if !e.ownURL {
		return ""
	}
	return e.returnURL
}

// Token returns the token of a refused response, if its MAC held for this browser and
// it was not used before, or only by failures of this browser (see [Expect.Failed]): then
// the failure answers a request of ours.
func (e *Error) Token() (Token, bool) {
	if e.token == nil {
		return Token{}, false
	}
	return *e.token, true
}

// ReasonOf returns the Reason of an [*Error] in err's tree, or "" for other errors.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Error { return refuse(ReasonMalformed, format, args...) }

var statusText = map[int]string{
	410: "cancelled by the user",
	510: "no mutually acceptable authentication type",
	520: "protocol version not supported",
	530: "the request has a bad parameter",
	540: "interaction would be required",
	560: "this site is not authorised to use the service",
	570: "authentication declined",
}
