package oauth2server

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// RequireAPI returns a decorator that lets a request through to a resource with a token of a
// person that has all these scopes, or with the browser session of a person and, where the
// request may change something, the token of package xsrf. A session may do everything that is
// registered, except what is [Scope.Internal]. [AccessFrom] returns who it is and by what,
// [glue.IdentityFrom] who.
//
// Nobody is sent to log in. Without token and session, or with a bad token, the answer is 401, and
// with a token, or a session, that lacks a scope 403, in JSON and with WWW-Authenticate (RFC 6750
// section 3). A request with a token is never judged by its session. A token counts in
// the Authorization header only: in a query or a form it is answered with 400.
//
// A scope that [Config.Scopes] does not have is logged, and answered with 500.
func (s *Server) RequireAPI(scopes ...string) func(http.Handler) http.Handler {
	return s.decorate(gate{scopes: scopes})
}

// AllowAnonymous is [Server.RequireAPI] that also lets requests through that bring neither
// token nor session; [AccessFrom] then reports false. A token that they bring must be good
// all the same, while the cookie of a session that has ended, or never was, counts for
// nothing: the request is anonymous.
func (s *Server) AllowAnonymous(scopes ...string) func(http.Handler) http.Handler {
	return s.decorate(gate{scopes: scopes, anonymous: true})
}

// AllowClients is [Server.RequireAPI] that also takes tokens that an application got for
// itself (client credentials); there is then no person, and no Identity. With a scope that
// is internal it takes no others.
func (s *Server) AllowClients(scopes ...string) func(http.Handler) http.Handler {
	return s.decorate(gate{scopes: scopes, clients: true})
}

// gate is what a resource asks for.
type gate struct {
	s                  *Server
	scopes             []string
	anonymous, clients bool
	broken             bool // by a scope that is not registered
	internal           bool // one of the scopes is nobody's to use from a browser
}

func (s *Server) decorate(g gate) func(http.Handler) http.Handler {
	g.s = s
	for _, name := range g.scopes {
		if _, ok := s.scopes.find(name); !ok {
			g.broken = true
			s.site.Logger().Error("oauth2 a resource wants a scope that is not registered: nobody gets in", "scope", name)
		}
	}
	g.internal = !scopelist.Covers(s.scopes.offered().names(), g.scopes)
	return func(next http.Handler) http.Handler {
		person := g.person(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Authorization")
			text, r, bad := bearerOf(r)
			if text == "" && bad == nil {
				text, r, bad = g.s.basicOf(r)
			}
			switch {
			case g.broken:
				g.refuse(w, r, errBroken, event{})
			case bad != nil:
				g.refuse(w, r, bad, event{})
			case text != "":
				g.byToken(w, r, next, text)
			default:
				g.bySession(w, r, next, person)
			}
		})
	}
}

// person handles requests with the session of a person, which another site may abuse.
func (g gate) person(next http.Handler) http.Handler {
	offered := g.s.scopes.offered().names()
	return g.s.cfg.Guard.Check(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := glue.IdentityFrom(r.Context())
		a := Access{Kind: KindSession, Principal: id.Principal, Scopes: offered, Identity: id}
		next.ServeHTTP(w, r.WithContext(withAccess(r.Context(), &a)))
	}))
}

// bySession handles a request without a token.
func (g gate) bySession(w http.ResponseWriter, r *http.Request, next, person http.Handler) {
	r, ok := g.s.withSession(w, r)
	if !ok {
		return
	}
	switch id, known := glue.IdentityFrom(r.Context()); {
	case known && g.internal:
		g.refuse(w, r, errSession, event{Principal: id.Principal})
	case known:
		person.ServeHTTP(w, r)
	case g.anonymous: // who has no session cannot be abused by another site
		next.ServeHTTP(w, r.WithContext(withAccess(r.Context(), nil)))
	default:
		g.refuse(w, r, errAnonymous, event{})
	}
}

// withSession returns the request with the person in its context whose session it brings,
// or without anybody. It reports false where the request has been answered: nobody is sent
// to log in, and a response of the WLS lets nobody in here.
func (s *Server) withSession(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	d, err := s.auth.Evaluate(r)
	ctx := r.Context()
	switch {
	case err == nil && d.Allowed:
		ctx = glue.WithIdentity(ctx, d.Identity)
	case err == nil && (d.Denial.Login() || d.Denial.Forbidden()):
		ctx = glue.WithoutIdentity(ctx)
	default:
		d.Refuse(w)
		return nil, false
	}
	d.Mark(w)
	return r.WithContext(ctx), true
}

// byToken handles a request with a token, which alone decides.
func (g gate) byToken(w http.ResponseWriter, r *http.Request, next http.Handler, text string) {
	ctx := r.Context()
	p, h, ok := credential.Parse(text)
	if !ok || p != credential.Personal && p != credential.Access {
		g.refuse(w, r, errTokenForm, event{}) // a refresh token, say
		return
	}
	t, err := g.s.store.Bearer(ctx, h)
	var bad *protocolError
	switch {
	case errors.Is(err, store.ErrNotFound):
		bad, err = errToken, nil
	case err == nil:
		bad, err = g.judge(ctx, t)
	}
	switch {
	case err != nil:
		g.unavailable(w, r, err)
		return
	case bad != nil:
		g.refuse(w, r, bad, event{Principal: t.Principal, ClientID: t.ClientID, TokenID: t.ID})
		return
	}
	g.s.touch(ctx, r, t, h)
	w.Header().Set("Cache-Control", "private, no-cache")
	a := accessOf(t)
	if a.Kind != KindClient {
		ctx = glue.WithIdentity(ctx, a.Identity)
	}
	next.ServeHTTP(w, r.WithContext(withAccess(ctx, &a)))
}

// touch notes that a token is used. If that fails, the use goes on.
func (s *Server) touch(ctx context.Context, r *http.Request, t store.Bearer, h credential.Hash) {
	if err := s.store.Touch(ctx, t, h); err != nil {
		s.event(r, event{Name: EventStoreError, Reason: "last-use", TokenID: t.ID, Err: err})
	}
}

// judge returns what a good token lacks here; nil if nothing.
func (g gate) judge(ctx context.Context, t store.Bearer) (*protocolError, error) {
	active, err := g.s.active(ctx, cmp.Or(t.Principal, t.Owner)) // the owner answers for the application
	if err != nil {
		return nil, err
	}
	_, session := glue.IdentityFrom(ctx)
	switch {
	case !active:
		return errInactive, nil
	case len(t.Scopes) == 0: // nothing of it is left
		return errToken, nil
	case t.Principal == "" && !g.clients:
		return errNoPerson, nil
	case t.Principal == "" && session:
		return errTwoSubjects, nil
	case !scopelist.Covers(t.Scopes, g.scopes):
		return errScope, nil
	}
	return nil, nil
}

// accessOf returns what a token is good for.
func accessOf(t store.Bearer) Access {
	a := Access{Kind: KindOAuth, Principal: t.Principal, ClientID: t.ClientID, TokenID: t.ID, Scopes: t.Scopes}
	switch {
	case t.Principal == "":
		a.Kind = KindClient
		return a
	case t.ClientID == "":
		a.Kind = KindPersonal
	}
	a.Identity = glue.Identity{Principal: t.Principal, Expires: t.Expires}
	return a
}
