package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// kind says what a token is.
type kind string

const (
	KindPersonal kind = "personal"
	KindAccess   kind = "access"
	KindRefresh  kind = "refresh"
)

// Token is a personal token, an access token or a refresh token.
type Token struct {
	ID        string // names it to people and in logs; no credential
	Kind      kind
	GrantID   string // of what a person authorised; empty for personal and client-only tokens
	ClientID  string // empty for personal tokens
	Principal string // empty for client-only tokens
	Name      string // of personal tokens, as the person chose it
	Scopes    []string
	Created   time.Time
	Expires   time.Time // zero: never
	LastUsed  time.Time // give or take a minute; zero: never
	Used      time.Time // when a refresh token was rotated; zero: it is the current one

	Owner string // of the application; empty for personal tokens
}

// family is what the tokens of a grant have in common.
func (t Token) family() Token {
	return Token{GrantID: t.GrantID, ClientID: t.ClientID, Principal: t.Principal, Scopes: t.Scopes}
}

// tokenQuery finds a token that has not expired, unless it has lost the grant or the
// application without which it is good for nothing. With joins, which do not stop at
// what a personal token has none of, SQLite takes eight times as long.
const tokenQuery = `SELECT id, kind, grant_id, client_id, principal, name, scopes,
		created_at, expires_at, last_used_at, used_at,
		CASE WHEN client_id = '' THEN '' ELSE (SELECT c.owner FROM wlsoauth_clients c WHERE c.id = t.client_id) END
	FROM wlsoauth_tokens t
	WHERE hash = $1 AND (expires_at = 0 OR expires_at > $2)
		AND (grant_id = '' OR EXISTS (SELECT 1 FROM wlsoauth_grants g WHERE g.id = t.grant_id))
		AND (client_id = '' OR EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = t.client_id))`

func scanToken(row interface{ Scan(...any) error }) (Token, error) {
	var (
		t                                Token
		scopes                           string
		created, expires, lastUsed, used int64
	)
	err := row.Scan(&t.ID, &t.Kind, &t.GrantID, &t.ClientID, &t.Principal, &t.Name, &scopes,
		&created, &expires, &lastUsed, &used, &t.Owner)
	if err != nil {
		return Token{}, notFound(err)
	}
	t.Scopes = strings.Fields(scopes)
	t.Created, t.Expires, t.LastUsed, t.Used = fromUnix(created), fromUnix(expires), fromUnix(lastUsed), fromUnix(used)
	return t, nil
}

// Token gives a token of any kind. It is ErrNotFound if the token is unknown, expired
// or revoked, or its application is gone. A refresh token that was rotated is found:
// see token.Used.
func (s *Store) Token(ctx context.Context, h credential.Hash) (Token, error) {
	return s.scanCurrent(s.lookup.QueryRowContext(ctx, h[:], s.now().Unix()))
}

// scanCurrent is scanToken without the scopes that count for nothing since the site
// changed its registration: those that are gone, and, where a person gave them, those
// that have become internal.
func (s *Store) scanCurrent(row *sql.Row) (Token, error) {
	t, err := scanToken(row)
	current := s.cfg.Offered
	if t.Principal == "" {
		current = s.cfg.Registered
	}
	t.Scopes = slices.DeleteFunc(t.Scopes, func(name string) bool { return !slices.Contains(current, name) })
	return t, err
}

func insertToken(ctx context.Context, tx *sql.Tx, t Token, h credential.Hash) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO wlsoauth_tokens
		(hash, id, kind, grant_id, client_id, principal, name, scopes, created_at, expires_at, last_used_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0)`,
		h[:], t.ID, string(t.Kind), t.GrantID, t.ClientID, t.Principal, t.Name, scopelist.Join(t.Scopes),
		t.Created.Unix(), toUnix(t.Expires))
	return err
}

// touchAfter is how old the note of a token's last use may be.
const touchAfter = time.Minute

// Touch notes that a token is used, at most once in touchAfter.
func (s *Store) Touch(ctx context.Context, t Token, h credential.Hash) error {
	now := s.now()
	if now.Sub(t.LastUsed) < touchAfter {
		return nil
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE wlsoauth_tokens SET last_used_at = $2 WHERE hash = $1 AND last_used_at <= $3`,
			h[:], now.Unix(), now.Add(-touchAfter).Unix())
		return err
	})
}

// CreatePersonal stores a token that a person made. It is ErrLimit if the person has as
// many as Config.MaxPersonal.
func (s *Store) CreatePersonal(ctx context.Context, t Token, h credential.Hash) (Token, error) {
	t.ID, t.Kind, t.Created = newID(), KindPersonal, s.now()
	t.Expires = t.Expires.Truncate(time.Second)
	t.GrantID, t.ClientID = "", ""
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.lockPerson(ctx, tx, t.Principal); err != nil {
			return err
		}
		if err := insertToken(ctx, tx, t, h); err != nil {
			return err
		}
		return underLimit(ctx, tx, s.cfg.MaxPersonal, `SELECT COUNT(*) FROM wlsoauth_tokens
			WHERE principal = $1 AND kind = 'personal' AND (expires_at = 0 OR expires_at > $2)`, t.Principal, s.now().Unix())
	})
	if err != nil {
		return Token{}, err
	}
	s.tidy(ctx)
	return t, nil
}

// PersonalTokens lists a person's tokens that have not expired, the newest first.
func (s *Store) PersonalTokens(ctx context.Context, principal string) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, kind, grant_id, client_id, principal, name, scopes,
			created_at, expires_at, last_used_at, used_at, ''
		FROM wlsoauth_tokens WHERE principal = $1 AND kind = 'personal' AND (expires_at = 0 OR expires_at > $2)
		ORDER BY created_at DESC, id`, principal, s.now().Unix())
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (Token, error) { return scanToken(rows) })
}

// RevokePersonal deletes a person's token.
func (s *Store) RevokePersonal(ctx context.Context, principal, id string) error {
	if !validID(id) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		return changedOne(ctx, tx, `DELETE FROM wlsoauth_tokens WHERE principal = $1 AND kind = 'personal' AND id = $2`, principal, id)
	})
}

// GrantClient gives a confidential client a token for itself. It is ErrNotFound if
// it is a public one, and ErrStale if by is not what the application is.
func (s *Store) GrantClient(ctx context.Context, by Client, scopes []string, access credential.Hash) (Issued, error) {
	if !by.Confidential {
		return Issued{}, ErrNotFound
	}
	now := s.now()
	t := Token{ID: newID(), Kind: KindAccess, ClientID: by.ID, Scopes: scopes, Created: now, Expires: now.Add(s.cfg.AccessLife)}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := holdCaller(ctx, tx, by); err != nil {
			return err
		}
		return insertToken(ctx, tx, t, access)
	})
	return s.done(ctx, Issued{AccessID: t.ID, Scopes: scopes, AccessExpires: t.Expires, Life: s.cfg.AccessLife}, err)
}

// RevokeToken deletes an application's own token (RFC 7009): an access token alone, a
// refresh token, current or rotated, with its whole grant. It gives the token that it
// was.
func (s *Store) RevokeToken(ctx context.Context, h credential.Hash, clientID string) (Token, error) {
	t, err := s.Token(ctx, h)
	if err != nil {
		return Token{}, err
	}
	if t.ClientID != clientID || clientID == "" {
		return Token{}, ErrNotFound
	}
	return t, s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := holdClient(ctx, tx, clientID); err != nil {
			return err
		}
		if t.Kind == KindRefresh {
			return deleteGrant(ctx, tx, t.GrantID)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM wlsoauth_tokens WHERE hash = $1 AND client_id = $2`, h[:], clientID)
		if err != nil {
			return err
		}
		return deleteEmptyGrant(ctx, tx, t.GrantID)
	})
}
