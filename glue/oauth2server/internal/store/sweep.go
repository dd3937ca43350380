package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

const (
	// sweepBatch is how many rows of a table go in one transaction: to delete them takes
	// about as long as to give a few tokens, and nobody waits longer for the locks.
	sweepBatch = 100
	// sweepEvery is how often requests that give tokens look for expired rows.
	sweepEvery = time.Minute
	// sweepGrace is how long expired tokens stay, because the clocks of several machines
	// may disagree about when they do.
	sweepGrace = time.Hour
	// codeMemory is how long a code is remembered after it expired, so that its replay is
	// noticed.
	codeMemory = 24 * time.Hour
)

// Sweep deletes what has expired, and what belongs to applications that are gone, in
// small steps. After each it leaves the database to others for as long as the step took.
func (s *Store) Sweep(ctx context.Context) error {
	if err := s.sweepAll(ctx, s.sweepExpired); err != nil {
		return err
	}
	return s.sweepOrphans(ctx)
}

// step deletes some rows in a transaction; more reports whether there may be others.
type step func(ctx context.Context, tx *sql.Tx) (more bool, err error)

// sweepAll takes a step until it leaves nothing.
func (s *Store) sweepAll(ctx context.Context, f step) error {
	for {
		more, took, err := s.sweep(ctx, f)
		if err != nil || !more {
			return err
		}
		if err := pause(ctx, took); err != nil {
			return err
		}
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sweep takes one step, and returns how long others had to wait for it.
func (s *Store) sweep(ctx context.Context, f step) (more bool, took time.Duration, err error) {
	var begin time.Time
	err = s.tx(ctx, func(tx *sql.Tx) (err error) {
		begin = time.Now()
		more, err = f(ctx, tx)
		return err
	})
	return more, time.Since(begin), err
}

// tidy takes one step of a sweep if none was taken for a while, or if the last one left
// something. That it fails is no fault of the request that it is part of.
func (s *Store) tidy(ctx context.Context) {
	last, now := s.swept.Load(), s.now().Unix()
	if now-last < int64(sweepEvery/time.Second) || !s.swept.CompareAndSwap(last, now) {
		return
	}
	more, _, err := s.sweep(ctx, s.sweepExpired)
	if err != nil && ctx.Err() == nil {
		s.cfg.Report(ctx, "sweep", err)
	}
	if more {
		s.swept.CompareAndSwap(now, 0) // the next request goes on
	}
}

// sweepExpired deletes some expired rows.
func (s *Store) sweepExpired(ctx context.Context, tx *sql.Tx) (more bool, err error) {
	now := s.now()
	tokens, err := s.sweepTokens(ctx, tx, now.Add(-sweepGrace))
	if err != nil {
		return false, err
	}
	codes, err := s.discard(ctx, tx, "codes", "hash", `expires_at <= $1`+oldestFirst, now.Add(-codeMemory).Unix())
	if err != nil {
		return false, err
	}
	grants, err := s.discard(ctx, tx, "grants", "id", `expires_at <= $1`+oldestFirst, now.Add(-sweepGrace).Unix())
	return max(tokens, codes, grants) >= sweepBatch, err
}

// sweepOrphans deletes what belongs to applications that are gone. There is nothing of it
// unless somebody has deleted applications behind our back.
func (s *Store) sweepOrphans(ctx context.Context) error {
	for _, table := range clientTables {
		gone, err := s.goneClients(ctx, table.name)
		if err != nil {
			return err
		}
		for _, id := range gone {
			err := s.sweepAll(ctx, func(ctx context.Context, tx *sql.Tx) (bool, error) {
				n, err := s.discard(ctx, tx, table.name, table.key, `client_id = $1 AND client_id <> ''`, id)
				return n >= sweepBatch, err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// goneClients returns the applications of a table's rows that are not there, and never will
// be again. It goes from one application to the next by the index, and locks nothing.
func (s *Store) goneClients(ctx context.Context, table string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf(`WITH RECURSIVE ids (id) AS (
			SELECT MIN(client_id) FROM wlsoauth_%[1]s WHERE client_id <> ''
			UNION ALL
			SELECT (SELECT MIN(client_id) FROM wlsoauth_%[1]s WHERE client_id <> '' AND client_id > ids.id) FROM ids WHERE id IS NOT NULL
		) SELECT id FROM ids WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = ids.id)`, table))
	if err != nil {
		return nil, err
	}
	return collect(rows, scanText)
}

// oldestFirst ends a condition about expiry. It has PostgreSQL go along the index, where it
// might read the table from its start, past all that was deleted before.
const oldestFirst = ` ORDER BY expires_at`

// discard deletes a batch of the rows of a table that meet a condition and that nobody
// has locked.
func (s *Store) discard(ctx context.Context, tx *sql.Tx, table, key, condition string, args ...any) (int64, error) {
	return changed(ctx, tx, s.discarding(table, key, condition), args...)
}

func (s *Store) discarding(table, key, condition string) string {
	return fmt.Sprintf(`DELETE FROM wlsoauth_%[1]s WHERE (%[2]s) IN (SELECT %[2]s FROM wlsoauth_%[1]s WHERE %[3]s LIMIT %[4]d%[5]s)`,
		table, key, condition, sweepBatch, s.skipLocked())
}

// sweepTokens deletes expired tokens, and grants that have no token left. Such a grant
// stays until it expires if somebody has it locked.
func (s *Store) sweepTokens(ctx context.Context, tx *sql.Tx, before time.Time) (n int64, err error) {
	rows, err := tx.QueryContext(ctx, s.discarding("tokens", "hash", `expires_at > 0 AND expires_at <= $1`+oldestFirst)+` RETURNING grant_id`, before.Unix())
	if err != nil {
		return 0, err
	}
	grants, err := collect(rows, scanText)
	if err != nil || len(grants) == 0 {
		return 0, err
	}
	ids := make([]any, sweepBatch) // always as many, so that it is one statement to the database
	for i := range ids {
		ids[i] = grants[min(i, len(grants)-1)]
	}
	_, err = s.discard(ctx, tx, "grants", "id", `id IN (`+placeholders+`)
		AND NOT EXISTS (SELECT 1 FROM wlsoauth_tokens t WHERE t.grant_id = wlsoauth_grants.id AND t.grant_id <> '')`, ids...)
	return int64(len(grants)), err
}

// placeholders are those of a list of sweepBatch arguments.
var placeholders = func() string {
	all := make([]string, sweepBatch)
	for i := range all {
		all[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(all, ", ")
}()
