package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Code is an authorization code. It holds the PKCE challenge (S256), which nothing else
// decides about.
type Code struct {
	ClientID, Principal string
	RedirectURI         string // as the client sent it to the authorization endpoint
	Scopes              []string
	Challenge           string
	Created, Expires    time.Time

	grantID string    // of the grant that it gives
	Used    time.Time // zero: not yet
}

// Approve stores a code that a person has just allowed, and remembers the consent. It
// is ErrNotFound if the application is gone, and ErrStale if the redirect URI is.
func (s *Store) Approve(ctx context.Context, c Code, h credential.Hash) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.allow(ctx, tx, c); err != nil {
			return err
		}
		return s.insertCode(ctx, tx, c, h)
	})
}

// ContinueConsent stores a code on the strength of what the person allowed before. It
// is ErrNoConsent unless that is still allowed, and otherwise as [Store.Approve].
func (s *Store) ContinueConsent(ctx context.Context, c Code, h credential.Hash) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := checkAllowed(ctx, tx, c); err != nil {
			return err
		}
		return s.insertCode(ctx, tx, c, h)
	})
}

// allow holds the application and records the consent.
func (s *Store) allow(ctx context.Context, tx *sql.Tx, c Code) error {
	if err := holdRedirect(ctx, tx, c); err != nil {
		return err
	}
	return s.addConsent(ctx, tx, c.Principal, c.ClientID, c.Scopes)
}

// checkAllowed holds the application and is ErrNoConsent unless the person allowed it
// the scopes before. Nobody can take the consent back while the application is held.
func checkAllowed(ctx context.Context, tx *sql.Tx, c Code) error {
	if err := holdRedirect(ctx, tx, c); err != nil {
		return err
	}
	allowed, err := consentIn(ctx, tx, c.Principal, c.ClientID)
	if err == nil && !scopelist.Covers(allowed, c.Scopes) {
		return ErrNoConsent
	}
	return err
}

// holdRedirect is holdClient for what goes to a redirect URI, which the owner may have
// removed since the request was checked.
func holdRedirect(ctx context.Context, tx *sql.Tx, c Code) error {
	held, err := holdClient(ctx, tx, c.ClientID)
	if err == nil && !redirecturi.Matches(held.RedirectURIs, c.RedirectURI) {
		return ErrStale
	}
	return err
}

func (s *Store) insertCode(ctx context.Context, tx *sql.Tx, c Code, h credential.Hash) error {
	now := s.now()
	_, err := tx.ExecContext(ctx, `INSERT INTO wlsoauth_codes
		(hash, grant_id, client_id, principal, redirect_uri, scopes, challenge, created_at, expires_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
		h[:], newID(), c.ClientID, c.Principal, c.RedirectURI, scopelist.Join(c.Scopes), c.Challenge,
		now.Unix(), now.Add(s.cfg.CodeLife).Unix())
	return err
}

// Code gives a code, even a used or expired one, so that the client, the redirect URI
// and the verifier can be checked. It changes nothing: whoever fails that check
// consumes nothing.
func (s *Store) Code(ctx context.Context, h credential.Hash) (Code, error) {
	return codeIn(ctx, s.db, h)
}

func codeIn(ctx context.Context, q queryer, h credential.Hash) (Code, error) {
	var (
		c                      Code
		scopes                 string
		created, expires, used int64
	)
	err := q.QueryRowContext(ctx, `SELECT grant_id, client_id, principal, redirect_uri, scopes, challenge, created_at, expires_at, used_at
		FROM wlsoauth_codes WHERE hash = $1`, h[:]).
		Scan(&c.grantID, &c.ClientID, &c.Principal, &c.RedirectURI, &scopes, &c.Challenge, &created, &expires, &used)
	c.Scopes = strings.Fields(scopes)
	c.Created, c.Expires, c.Used = fromUnix(created), fromUnix(expires), fromUnix(used)
	return c, notFound(err)
}

// Redeem gives tokens for a code, once; refresh is zero for no refresh token. Only the
// client that the code was made for may get here, with the right redirect URI and
// verifier: a code that comes again is then ErrUsed, and what it gave is revoked. It is
// ErrNotFound if the code has expired, and if its person took everything back, and
// ErrStale if by is not what the application is.
func (s *Store) Redeem(ctx context.Context, h credential.Hash, by Client, access, refresh credential.Hash) (Issued, error) {
	var (
		given    Issued
		replayed bool
	)
	err := s.verdictTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := holdCaller(ctx, tx, by); err != nil {
			return err
		}
		now := s.now()
		n, err := changed(ctx, tx, `UPDATE wlsoauth_codes SET used_at = $3
			WHERE hash = $1 AND client_id = $2 AND used_at = 0 AND expires_at > $3`, h[:], by.ID, now.Unix())
		if err != nil {
			return err
		}
		c, err := codeIn(ctx, tx, h)
		switch {
		case err != nil:
			return err
		case c.ClientID != by.ID:
			return ErrNotFound
		case n == 1:
			given, err = s.beginGrant(ctx, tx, c, access, refresh)
			return err
		case c.Used.IsZero():
			return ErrNotFound // expired
		}
		replayed = true
		return deleteGrant(ctx, tx, c.grantID)
	})
	if err == nil && replayed {
		return Issued{}, ErrUsed
	}
	return s.done(ctx, given, err)
}

// done ends a method that gives tokens.
func (s *Store) done(ctx context.Context, given Issued, err error) (Issued, error) {
	if err != nil {
		return Issued{}, err
	}
	s.tidy(ctx)
	return given, nil
}
