package gateway

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/gateway/internal/paths"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// finish prepares a rule's handlers.
func (c *core) finish(ru *rule) *rule {
	ru.serve = c.guard(ru, c.withinReach(ru, c.forward(ru)))
	ru.respond = c.auth.Optional(http.HandlerFunc(c.notFound))
	if ru.cfg.Access == Login || ru.cfg.Access == LoginOrBearer {
		ru.respond = ru.auth.Require(http.HandlerFunc(c.notFound))
	}
	return ru
}

// accessFor returns how a rule lets a request in: as it says, and without a login from the
// addresses that it names, and with a token where it says so. A client whose address is not
// known is at none of them.
func (ru *rule) accessFor(r *http.Request) Access {
	addr := site.ClientIP(r)
	within := slices.ContainsFunc(ru.cfg.AllowFrom, func(p netip.Prefix) bool { return p.Contains(addr) })
	switch {
	case ru.cfg.Access == LoginOrBearer && bringsBearer(r.Header):
		return Public // no session matters there
	case !within && ru.cfg.Access == LoginOrBearer:
		return Login
	case !within:
		return ru.cfg.Access
	case ru.cfg.Access == Login || ru.cfg.Access == LoginOrBearer:
		return Optional
	}
	return Public // no session and no password matters there
}

// guard lets requests through to next that satisfy the rule, with the person's identity
// in the context, and answers all others.
func (c *core) guard(ru *rule, next http.Handler) http.Handler {
	if ru.cfg.Access == Public {
		return next
	}
	required, optional := ru.auth.Require(next), ru.auth.Optional(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := c.beforeSession(ru, r)
		switch {
		case v.by == Login:
			required.ServeHTTP(w, r)
		case v.by == Optional:
			optional.ServeHTTP(w, r)
		case v.admitted != nil:
			next.ServeHTTP(w, v.admitted)
		default:
			c.deny(w, r, &v)
		}
	})
}

// verifyOrigin refuses what the browser says was sent by a page of another origin: session
// cookies and Basic credentials go with that too. A WebSocket without Origin is no
// browser's.
func (c *core) verifyOrigin(ru *rule, r *http.Request) error {
	if ru.cfg.CrossOrigin.any() {
		return nil
	}
	if r.Method == http.MethodGet && (r.Header["Upgrade"] == nil || len(r.Header["Origin"]) == 0 && isWebSocket(r.Header)) {
		return nil // as nearly all requests, without another look
	}
	if ru.cfg.CrossOrigin.allow(r.Header) {
		return nil
	}
	return c.xsrf.VerifyOrigin(r)
}

// verdict is what a rule says of a request, instead of an answer to it.
type verdict struct {
	by       Access        // how sessions decide, Login or Optional; empty where they do not
	admitted *http.Request // as it goes on, with whom the rule has let in; nil for no
	decision glue.Decision // of a rule that looks at sessions
	err      error         // sessions cannot be looked up
	origin   error         // it comes from a page of another origin
	refusal  *refusal      // for any other reason
}

// beforeSession is the verdict of a rule so far as it looks at no session.
func (c *core) beforeSession(ru *rule, r *http.Request) (v verdict) {
	if ru.cfg.Access == Public {
		v.admitted = r
		return v
	}
	if ru.cfg.CrossOrigin.allow(r.Header) && isPreflight(r) {
		v.admitted = preflight(r)
		return v
	}
	if v.origin = c.verifyOrigin(ru, r); v.origin != nil {
		return v
	}
	switch access := ru.accessFor(r); access {
	case Public:
		v.admitted = r.WithContext(glue.WithoutIdentity(r.Context()))
	case Basic:
		v.admitted, v.refusal = c.withPassword(ru, r)
	default:
		v.by = access
	}
	return v
}

// decide asks a rule about a request. It says what guard does.
func (c *core) decide(ru *rule, r *http.Request) (v verdict) {
	if ru == c.ambiguous { // before any login: that would not make it clear
		return verdict{refusal: newRefusal("path", paths.ErrAmbiguous, pageAddress)}
	}
	if v = c.beforeSession(ru, r); v.by == "" {
		return v
	}
	v.decision, v.err = ru.auth.Evaluate(r)
	denial := v.decision.Denial
	switch {
	case v.err != nil:
	case v.decision.Allowed:
		v.admitted = r.WithContext(glue.WithIdentity(r.Context(), v.decision.Identity))
	case v.by == Optional && (denial.Login() || denial.Forbidden()):
		v.admitted = r.WithContext(glue.WithoutIdentity(r.Context()))
	}
	return v
}

// deny answers where a rule says no. Nobody is sent to log in.
func (c *core) deny(w http.ResponseWriter, r *http.Request, v *verdict) {
	switch {
	case v.refusal != nil:
		c.answer(w, r, v.refusal)
	case v.origin != nil:
		c.xsrf.Refuse(w, r, v.origin)
	default:
		v.decision.Refuse(w)
	}
}

// statusOf is that of the answer where a rule says no, and header what it says of how to be
// let in.
func (c *core) statusOf(v *verdict) (status int, header http.Header) {
	switch {
	case v.refusal != nil:
		return v.refusal.page.Status, v.refusal.header
	case v.err != nil:
		return http.StatusServiceUnavailable, http.Header{"Retry-After": {"5"}}
	case v.decision.Denial.Login(), v.decision.Denial == glue.DeniedResponse:
		return http.StatusUnauthorized, http.Header{"Www-Authenticate": {c.challenge}}
	}
	return http.StatusForbidden, nil
}

// refusal is why the gateway itself does not let a request go on.
type refusal struct {
	event  site.Event
	page   site.Page
	header http.Header // how to be let in, such as WWW-Authenticate
}

func newRefusal(reason string, err error, p site.Page) *refusal {
	return &refusal{event: refused(reason, err), page: p}
}

func (c *core) answer(w http.ResponseWriter, r *http.Request, no *refusal) {
	maps.Copy(w.Header(), no.header)
	if no.event.Reason == "" { // a browser that is only to ask for a password: nothing to log
		if site.WantsPage(r) { // who cancels sees it
			c.site.Show(w, r, no.page)
		} else {
			respond.Text(w, no.page.Status, no.page.Title+".")
		}
		return
	}
	c.site.Refuse(w, r, no.event, no.page)
}

type basicUserKey struct{}

// basicUser is who a rule with HTTP Basic let in; empty for nobody.
func basicUser(ctx context.Context) string {
	user, _ := ctx.Value(basicUserKey{}).(string)
	return user
}

// withPassword lets the people of the rule's .htpasswd file in whom it admits.
func (c *core) withPassword(ru *rule, r *http.Request) (*http.Request, *refusal) {
	user, no := c.authenticate(ru, r)
	if no != nil {
		return nil, no
	}
	observe.RecordOf(r.Context()).Principal = user
	if !ru.admits(user) {
		reason := glue.DeniedPrincipal
		if ru.cfg.Groups != nil {
			reason = glue.DeniedGroup
		}
		return nil, &refusal{page: pageForbidden, event: site.Event{From: "wls", Name: glue.EventForbidden, Reason: string(reason), Level: slog.LevelWarn, Principal: user}}
	}
	return r.WithContext(context.WithValue(r.Context(), basicUserKey{}, user)), nil
}
