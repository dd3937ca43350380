package store

import (
	"cmp"
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

const clientColumns = `id, owner, name, description, website, secret_hash, redirect_uris, created_at, updated_at`

func scanClient(row scanner) (Client, error) {
	var (
		c      Client
		secret []byte // nil for public clients
	)
	err := row.Scan(&c.ID, &c.Owner, &c.Name, &c.Description, &c.Website, &secret, (*words)(&c.RedirectURIs),
		(*seconds)(&c.Created), (*seconds)(&c.Updated))
	if err != nil {
		return Client{}, notFound(err)
	}
	c.Confidential = secret != nil
	copy(c.secret.Text[:], secret)
	return c, nil
}

// CreateClient registers an application of c.Owner, and returns its secret if it is
// confidential. It returns ErrLimit if the owner has as many as Config.MaxClients.
func (s *Store) CreateClient(ctx context.Context, c Client) (made Client, secret string, err error) {
	var stored []byte
	if c.Confidential {
		secret, c.secret = credential.Mint(credential.Secret)
		stored = c.secret.Text[:]
	}
	c.ID, c.Created = newID(), s.now()
	c.Updated = c.Created
	err = s.addFor(ctx, c.Owner, func(tx *sql.Tx) error {
		err := exec(ctx, tx, `INSERT INTO wlsoauth_clients (`+clientColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
			c.ID, c.Owner, c.Name, c.Description, c.Website, stored, strings.Join(c.RedirectURIs, "\n"), c.Created.Unix())
		if err != nil {
			return err
		}
		return setOrigins(ctx, tx, c.ID, c.RedirectURIs)
	}, s.cfg.MaxClients, countClients, c.Owner)
	if err != nil {
		return Client{}, "", err
	}
	return c, secret, nil
}

// clientQuery finds an application.
const clientQuery = `SELECT ` + clientColumns + ` FROM wlsoauth_clients WHERE id = $1`

// Client returns an application.
func (s *Store) Client(ctx context.Context, id string) (Client, error) {
	if !validID(id) {
		return Client{}, ErrNotFound
	}
	return scanClient(s.client.row(s.reading(ctx), id))
}

// OwnClient returns an application that owner registered.
func (s *Store) OwnClient(ctx context.Context, owner, id string) (Client, error) {
	c, err := s.Client(ctx, id)
	if err != nil || c.Owner != owner {
		return Client{}, cmp.Or(err, ErrNotFound)
	}
	return c, nil
}

// checkCaller returns ErrStale unless the secret with which an application has
// authenticated is still the one it has. The application is held.
func checkCaller(ctx context.Context, tx *sql.Tx, by Client) error {
	now, err := scanClient(tx.QueryRowContext(ctx, clientQuery, by.ID))
	switch {
	case errors.Is(err, ErrNotFound):
		return ErrStale
	case err == nil && (now.Confidential != by.Confidential || !now.secret.Equal(by.secret)):
		return ErrStale
	}
	return err
}

// ClientsOf returns a page of what owner registered, the oldest first.
func (s *Store) ClientsOf(ctx context.Context, owner string, from Place) ([]Client, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+clientColumns+` FROM wlsoauth_clients
		WHERE owner = $1 AND ($2 = '' OR (created_at, id) > ($3, $2)) ORDER BY created_at, id LIMIT $4`,
		owner, from.id, from.seconds(), PageSize+1)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanClient)
}

const countClients = `SELECT COUNT(*) FROM wlsoauth_clients WHERE owner = $1`

// CountClients returns how many applications ClientsOf has on all pages.
func (s *Store) CountClients(ctx context.Context, owner string) (n int, err error) {
	err = s.db.QueryRowContext(ctx, countClients, owner).Scan(&n)
	return n, err
}

// UpdateClient changes name, description, website and redirect URIs. Codes that are
// on their way are dropped, because they may be on it to an address that is gone.
func (s *Store) UpdateClient(ctx context.Context, owner string, c Client) error {
	return s.txAbout(ctx, exclusive, c.ID, func(tx *sql.Tx) error {
		err := changeOne(ctx, tx, `UPDATE wlsoauth_clients SET name = $3, description = $4, website = $5, redirect_uris = $6, updated_at = $7
			WHERE id = $1 AND owner = $2`,
			c.ID, owner, c.Name, c.Description, c.Website, strings.Join(c.RedirectURIs, "\n"), s.now().Unix())
		if err != nil {
			return err
		}
		if err := setOrigins(ctx, tx, c.ID, c.RedirectURIs); err != nil {
			return err
		}
		return exec(ctx, tx, `DELETE FROM wlsoauth_codes WHERE client_id = $1 AND used_at = 0`, c.ID)
	})
}

// ResetSecret replaces the secret of a confidential client by the one that it returns,
// and deletes the tokens that the old one alone was enough to get.
func (s *Store) ResetSecret(ctx context.Context, owner, id string) (secret string, err error) {
	secret, h := credential.Mint(credential.Secret)
	return secret, s.txAbout(ctx, exclusive, id, func(tx *sql.Tx) error {
		err := changeOne(ctx, tx, `UPDATE wlsoauth_clients SET secret_hash = $3, updated_at = $4
			WHERE id = $1 AND owner = $2 AND secret_hash IS NOT NULL`, id, owner, h.Text[:], s.now().Unix())
		if err != nil {
			return err
		}
		return exec(ctx, tx, `DELETE FROM wlsoauth_tokens WHERE client_id = $1 AND client_id <> '' AND grant_id = ''`, id)
	})
}

// clientTables hold what belongs to an application, in the order in which it is locked.
var clientTables = []struct{ name, key string }{
	{"origins", "origin, client_id"}, {"consents", "principal, client_id"}, {"codes", "hash"}, {"grants", "id"}, {"tokens", "hash"},
}

// DeleteClient deletes an application with all that it was given. Who is not its owner
// holds nothing.
func (s *Store) DeleteClient(ctx context.Context, owner, id string) error {
	if _, err := s.OwnClient(ctx, owner, id); err != nil {
		return err
	}
	return s.txAbout(ctx, exclusive, id, func(tx *sql.Tx) error {
		if err := changeOne(ctx, tx, `DELETE FROM wlsoauth_clients WHERE id = $1 AND owner = $2`, id, owner); err != nil {
			return err
		}
		for _, table := range clientTables {
			if err := exec(ctx, tx, `DELETE FROM wlsoauth_`+table.name+` WHERE client_id = $1 AND client_id <> ''`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
