package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"
)

// Migrations go forward only: files are added, and none is ever changed. schema/N.sql
// makes version N out of version N-1.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// schemaVersion is the newest version that this package knows.
const schemaVersion = 1

// postgresTypes turn the schema's types into those of PostgreSQL.
var postgresTypes = strings.NewReplacer(" BLOB", " BYTEA", " INTEGER", " BIGINT", ") WITHOUT ROWID", ")")

// migrationLock is the advisory lock under which PostgreSQL's tables are made: any
// number that others are unlikely to choose.
const migrationLock = 0x776c736f61757468 // "wlsoauth"

const versionTable = `CREATE TABLE IF NOT EXISTS wlsoauth_migrations (
	version    INTEGER NOT NULL PRIMARY KEY,
	applied_at INTEGER NOT NULL
)`

// migrate brings the tables up to date. Of several processes that start together one
// does it, and the others wait for it.
func (s *Store) migrate(ctx context.Context) error {
	if !s.cfg.PostgreSQL {
		// It must be there before the transaction: see reserve.
		if err := exec(ctx, s.db, versionTable); err != nil {
			return fmt.Errorf("oauth2server: the database cannot be written: %v", err)
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.lockMigrations(ctx, tx); err != nil {
			return fmt.Errorf("oauth2server: the database cannot be written: %v", err)
		}
		var version int
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM wlsoauth_migrations`).Scan(&version); err != nil {
			return fmt.Errorf("oauth2server: the version of the database's tables: %v", err)
		}
		if version > schemaVersion {
			return fmt.Errorf("oauth2server: the database's tables are of version %d, and this program knows only %d: run the newer program again", version, schemaVersion)
		}
		for version++; version <= schemaVersion; version++ {
			if err := s.apply(ctx, tx, version); err != nil {
				return fmt.Errorf("oauth2server: making version %d of the database's tables: %v", version, err)
			}
		}
		return nil
	})
}

// lockMigrations makes other processes wait until the transaction ends.
func (s *Store) lockMigrations(ctx context.Context, tx *sql.Tx) error {
	if !s.cfg.PostgreSQL {
		return nil // all writers do
	}
	if err := exec(ctx, tx, `SELECT pg_advisory_xact_lock($1)`, int64(migrationLock)); err != nil {
		return err
	}
	return exec(ctx, tx, versionTable)
}

func (s *Store) apply(ctx context.Context, tx *sql.Tx, version int) error {
	text, err := schemaFiles.ReadFile(fmt.Sprintf("schema/%d.sql", version))
	if err != nil {
		return err
	}
	for _, statement := range s.statements(string(text)) {
		if err := exec(ctx, tx, statement); err != nil {
			return err
		}
	}
	return exec(ctx, tx, `INSERT INTO wlsoauth_migrations (version, applied_at) VALUES ($1, $2)`, version, s.now().Unix())
}

// statements splits a file of ours: a statement ends with a semicolon before an empty
// line or the end, and a line of comment begins with two dashes.
func (s *Store) statements(text string) []string {
	var code strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			code.WriteString(line)
		}
	}
	text = strings.TrimSpace(code.String())
	if s.cfg.PostgreSQL {
		text = postgresTypes.Replace(text)
	}
	return strings.Split(strings.TrimSuffix(text, ";"), ";\n\n")
}
