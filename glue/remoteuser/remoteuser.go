package remoteuser

import (
	"net/http"
	"sync"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
)

// RemoteUser tells handlers who somebody is. It is made by New and safe for concurrent
// use.
type RemoteUser struct {
	cfg   Config
	known map[string]knownHeader // headers to read, by folded name
	strip map[string]bool        // headers to remove beside the usual ones, by folded name
	form  *formLogin             // nil without Config.Form

	// For Config.Password; nil without it.
	limit     *limits
	lately    *recent.Memory // pairs of name and password that were right
	checks    *checks
	noAddress sync.Once // the operators were told
}

// New checks the configuration, all of it.
func New(cfg Config) (*RemoteUser, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	u := &RemoteUser{cfg: cfg, known: knownHeaders(&cfg), strip: map[string]bool{}}
	// Without AAHeaders these are removed all the same, by their prefix.
	for _, name := range append(cfg.Strip, cfg.Header) {
		u.strip[headername.FoldString(name)] = true
	}
	if cfg.Password != nil {
		u.limit, u.lately = newLimits(cfg.Now), recent.New(latelyLife, latelyMax, cfg.Now)
		u.checks = &checks{under: map[recent.MAC]*checkUnderWay{}}
	}
	if cfg.Form != nil {
		var err error
		if u.form, err = newFormLogin(&cfg); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// Require lets a request through to next only if it is known who sends it and
// Config.Lookup does not object; glue.IdentityFrom tells next who it is, UserFrom gives
// what Lookup found. Others are refused, or asked for their password where there is one
// to ask for. It fits routers that take func(http.Handler) http.Handler as middleware.
//
// The header that was believed stays as it came, for handlers that read it; without an
// identity there is none.
func (u *RemoteUser) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := u.visit(w, r)
		if before := u.before(r); before != nil {
			if before.refused == nil {
				next.ServeHTTP(w, r)
				return
			}
			v.believed = before.believed
			v.turnAway(before.id, before.refused)
			return
		}
		if id, known, ok := v.person(); ok && known {
			v.admit(next, id, false)
		} else if ok {
			v.ask()
		}
	})
}

// Optional lets every request through to next: with an identity if Require would, and
// without one if it is not known who sends it or Lookup says ErrUnknown or ErrInactive.
// What next answers differs by person: it must not be given to shared caches ("public").
// A request is refused where a front server contradicts itself, HTTP Basic credentials
// are wrong, or Lookup cannot say.
func (u *RemoteUser) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u.before(r) != nil {
			next.ServeHTTP(w, r)
			return
		}
		v := u.visit(w, r)
		if id, known, ok := v.person(); ok && known {
			v.admit(next, id, true)
		} else if ok {
			v.serve(next, r.Context(), nil)
		}
	})
}

// person tells who sends the request: the front server's word first, then a login by
// password. ok is false where the request was answered already.
func (v *visit) person() (id glue.Identity, known, ok bool) {
	header, claim := v.u.separate(v.r.Header)
	v.header = header
	if claim.made() {
		if v.u.trusts(v.r) {
			id, known, err := v.u.identity(&claim)
			if err != nil {
				v.refuse(err)
				return id, false, false
			}
			if known {
				v.believed = true
				return id, true, true
			}
		} else {
			v.log(glue.Event{Name: EventUntrusted, Reason: reasonUntrusted})
		}
	}
	switch {
	case v.u.form != nil:
		id, known = v.session()
		return id, known, true
	case v.u.cfg.Password != nil:
		return v.basic()
	}
	return id, false, true
}
