package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// Bearer is what each use of a bearer token needs to know of it, and no more: in
// SQLite every column takes time.
type Bearer struct {
	ID        string // names the token in logs; no credential
	ClientID  string // empty for personal tokens
	Principal string // empty for client-only tokens
	Owner     string // of the application; empty unless Principal is
	Scopes    []string
	Expires   time.Time // zero: never
	LastUsed  time.Time // give or take a minute; zero: never
}

// bearerQuery finds a personal token or an access token under the conditions of
// tokenQuery. A personal token needs no other table.
const bearerQuery = `SELECT id, client_id, principal, scopes, expires_at, last_used_at,
		COALESCE((SELECT c.owner FROM wlsoauth_clients c WHERE c.id = t.client_id AND t.principal = ''), '')
	FROM wlsoauth_tokens t
	WHERE hash = $1 AND (expires_at = 0 OR expires_at > $2)
		AND (kind = 'personal' AND client_id = '' AND grant_id = ''
			OR kind = 'access' AND EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = t.client_id)
				AND (grant_id = '' OR EXISTS (SELECT 1 FROM wlsoauth_grants g WHERE g.id = t.grant_id)))`

// Bearer returns a personal token or an access token. It returns ErrNotFound if the token
// is unknown, expired or revoked, or of another kind, or its application is gone.
func (s *Store) Bearer(ctx context.Context, h credential.Hash) (Bearer, error) {
	var b Bearer
	err := s.bearer.row(s.reading(ctx), h.Text[:], s.now().Unix()).Scan(&b.ID, &b.ClientID, &b.Principal,
		(*words)(&b.Scopes), (*seconds)(&b.Expires), (*seconds)(&b.LastUsed), &b.Owner)
	if err != nil {
		return Bearer{}, notFound(err)
	}
	b.Scopes = s.current(b.Scopes, b.Principal)
	return b, nil
}

// reading returns the context for a query that finds one row by its key. In SQLite that
// is one that cannot end: for one that can, drivers start a goroutine that waits for it,
// which takes as long as the query. Nothing is lost by it. With a write-ahead log reading
// waits for nobody; without one it waits for a writer as long as the busy_timeout says,
// and no context cuts that short. What a context does end is the wait for a connection,
// if sql.DB has a limit and all are in use.
func (s *Store) reading(ctx context.Context) context.Context {
	if s.cfg.PostgreSQL || ctx.Err() != nil {
		return ctx
	}
	if pool := s.db.Stats(); pool.MaxOpenConnections > 0 && pool.InUse >= pool.MaxOpenConnections {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

const (
	// touchAfter is how old the note of a token's last use may be.
	touchAfter = time.Minute
	// touchTime is how long a use waits for its note, and touchPause how long no other
	// does once one has failed.
	touchTime, touchPause = time.Second, 10 * time.Second
)

// Touch notes that a token is used, at most once in touchAfter, and whether or not the
// client waits for it: a thief who hangs up in time must not stay unseen. After a note
// that failed there are none for touchPause, so that a database that nobody can write
// does not hold up everybody who reads.
//
// It does not wait for those who write to SQLite: the one who does writes the note, too.
func (s *Store) Touch(ctx context.Context, b Bearer, h credential.Hash) error {
	now := s.now()
	if now.Sub(b.LastUsed) < touchAfter || now.Unix() < s.untouched.Load() {
		return nil
	}
	u := use{h, now}
	if s.writer.tryAcquire() {
		defer s.leave(ctx)
		return s.noteUses(ctx, u)
	}
	s.uses.Store(u, nil)
	if s.writer.tryAcquire() { // else whoever has it finds the note: see leave
		s.leave(ctx)
	}
	return nil
}

// leave gives up the right to write, and leaves no note that waits, unless to another who
// has that right, or after one that failed.
func (s *Store) leave(ctx context.Context) {
	for more := true; more; more = s.anyWaits() && s.writer.tryAcquire() {
		func() {
			defer s.writer.release()
			s.noteWaiting(ctx)
		}()
	}
}

// anyWaits reports whether a note waits and can be written.
func (s *Store) anyWaits() (found bool) {
	if s.now().Unix() < s.untouched.Load() {
		return false
	}
	s.uses.Range(func(_, _ any) bool { found = true; return false })
	return found
}

// use is when a token was used.
type use struct {
	hash credential.Hash
	at   time.Time
}

// noteWaiting writes notes that wait, as many as there is time for. The caller has the
// right to write.
func (s *Store) noteWaiting(ctx context.Context) {
	if !s.anyWaits() {
		return
	}
	var waiting []use
	for key := range s.uses.Range {
		s.uses.Delete(key)
		if waiting = append(waiting, key.(use)); len(waiting) == sweepBatch {
			break
		}
	}
	if err := s.noteUses(ctx, waiting...); err != nil {
		s.cfg.Report(ctx, "last-use", err)
	}
}

// noteUses writes notes, but for tokens that somebody has locked, to delete them perhaps.
func (s *Store) noteUses(ctx context.Context, uses ...use) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchTime)
	defer cancel()
	err := s.txAsWriter(ctx, func(tx *sql.Tx) error {
		for _, u := range uses {
			err := exec(ctx, tx, `UPDATE wlsoauth_tokens SET last_used_at = $2
				WHERE hash IN (SELECT hash FROM wlsoauth_tokens WHERE hash = $1 AND last_used_at <= $3`+s.skipLocked()+`)`,
				u.hash.Text[:], u.at.Unix(), u.at.Add(-touchAfter).Unix())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.untouched.Store(s.now().Add(touchPause).Unix())
	}
	return err
}
