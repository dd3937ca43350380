package remoteuser

import (
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/aaheader"
	"github.com/ucam-webauth/go-webauth/glue/internal/headername"
	"github.com/ucam-webauth/go-webauth/glue/password"
)

// RemoteUser finds out who sends a request, for handlers. It is made by New and safe for concurrent
// use.
type RemoteUser struct {
	cfg   Config
	key   aaheader.Key           // that values are signed with, if it is set
	known map[string]knownHeader // headers to read, by folded name
	strip map[string]bool        // headers to remove beside the usual ones, by folded name
}

// New returns a RemoteUser for cfg, or an error with everything that is wrong.
func New(cfg Config) (*RemoteUser, error) {
	key, err := cfg.normalise()
	if err != nil {
		return nil, err
	}
	u := &RemoteUser{cfg: cfg, key: key, known: knownHeaders(&cfg), strip: map[string]bool{}}
	// Without AAHeaders these are removed all the same, by their prefix.
	for _, name := range append(cfg.Strip, cfg.Header) {
		u.strip[headername.FoldString(name)] = true
	}
	if cfg.Form != nil {
		cfg.Form.Checker().Behind(u.hidesClient)
	} else if cfg.Password != nil {
		cfg.Password.Behind(u.hidesClient)
	}
	return u, nil
}

// Require returns a handler that passes a request on to next only if it is known who sends it
// and Config.Lookup does not object. In next, glue.IdentityFrom returns who it is, and UserFrom
// what Lookup found. Others are refused, or asked for their password where there is one to ask
// for. It fits routers that take func(http.Handler) http.Handler as middleware.
//
// The header that was believed stays as it came, for handlers that read it; without an
// identity there is none.
func (u *RemoteUser) Require(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := u.exchange(w, r)
		if before := u.before(r); before != nil {
			if before.refused == nil {
				next.ServeHTTP(w, r)
				return
			}
			x.believed = before.believed
			x.turnAway(before.id, before.refused)
			return
		}
		if id, known, ok := x.person(); ok && known {
			x.admit(next, id, false)
		} else if ok {
			x.ask()
		}
	})
}

// Optional returns a handler that passes every request on to next: with an identity if Require
// would, and without one if it is not known who sends it or Lookup says ErrUnknown or
// ErrInactive. What next answers differs by person: it must not be given to shared caches
// ("public"). A request is refused where a front server contradicts itself, HTTP Basic
// credentials are wrong, or Lookup cannot say.
func (u *RemoteUser) Optional(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u.before(r) != nil {
			next.ServeHTTP(w, r)
			return
		}
		x := u.exchange(w, r)
		if id, known, ok := x.person(); ok && known {
			x.admit(next, id, true)
		} else if ok {
			x.serve(next, r.Context(), nil)
		}
	})
}

// person returns who sends the request: the front server's word first, then a login by
// password. ok is false where the request was answered already.
func (x *exchange) person() (id glue.Identity, known, ok bool) {
	header, claim := x.u.separate(x.r.Header)
	x.header = header
	if claim.made() {
		if x.u.trusts(x.r) {
			id, known, err := x.u.identity(&claim)
			if err != nil {
				x.refuse(err)
				return id, false, false
			}
			if known {
				x.believed = true
				return id, true, true
			}
		} else {
			x.u.cfg.Site.Report(x.r, x.u.event(EventUntrusted, reasonUntrusted, nil))
		}
	}
	switch {
	case x.u.cfg.Form != nil:
		id, known = x.u.cfg.Form.Session(x.r)
	case x.u.cfg.Password != nil && password.HasBasic(x.r): // else nobody, or a token that is the application's affair
		return x.basic()
	}
	return id, known, true
}

// basic logs a person in by the credentials that the request brings. Those that are wrong
// are no anonymous visit.
func (x *exchange) basic() (id glue.Identity, known, ok bool) {
	name, no := x.u.cfg.Password.Basic(x.r, x.u.cfg.Realm)
	if no != nil {
		x.answer(no)
		return id, false, false
	}
	x.header = x.header.Clone()
	delete(x.header, "Authorization") // handlers have no use for the password
	return password.Typed(name, x.now), true, true
}
