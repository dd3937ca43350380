package store

import (
	"context"
	"database/sql"
)

// tx runs f in a transaction, which is undone if f returns an error.
func (s *Store) tx(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := s.writer.acquire(ctx); err != nil {
		return err
	}
	defer s.leave(ctx)
	return s.txAsWriter(ctx, f)
}

// txAsWriter is tx for who has the right to write.
func (s *Store) txAsWriter(ctx context.Context, f func(tx *sql.Tx) error) error {
	var options *sql.TxOptions
	if s.cfg.PostgreSQL {
		// Conditional updates wait for one another and then see what the other did; at
		// higher levels, which the database may have as its default, they would fail.
		options = &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	tx, err := s.db.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of no consequence after Commit
	if err := s.reserve(ctx, tx); err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// reserve begins a transaction of SQLite with a write, though there is nothing to write:
// it takes the lock that all writers need and waits for other processes, where a
// transaction that has read first would fail.
func (s *Store) reserve(ctx context.Context, tx *sql.Tx) error {
	if s.cfg.PostgreSQL {
		return nil
	}
	return exec(ctx, tx, `DELETE FROM wlsoauth_migrations WHERE version < 0`)
}

// hold says which other transactions have to wait.
type hold string

const (
	shared    hold = "pg_advisory_xact_lock_shared" // those that hold the same exclusively
	exclusive hold = "pg_advisory_xact_lock"        // all that hold the same
)

// hold holds something by its name until the transaction ends. In SQLite whoever writes
// holds everything.
//
// A row could be locked instead, but in the database the row would be written for it,
// again and again if it is an application's; and they that share the lock of a row come
// past those who wait to have it for themselves: whoever floods the site with requests
// of an application could keep its owner from changing the secret. Advisory locks are
// given in the order in which they were asked for.
func (s *Store) hold(ctx context.Context, tx *sql.Tx, how hold, kind, name string) error {
	if !s.cfg.PostgreSQL {
		return nil
	}
	return exec(ctx, tx, `SELECT `+string(how)+`(hashtextextended($1, 0))`, "wlsoauth "+kind+" "+name)
}

// txAbout is tx for what a request wants of an application that it names. The
// application is held, see Store.
func (s *Store) txAbout(ctx context.Context, how hold, clientID string, f func(tx *sql.Tx) error) error {
	if !validID(clientID) {
		return ErrNotFound
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.hold(ctx, tx, how, "client", clientID); err != nil {
			return err
		}
		return f(tx)
	})
}

// forUpdate ends a query for a row that nobody else may lock until the transaction ends.
func (s *Store) forUpdate() string {
	if !s.cfg.PostgreSQL {
		return ""
	}
	return " FOR UPDATE"
}

// skipLocked ends the query for rows that others may have locked, and passes over those.
// In SQLite one transaction at a time locks anything.
func (s *Store) skipLocked() string {
	if !s.cfg.PostgreSQL {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}
