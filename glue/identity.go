package glue

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Identity is a logged-in person, as the WLS vouched for them.
type Identity struct {
	// Principal is the person's identifier; at Cambridge a CRSid.
	Principal string
	// Ptags are the person's tags, such as "current". Do not change the list.
	Ptags []string
	// Auth is the authentication type used at login, or empty for single sign-on; SSO
	// lists types used before that.
	Auth string
	SSO  []string
	// Issue is when the WLS made the response, Accepted when the site took it and the
	// session began, Password when a typed password was last accepted in this session (zero:
	// never), Expires when the session ends.
	Issue, Accepted, Password, Expires time.Time
	// Service is the name of the service that vouched.
	Service string
	// SessionID names the session: new at each login, no credential, not for display.
	SessionID string
	// ResponseID names the response as the WLS's log does. It is empty where the WLS gave
	// none, or none that is a word of at most 64 characters.
	ResponseID string
	// Subject and ObjectID identify the person's account at an OpenID Connect provider, by the
	// claim sub and by the one that its ObjectClaim names; empty for other services.
	Subject, ObjectID string
}

// HasPtag reports whether the person has a ptag. It ignores letter case, as mod_ucam_webauth
// does.
func (id Identity) HasPtag(ptag string) bool { return hasPtag(id.Ptags, ptag) }

func hasPtag(ptags []string, ptag string) bool {
	return slices.ContainsFunc(ptags, func(t string) bool { return strings.EqualFold(t, ptag) })
}

type identityKey struct{}

// IdentityFrom returns the identity that [Auth.Require] or [Auth.Optional] put into the
// request's context. ok is false, and the Identity zero, for an anonymous visitor.
func IdentityFrom(ctx context.Context) (id Identity, ok bool) {
	p, _ := ctx.Value(identityKey{}).(*Identity)
	if p == nil {
		return Identity{}, false
	}
	return *p, true
}

// WithIdentity returns a context with an identity, which [IdentityFrom] returns: for tests of
// handlers, and for other ways of logging in, such as by a token or at a server in front. The
// caller answers for it: nothing is verified, and there need not be a session.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, &id)
}

// WithoutIdentity returns a context without the identity that an outer handler may have put
// there: for a handler that passes on a request which [Auth.Evaluate] did not let in.
func WithoutIdentity(ctx context.Context) context.Context {
	if _, ok := IdentityFrom(ctx); !ok {
		return ctx
	}
	return context.WithValue(ctx, identityKey{}, (*Identity)(nil))
}
