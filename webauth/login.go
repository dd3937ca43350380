package webauth

import (
	"context"
	"time"
)

// LoginService is a service where people log in to a site: what package glue needs of one,
// whatever protocol it speaks. [Service] is one, by Ucam-WebAuth; the providers of package
// glue/oidclogin are others, by OpenID Connect. It is safe for concurrent use.
type LoginService interface {
	// ID names the service in key derivation and in one-use marks: no two have the same.
	ID() string
	// Info describes the service.
	Info() ServiceInfo
	// Check returns everything that makes the service unusable, joined, or nil. It makes no
	// request to the service.
	Check() error
	// Findings lists what is weak or odd about the service for a site with these origins.
	Findings(origins []string) []ServiceFinding
	// CheckRequest returns why the service cannot be asked for a login like this one, as far
	// as that does not depend on the URL; nil if it can.
	CheckRequest(r Request) error
	// CheckPrincipal and CheckPtag return why the service never reports such a principal or
	// ptag; nil if it may.
	CheckPrincipal(principal string) error
	CheckPtag(ptag string) error
	// CheckStrength is the function [CheckStrength] for this service.
	CheckStrength(iact Interact, aauth []string, auth string, sso []string) Reason
	// At returns the login at one origin of a site.
	At(place Place) (Login, error)
}

// ServiceInfo describes a [LoginService].
type ServiceInfo struct {
	// Name is a short lower-case name for logs and for Identity.Service, such as "raven".
	Name string
	// Title is what people call the service, such as "Raven".
	Title string
	// URL is where people log in there, or the issuer's.
	URL string
	// Challenge is its scheme in the header WWW-Authenticate of answers with status 401, such
	// as "Ucam-WebAuth".
	Challenge string
	// DefaultPtag is the ptag that a policy requires that names none; empty for no condition.
	DefaultPtag string
	// DefaultAAuth are the authentication types that are accepted where a policy names none;
	// nil for any.
	DefaultAAuth []string
	// NoPtags says that the service reports no ptags.
	NoPtags bool
	// Callback says that the service's answers come to [Place].Callback, whichever page was
	// asked for.
	Callback bool
	// Open says that the service also logs in people who do not belong to the organisation,
	// such as alumni and guests, so that a policy must name who may come in, or say that
	// anybody may.
	Open bool
}

// ServiceFinding is something weak or odd about a [LoginService].
type ServiceFinding struct {
	Text string
	Note bool // worth knowing; else worth a change
}

// Place is a site at one of its origins.
type Place struct {
	// Origin is where the login is, Origins are all of the site's, in normal form; see
	// [Origin].
	Origin  string
	Origins []string
	// Callback is the path, as browsers see it, to which a service with one fixed redirect URI
	// sends people back; empty if the site has none.
	Callback string
	// Keys derives secrets of at least 32 bytes for a purpose, for this service and origin
	// alone; the first makes, all verify.
	Keys func(purpose string) [][]byte
	// Now is the clock, OneUse remembers what was used. Both are there.
	Now    func() time.Time
	OneUse OneUse
	// Versions, MaxAge and Skew are those of [VerifierConfig].
	Versions     []int
	MaxAge, Skew time.Duration
}

// Login is a [LoginService] for a site at one origin. It is safe for concurrent use.
type Login interface {
	// Begin returns where to send a browser that has the secret, to come back with an answer
	// for Request.URL. The error wraps [ErrTooLong] if nothing but the URL's length is wrong,
	// and is an [*Error] with [ReasonProvider] if the service cannot be asked just now.
	Begin(ctx context.Context, secret BrowserSecret, r Request) (location string, err error)
	// Brings reports whether a request brings an answer of the service, good or not.
	Brings(path, query string) bool
	// Strip returns the query without the answer.
	Strip(path, query string) string
	// Answer verifies the answer that a request brings, and marks it as used whatever is wrong
	// with it. Its error is an [*Error]. The context must not end with the request.
	Answer(ctx context.Context, arrival Arrival) (*Proof, error)
	// Spend marks the answer that a request brings as used, where it logs nobody in. An error
	// means that it could not be marked.
	Spend(ctx context.Context, arrival Arrival) error
	// End returns the page at the service where people log out there, as far as that can be
	// had within a second; empty for none. back is the absolute URL to come back to; empty
	// for none.
	End(back string) (location string)
}

// BackChannel is a [Login] at a service that tells the site itself when a person logs out
// there.
type BackChannel interface {
	// VerifyLogout verifies a logout token. Its error is an [*Error]. A token can come again:
	// it ends nothing more then, and a provider repeats one if the site could not end the
	// sessions.
	VerifyLogout(ctx context.Context, token string) (LoggedOut, error)
}

// LoggedOut is what a verified logout token says: who has logged out, at least one of
// Proof.Subject and Proof.Session, and when.
type LoggedOut struct {
	Subject, Session string
	At               time.Time
}

// Arrival is a request that brings an answer.
type Arrival struct {
	// Path and Query are those that the browser asked for, in the form of [CanonicalTarget].
	Path, Query string
	// Secret is the browser's; empty where it brought none.
	Secret BrowserSecret
	// Failed is [Expect.Failed].
	Failed func(Token) bool
}

// Proof is what a verified answer says of a person.
type Proof struct {
	// Principal identifies the person, Ptags are their tags; see glue.Identity.
	Principal string
	Ptags     []string
	// Auth is the type of the login that was made just now, or empty for single sign-on; SSO
	// lists the types used earlier, or beside it.
	Auth string
	SSO  []string
	// Issue is when the answer was made, Password when a password was typed for it: zero if
	// none was, or if only the time of its arrival is known.
	Issue, Password time.Time
	// Life is how long the service wants sessions to last; zero if HasLife is false.
	Life    time.Duration
	HasLife bool
	// ID names the answer as the service's log does; empty if it has none.
	ID string
	// URL is the one that was asked for, to go on to.
	URL string
	// Token is what was asked for.
	Token Token
	// Confirm says that the person must be asked before they are logged in; see
	// [Response.Confirm].
	Confirm bool

	// Subject and Session name the person and their session at an OpenID Connect provider
	// (sub and sid), as its logout tokens do; ObjectID is the identifier of their account
	// that never changes, if a claim was named for it. Empty where there are none.
	Subject, Session, ObjectID string
}
