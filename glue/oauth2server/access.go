package oauth2server

import (
	"context"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
)

// Kind says how a request to the API was let through.
type Kind string

// The kinds.
const (
	KindSession  Kind = "session"  // by the browser session of a person
	KindPersonal Kind = "personal" // by a personal token
	KindOAuth    Kind = "oauth"    // by a token that a person gave to an application
	KindClient   Kind = "client"   // by a token that an application got for itself
)

// Access is who calls the API, by what, and what that allows.
type Access struct {
	Kind Kind
	// Principal is the person; empty for KindClient.
	Principal string
	// ClientID is the application; empty for KindSession and KindPersonal.
	ClientID string
	// TokenID names the token, for logs; it is no credential. Empty for KindSession.
	TokenID string
	// Scopes are what is allowed; with a session, everything registered but what is
	// Scope.Internal. Do not change the list.
	Scopes []string
	// Identity is the person as glue knows them. With a token it holds the principal and
	// when the token expires, nothing else: nobody has logged in.
	Identity glue.Identity
}

// Has reports whether a scope is among those allowed.
func (a Access) Has(scope string) bool { return slices.Contains(a.Scopes, scope) }

type accessKey struct{}

// AccessFrom returns the [Access] that [Server.RequireAPI] and its relatives put into the
// context of a request. It reports false for an anonymous request.
func AccessFrom(ctx context.Context) (a Access, ok bool) {
	p, _ := ctx.Value(accessKey{}).(*Access)
	if p == nil {
		return Access{}, false
	}
	return *p, true
}

// WithAccess returns a context with an [Access], and its Identity where there is a person,
// for tests of handlers.
func WithAccess(ctx context.Context, a Access) context.Context {
	if a.Principal != "" {
		ctx = glue.WithIdentity(ctx, a.Identity)
	}
	return withAccess(ctx, &a)
}

// withAccess returns a context with an Access; nil hides one that an outer handler may
// have put there.
func withAccess(ctx context.Context, a *Access) context.Context {
	return context.WithValue(ctx, accessKey{}, a)
}
