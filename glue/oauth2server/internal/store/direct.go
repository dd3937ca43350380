package store

import (
	"context"
	"database/sql"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// ApproveDirect gives an access token without a code (the implicit grant) for what a
// person has just allowed, and remembers the consent. Its errors are those of [Store.Approve].
// It takes no more of the code than whose it is, its scopes and its redirect URI.
func (s *Store) ApproveDirect(ctx context.Context, c Code, access credential.Hash) (Issued, error) {
	return s.direct(ctx, c, access, credential.Hash{}, func(tx *sql.Tx) error { return s.allow(ctx, tx, c) })
}

// ContinueDirect is ApproveDirect on the strength of what the person allowed before. Its
// errors are those of [Store.ContinueConsent].
func (s *Store) ContinueDirect(ctx context.Context, c Code, access credential.Hash) (Issued, error) {
	return s.direct(ctx, c, access, credential.Hash{}, func(tx *sql.Tx) error { return checkAllowed(ctx, tx, c) })
}

// GrantDirect gives tokens to an application that knows a person's password, and
// remembers that as a consent, so that the person can see it and take it back. It is
// ErrStale if by is not what the application is.
func (s *Store) GrantDirect(ctx context.Context, by Client, principal string, scopes []string, access, refresh credential.Hash) (Issued, error) {
	c := Code{ClientID: by.ID, Principal: principal, Scopes: scopes}
	return s.direct(ctx, c, access, refresh, func(tx *sql.Tx) error {
		if err := holdCaller(ctx, tx, by); err != nil {
			return err
		}
		return s.addConsent(ctx, tx, principal, by.ID, scopes)
	})
}

// direct gives the tokens, if what must be held and checked before allows it.
func (s *Store) direct(ctx context.Context, c Code, access, refresh credential.Hash, before func(*sql.Tx) error) (Issued, error) {
	c.grantID = newID()
	var given Issued
	err := s.tx(ctx, func(tx *sql.Tx) error {
		err := before(tx)
		if err != nil {
			return err
		}
		given, err = s.beginGrant(ctx, tx, c, access, refresh)
		return err
	})
	return s.done(ctx, given, err)
}
