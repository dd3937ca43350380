package store

import (
	"context"
	"database/sql"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/redirecturi"
)

// originQuery finds out whether a public application has pages of an origin. Any page
// can have it asked, so that it must cost as little as one row.
const originQuery = `SELECT EXISTS (SELECT 1 FROM wlsoauth_origins o
	WHERE o.origin = $1 AND EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = o.client_id))`

// HasOrigin reports whether some public application has a redirect URI on the origin of a
// page.
func (s *Store) HasOrigin(ctx context.Context, origin string) (found bool, err error) {
	name := redirecturi.Origin(origin)
	if name == "" {
		return false, nil
	}
	err = s.origin.row(s.reading(ctx), name).Scan(&found)
	return found, err
}

// setOrigins notes the origins of an application's redirect URIs, in place of those that it
// had, if it is a public one.
func setOrigins(ctx context.Context, tx *sql.Tx, id string, uris []string) error {
	if err := exec(ctx, tx, `DELETE FROM wlsoauth_origins WHERE client_id = $1`, id); err != nil {
		return err
	}
	for _, origin := range redirecturi.Origins(uris) {
		err := exec(ctx, tx, `INSERT INTO wlsoauth_origins (origin, client_id)
			SELECT CAST($1 AS TEXT), id FROM wlsoauth_clients WHERE id = $2 AND secret_hash IS NULL`, origin, id)
		if err != nil {
			return err
		}
	}
	return nil
}
