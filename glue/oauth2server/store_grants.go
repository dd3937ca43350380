package oauth2server

import (
	"context"
	"database/sql"
	"time"
)

// issued tells what was given.
type issued struct {
	GrantID, AccessID, RefreshID  string
	Principal                     string
	Scopes                        []string // of the access token
	AccessExpires, RefreshExpires time.Time
	Life                          time.Duration // of the access token, for expires_in
}

// beginGrant makes the grant of a code, and its first tokens. The application is held.
func (s *store) beginGrant(ctx context.Context, tx *sql.Tx, c code, access, refresh hash) (issued, error) {
	now := s.now()
	end := now.Add(s.cfg.GrantLife)
	_, err := tx.ExecContext(ctx, `INSERT INTO wlsoauth_grants (id, client_id, principal, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5)`, c.grantID, c.ClientID, c.Principal, now.Unix(), end.Unix())
	if err != nil {
		return issued{}, err
	}
	family := token{GrantID: c.grantID, ClientID: c.ClientID, Principal: c.Principal, Scopes: c.Scopes}
	return s.insertPair(ctx, tx, family, end, c.Scopes, access, refresh)
}

// insertPair adds an access token with the given scopes to a family and, unless refresh
// is zero, a refresh token with those of the family. No token outlives its grant.
func (s *store) insertPair(ctx context.Context, tx *sql.Tx, family token, end time.Time, scopes []string, access, refresh hash) (issued, error) {
	now := s.now()
	a := family
	a.ID, a.Kind, a.Scopes, a.Created = newID(), kindAccess, scopes, now
	a.Expires = earlier(now.Add(s.cfg.AccessLife), end)
	given := issued{
		GrantID: a.GrantID, AccessID: a.ID, Principal: a.Principal,
		Scopes: scopes, AccessExpires: a.Expires, Life: a.Expires.Sub(now),
	}
	if err := insertToken(ctx, tx, a, access); err != nil || refresh.isZero() {
		return given, err
	}
	r := family
	r.ID, r.Kind, r.Created = newID(), kindRefresh, now
	r.Expires = earlier(now.Add(s.cfg.RefreshLife), end)
	given.RefreshID, given.RefreshExpires = r.ID, r.Expires
	return given, insertToken(ctx, tx, r, refresh)
}

// rotate gives a new access token and a new refresh token for a refresh token, once.
// Only the client whose token it is may get here. scopes are for the access token; nil
// means all that the refresh token has. A token that comes again is errUsed, and its
// whole grant is revoked, because one of the two who sent it is a thief (RFC 9700
// section 4.14.2), unless Config.RefreshLeeway lets it. errNotFound, errScope and
// errStale, which it is if by is not what the application is, consume nothing.
//
// Scopes that people cannot give any more are not given again; if no other is left, the
// token counts as expired.
func (s *store) rotate(ctx context.Context, h hash, by client, scopes []string, access, refresh hash) (issued, error) {
	var (
		given  issued
		reused bool
	)
	err := s.verdictTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := holdCaller(ctx, tx, by); err != nil {
			return err
		}
		now := s.now()
		first, err := changed(ctx, tx, `UPDATE wlsoauth_tokens SET used_at = $3
			WHERE hash = $1 AND client_id = $2 AND kind = 'refresh' AND used_at = 0 AND expires_at > $3`, h[:], by.ID, now.Unix())
		if err != nil {
			return err
		}
		t, end, err := s.familyOf(ctx, tx, h, now)
		switch {
		case err != nil:
			return err
		case t.ClientID != by.ID || t.Kind != kindRefresh:
			return errNotFound
		case first == 0 && !s.withinLeeway(t, now):
			reused = true
			return deleteGrant(ctx, tx, t.GrantID)
		case len(t.Scopes) == 0:
			return errNotFound
		}
		if scopes == nil {
			scopes = t.Scopes
		}
		if !covers(t.Scopes, scopes) {
			return errScope
		}
		given, err = s.insertPair(ctx, tx, t.family(), end, scopes, access, refresh)
		return err
	})
	if err == nil && reused {
		return issued{}, errUsed
	}
	return s.done(ctx, given, err)
}

// reused reports whether rotate, called now, would take a refresh token for one that
// comes again.
func (s *store) reused(t token) bool { return !t.Used.IsZero() && !s.withinLeeway(t, s.now()) }

// withinLeeway reports whether a refresh token may be used although it was used before.
// Without a leeway it never may, whatever the clocks of several machines say.
func (s *store) withinLeeway(t token, now time.Time) bool {
	return s.cfg.RefreshLeeway > 0 && now.Sub(t.Used) < s.cfg.RefreshLeeway
}

// familyOf gives a token that belongs to a live grant, and when that ends.
func (s *store) familyOf(ctx context.Context, tx *sql.Tx, h hash, now time.Time) (token, time.Time, error) {
	t, err := s.scanCurrent(tx.QueryRowContext(ctx, tokenQuery, h[:], now.Unix()))
	if err != nil {
		return token{}, time.Time{}, err
	}
	var end int64
	err = tx.QueryRowContext(ctx, `SELECT expires_at FROM wlsoauth_grants WHERE id = $1 AND expires_at > $2`, t.GrantID, now.Unix()).Scan(&end)
	return t, fromUnix(end), notFound(err)
}

// deleteGrant revokes a grant with all its tokens.
func deleteGrant(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM wlsoauth_grants WHERE id = $1`, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM wlsoauth_tokens WHERE grant_id = $1 AND grant_id <> ''`, id)
	return err
}

// withoutTokens is the condition that the grant $1 has no token left.
const withoutTokens = `NOT EXISTS (SELECT 1 FROM wlsoauth_tokens WHERE grant_id = $1 AND grant_id <> '')`

// deleteEmptyGrant deletes a grant that has no token left.
func deleteEmptyGrant(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM wlsoauth_grants WHERE id = $1 AND `+withoutTokens, id)
	return err
}
