package redisstore

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Session is one session of a person, for a page that lists them.
type Session struct {
	// Handle names the session for [Store.Revoke] and [Store.RevokeAll]. It does not work as
	// a cookie.
	Handle string
	// Created is when it began, LastUsed when it was last used, to the minute, and
	// Expires when it ends at the latest. All are in UTC.
	Created, LastUsed, Expires time.Time
}

// maxListed is the most sessions that Sessions returns.
const maxListed = 1000

// Sessions returns the principal's sessions: those that hold it as the value
// [glue.ValuePrincipal], the newest first. If there are more than 1,000, it returns those
// that end last. Sessions of all the site's origins and login services count.
func (s *Store) Sessions(ctx context.Context, principal string) ([]Session, error) {
	reply, err := s.run(ctx, listScript, []string{s.names.userSessions() + userHash(principal)},
		s.names.sessions(), maxListed).Slice()
	if err != nil {
		return nil, s.unavailable(err)
	}
	now := s.cfg.Now()
	var all []Session
	for _, entry := range reply {
		session, ok := readSession(entry)
		if !ok {
			return nil, s.unavailable(errors.New("a stored session is damaged"))
		}
		if now.Before(session.Expires) {
			all = append(all, session)
		}
	}
	slices.SortStableFunc(all, func(a, b Session) int { return b.Created.Compare(a.Created) })
	return all, nil
}

// readSession parses an entry of the script's list: handle, start, used, finish, shown.
func readSession(entry any) (Session, bool) {
	field, _ := entry.([]any)
	if len(field) != 5 {
		return Session{}, false
	}
	var session Session
	var ok [4]bool
	session.Handle, ok[0] = field[0].(string)
	session.Created, ok[1] = unixMilli(field[1])
	session.LastUsed, ok[2] = unixMilli(field[2])
	session.Expires, ok[3] = unixMilli(field[3])
	if shown, _ := field[4].(string); shown != "" {
		// What the session itself says: a store keeps it for longer.
		sec, err := strconv.ParseInt(shown, 10, 64)
		if err != nil {
			return Session{}, false
		}
		session.Expires = time.Unix(sec, 0).UTC()
	}
	return session, !slices.Contains(ok[:], false)
}

// Is reports whether the request has this session's cookie, so that a page can mark the
// session that it is seen from.
func (session Session) Is(r *http.Request) bool {
	return slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool {
		handle, ok := handleOf(c.Name, c.Value)
		return ok && handle == session.Handle
	})
}

// Revoke ends one of the principal's sessions, at once and on all machines. It reports
// whether there was one: another person's is left alone.
func (s *Store) Revoke(ctx context.Context, principal, handle string) (bool, error) {
	if principal == "" || len(handle) != handleLen {
		return false, nil
	}
	n, err := s.run(ctx, endScript, []string{s.names.sessions() + handle}, handle, s.names.userSessions(), userHash(principal)).Int()
	if err != nil {
		return false, s.unavailable(err)
	}
	return n == 1, nil
}

// RevokeAll ends all sessions of the principal ("log out everywhere"), at once and on
// all machines, but for those with the handles in keep. It returns how many it ended. A
// login under way is not stopped.
func (s *Store) RevokeAll(ctx context.Context, principal string, keep ...string) (int, error) {
	args := []any{s.names.sessions(), s.names.userSessions()}
	for _, handle := range keep {
		args = append(args, handle)
	}
	n, err := s.run(ctx, endAllScript, []string{s.names.userSessions() + userHash(principal)}, args...).Int()
	if err != nil {
		return 0, s.unavailable(err)
	}
	return n, nil
}
