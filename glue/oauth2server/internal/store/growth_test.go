package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// hourly is how often an application refreshes whose access tokens last an hour.
const hourly = 50 * time.Minute

// However often an application refreshes, the database has one row that knows its refresh
// tokens, and of access tokens those that have not been swept.
func TestRefreshesLeaveNothingBehind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		var err error
		for range 100 {
			s.clock.advance(hourly)
			p, err = s.rotate(t.Context(), p.Refresh, c)
			require.NoError(t, err)
		}
		require.NoError(t, s.Sweep(t.Context()))
		assert.Equal(t, 1, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens WHERE kind = 'refresh'`))
		assert.Equal(t, 3, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens WHERE kind = 'access'`), "of two hours")
		assert.Equal(t, 1, rows(t, db, "grants"))
	})
}

// BenchmarkGrowth is what 10,000 refreshes of one authorisation leave in the database, one
// after the other over a year, and how long each takes. Run it with -benchtime 1x.
func BenchmarkGrowth(b *testing.B) {
	const refreshes = 10_000
	dbtest.Each(b, func(b *testing.B, db *dbtest.Database) {
		if !db.PostgreSQL {
			db = syncedSQLite(b)
		}
		s := newStore(b, db)
		c := s.register(b, "spqr1")
		var took time.Duration
		for b.Loop() {
			p := s.authorised(b, c, newID(), "profile")
			before, start := diskSize(b, s), time.Now()
			var err error
			for range refreshes {
				s.clock.advance(hourly)
				p, err = s.rotate(b.Context(), p.Refresh, c)
				require.NoError(b, err)
			}
			took += time.Since(start)
			b.ReportMetric(float64(diskSize(b, s)-before), "B")
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(took.Microseconds())/refreshes/float64(b.N), "µs/refresh")
	})
}

// diskSize returns how many bytes the tables and their indexes take.
func diskSize(b *testing.B, s *testStore) (n int) {
	b.Helper()
	query := `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`
	if s.cfg.PostgreSQL {
		query = `SELECT SUM(pg_total_relation_size(oid)) FROM pg_class
			WHERE relkind = 'r' AND relname LIKE 'wlsoauth%' AND relnamespace = current_schema()::regnamespace`
	}
	require.NoError(b, s.cfg.DB.QueryRowContext(b.Context(), query).Scan(&n))
	return n
}
