package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// Issued is what an application was given.
type Issued struct {
	Access, Refresh string // texts of tokens; there may be no refresh token
	AccessID        string
	Principal       string
	Scopes          []string      // of the access token
	Life            time.Duration // of the access token, for expires_in
}

// issue runs a transaction that issues tokens to an application.
func (s *Store) issue(ctx context.Context, clientID string, give func(tx *sql.Tx) (Issued, error)) (given Issued, err error) {
	err = s.txAbout(ctx, shared, clientID, func(tx *sql.Tx) error {
		given, err = give(tx)
		return err
	})
	if err != nil {
		return Issued{}, err
	}
	s.tidy(ctx)
	return given, nil
}

// onceTime bounds a transaction that outlives its request.
const onceTime = 10 * time.Second

// issueOnce is issue for what an application can use once. Where it is used again, give
// revokes what it gave, and ErrUsed says so. It returns ErrStale if by is not what the
// application is.
//
// It counts whether or not the client waits for the answer: a thief who hangs up in time
// must not keep a replay from being noticed.
func (s *Store) issueOnce(ctx context.Context, by Client, give func(ctx context.Context, tx *sql.Tx) (given Issued, again bool, err error)) (Issued, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), onceTime)
	defer cancel()
	var again bool
	given, err := s.issue(ctx, by.ID, func(tx *sql.Tx) (given Issued, err error) {
		if err := checkCaller(ctx, tx, by); err != nil {
			return Issued{}, err
		}
		given, again, err = give(ctx, tx)
		return given, err
	})
	if err == nil && again {
		return Issued{}, ErrUsed
	}
	return given, err
}

// GrantPassword issues tokens to an application that knows a person's password, and
// remembers that as a consent, so that the person can see it and take it back. It returns
// ErrStale if by is not what the application is.
func (s *Store) GrantPassword(ctx context.Context, by Client, principal string, scopes []string) (Issued, error) {
	return s.issue(ctx, by.ID, func(tx *sql.Tx) (Issued, error) {
		if err := checkCaller(ctx, tx, by); err != nil {
			return Issued{}, err
		}
		if err := s.addConsent(ctx, tx, principal, by.ID, scopes); err != nil {
			return Issued{}, err
		}
		return s.beginGrant(ctx, tx, Code{grantID: newID(), ClientID: by.ID, Principal: principal, Scopes: scopes}, true)
	})
}

// GrantClient issues a confidential client a token for itself. It returns ErrNotFound if
// it is a public one, and ErrStale if by is not what the application is.
func (s *Store) GrantClient(ctx context.Context, by Client, scopes []string) (Issued, error) {
	if !by.Confidential {
		return Issued{}, ErrNotFound
	}
	return s.issue(ctx, by.ID, func(tx *sql.Tx) (Issued, error) {
		if err := checkCaller(ctx, tx, by); err != nil {
			return Issued{}, err
		}
		return s.giveAccess(ctx, tx, Token{ClientID: by.ID, Scopes: scopes}, s.now().Add(s.cfg.AccessLife))
	})
}

// beginGrant makes the grant of a code, and its first tokens. The application is held.
func (s *Store) beginGrant(ctx context.Context, tx *sql.Tx, c Code, refresh bool) (Issued, error) {
	now := s.now()
	end := now.Add(s.cfg.GrantLife)
	err := exec(ctx, tx, `INSERT INTO wlsoauth_grants (id, client_id, principal, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5)`, c.grantID, c.ClientID, c.Principal, now.Unix(), end.Unix())
	if err != nil {
		return Issued{}, err
	}
	family := Token{GrantID: c.grantID, ClientID: c.ClientID, Principal: c.Principal, Scopes: c.Scopes}
	if !refresh {
		return s.giveAccess(ctx, tx, family, end)
	}
	return s.givePair(ctx, tx, family, end, c.Scopes)
}

// giveAccess adds an access token to a family. No token outlives its grant, which ends
// at end.
func (s *Store) giveAccess(ctx context.Context, tx *sql.Tx, t Token, end time.Time) (Issued, error) {
	text, h := credential.Mint(credential.Access)
	t.ID, t.Kind, t.Created = newID(), KindAccess, s.now()
	t.Expires = earlier(t.Created.Add(s.cfg.AccessLife), end)
	given := Issued{Access: text, AccessID: t.ID, Principal: t.Principal, Scopes: t.Scopes, Life: t.Expires.Sub(t.Created)}
	return given, insertToken(ctx, tx, t, h)
}

// givePair adds an access token with the given scopes to a family, and a refresh token
// with those of the family.
func (s *Store) givePair(ctx context.Context, tx *sql.Tx, family Token, end time.Time, scopes []string) (Issued, error) {
	given, err := s.giveAccess(ctx, tx, family.with(scopes), end)
	if err != nil {
		return given, err
	}
	given.Refresh, err = s.beginLine(ctx, tx, family, end)
	return given, err
}

// with returns a token with other scopes.
func (t Token) with(scopes []string) Token {
	t.Scopes = scopes
	return t
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// lockGrant keeps the live grant of a token from others until the transaction ends, and
// returns when it ends itself. It returns ErrNotFound if there is none. It locks no
// token: see Store.
func (s *Store) lockGrant(ctx context.Context, tx *sql.Tx, h credential.Hash, now time.Time) (end time.Time, err error) {
	err = tx.QueryRowContext(ctx, `SELECT expires_at FROM wlsoauth_grants
		WHERE id = (SELECT grant_id FROM wlsoauth_tokens WHERE hash = $1) AND expires_at > $2`+s.forUpdate(), key(h), now.Unix()).
		Scan((*seconds)(&end))
	return end, notFound(err)
}

// deleteGrant revokes a grant with all its tokens.
func deleteGrant(ctx context.Context, tx *sql.Tx, id string) error {
	if err := exec(ctx, tx, `DELETE FROM wlsoauth_grants WHERE id = $1`, id); err != nil {
		return err
	}
	return exec(ctx, tx, `DELETE FROM wlsoauth_tokens WHERE grant_id = $1 AND grant_id <> ''`, id)
}

// withoutTokens is the condition that the grant $1 has no token left.
const withoutTokens = `NOT EXISTS (SELECT 1 FROM wlsoauth_tokens WHERE grant_id = $1 AND grant_id <> '')`
