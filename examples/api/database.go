package main

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers, which the site chooses
	_ "modernc.org/sqlite"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server"
)

// openDatabase opens the database that the flags name. done closes it, and removes it
// if it was made for this run only.
func openDatabase(o *options) (db *sql.DB, d oauth2server.Dialect, done func() error, err error) {
	if o.postgres != "" {
		db, err = sql.Open("pgx", o.postgres)
		if err != nil {
			return nil, "", nil, errors.New("-postgres: not a URL of a PostgreSQL database") // the error may quote a password
		}
		limit(db)
		return db, oauth2server.PostgreSQL, db.Close, nil
	}
	file, remove := o.db, func() error { return nil }
	if file == "" {
		dir, err := os.MkdirTemp("", "go-webauth-api-")
		if err != nil {
			return nil, "", nil, err
		}
		file, remove = filepath.Join(dir, "api.db"), func() error { return os.RemoveAll(dir) }
	}
	// Readers and a writer side by side, and writers that wait for one another.
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"}
	db, err = sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, "", nil, errors.Join(err, remove())
	}
	limit(db)
	return db, oauth2server.SQLite, func() error { return errors.Join(db.Close(), remove()) }, nil
}

// limit bounds how many connections a database has, and has them kept.
func limit(db *sql.DB) {
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
}
