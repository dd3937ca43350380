package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Issued tells what was given.
type Issued struct {
	GrantID, AccessID, RefreshID  string
	Principal                     string
	Scopes                        []string // of the access token
	AccessExpires, RefreshExpires time.Time
	Life                          time.Duration // of the access token, for expires_in
}

// beginGrant makes the grant of a code, and its first tokens. The application is held.
func (s *Store) beginGrant(ctx context.Context, tx *sql.Tx, c Code, access, refresh credential.Hash) (Issued, error) {
	now := s.now()
	end := now.Add(s.cfg.GrantLife)
	_, err := tx.ExecContext(ctx, `INSERT INTO wlsoauth_grants (id, client_id, principal, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5)`, c.grantID, c.ClientID, c.Principal, now.Unix(), end.Unix())
	if err != nil {
		return Issued{}, err
	}
	family := Token{GrantID: c.grantID, ClientID: c.ClientID, Principal: c.Principal, Scopes: c.Scopes}
	return s.insertPair(ctx, tx, family, end, c.Scopes, access, refresh)
}

// insertPair adds an access token with the given scopes to a family and, unless refresh
// is zero, a refresh token with those of the family. No token outlives its grant.
func (s *Store) insertPair(ctx context.Context, tx *sql.Tx, family Token, end time.Time, scopes []string, access, refresh credential.Hash) (Issued, error) {
	now := s.now()
	a := family
	a.ID, a.Kind, a.Scopes, a.Created = newID(), KindAccess, scopes, now
	a.Expires = earlier(now.Add(s.cfg.AccessLife), end)
	given := Issued{
		GrantID: a.GrantID, AccessID: a.ID, Principal: a.Principal,
		Scopes: scopes, AccessExpires: a.Expires, Life: a.Expires.Sub(now),
	}
	if err := insertToken(ctx, tx, a, access); err != nil || refresh.IsZero() {
		return given, err
	}
	r := family
	r.ID, r.Kind, r.Created = newID(), KindRefresh, now
	r.Expires = earlier(now.Add(s.cfg.RefreshLife), end)
	given.RefreshID, given.RefreshExpires = r.ID, r.Expires
	return given, insertToken(ctx, tx, r, refresh)
}

// Rotate gives a new access token and a new refresh token for a refresh token, once.
// Only the client whose token it is may get here. scopes are for the access token; nil
// means all that the refresh token has. A token that comes again is ErrUsed, and its
// whole grant is revoked, because one of the two who sent it is a thief (RFC 9700
// section 4.14.2), unless Config.RefreshLeeway lets it. ErrNotFound, ErrScope and
// ErrStale, which it is if by is not what the application is, consume nothing.
//
// Scopes that people cannot give any more are not given again; if no other is left, the
// token counts as expired.
func (s *Store) Rotate(ctx context.Context, h credential.Hash, by Client, scopes []string, access, refresh credential.Hash) (Issued, error) {
	var (
		given  Issued
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
		case t.ClientID != by.ID || t.Kind != KindRefresh:
			return ErrNotFound
		case first == 0 && !s.withinLeeway(t, now):
			reused = true
			return deleteGrant(ctx, tx, t.GrantID)
		case len(t.Scopes) == 0:
			return ErrNotFound
		}
		if scopes == nil {
			scopes = t.Scopes
		}
		if !scopelist.Covers(t.Scopes, scopes) {
			return ErrScope
		}
		given, err = s.insertPair(ctx, tx, t.family(), end, scopes, access, refresh)
		return err
	})
	if err == nil && reused {
		return Issued{}, ErrUsed
	}
	return s.done(ctx, given, err)
}

// Reused reports whether Rotate, called now, would take a refresh token for one that
// comes again.
func (s *Store) Reused(t Token) bool { return !t.Used.IsZero() && !s.withinLeeway(t, s.now()) }

// withinLeeway reports whether a refresh token may be used although it was used before.
// Without a leeway it never may, whatever the clocks of several machines say.
func (s *Store) withinLeeway(t Token, now time.Time) bool {
	return s.cfg.RefreshLeeway > 0 && now.Sub(t.Used) < s.cfg.RefreshLeeway
}

// familyOf gives a token that belongs to a live grant, and when that ends.
func (s *Store) familyOf(ctx context.Context, tx *sql.Tx, h credential.Hash, now time.Time) (Token, time.Time, error) {
	t, err := s.scanCurrent(tx.QueryRowContext(ctx, tokenQuery, h[:], now.Unix()))
	if err != nil {
		return Token{}, time.Time{}, err
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
