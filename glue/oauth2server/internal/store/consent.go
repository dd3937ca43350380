package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
)

// Authorisation is what a person allows an application, as their pages list it.
type Authorisation struct {
	ClientID, ClientName, ClientWebsite string
	Scopes                              []string
	Since, Updated                      time.Time
}

// Consented returns the scopes that a person allowed an application; nil for none.
func (s *Store) Consented(ctx context.Context, principal, clientID string) ([]string, error) {
	return consentIn(ctx, s.db, principal, clientID)
}

// queryer is a transaction, or a database without one.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func consentIn(ctx context.Context, q queryer, principal, clientID string) (scopes []string, err error) {
	err = q.QueryRowContext(ctx, `SELECT scopes FROM wlsoauth_consents WHERE principal = $1 AND client_id = $2`, principal, clientID).
		Scan((*words)(&scopes))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return scopes, err
}

// addConsent records that a person allows an application these scopes, beside those
// allowed before.
func (s *Store) addConsent(ctx context.Context, tx *sql.Tx, principal, clientID string, scopes []string) error {
	err := exec(ctx, tx, `INSERT INTO wlsoauth_consents (principal, client_id, scopes, created_at, updated_at)
		VALUES ($1, $2, '', $3, $3)
		ON CONFLICT (principal, client_id) DO UPDATE SET updated_at = excluded.updated_at`,
		principal, clientID, s.now().Unix())
	if err != nil {
		return err
	}
	before, err := consentIn(ctx, tx, principal, clientID)
	if err != nil {
		return err
	}
	return changeOne(ctx, tx, `UPDATE wlsoauth_consents SET scopes = $3 WHERE principal = $1 AND client_id = $2`,
		principal, clientID, scopelist.Join(slices.Concat(before, scopes)))
}

// Authorisations returns a page of what a person allows to whom, by the applications' names.
func (s *Store) Authorisations(ctx context.Context, principal string, from Place) ([]Authorisation, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT c.id, c.name, c.website, a.scopes, a.created_at, a.updated_at
		FROM wlsoauth_consents a JOIN wlsoauth_clients c ON c.id = a.client_id
		WHERE a.principal = $1 AND ($2 = '' OR (c.name, c.id) > ($3, $2)) ORDER BY c.name, c.id LIMIT $4`,
		principal, from.id, from.key, PageSize+1)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(row scanner) (a Authorisation, err error) {
		err = row.Scan(&a.ClientID, &a.ClientName, &a.ClientWebsite, (*words)(&a.Scopes), (*seconds)(&a.Since), (*seconds)(&a.Updated))
		return a, err
	})
}

// RevokeAuthorisation takes back what a person allows an application, with all that it
// got by that. It returns ErrNotFound if there is nothing of that, and then holds nothing:
// anybody may ask for it about any application.
func (s *Store) RevokeAuthorisation(ctx context.Context, principal, clientID string) error {
	if found, err := s.hasOf(ctx, principal, clientID); err != nil || !found {
		return cmp.Or(err, ErrNotFound)
	}
	return s.txAbout(ctx, exclusive, clientID, func(tx *sql.Tx) error {
		var found int64
		for _, table := range []string{"consents", "codes"} {
			n, err := changed(ctx, tx, `DELETE FROM wlsoauth_`+table+ofPerson, clientID, principal)
			if err != nil {
				return err
			}
			found += n
		}
		rows, err := tx.QueryContext(ctx, `DELETE FROM wlsoauth_grants`+ofPerson+` RETURNING id`, clientID, principal)
		if err != nil {
			return err
		}
		grants, err := collect(rows, scanText)
		if err != nil {
			return err
		}
		for _, id := range grants { // an application has many more tokens than a person gave it
			if err := deleteGrant(ctx, tx, id); err != nil {
				return err
			}
		}
		if found == 0 && len(grants) == 0 {
			return ErrNotFound
		}
		return nil
	})
}

// ofPerson is the condition about what the application $1 has of the person $2.
const ofPerson = ` WHERE client_id = $1 AND client_id <> '' AND principal = $2`

// hasOf reports whether an application has anything of a person.
func (s *Store) hasOf(ctx context.Context, principal, clientID string) (found bool, err error) {
	if !validID(clientID) {
		return false, nil
	}
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM wlsoauth_consents`+ofPerson+`)
		OR EXISTS (SELECT 1 FROM wlsoauth_codes`+ofPerson+`) OR EXISTS (SELECT 1 FROM wlsoauth_grants`+ofPerson+`)`,
		clientID, principal).Scan(&found)
	return found, err
}
