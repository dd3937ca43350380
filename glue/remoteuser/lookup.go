package remoteuser

import (
	"context"
	"errors"
	"net/http"

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

// UserFrom gives what Config.Lookup returned for the person who sends the request. ok is
// false for an anonymous visitor, without a Lookup, and where the value is no T.
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
func (v *visit) lookup(id glue.Identity) (context.Context, error) {
	ctx := v.r.Context()
	if v.u.cfg.Lookup == nil {
		return ctx, nil
	}
	user, err := v.u.cfg.Lookup(ctx, id)
	if err != nil {
		return nil, err
	}
	return WithUser(ctx, user), nil
}

// turnAway answers somebody who is known and may not come in, or cannot be looked up.
func (v *visit) turnAway(id glue.Identity, err error) {
	e := glue.Event{Name: glue.EventForbidden, Principal: id.Principal, Err: err}
	var p glue.Page
	switch {
	case errors.Is(err, ErrInactive):
		e.Reason, p = "inactive-user", pageInactive
	case errors.Is(err, ErrUnknown):
		e.Reason, p = "unknown-user", pageUnknown
	default:
		v.unavailable("lookup", err)
		return
	}
	p.Principal = id.Principal
	if v.u.form != nil && !v.believed {
		p.Links = []glue.Link{{Text: "Log out", Href: v.u.form.url(v.u.form.cfg.LogoutPath)}}
	}
	v.answer(e, p)
}

// unavailable answers while it cannot be said who somebody is. Nobody gets in by
// accident meanwhile.
func (v *visit) unavailable(what string, err error) {
	if v.r.Context().Err() != nil {
		v.w.WriteHeader(http.StatusServiceUnavailable) // the client has gone: nobody's fault
		return
	}
	v.w.Header().Set("Retry-After", "5")
	v.answer(glue.Event{Name: glue.EventStoreError, Reason: "store", Err: wrapUnavailable(what, err)}, pageUnavailable)
}
