// Package store keeps clients, consents, codes, grants and tokens in a SQL database.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
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
// In SQLite one transaction writes at a time, so that no two of what follows meet: see
// writer. In PostgreSQL, at the level "read committed", every statement sees what was
// committed before it began, and this is what keeps apart those that must not meet:
//
// A transaction about an application begins by holding it. What gives something holds it
// with others (shared): Authorise, AuthoriseDirect, Redeem, Rotate, GrantPassword,
// GrantClient; and RevokeToken, which ends one grant. What changes or ends what they have
// read holds it alone (exclusive): UpdateClient, ResetSecret, DeleteClient and
// RevokeAuthorisation. So secret, redirect URIs and consents stay as they are while
// something is given by them: a revocation finds all that was given, and what comes after
// it finds what it has changed. Nobody who holds an application asks for it again.
//
// Of those who share an application, two meet at a row at most:
//   - Two that redeem one code: the first to update it locks its row. The second then
//     finds it used, and revokes what the first gave.
//   - Two that refresh, or one that does and one that revokes (RevokeToken, or Redeem and
//     Rotate for what was used before): Rotate and RevokeToken lock the row of the grant
//     before any of its tokens, deleteGrant deletes it before them. The first goes
//     through. The second finds the used token, or the new pair, or no grant.
//   - Two that add to one consent: the first to insert it, or to update it, locks its row,
//     and the second reads what the first has added.
//
// Rows are locked in the order origins, consents, codes, grants, tokens, so that of two
// transactions one always goes on. Touch and RevokePersonal lock one row. A sweep holds
// no application and passes over what others have locked (see skipLocked), so that it
// never waits for anybody who waits for it. CreateClient and CreatePersonal hold the
// person, see addFor.
type Store struct {
	db     *sql.DB
	cfg    Config
	writer writer

	// Queries of every use of a token, and of every call of an application: see Bearer,
	// Token, Client and HasOrigin.
	bearer, token, client, origin query

	swept     atomic.Int64 // when expired rows were last looked for, in Unix seconds
	untouched atomic.Int64 // until when Touch notes nothing, in Unix seconds
	uses      sync.Map     // those whose notes wait for the writer, a use each
}

// Config is what a Store is made of. Every field is required.
type Config struct {
	DB         *sql.DB
	PostgreSQL bool // the dialect; else it is that of SQLite
	Now        func() time.Time
	// Report is told of what went wrong beside the point of what was asked: of a "sweep" or
	// of a note of "last-use".
	Report func(ctx context.Context, what string, err error)

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
	s := &Store{db: cfg.DB, cfg: cfg, writer: newWriter(cfg.PostgreSQL)}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("oauth2server: Config.DB does not answer: %v", err)
	}
	if err := s.checkSQLite(ctx); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, err
	}
	for text, q := range map[string]*query{bearerQuery: &s.bearer, tokenQuery: &s.token, clientQuery: &s.client, originQuery: &s.origin} {
		var err error
		if *q, err = s.newQuery(ctx, text); err != nil {
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

// checkSQLite refuses a SQLite database without a file, which each connection has for
// itself, empty, and that is lost with it; and one where of two writers one fails at once.
func (s *Store) checkSQLite(ctx context.Context) error {
	if s.cfg.PostgreSQL {
		return nil
	}
	var (
		file    string // SQLite knows all the ways to say that there is none
		timeout int
	)
	err := s.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(file), ''), (SELECT timeout FROM pragma_busy_timeout)
		FROM pragma_database_list WHERE name = 'main'`).Scan(&file, &timeout)
	const mend = `open it with "file:/var/lib/soc/api.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"`
	switch {
	case err != nil:
		return fmt.Errorf("oauth2server: the database cannot be read: %v", err)
	case file == "":
		return errors.New("oauth2server: Config.DB is in no file: every connection would have a database of its own, and lose all tokens with it: " + mend)
	case timeout == 0:
		return errors.New("oauth2server: Config.DB has no busy_timeout: " + mend)
	}
	return nil
}

// addFor has add insert something of a person's, and returns ErrLimit if the person then
// has more than most, which is what count finds out. Two requests of one person wait for
// one another; in SQLite all writers do.
func (s *Store) addFor(ctx context.Context, principal string, add func(tx *sql.Tx) error, most int, count string, args ...any) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.hold(ctx, tx, exclusive, "person", principal); err != nil {
			return err
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

// idLength is the length of an id, in characters.
const idLength = 26

// newID returns an id of 130 random bits. It is no credential.
func newID() string { return rand.Text() }

// validID reports whether newID can have made it. Databases are asked about nothing
// else: PostgreSQL takes some of what clients send for an error.
func validID(id string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	return len(id) == idLength && strings.Trim(id, alphabet) == ""
}
