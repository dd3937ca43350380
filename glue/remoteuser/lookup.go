package remoteuser

import (
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue"
)

// ErrUnknown is what Config.Lookup returns, or wraps, for a person whom the site does not
// know.
var ErrUnknown = errors.New("remoteuser: unknown user")

// ErrInactive is what Config.Lookup returns, or wraps, for a person who may not use the
// site any more, or not yet.
var ErrInactive = errors.New("remoteuser: inactive user")

func isNoUser(err error) bool { return errors.Is(err, ErrUnknown) || errors.Is(err, ErrInactive) }

type userKey struct{}

// UserFrom returns what Config.Lookup returned for the person who sends the request. ok is
// false for an anonymous visitor, without a Lookup, and where the value is not a T.
func UserFrom[T any](ctx context.Context) (user T, ok bool) {
	user, ok = ctx.Value(userKey{}).(T)
	return user, ok
}

// WithUser puts a value for UserFrom into a context, for tests of handlers; see also
// glue.WithIdentity.
func WithUser(ctx context.Context, user any) context.Context {
	return context.WithValue(ctx, userKey{}, user)
}

// lookup asks the site about a person.
func (x *exchange) lookup(id glue.Identity) (context.Context, error) {
	ctx := x.r.Context()
	if x.u.cfg.Lookup == nil {
		return ctx, nil
	}
	user, err := x.u.cfg.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	return WithUser(ctx, user), nil
}
