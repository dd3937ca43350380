package store

import (
	"context"
	"database/sql"
)

// query finds one row, again and again. In SQLite it is prepared. Drivers of PostgreSQL
// prepare by themselves what they are asked again, or are told not to, as they must be
// where a PgBouncer runs each transaction on any connection.
type query struct {
	db       *sql.DB
	text     string
	prepared *sql.Stmt // nil with PostgreSQL
}

// newQuery returns a query that the database understands.
func (s *Store) newQuery(ctx context.Context, text string) (query, error) {
	q := query{db: s.db, text: text}
	if !s.cfg.PostgreSQL {
		var err error
		q.prepared, err = s.db.PrepareContext(ctx, text)
		return q, err
	}
	return q, s.tx(ctx, func(tx *sql.Tx) error {
		tried, err := tx.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		return tried.Close()
	})
}

// row asks for the row.
func (q query) row(ctx context.Context, args ...any) *sql.Row {
	if q.prepared == nil {
		return q.db.QueryRowContext(ctx, q.text, args...)
	}
	return q.prepared.QueryRowContext(ctx, args...)
}
