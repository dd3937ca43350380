package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Kind says what a token is.
type Kind string

const (
	KindPersonal Kind = "personal"
	KindAccess   Kind = "access"
	KindRefresh  Kind = "refresh"
)

// Token is a personal token, an access token or a refresh token.
type Token struct {
	ID        string // names it to people and in logs; no credential
	Kind      Kind
	GrantID   string // of what a person authorised; empty for personal and client-only tokens
	ClientID  string // empty for personal tokens
	Principal string // empty for client-only tokens
	Name      string // of personal tokens, as the person chose it
	Scopes    []string
	Created   time.Time
	Expires   time.Time // zero: never
	LastUsed  time.Time // give or take a minute; zero: never
	Spent     bool      // a refresh token that is not the current one of its line

	lastSpent time.Time // when the one before the current one was used, if it is that one
}

// tokenQuery finds a token, or the line of a refresh token, that has not expired, unless it
// has lost the grant or the application without which it is good for nothing. With joins,
// which do not stop at what a personal token has none of, SQLite takes eight times as long.
const tokenQuery = `SELECT ` + tokenColumns + `, current_hash, previous_hash, used_at
	FROM wlsoauth_tokens t
	WHERE hash = $1 AND (expires_at = 0 OR expires_at > $2)
		AND (grant_id = '' OR EXISTS (SELECT 1 FROM wlsoauth_grants g WHERE g.id = t.grant_id))
		AND (client_id = '' OR EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = t.client_id))`

const tokenColumns = `id, kind, grant_id, client_id, principal, name, scopes, created_at, expires_at, last_used_at`

// columns returns where tokenColumns go.
func (t *Token) columns() []any {
	return []any{&t.ID, &t.Kind, &t.GrantID, &t.ClientID, &t.Principal, &t.Name, (*words)(&t.Scopes),
		(*seconds)(&t.Created), (*seconds)(&t.Expires), (*seconds)(&t.LastUsed)}
}

func scanToken(row scanner) (t Token, err error) {
	err = row.Scan(t.columns()...)
	return t, err
}

// Token returns a token of any kind. It returns ErrNotFound if the token is unknown, expired
// or revoked, or its application is gone. A refresh token that was rotated is found as long
// as its line is there: see Token.Spent.
func (s *Store) Token(ctx context.Context, h credential.Hash) (Token, error) {
	return s.scanCurrent(s.token.row(s.reading(ctx), key(h), s.now().Unix()), h)
}

// key returns the hash under which a token is stored.
func key(h credential.Hash) []byte {
	if h.HasLine() {
		return h.Line[:]
	}
	return h.Text[:]
}

// scanCurrent reads a row of tokenQuery. The token has current scopes only; a refresh token
// is compared with those of its line.
func (s *Store) scanCurrent(row *sql.Row, h credential.Hash) (Token, error) {
	var (
		t                 Token
		current, previous []byte
		used              time.Time
	)
	if err := row.Scan(append(t.columns(), &current, &previous, (*seconds)(&used))...); err != nil {
		return Token{}, notFound(err)
	}
	t.Scopes = s.current(t.Scopes, t.Principal)
	t.Spent = t.Kind == KindRefresh && !h.Is(current)
	if t.Spent && h.Is(previous) {
		t.lastSpent = used
	}
	return t, nil
}

// current drops the scopes that nobody could get today for a token of such a principal:
// a scope that was made internal, say, leaves the tokens of people.
func (s *Store) current(scopes []string, principal string) []string {
	current := s.cfg.ForPeople
	if principal == "" {
		current = s.cfg.ForClients
	}
	return slices.DeleteFunc(scopes, func(name string) bool { return !slices.Contains(current, name) })
}

func insertToken(ctx context.Context, tx *sql.Tx, t Token, h credential.Hash) error {
	var current []byte
	if t.Kind == KindRefresh {
		current = h.Text[:]
	}
	return exec(ctx, tx, `INSERT INTO wlsoauth_tokens (hash, `+tokenColumns+`, current_hash, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, 0)`,
		key(h), t.ID, string(t.Kind), t.GrantID, t.ClientID, t.Principal, t.Name, scopelist.Join(t.Scopes),
		t.Created.Unix(), toUnix(t.Expires), current)
}

// CreatePersonal stores a token that a person made, and returns it with its text. It
// returns ErrLimit if the person has as many as Config.MaxPersonal.
func (s *Store) CreatePersonal(ctx context.Context, t Token) (made Token, text string, err error) {
	text, h := credential.Mint(credential.Personal)
	t.ID, t.Kind, t.Created = newID(), KindPersonal, s.now()
	t.Expires = t.Expires.Truncate(time.Second)
	t.GrantID, t.ClientID = "", ""
	err = s.addFor(ctx, t.Principal, func(tx *sql.Tx) error { return insertToken(ctx, tx, t, h) },
		s.cfg.MaxPersonal, countPersonal, t.Principal, s.now().Unix())
	if err != nil {
		return Token{}, "", err
	}
	s.tidy(ctx)
	return t, text, nil
}

// PersonalTokens returns a page of a person's tokens that have not expired, the newest
// first.
func (s *Store) PersonalTokens(ctx context.Context, principal string, from Place) ([]Token, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+tokenColumns+` FROM wlsoauth_tokens`+personalOf+`
		AND ($3 = '' OR (created_at, id) < ($4, $3)) ORDER BY created_at DESC, id DESC LIMIT $5`,
		principal, s.now().Unix(), from.id, from.seconds(), PageSize+1)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanToken)
}

// personalOf is the condition about the tokens of the person $1 that have not expired at $2.
const personalOf = ` WHERE principal = $1 AND kind = 'personal' AND (expires_at = 0 OR expires_at > $2)`

const countPersonal = `SELECT COUNT(*) FROM wlsoauth_tokens` + personalOf

// CountPersonal returns how many tokens PersonalTokens has on all pages.
func (s *Store) CountPersonal(ctx context.Context, principal string) (n int, err error) {
	err = s.db.QueryRowContext(ctx, countPersonal, principal, s.now().Unix()).Scan(&n)
	return n, err
}

// RevokePersonal deletes a person's token.
func (s *Store) RevokePersonal(ctx context.Context, principal, id string) error {
	if !validID(id) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		return changeOne(ctx, tx, `DELETE FROM wlsoauth_tokens WHERE principal = $1 AND kind = 'personal' AND id = $2`, principal, id)
	})
}

// RevokeToken deletes an application's own token (RFC 7009), and returns what it was: an
// access token alone, a refresh token, current or rotated, with its whole grant. It
// returns ErrForeign about a token that is not the application's.
func (s *Store) RevokeToken(ctx context.Context, h credential.Hash, clientID string) (Token, error) {
	t, err := s.Token(ctx, h)
	switch {
	case err != nil:
		return Token{}, err
	case t.ClientID != clientID || clientID == "":
		return Token{}, ErrForeign
	}
	return t, s.txAbout(ctx, shared, clientID, func(tx *sql.Tx) error {
		if _, err := s.lockGrant(ctx, tx, h, s.now()); err != nil && !errors.Is(err, ErrNotFound) {
			return err // a token that has no grant is revoked all the same
		}
		if t.Kind == KindRefresh {
			return deleteGrant(ctx, tx, t.GrantID)
		}
		err := exec(ctx, tx, `DELETE FROM wlsoauth_tokens WHERE hash = $1 AND client_id = $2`, key(h), clientID)
		if err != nil {
			return err
		}
		return exec(ctx, tx, `DELETE FROM wlsoauth_grants WHERE id = $1 AND `+withoutTokens, t.GrantID)
	})
}
