package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	// Browser is what a person knows the browser by, such as "Firefox on Windows": with
	// [Config.NoteBrowsers], where it is one of the common ones.
	Browser string
}

// maxListed is the most sessions that Sessions returns.
const maxListed = 1000

// atOnce is how many sessions one script lists or ends: all of Redis waits for it.
const atOnce = 100

// Sessions returns the principal's sessions: those that hold it as the value
// [glue.ValuePrincipal], the newest first. If there are more than 1,000, it returns those
// that end last. Sessions of all the site's origins and login services count.
func (s *Store) Sessions(ctx context.Context, principal string) ([]Session, error) {
	now := s.cfg.Now()
	var all []Session
	for from := int64(0); from >= 0 && len(all) < maxListed; {
		page, next, err := s.list(ctx, principal, from)
		if err != nil {
			return nil, s.unavailable(err)
		}
		for _, session := range page {
			if now.Before(session.Expires) {
				all = append(all, session)
			}
		}
		from = next
	}
	all = all[:min(len(all), maxListed)]
	slices.SortFunc(all, func(a, b Session) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.Handle, b.Handle))
	})
	// A session that began meanwhile moved the others down the list: one was seen twice.
	return slices.CompactFunc(all, func(a, b Session) bool { return a.Handle == b.Handle }), nil
}

// list returns sessions of a part of the principal's list, and where the next part begins,
// -1 for nowhere.
func (s *Store) list(ctx context.Context, principal string, from int64) (part []Session, next int64, err error) {
	user, records, lists := s.names.person(principal)
	reply, err := s.run(ctx, listScript, []string{lists + user}, records, from, atOnce).Slice()
	if err != nil {
		return nil, 0, err
	}
	if len(reply) != 2 {
		return nil, 0, errReply
	}
	next, okNext := reply[0].(int64)
	entries, okEntries := reply[1].([]any)
	if !okNext || !okEntries {
		return nil, 0, errReply
	}
	for _, entry := range entries {
		session, ok := readSession(entry)
		if !ok {
			return nil, 0, errors.New("a stored session is damaged")
		}
		part = append(part, session)
	}
	return part, next, nil
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
	shown, _ := field[4].(string)
	shown, session.Browser, _ = strings.Cut(shown, " ")
	if shown != "" {
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
		_, handle, ok := locate(c.Name, c.Value)
		return ok && handle == session.Handle
	})
}

// Revoke ends one of the principal's sessions, at once and on all machines. It reports
// whether there was one: another person's is left alone.
func (s *Store) Revoke(ctx context.Context, principal, handle string) (bool, error) {
	if principal == "" || len(handle) != handleLen {
		return false, nil
	}
	user, records, lists := s.names.person(principal)
	n, err := s.run(ctx, endScript, []string{records + handle}, handle, lists, user).Int()
	if err != nil {
		return false, s.unavailable(err)
	}
	return n == 1, nil
}

// RevokeAll ends all sessions of the principal ("log out everywhere"), on all machines,
// but for those with the handles in keep. It returns how many it ended, also with an error.
// Sessions end one after the other, 100 in each step, so that nobody waits for long;
// [Config.Timeout] bounds a step, and ctx all of them. Every session that was there when it
// was called has ended when it returns without an error; those that a repeated step had ended
// before, because its first reply was lost, are not counted. A login under way is not stopped,
// and a session that begins meanwhile may be ended.
func (s *Store) RevokeAll(ctx context.Context, principal string, keep ...string) (int, error) {
	user, records, lists := s.names.person(principal)
	args := []any{records, lists, atOnce}
	for _, handle := range keep {
		args = append(args, handle)
	}
	for total := 0; ; {
		n, err := s.run(ctx, endAllScript, []string{lists + user}, args...).Int64Slice()
		if err == nil && len(n) != 2 {
			err = errReply
		}
		if err != nil {
			return total, fmt.Errorf("%w (%d sessions have been ended, others may be left)", s.unavailable(err), total)
		}
		total += int(n[0])
		if n[1] < atOnce {
			return total, nil
		}
	}
}
