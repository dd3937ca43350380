package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
)

// Client is an application that somebody registered.
type Client struct {
	ID, Owner                  string
	Name, Description, Website string
	Confidential               bool // it can keep a secret
	RedirectURIs               []string
	Created, Updated           time.Time

	secret credential.Hash // zero for public clients
}

// CheckSecret reports whether a text is the client's secret, in constant time but for
// what the text's form says. Public clients have none.
func (c Client) CheckSecret(text string) bool {
	h, ok := credential.ParseAs(credential.Secret, text)
	return ok && c.Confidential && !c.secret.IsZero() && h.Equal(c.secret)
}

const clientColumns = `id, owner, name, description, website, confidential, secret_hash, redirect_uris, created_at, updated_at`

func scanClient(row interface{ Scan(...any) error }) (Client, error) {
	var (
		c                Client
		confidential     int
		secret           []byte
		uris             string
		created, updated int64
	)
	err := row.Scan(&c.ID, &c.Owner, &c.Name, &c.Description, &c.Website, &confidential, &secret, &uris, &created, &updated)
	if err != nil {
		return Client{}, notFound(err)
	}
	c.Confidential = confidential == 1
	copy(c.secret[:], secret)
	if uris != "" {
		c.RedirectURIs = strings.Split(uris, "\n")
	}
	c.Created, c.Updated = fromUnix(created), fromUnix(updated)
	return c, nil
}

// CreateClient registers an application of c.Owner; the secret is zero for a public
// one. It is ErrLimit if the owner has as many as Config.MaxClients.
func (s *Store) CreateClient(ctx context.Context, c Client, secret credential.Hash) (Client, error) {
	c.ID, c.Created, c.secret = newID(), s.now(), secret
	c.Updated = c.Created
	var stored []byte
	confidential := 0
	if c.Confidential {
		stored, confidential = secret[:], 1
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.lockPerson(ctx, tx, c.Owner); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO wlsoauth_clients (`+clientColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
			c.ID, c.Owner, c.Name, c.Description, c.Website, confidential, stored,
			strings.Join(c.RedirectURIs, "\n"), c.Created.Unix())
		if err != nil {
			return err
		}
		return underLimit(ctx, tx, s.cfg.MaxClients, `SELECT COUNT(*) FROM wlsoauth_clients WHERE owner = $1`, c.Owner)
	})
	if err != nil {
		return Client{}, err
	}
	return c, nil
}

// underLimit is ErrLimit if there are more than most, the one just inserted included.
func underLimit(ctx context.Context, tx *sql.Tx, most int, query string, args ...any) error {
	var n int
	if err := tx.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return err
	}
	if n > most {
		return ErrLimit
	}
	return nil
}

// Client gives an application, whoever registered it.
func (s *Store) Client(ctx context.Context, id string) (Client, error) {
	if !validID(id) {
		return Client{}, ErrNotFound
	}
	return scanClient(s.db.QueryRowContext(ctx, `SELECT `+clientColumns+` FROM wlsoauth_clients WHERE id = $1`, id))
}

// OwnClient gives an application that owner registered.
func (s *Store) OwnClient(ctx context.Context, owner, id string) (Client, error) {
	if !validID(id) {
		return Client{}, ErrNotFound
	}
	return scanClient(s.db.QueryRowContext(ctx, `SELECT `+clientColumns+` FROM wlsoauth_clients WHERE id = $1 AND owner = $2`, id, owner))
}

// holdClient gives an application, and keeps it as it is until the transaction ends: who
// would change, delete or hold it meanwhile waits.
func holdClient(ctx context.Context, tx *sql.Tx, id string) (Client, error) {
	return scanClient(tx.QueryRowContext(ctx, `UPDATE wlsoauth_clients SET updated_at = updated_at
		WHERE id = $1 RETURNING `+clientColumns, id))
}

// holdCaller is holdClient for what an application asks for itself. It is ErrStale unless
// the secret with which the application has authenticated is still the one it has.
func holdCaller(ctx context.Context, tx *sql.Tx, by Client) error {
	held, err := holdClient(ctx, tx, by.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrStale
	case err == nil && (held.Confidential != by.Confidential || !held.secret.Equal(by.secret)):
		return ErrStale
	}
	return err
}

// ClientsOf lists what owner registered, the oldest first.
func (s *Store) ClientsOf(ctx context.Context, owner string) ([]Client, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+clientColumns+` FROM wlsoauth_clients WHERE owner = $1 ORDER BY created_at, id`, owner)
	if err != nil {
		return nil, err
	}
	return collect(rows, func() (Client, error) { return scanClient(rows) })
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func() (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }() // Err has what matters
	var all []T
	for rows.Next() {
		one, err := scan()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// UpdateClient changes name, description, website and redirect URIs. Codes that are
// on their way are dropped, because they may be on it to an address that is gone.
func (s *Store) UpdateClient(ctx context.Context, owner string, c Client) error {
	if !validID(c.ID) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		err := changedOne(ctx, tx, `UPDATE wlsoauth_clients SET name = $3, description = $4, website = $5, redirect_uris = $6, updated_at = $7
			WHERE id = $1 AND owner = $2`,
			c.ID, owner, c.Name, c.Description, c.Website, strings.Join(c.RedirectURIs, "\n"), s.now().Unix())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM wlsoauth_codes WHERE client_id = $1 AND used_at = 0`, c.ID)
		return err
	})
}

// ResetSecret replaces the secret of a confidential client, and deletes the tokens that
// the old one alone was enough to get.
func (s *Store) ResetSecret(ctx context.Context, owner, id string, secret credential.Hash) error {
	if !validID(id) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		err := changedOne(ctx, tx, `UPDATE wlsoauth_clients SET secret_hash = $3, updated_at = $4
			WHERE id = $1 AND owner = $2 AND confidential = 1`, id, owner, secret[:], s.now().Unix())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM wlsoauth_tokens WHERE client_id = $1 AND client_id <> '' AND grant_id = ''`, id)
		return err
	})
}

// clientTables hold what belongs to an application, in the order in which it is locked.
var clientTables = []struct{ name, key string }{
	{"consents", "principal, client_id"}, {"codes", "hash"}, {"grants", "id"}, {"tokens", "hash"},
}

// DeleteClient deletes an application with all that it was given.
func (s *Store) DeleteClient(ctx context.Context, owner, id string) error {
	if !validID(id) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := changedOne(ctx, tx, `DELETE FROM wlsoauth_clients WHERE id = $1 AND owner = $2`, id, owner); err != nil {
			return err
		}
		for _, table := range clientTables {
			if _, err := tx.ExecContext(ctx, `DELETE FROM wlsoauth_`+table.name+` WHERE client_id = $1 AND client_id <> ''`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
