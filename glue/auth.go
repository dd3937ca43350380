package glue

import (
	"net/http"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Auth logs people in to one site. It is safe for concurrent use; make it once with
// New and vary its policy per route with With.
type Auth struct {
	s      *shared
	policy Policy
	err    error // of With; every request is refused
}

// shared is what an Auth and the copies that With makes have in common.
type shared struct {
	cfg     Config
	origins atomic.Pointer[origins] // replaced as a whole with the secret
	store   sessionStore
}

// New returns an Auth for cfg. The error of a configuration that is wrong is a
// [*site.ConfigError], with everything that is.
func New(cfg Config) (*Auth, error) {
	// All mistakes at once.
	if err := cfg.normalise().Err("glue: Config."); err != nil {
		return nil, err
	}
	s := &shared{cfg: cfg, store: sealedStore{now: cfg.Site.Now}}
	if cfg.Session.Store != nil {
		s.store = gorillaStore{store: cfg.Session.Store, now: cfg.Site.Now}
	}
	a := &Auth{s: s, policy: cfg.Policy.clone()}
	if err := cfg.Site.OnSecret(s.derive); err != nil {
		return nil, err
	}
	cfg.Site.AddCookies(s.siteCookies())
	return a, nil
}

// derive makes all that hangs on the site's secret.
func (s *shared) derive(secret *site.Secret) error {
	all, err := newOrigins(&s.cfg, secret)
	if err != nil {
		return err
	}
	s.origins.Store(&all)
	return nil
}

// siteCookies are the login's cookies at all origins.
func (s *shared) siteCookies() site.Cookies {
	var sessions []string
	own := map[string]bool{}
	for _, o := range *s.origins.Load() {
		sessions = append(sessions, o.cookies.session)
		for _, name := range o.cookies.names() {
			own[name] = true
		}
	}
	return site.Cookies{Sessions: sessions, Own: func(name string) bool { return own[name] || own[targetBase(name)] }}
}

// Site returns the site that people log in to.
func (a *Auth) Site() *site.Site { return a.s.cfg.Site }

// LogoutPath returns [Config.LogoutPath], for links to it; empty for none.
func (a *Auth) LogoutPath() string { return a.s.cfg.LogoutPath }

// With returns a copy with another policy, for other routes of the same site:
//
//	admin := auth.With(func(p *glue.Policy) { p.Principals = []string{"spqr1"}; p.Fresh = 5 * time.Minute })
//
// A policy that contradicts itself is reported by Err, logged, and lets nobody in.
func (a *Auth) With(edit func(p *Policy)) *Auth {
	edited := a.policy.clone()
	edit(&edited)
	b := &Auth{s: a.s, policy: edited.clone(), err: a.err} // the caller may keep what it edited
	var found site.Findings
	b.policy.check(a.s.cfg.services(), "Policy", &found)
	if err := found.Err("glue: With: "); err != nil && b.err == nil {
		b.err = err
		a.s.cfg.Site.Logger().Error("wls policy of a route is wrong: nobody gets in", "error", b.err)
	}
	for _, err := range b.policy.nobodies(a.s.cfg.services()) {
		a.s.cfg.Site.Logger().Warn("wls policy of a route names somebody who never comes", "error", err)
	}
	return b
}

// Err reports what is wrong with the policy that With made; nil if nothing is.
func (a *Auth) Err() error { return a.err }

// Require returns a handler that passes a request on to next only with a session that satisfies
// the policy; next finds out who it is by [IdentityFrom]. Others are sent to log in, or
// refused. It fits routers that take func(http.Handler) http.Handler as middleware, and may
// stand inside another Require or Optional of any policy: each judges the session for itself.
func (a *Auth) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x := (exchange{request: request{a: a, r: r}, w: w}); x.begin() {
			x.require(next)
		}
	})
}

// Optional returns a handler that passes requests on to next: with an identity where the
// session satisfies the policy, and without one otherwise. It answers itself what Require
// answers apart from the login: requests for other hosts, responses of the login service, a
// store that fails; and with Policy.Silent it redirects a browser once. What next answers
// differs by person and may carry a cookie of ours: it must not be given to shared caches
// ("public").
func (a *Auth) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x := (exchange{request: request{a: a, r: r}, w: w}); x.begin() {
			x.maybe(next)
		}
	})
}

// Login is a handler that logs a person in and goes on to the path in the query
// parameter "next", a path of this site, or to the site's start.
func (a *Auth) Login(w http.ResponseWriter, r *http.Request) {
	if x := (exchange{request: request{a: a, r: r}, w: w}); x.begin() {
		x.loginThen()
	}
}

// Logout is a handler that ends the session: a POST from the site's own pages does,
// anything else gets a page with a button.
func (a *Auth) Logout(w http.ResponseWriter, r *http.Request) {
	if x := (exchange{request: request{a: a, r: r}, w: w}); x.begin() {
		x.logout()
	}
}
