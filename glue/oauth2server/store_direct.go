package oauth2server

import (
	"context"
	"database/sql"
)

// approveDirect gives an access token without a code (the implicit grant) for what a
// person has just allowed, and remembers the consent. Its errors are those of approve.
// It takes no more of the code than whose it is, its scopes and its redirect URI.
func (s *store) approveDirect(ctx context.Context, c code, access hash) (issued, error) {
	return s.direct(ctx, c, access, hash{}, func(tx *sql.Tx) error { return s.allow(ctx, tx, c) })
}

// continueDirect is approveDirect on the strength of what the person allowed before. Its
// errors are those of continueConsent.
func (s *store) continueDirect(ctx context.Context, c code, access hash) (issued, error) {
	return s.direct(ctx, c, access, hash{}, func(tx *sql.Tx) error { return checkAllowed(ctx, tx, c) })
}

// grantDirect gives tokens to an application that knows a person's password, and
// remembers that as a consent, so that the person can see it and take it back. It is
// errStale if by is not what the application is.
func (s *store) grantDirect(ctx context.Context, by client, principal string, scopes []string, access, refresh hash) (issued, error) {
	c := code{ClientID: by.ID, Principal: principal, Scopes: scopes}
	return s.direct(ctx, c, access, refresh, func(tx *sql.Tx) error {
		if err := holdCaller(ctx, tx, by); err != nil {
			return err
		}
		return s.addConsent(ctx, tx, principal, by.ID, scopes)
	})
}

// direct gives the tokens, if what must be held and checked before allows it.
func (s *store) direct(ctx context.Context, c code, access, refresh hash, before func(*sql.Tx) error) (issued, error) {
	c.grantID = newID()
	var given issued
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
