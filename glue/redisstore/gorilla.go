package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/cookie"
)

// ErrEnded is the error of [Store.Save] for a session that has ended since it was loaded,
// by logout, by [Store.Revoke], or by age: saving does not restore it.
var ErrEnded = errors.New("redisstore: the session has ended")

// Get returns the session of that name from the request's gorilla registry.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New returns the session of the request's cookie of that name, or a new one if there is no
// such cookie, or no session for it. It is an error if Redis does not answer.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.Options, session.IsNew = s.cookieOptions(), true
	id := cookie.Get(r, name)
	shard, handle, ok := locate(name, id)
	if !ok {
		return session, nil
	}
	values, err := s.load(r.Context(), shard, handle)
	if values == nil || err != nil {
		return session, err
	}
	session.ID, session.Values, session.IsNew = id, values, false
	return session, nil
}

// load returns the values of a live session, nil if there is none, and notes its use.
func (s *Store) load(ctx context.Context, shard, handle string) (map[any]any, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	key, now := s.names.sessions(shard)+handle, s.cfg.Now()
	field, err := s.client.HMGet(ctx, key, "values", "used", "finish").Result()
	if err != nil {
		return nil, s.unavailable(err)
	}
	text, written := field[0].(string)
	used, okUsed := unixMilli(field[1])
	finish, okFinish := unixMilli(field[2])
	values, err := decodeValues(text)
	switch {
	case !written:
		return nil, nil
	case err != nil || !okUsed || !okFinish:
		s.cfg.Logger.Warn("redisstore: a stored session is damaged, and is taken for none", "handle", handle[:8])
		return nil, nil
	case !now.Before(finish), s.cfg.Inactivity != 0 && now.Sub(used) > s.cfg.Inactivity:
		return nil, nil // Redis, with a clock of its own, is about to drop it
	case now.Sub(used) >= noteEvery:
		s.noteUse(ctx, key, now)
	}
	return values, nil
}

// unixMilli parses a time of a reply.
func unixMilli(field any) (time.Time, bool) {
	text, _ := field.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(n).UTC(), err == nil
}

// Save stores the session and sends its cookie; Options.MaxAge below 0 ends it, and
// deletes the cookie. Values may be strings, bools, ints and int64s under keys that are
// strings, 64 KiB together. A session gets its id when it is first saved, and a new one
// when the principal in its values changes: an id from before a login, which somebody
// else may have put into the browser, is worthless after it. Saving does not restore a
// session that has ended ([ErrEnded]).
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	options := session.Options
	if options == nil || *options == (sessions.Options{}) {
		options = s.cookieOptions()
	}
	cookie := newCookie(session.Name(), options)
	if err := cookie.Valid(); err != nil {
		return fmt.Errorf("redisstore: the cookie of the session: %w", err)
	}
	if options.MaxAge < 0 {
		http.SetCookie(w, cookie)
		return s.end(r.Context(), session)
	}
	if err := s.save(r, session, options.MaxAge); err != nil {
		return err
	}
	cookie.Value = session.ID
	http.SetCookie(w, cookie)
	return nil
}

// save stores the session, under a new id if it has none or needs another.
func (s *Store) save(r *http.Request, session *sessions.Session, maxAge int) error {
	values, err := encodeValues(session.Values)
	if err != nil {
		return err
	}
	ctx, cancel := s.bounded(r.Context())
	defer cancel()
	shown := s.shown(r, session)
	state := "ended"
	if session.ID != "" {
		if state, err = s.put(ctx, session, values, shown, "again", session.ID, maxAge); err != nil {
			return err
		}
	}
	if session.ID == "" || state == "renew" {
		if err := s.noteWords(ctx, session, s.lifeOf(maxAge)); err != nil {
			return err
		}
		id := newID(userHash(principalOf(session)))
		if state, err = s.put(ctx, session, values, shown, "new", id, maxAge); err != nil {
			return err
		}
		session.ID = id
		if out, err := s.loggedOut(ctx, session); out || err != nil {
			return errors.Join(ended(out), err, s.end(ctx, session))
		}
	}
	if state != "saved" {
		return ErrEnded
	}
	return nil
}

// ended returns the error for a session whose person has logged out at the provider.
func ended(out bool) error {
	if out {
		return glue.ErrLoggedOut
	}
	return nil
}

// lifeOf returns how long a session may last, whatever its use.
func (s *Store) lifeOf(maxAge int) time.Duration {
	if s.cfg.MaxLife != 0 {
		return s.cfg.MaxLife
	}
	return max(defaultLife, time.Duration(maxAge)*time.Second)
}

// shown returns what lists of sessions show of one: when it ends by its own word, in Unix
// seconds or empty, and behind a blank the browser that saved it, where that is noted.
func (s *Store) shown(r *http.Request, session *sessions.Session) (shown string) {
	if expires, ok := session.Values[glue.ValueExpires].(int64); ok {
		shown = strconv.FormatInt(expires, 10)
	}
	if s.cfg.NoteBrowsers {
		shown += " " + browserFamily(r.UserAgent())
	}
	return shown
}

// put runs the script that stores a session under an id.
func (s *Store) put(ctx context.Context, session *sessions.Session, values, shown, mode, id string, maxAge int) (state string, err error) {
	shard, handle, ok := locate(session.Name(), id)
	if !ok {
		return "", errors.New("redisstore: Session.ID is not one that this store gave")
	}
	age := time.Duration(maxAge) * time.Second
	life := s.lifeOf(maxAge)
	user := userHash(principalOf(session))
	// Where the person is another than the record's, the list is in a wrong shard, but is not
	// used either: the session is renewed.
	people := s.names.userSessions(shard)
	state, err = s.run(ctx, saveScript, []string{s.names.sessions(shard) + handle, people + user},
		mode, handle, people, values, user, shown,
		s.cfg.Now().UnixMilli(), life.Milliseconds(), age.Milliseconds(), s.cfg.Inactivity.Milliseconds(),
	).Text()
	if err != nil {
		return "", s.unavailable(err)
	}
	return state, nil
}

// end ends the session. Saved again, it would be a new one.
func (s *Store) end(ctx context.Context, session *sessions.Session) error {
	shard, handle, ok := locate(session.Name(), session.ID)
	if !ok {
		return nil // never saved, or no id of ours: nothing is stored
	}
	if err := s.run(ctx, endScript, []string{s.names.sessions(shard) + handle}, handle, s.names.userSessions(shard)).Err(); err != nil {
		return s.unavailable(err)
	}
	session.ID, session.IsNew = "", true
	return nil
}

// principalOf returns the principal in the session's values, "" for none.
func principalOf(session *sessions.Session) string {
	principal, _ := session.Values[glue.ValuePrincipal].(string)
	return principal
}

// cookieOptions returns a copy, because sessions share nothing.
func (s *Store) cookieOptions() *sessions.Options {
	o := *s.cfg.Cookie
	return &o
}

func newCookie(name string, o *sessions.Options) *http.Cookie {
	return &http.Cookie{
		Name: name, Path: o.Path, Domain: o.Domain, MaxAge: o.MaxAge,
		Secure: o.Secure, HttpOnly: o.HttpOnly, SameSite: o.SameSite, Partitioned: o.Partitioned,
	}
}
