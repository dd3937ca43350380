package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Refresh tokens that are given one for the other are a line, and a line is one row. It has
// the hash of the part that they have in common, of the current one, and of the one before
// it. Nothing is kept of the others, and nothing need be: whoever shows the common part with
// anything else has seen a token of the line, because it is nowhere else. See
// [credential.Next].

// beginLine adds a refresh token to a family.
func (s *Store) beginLine(ctx context.Context, tx *sql.Tx, family Token, end time.Time) (text string, err error) {
	text, h := credential.Mint(credential.Refresh)
	family.ID, family.Kind, family.Created = newID(), KindRefresh, s.now()
	family.Expires = s.refreshEnd(end)
	return text, insertToken(ctx, tx, family, h)
}

// advanceLine replaces the current refresh token of a line, which is used up by that. The grant is
// locked.
func (s *Store) advanceLine(ctx context.Context, tx *sql.Tx, used string, family Token, end time.Time) (text string, err error) {
	_, old, _ := credential.Parse(used)
	text, h := credential.Next(used)
	return text, changeOne(ctx, tx, `UPDATE wlsoauth_tokens
		SET current_hash = $3, previous_hash = $2, used_at = $4, created_at = $4, expires_at = $5, scopes = $6
		WHERE hash = $1 AND current_hash = $2`,
		old.Line[:], old.Text[:], h.Text[:], s.now().Unix(), s.refreshEnd(end).Unix(), scopelist.Join(family.Scopes))
}

// refreshEnd returns when a refresh token expires that is made now, of a grant that ends at
// end.
func (s *Store) refreshEnd(end time.Time) time.Time {
	return earlier(s.now().Add(s.cfg.RefreshLife), end)
}

// Rotate exchanges a refresh token for a new access token and a new refresh token, once.
// Only the client whose token it is may get here. scopes are for the access token; nil
// means all that the refresh token has. A token that comes again is ErrUsed, and its
// whole grant is revoked, because one of the two who sent it is a thief (RFC 9700
// section 4.14.2), unless Config.RefreshLeeway lets it. ErrNotFound, ErrScope and
// ErrStale, which it is if by is not what the application is, consume nothing.
//
// Scopes that people cannot give any more are not given again; if no other is left, the
// token counts as expired.
func (s *Store) Rotate(ctx context.Context, refresh string, by Client, scopes []string) (Issued, error) {
	h, ok := credential.ParseAs(credential.Refresh, refresh)
	if !ok {
		return Issued{}, ErrNotFound
	}
	return s.issueOnce(ctx, by, func(ctx context.Context, tx *sql.Tx) (given Issued, again bool, err error) {
		now := s.now()
		end, err := s.lockGrant(ctx, tx, h, now)
		if err != nil {
			return given, false, err
		}
		t, err := s.scanCurrent(tx.QueryRowContext(ctx, tokenQuery, key(h), now.Unix()), h)
		switch {
		case err != nil:
			return given, false, err
		case t.ClientID != by.ID || t.Kind != KindRefresh:
			return given, false, ErrNotFound
		case s.Reused(t):
			return given, true, deleteGrant(ctx, tx, t.GrantID)
		case len(t.Scopes) == 0:
			return given, false, ErrNotFound
		}
		if scopes == nil {
			scopes = t.Scopes
		}
		if !scopelist.Covers(t.Scopes, scopes) {
			return given, false, ErrScope
		}
		family := Token{GrantID: t.GrantID, ClientID: t.ClientID, Principal: t.Principal, Scopes: t.Scopes}
		if t.Spent { // within the leeway: the line has gone on, and another begins
			given, err = s.givePair(ctx, tx, family, end, scopes)
			return given, false, err
		}
		next, err := s.advanceLine(ctx, tx, refresh, family, end)
		if err != nil {
			return given, false, err
		}
		given, err = s.giveAccess(ctx, tx, family.with(scopes), end)
		given.Refresh = next
		return given, false, err
	})
}

// Reused reports whether Rotate, called now, would take a refresh token for one that
// comes again. Without a leeway each that is spent counts, whatever the clocks of several
// machines say, and with one all but the one that was spent last.
func (s *Store) Reused(t Token) bool {
	return t.Spent && (s.cfg.RefreshLeeway == 0 || s.now().Sub(t.lastSpent) >= s.cfg.RefreshLeeway)
}
