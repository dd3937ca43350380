package glue

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/respond"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// SessionEnder is a [Session.Store] that can end the sessions which a login provider names, by
// a word of their value [ValueLogout]. The Store of package redisstore is one.
type SessionEnder interface {
	// EndSessions ends all sessions that have the word, and whose login was made at that
	// time or before, on all machines. A session like that which is saved later, because its
	// login was under way, is not: its Save is [ErrLoggedOut]. It returns how many ended.
	EndSessions(ctx context.Context, word string, at time.Time) (int, error)
}

// ErrLoggedOut is the error of saving a session of somebody who has logged out at the
// provider since their login was made.
var ErrLoggedOut = errors.New("glue: the person has logged out at the login service since this login")

const (
	reasonLoggedOut   = "logged-out"
	reasonBackChannel = "back-channel"

	maxLogoutToken = 64 << 10 // bytes of the form
)

// logoutWords are the words by which a provider may end the session: its account, and the
// provider's session, or that it has none.
func (s *session) logoutWords() []string {
	switch account := s.Subject; {
	case account == "":
		return nil
	case s.provider == "":
		return []string{s.way.word("account", account), s.way.word("nameless", account)}
	default:
		return []string{s.way.word("account", account), s.way.word("session", s.provider)}
	}
}

// word returns the word for something at this service, for this origin: printable ASCII, and
// no secret.
func (w *way) word(kind, name string) string {
	h := sha256.Sum256([]byte(w.realm + "\n" + kind + "\n" + name))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// never is when a session at the provider that has ended would come back: a login by it is one
// of before its end, whatever time it names.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// endsFor are the words of the sessions that somebody's logout ends, each with the time of the
// latest login that it is about.
func (w *way) endsFor(out webauth.LoggedOut) map[string]time.Time {
	if out.Session == "" {
		return map[string]time.Time{w.word("account", out.Subject): out.At}
	}
	ends := map[string]time.Time{w.word("session", out.Session): never}
	if out.Subject != "" {
		ends[w.word("nameless", out.Subject)] = out.At
	}
	return ends
}

// BackChannelLogout is a handler for the requests by which an OpenID Connect provider says
// that somebody has logged out there (OpenID Connect Back-Channel Logout 1.0): their sessions
// here end at once. It needs a Session.Store that is a [SessionEnder], and its address, on
// https, is registered at the provider. The requests come from the provider itself, without
// cookies: mount it outside what checks where forms come from.
func (a *Auth) BackChannelLogout(w http.ResponseWriter, r *http.Request) {
	x := exchange{request: request{a: a, r: r}, w: w}
	if !x.begin() {
		return
	}
	respond.NoStore(w.Header())
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case kindOf(r) != formKind:
		x.refuseLogout(http.StatusBadRequest, errors.New("the body is not a form"))
	default:
		r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
		x.endByProvider()
	}
}

// endByProvider ends what a logout token names.
func (x *exchange) endByProvider() {
	ender, ok := x.cfg.Session.Store.(SessionEnder)
	if !ok {
		x.refuseLogout(http.StatusNotImplemented, errors.New("sessions cannot be ended from here: Session.Store is not one that can"))
		return
	}
	if err := x.r.ParseForm(); err != nil || len(x.r.PostForm["logout_token"]) != 1 {
		x.refuseLogout(http.StatusBadRequest, errors.New("the form has not one logout_token"))
		return
	}
	w, out, err := x.verifyLogout(x.r.PostForm["logout_token"][0])
	switch {
	case webauth.ReasonOf(err) == webauth.ReasonStore || isServiceFault(webauth.ReasonOf(err)):
		x.refuseLogout(http.StatusServiceUnavailable, err)
		return
	case err != nil:
		x.refuseLogout(http.StatusBadRequest, err)
		return
	}
	total, err := x.endEverywhere(ender, w.service.ID(), out)
	if err != nil {
		x.refuseLogout(http.StatusServiceUnavailable, err)
		return
	}
	e := site.Event{Name: EventLogout, Reason: reasonBackChannel}
	if total == 0 {
		e.Reason = reasonBackChannel + "-nobody"
	}
	x.log(e)
	x.w.WriteHeader(http.StatusOK)
}

// endEverywhere ends the sessions that a logout names at all origins of the site: a provider
// tells one of them. It returns how many ended.
func (x *exchange) endEverywhere(ender SessionEnder, service string, out webauth.LoggedOut) (total int, err error) {
	ctx := context.WithoutCancel(x.r.Context())
	for _, o := range *x.a.s.origins.Load() {
		for word, at := range o.wayOf(service).endsFor(out) {
			n, err := ender.EndSessions(ctx, word, at)
			total += n
			if err != nil {
				return total, err
			}
		}
	}
	return total, nil
}

// verifyLogout has the services look at a token, one after the other.
func (x *exchange) verifyLogout(token string) (*way, webauth.LoggedOut, error) {
	err := error(webauth.NewError(webauth.ReasonMalformed, errors.New("no login service of this site sends logout tokens"), webauth.Known{}))
	for _, w := range x.origin.ways {
		channel, ok := w.Login.(webauth.BackChannel)
		if !ok {
			continue
		}
		out, failed := channel.VerifyLogout(context.WithoutCancel(x.r.Context()), token)
		if failed == nil {
			return w, out, nil
		}
		if !isServiceFault(webauth.ReasonOf(err)) { // else it may be that one's, which cannot tell now
			err = failed
		}
	}
	return nil, webauth.LoggedOut{}, err
}

// refuseLogout answers as section 2.8 wants.
func (x *exchange) refuseLogout(status int, err error) {
	e := site.Event{Name: EventRefused, Reason: reasonBackChannel, Err: err}
	code := "invalid_request"
	if status >= http.StatusInternalServerError {
		e.Name, code = EventServiceError, "temporarily_unavailable"
	}
	x.log(e)
	respond.JSON(x.w, status, map[string]string{"error": code})
}
