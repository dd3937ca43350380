package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	// sweepBatch is how many rows of a table go in one transaction, so that nobody waits
	// long for its locks.
	sweepBatch = 500
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
// small steps.
func (s *Store) Sweep(ctx context.Context) error {
	for _, step := range []func(context.Context) (bool, error){s.sweep, s.sweepOrphans} {
		for more := true; more; {
			var err error
			if more, err = step(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// tidy takes one step of a sweep if none was taken for a while, or if the last one left
// something. That it fails is no fault of the request that it is part of.
func (s *Store) tidy(ctx context.Context) {
	last, now := s.swept.Load(), s.now().Unix()
	if now-last < int64(sweepEvery/time.Second) || !s.swept.CompareAndSwap(last, now) {
		return
	}
	more, err := s.sweep(ctx)
	if err != nil && ctx.Err() == nil {
		s.cfg.Report(ctx, err)
	}
	if more {
		s.swept.CompareAndSwap(now, 0) // the next request goes on
	}
}

// sweep deletes some expired rows; more reports whether there may be others.
func (s *Store) sweep(ctx context.Context) (more bool, err error) {
	now := s.now()
	err = s.tx(ctx, func(tx *sql.Tx) error {
		tokens, err := s.sweepTokens(ctx, tx, now.Add(-sweepGrace))
		if err != nil {
			return err
		}
		codes, err := s.discard(ctx, tx, "codes", "hash", `expires_at <= $1`, now.Add(-codeMemory).Unix())
		if err != nil {
			return err
		}
		grants, err := s.discard(ctx, tx, "grants", "id", `expires_at <= $1`, now.Add(-sweepGrace).Unix())
		more = max(tokens, codes, grants) >= sweepBatch
		return err
	})
	return more, err
}

// sweepOrphans deletes some rows of applications that are gone; more reports whether there
// may be others. There are none unless somebody has deleted applications behind our back.
func (s *Store) sweepOrphans(ctx context.Context) (more bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		for _, table := range clientTables {
			n, err := s.discard(ctx, tx, table.name, table.key,
				`client_id <> '' AND NOT EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = client_id)`)
			if err != nil {
				return err
			}
			more = more || n >= sweepBatch
		}
		return nil
	})
	return more, err
}

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
	rows, err := tx.QueryContext(ctx, s.discarding("tokens", "hash", `expires_at > 0 AND expires_at <= $1`)+` RETURNING grant_id`, before.Unix())
	if err != nil {
		return 0, err
	}
	grants, err := collect(rows, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{"": true} // of tokens without a grant
	for _, id := range grants {
		if seen[id] {
			continue
		}
		seen[id] = true
		if _, err := s.discard(ctx, tx, "grants", "id", `id = $1 AND `+withoutTokens, id); err != nil {
			return 0, err
		}
	}
	return int64(len(grants)), nil
}
