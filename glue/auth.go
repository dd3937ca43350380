package glue

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Auth logs people in to one site. It is safe for concurrent use; make it once with
// New and vary its policy per route with With.
type Auth struct {
	s      *shared
	given  Policy // as configured, for With to start from
	policy Policy // with defaults
	err    error  // of With; every request is refused
}

// shared is what an Auth and the copies that With makes have in common.
type shared struct {
	cfg   Config
	keys  atomic.Pointer[keyring] // replaced as a whole by SetSecret
	store sessionStore
}

// keyring is all that is made of the secret.
type keyring struct {
	places  places
	secret  *site.Secret
	own     map[string]bool // names of our cookies at all origins
	derived sync.Map        // purpose to [][]byte, for Auth.Keys, which requests call
}

// New checks the configuration, all of it, and reads or makes the site's secret.
func New(cfg Config) (*Auth, error) {
	// All mistakes at once; the secret is not made for a configuration that is wrong.
	if err := errors.Join(cfg.normalise(), checkPlaces(&cfg)); err != nil {
		return nil, err
	}
	secret, err := cfg.secret()
	if err != nil {
		return nil, err
	}
	s := &shared{cfg: cfg, store: sealedStore{now: cfg.Now}}
	if cfg.Session.Store != nil {
		s.store = gorillaStore{store: cfg.Session.Store, service: cfg.Service.ID(), now: cfg.Now}
	}
	a := &Auth{s: s, given: cfg.Policy.clone(), policy: cfg.Policy.withDefaults(cfg.Service)}
	if err := a.SetSecret(secret); err != nil {
		return nil, err
	}
	return a, nil
}

// SetSecret replaces the site's secret while requests go on. Sessions and logins in
// flight continue if the new secret keeps the line that they were made with.
func (a *Auth) SetSecret(secret *site.Secret) error {
	if secret == nil {
		return errors.New("glue: SetSecret: nil")
	}
	ps, err := newPlaces(&a.s.cfg, secret)
	if err != nil {
		return err
	}
	own := map[string]bool{}
	for _, p := range ps {
		for _, name := range p.cookies.names() {
			own[name] = true
		}
	}
	a.s.keys.Store(&keyring{places: ps, secret: secret, own: own})
	return nil
}

// ReloadSecret reads Config.SecretFile again and does as SetSecret; if the file cannot
// be used, the old secret stays in force. Call it on SIGHUP, say.
func (a *Auth) ReloadSecret() error {
	if a.s.cfg.SecretFile == "" {
		return errors.New("glue: ReloadSecret: there is no Config.SecretFile")
	}
	if _, err := os.Stat(a.s.cfg.SecretFile); err != nil {
		return fmt.Errorf("glue: ReloadSecret: %w", err) // and no new one is made
	}
	secret, err := a.s.cfg.secret()
	if err != nil {
		return err
	}
	return a.SetSecret(secret)
}

// With gives a copy with another policy, for other routes of the same site:
//
//	admin := auth.With(func(p *glue.Policy) { p.Principals = []string{"spqr1"}; p.Fresh = 5 * time.Minute })
//
// A policy that contradicts itself is reported by Err, logged, and lets nobody in.
func (a *Auth) With(edit func(p *Policy)) *Auth {
	b := &Auth{s: a.s, given: a.given.clone(), err: a.err}
	edit(&b.given)
	if err := b.given.check(a.s.cfg.Service, "With: Policy"); err != nil && b.err == nil {
		b.err = err
		a.s.cfg.Logger.Error("wls policy of a route is wrong: nobody gets in", "error", b.err)
	}
	b.policy = b.given.withDefaults(a.s.cfg.Service)
	return b
}

// Err reports what is wrong with the policy that With made; nil if nothing is.
func (a *Auth) Err() error { return a.err }

// Require lets a request through to next only with a session that satisfies the
// policy; IdentityFrom tells next who it is. Others are sent to log in, or refused.
// It fits routers that take func(http.Handler) http.Handler as middleware, and may stand
// inside another Require or Optional of any policy: each judges the session for itself.
func (a *Auth) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := (exchange{request: request{a: a, r: r}, w: w}); v.begin() {
			v.require(next)
		}
	})
}

// Optional lets every request through to next, with an identity where the session
// satisfies the policy and without one otherwise. What next answers differs by person
// and may carry a cookie of ours: it must not be given to shared caches ("public").
func (a *Auth) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := (exchange{request: request{a: a, r: r}, w: w}); v.begin() {
			v.maybe(next)
		}
	})
}

// Login is a handler that logs a person in and goes on to the path in the query
// parameter "next", a path of this site, or to the site's start.
func (a *Auth) Login(w http.ResponseWriter, r *http.Request) {
	if v := (exchange{request: request{a: a, r: r}, w: w}); v.begin() {
		v.loginThen()
	}
}

// Logout is a handler that ends the session: a POST from the site's own pages does,
// anything else gets a page with a button.
func (a *Auth) Logout(w http.ResponseWriter, r *http.Request) {
	if v := (exchange{request: request{a: a, r: r}, w: w}); v.begin() {
		v.logout()
	}
}
