package gateway

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// finish prepares a rule's handlers.
func (c *core) finish(ru *rule) *rule {
	ru.serve = c.guard(ru, c.beyondPath(ru, c.forward(ru), false))
	if c.cfg.ForwardAuth {
		ru.check = c.guard(ru, c.beyondPath(ru, c.vouch(ru), true))
	}
	ru.judge = c.guard(ru, c.admitted(ru))
	ru.respond = c.auth.Optional(http.HandlerFunc(c.notFound))
	if ru.cfg.Access == Login || ru.cfg.Access == "" {
		ru.respond = ru.auth.Require(http.HandlerFunc(c.notFound))
	}
	return ru
}

// guard lets requests through to next that satisfy the rule, with the person's identity
// in the context, and answers all others.
func (c *core) guard(ru *rule, next http.Handler) http.Handler {
	var h http.Handler
	within := next
	switch ru.cfg.Access {
	case Public:
		return next
	case Optional:
		h = ru.auth.Optional(next)
	case Basic:
		h = c.withPassword(ru, next)
	default:
		h, within = ru.auth.Require(next), ru.auth.Optional(next)
	}
	if len(ru.cfg.AllowFrom) > 0 {
		h = allowFrom(ru.cfg.AllowFrom, within, h)
	}
	if !ru.cfg.CrossOrigin {
		h = c.sameOrigin(h)
	}
	return h
}

// allowFrom sends clients in the ranges one way and all others another. A client whose
// address is not known is in none.
func allowFrom(ranges []netip.Prefix, within, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, addr := others, site.ClientIP(r)
		for _, p := range ranges {
			if p.Contains(addr) {
				h = within
			}
		}
		h.ServeHTTP(w, r)
	})
}

// sameOrigin refuses what the browser says was sent by a page of another origin: session
// cookies and Basic credentials go with that too. A WebSocket without Origin is no
// browser's.
func (c *core) sameOrigin(next http.Handler) http.Handler {
	protected := c.xsrf.Protect(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && (r.Header["Upgrade"] == nil || len(r.Header["Origin"]) == 0 && isWebSocket(r.Header)) {
			next.ServeHTTP(w, r) // as nearly all requests, without another look
			return
		}
		protected.ServeHTTP(w, r)
	})
}

type basicUserKey struct{}

// basicUser is who a rule with HTTP Basic let in; empty for nobody.
func basicUser(ctx context.Context) string {
	user, _ := ctx.Value(basicUserKey{}).(string)
	return user
}

// withPassword lets the people of the rule's .htpasswd file through whom it admits.
func (c *core) withPassword(ru *rule, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := c.authenticate(ru, w, r)
		if !ok {
			return
		}
		observe.RecordOf(r.Context()).Principal = user
		if !ru.admits(user) {
			c.auth.Refuse(w, r, glue.Event{Name: glue.EventForbidden, Reason: webauth.Reason("principal"), Principal: user}, pageForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), basicUserKey{}, user)))
	})
}

func durationOf(d Duration) time.Duration { return time.Duration(d) }
