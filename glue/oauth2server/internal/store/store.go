// Package store keeps clients, consents, codes, grants and tokens in a SQL database.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// What the store refuses. Every other error means that the database cannot say.
var (
	ErrNotFound  = errors.New("oauth2server: not there")           // or not the asker's, or not valid any more
	ErrUsed      = errors.New("oauth2server: used before")         // and what the first use gave is revoked
	ErrLimit     = errors.New("oauth2server: too many already")    // Config.MaxPersonal, Config.MaxClients
	ErrNoConsent = errors.New("oauth2server: no consent for this") // ask the person
	ErrScope     = errors.New("oauth2server: scope not granted")   // a refresh asks for more than was given

	// ErrForeign is ErrNotFound about a token of another application.
	ErrForeign = fmt.Errorf("oauth2server: not the asker's: %w", ErrNotFound)

	// ErrStale is ErrNotFound about an application that is not what it was when the
	// request began: it is gone, or has another secret or other redirect URIs.
	ErrStale = fmt.Errorf("oauth2server: the application has changed: %w", ErrNotFound)
)

// Store keeps everything in the database. Each method is one transaction: it happened
// as a whole, or it did not and gave an error. What is revoked is deleted; what is
// there is good until it expires.
//
// Transactions begin with a write. SQLite then takes the lock that all writers need at
// once and waits for it, where a transaction that has read first would fail.
//
// A transaction about an application begins by holding the application's row (see
// holdClient). Two of them therefore happen one after the other, whatever they do: a
// revocation and an authorisation, a new secret and a request that came with the old
// one. Then it locks rows in the order consents, codes, grants, tokens. A sweep holds no
// application, and passes over what others have locked (see skipLocked), so that it
// never waits for anybody who waits for it.
type Store struct {
	db     *sql.DB
	cfg    Config
	lookup *sql.Stmt // see Token
	bearer *sql.Stmt // see Bearer

	swept     atomic.Int64 // when expired rows were last looked for, in Unix seconds
	untouched atomic.Int64 // until when Touch notes nothing, in Unix seconds
}

// Config is what a Store is made of. Every field is required.
type Config struct {
	DB         *sql.DB
	PostgreSQL bool // the dialect; else it is that of SQLite
	Now        func() time.Time
	// Report is told of what went wrong beside the point of what was asked.
	Report func(context.Context, error)

	// ForPeople are the scopes that people can give today, ForClients those that clients
	// can get for themselves.
	ForPeople, ForClients []string

	AccessLife, RefreshLife, GrantLife, CodeLife time.Duration
	RefreshLeeway                                time.Duration
	// MaxPersonal is how many personal tokens a person may have, MaxClients how many
	// applications they may register.
	MaxPersonal, MaxClients int
}

// Open returns a Store on a database, which it brings up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{db: cfg.DB, cfg: cfg}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("oauth2server: Config.DB does not answer: %v", err)
	}
	if err := s.checkTimeout(ctx); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	for query, statement := range map[string]**sql.Stmt{tokenQuery: &s.lookup, bearerQuery: &s.bearer} {
		var err error
		if *statement, err = s.db.PrepareContext(ctx, query); err != nil {
			return nil, fmt.Errorf("oauth2server: the database's tables are not as expected: %v", err)
		}
	}
	return s, nil
}

// connectTime is how long New waits for a SQLite database that others have locked.
const connectTime = 10 * time.Second

// connect opens a connection. Of two processes that are the first to give a SQLite
// database its write-ahead log, by the DSN, one is told at once that the other has
// locked it: the busy_timeout does not count for that.
func (s *Store) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.db.PingContext(ctx)
		if !isBusy(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// isBusy reports whether an error is SQLITE_BUSY or a refinement of it, as drivers of
// SQLite tell it.
func isBusy(err error) bool {
	var e interface{ Code() int }
	return errors.As(err, &e) && e.Code()&0xff == 5
}

// checkTimeout refuses a SQLite database where of two writers one fails at once.
func (s *Store) checkTimeout(ctx context.Context) error {
	if s.cfg.PostgreSQL {
		return nil
	}
	var timeout int
	if err := s.db.QueryRowContext(ctx, `PRAGMA busy_timeout`).Scan(&timeout); err != nil {
		return fmt.Errorf("oauth2server: the database cannot be read: %v", err)
	}
	if timeout == 0 {
		return errors.New("oauth2server: Config.DB has no busy_timeout: open it with \"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)\"")
	}
	return nil
}

// tx runs f in a transaction, which is undone if f returns an error.
func (s *Store) tx(ctx context.Context, f func(tx *sql.Tx) error) error {
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
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// txAbout is tx for what a request names by an id.
func (s *Store) txAbout(ctx context.Context, id string, f func(tx *sql.Tx) error) error {
	if !validID(id) {
		return ErrNotFound
	}
	return s.tx(ctx, f)
}

// addFor has add insert something of a person's, and returns ErrLimit if the person then
// has more than most, which is what count finds out. Two requests of one person wait for
// one another; in SQLite all writers do.
func (s *Store) addFor(ctx context.Context, principal string, add func(tx *sql.Tx) error, most int, count string, args ...any) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if s.cfg.PostgreSQL {
			err := exec(ctx, tx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "wlsoauth "+principal)
			if err != nil {
				return err
			}
		}
		if err := add(tx); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, count, args...).Scan(&n); err != nil {
			return err
		}
		if n > most {
			return ErrLimit
		}
		return nil
	})
}

// skipLocked ends the query for rows that a sweep deletes: those that somebody else has
// locked are left for the next time. In SQLite one transaction at a time locks anything.
func (s *Store) skipLocked() string {
	if !s.cfg.PostgreSQL {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// now returns the time, to the second.
func (s *Store) now() time.Time { return s.cfg.Now().Truncate(time.Second) }

// execer is a transaction, or a database without one.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// changed runs a statement and returns how many rows it changed.
func changed(ctx context.Context, e execer, query string, args ...any) (int64, error) {
	result, err := e.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// exec runs a statement.
func exec(ctx context.Context, e execer, query string, args ...any) error {
	_, err := e.ExecContext(ctx, query, args...)
	return err
}

// changeOne runs a statement about one row: it returns ErrNotFound if there was none.
func changeOne(ctx context.Context, e execer, query string, args ...any) error {
	n, err := changed(ctx, e, query, args...)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// newID returns an id of 130 random bits. It is no credential.
func newID() string { return rand.Text() }

// validID reports whether newID can have made it. Databases are asked about nothing
// else: PostgreSQL takes some of what clients send for an error.
func validID(id string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	return len(id) == 26 && strings.Trim(id, alphabet) == ""
}
