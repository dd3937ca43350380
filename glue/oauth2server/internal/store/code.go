package store

import (
	"context"
	"database/sql"
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
	Used                time.Time // zero: not yet

	grantID string // of the grant that it gives
}

// Authorise stores a code, and returns its text. Where the person has just been asked,
// the consent is remembered; otherwise it returns ErrNoConsent unless the person allowed
// the scopes before. It returns ErrNotFound if the application is gone, and ErrStale if
// the redirect URI is.
func (s *Store) Authorise(ctx context.Context, c Code, asked bool) (code string, err error) {
	code, h := credential.Mint(credential.Code)
	err = s.txAbout(ctx, shared, c.ClientID, func(tx *sql.Tx) error {
		if err := s.settle(ctx, tx, c, asked); err != nil {
			return err
		}
		now := s.now()
		return exec(ctx, tx, `INSERT INTO wlsoauth_codes
			(hash, grant_id, client_id, principal, redirect_uri, scopes, challenge, created_at, expires_at, used_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
			h.Text[:], newID(), c.ClientID, c.Principal, c.RedirectURI, scopelist.Join(c.Scopes), c.Challenge,
			now.Unix(), now.Add(s.cfg.CodeLife).Unix())
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// AuthoriseDirect is Authorise for an access token without a code (the implicit grant).
// It takes no more of the code than whose it is, its scopes and its redirect URI.
func (s *Store) AuthoriseDirect(ctx context.Context, c Code, asked bool) (Issued, error) {
	c.grantID = newID()
	return s.issue(ctx, c.ClientID, func(tx *sql.Tx) (Issued, error) {
		if err := s.settle(ctx, tx, c, asked); err != nil {
			return Issued{}, err
		}
		return s.beginGrant(ctx, tx, c, false)
	})
}

// settle records the consent of somebody who was asked, or finds the one of earlier, which
// nobody can take back while the application is held.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, c Code, asked bool) error {
	client, err := scanClient(tx.QueryRowContext(ctx, clientQuery, c.ClientID))
	switch {
	case err != nil:
		return err
	case !redirecturi.Matches(client.RedirectURIs, c.RedirectURI):
		return ErrStale // the owner has removed it since the request was checked
	case asked:
		return s.addConsent(ctx, tx, c.Principal, c.ClientID, c.Scopes)
	}
	allowed, err := consentIn(ctx, tx, c.Principal, c.ClientID)
	if err == nil && (allowed == nil || !scopelist.Covers(allowed, c.Scopes)) {
		return ErrNoConsent
	}
	return err
}

// Code returns a code, even a used or expired one, so that the client, the redirect URI
// and the verifier can be checked. It changes nothing: a check that fails consumes
// nothing.
func (s *Store) Code(ctx context.Context, h credential.Hash) (Code, error) {
	return codeIn(s.reading(ctx), s.db, h)
}

func codeIn(ctx context.Context, q queryer, h credential.Hash) (c Code, err error) {
	err = q.QueryRowContext(ctx, `SELECT grant_id, client_id, principal, redirect_uri, scopes, challenge, created_at, expires_at, used_at
		FROM wlsoauth_codes WHERE hash = $1`, h.Text[:]).
		Scan(&c.grantID, &c.ClientID, &c.Principal, &c.RedirectURI, (*words)(&c.Scopes), &c.Challenge,
			(*seconds)(&c.Created), (*seconds)(&c.Expires), (*seconds)(&c.Used))
	return c, notFound(err)
}

// Redeem exchanges a code for tokens, once. Only the client that the code was made for may
// get here, with the right redirect URI and verifier: a code that comes again is then
// ErrUsed, and what it gave is revoked. It returns ErrNotFound if the code has expired,
// and if its person took everything back, and ErrStale if by is not what the application
// is.
func (s *Store) Redeem(ctx context.Context, h credential.Hash, by Client) (Issued, error) {
	return s.issueOnce(ctx, by, func(ctx context.Context, tx *sql.Tx) (given Issued, replayed bool, err error) {
		now := s.now()
		n, err := changed(ctx, tx, `UPDATE wlsoauth_codes SET used_at = $3
			WHERE hash = $1 AND client_id = $2 AND used_at = 0 AND expires_at > $3`, h.Text[:], by.ID, now.Unix())
		if err != nil {
			return given, false, err
		}
		c, err := codeIn(ctx, tx, h)
		switch {
		case err != nil:
			return given, false, err
		case c.ClientID != by.ID, n == 0 && c.Used.IsZero(): // another's, or expired
			return given, false, ErrNotFound
		case n == 0:
			return given, true, deleteGrant(ctx, tx, c.grantID)
		}
		given, err = s.beginGrant(ctx, tx, c, true)
		return given, false, err
	})
}
