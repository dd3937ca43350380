package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// grants is how many tokens each caller of a benchmark asks for, one after the other.
const grants = 20

// syncedSQLite is a database of SQLite as the package's documentation opens it: each
// commit waits for the disk, as it does not in tests.
func syncedSQLite(b *testing.B) *dbtest.Database {
	b.Helper()
	return &dbtest.Database{Driver: "sqlite", DSN: "file:" + filepath.Join(b.TempDir(), "bench.db") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"}
}

// BenchmarkGrants is how many tokens one application gets in a second, at how many calls
// at once, and how long the slowest of a hundred takes.
func BenchmarkGrants(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		for _, callers := range []int{1, 8, 40, 100} {
			b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
				benchGrants(b, newStore(b, syncedSQLite(b)), callers, false)
			})
		}
	})
	for name, size := range map[string]int{"pool=16": 16, "pool=none": 0} {
		b.Run("postgresql/"+name, func(b *testing.B) {
			s := newStore(b, dbtest.PostgreSQL(b))
			s.cfg.DB.SetMaxOpenConns(size)
			s.cfg.DB.SetMaxIdleConns(max(size, 2))
			for _, callers := range []int{1, 8, 64} {
				b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchGrants(b, s, callers, false) })
			}
		})
	}
}

// BenchmarkRefreshes is the same for refresh tokens, each of a grant of its own.
func BenchmarkRefreshes(b *testing.B) {
	s := newStore(b, dbtest.PostgreSQL(b))
	s.cfg.DB.SetMaxOpenConns(16)
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("postgresql/pool=16/callers=%d", callers), func(b *testing.B) { benchGrants(b, s, callers, true) })
	}
}

// benchGrants has callers ask for tokens for themselves, or refresh.
func benchGrants(b *testing.B, s *testStore, callers int, refresh bool) {
	b.Helper()
	var all grantTimes
	for b.Loop() {
		c := s.register(b, newID())
		all.run(callers, func(ctx context.Context) (func() error, error) {
			if !refresh {
				return func() error {
					_, err := s.GrantClient(ctx, c, []string{"profile"})
					return err
				}, nil
			}
			code, err := s.Authorise(ctx, Code{ClientID: c.ID, Principal: newID(), RedirectURI: "https://app.example/cb", Scopes: []string{"profile"}}, true)
			if err != nil {
				return nil, err
			}
			p, err := s.redeem(ctx, hashOf(code), c)
			return func() error {
				next, err := s.rotate(ctx, p.Refresh, c)
				p = next
				return err
			}, err
		})
	}
	all.report(b, "")
}

// grantTimes collects how long calls took.
type grantTimes struct {
	mu      sync.Mutex
	took    []time.Duration
	failed  int
	elapsed time.Duration
}

// run has callers prepare, and then call what they have prepared.
func (g *grantTimes) run(callers int, prepare func(context.Context) (func() error, error)) {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for range callers {
		ready.Add(1)
		done.Go(func() {
			call, err := prepare(context.Background())
			ready.Done()
			<-begin
			for range grants {
				start := time.Now()
				if err == nil {
					err = call()
				}
				g.add(time.Since(start), err)
			}
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	g.elapsed += time.Since(start)
}

func (g *grantTimes) add(took time.Duration, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.took = append(g.took, took)
	if err != nil {
		g.failed++
	}
}

func (g *grantTimes) report(b *testing.B, name string) {
	b.Helper()
	slices.Sort(g.took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(g.took)-g.failed)/g.elapsed.Seconds(), name+"per-second")
	b.ReportMetric(float64(g.took[len(g.took)*99/100].Microseconds())/1000, name+"p99-ms")
	b.ReportMetric(float64(g.failed), name+"failed")
}

// BenchmarkSweep is what a sweep does to those who get tokens meanwhile, 8 at a time:
// the slowest of a hundred grants without it, and with it.
func BenchmarkSweep(b *testing.B) {
	for _, bc := range []struct {
		name    string
		open    func(*testing.B) *dbtest.Database
		expired int
	}{
		{"sqlite", syncedSQLite, 150_000},
		{"postgresql", func(b *testing.B) *dbtest.Database { return dbtest.PostgreSQL(b) }, 30_000},
	} {
		b.Run(bc.name, func(b *testing.B) {
			db := bc.open(b)
			s := newStore(b, db)
			s.cfg.DB.SetMaxOpenConns(16)
			c := s.register(b, "spqr1")
			s.GrantClient(b.Context(), c, []string{"profile"}) // looks for expired rows, and not again for a minute
			var quiet, swept grantTimes
			var took time.Duration
			ask := func(context.Context) (func() error, error) {
				return func() error {
					_, err := s.GrantClient(b.Context(), c, []string{"profile"})
					return err
				}, nil
			}
			for b.Loop() {
				fill(b, db, "spqr9", bc.expired, testNow.Add(-sweepGrace).Unix())
				if db.PostgreSQL { // or it guesses how many have expired
					_, err := s.cfg.DB.Exec(`VACUUM ANALYZE wlsoauth_tokens`)
					require.NoError(b, err)
				}
				for range 10 {
					quiet.run(8, ask)
				}
				over := make(chan error, 1)
				go func() {
					start := time.Now()
					over <- s.Sweep(b.Context())
					took += time.Since(start)
				}()
				for len(over) == 0 {
					swept.run(8, ask)
				}
				require.NoError(b, <-over)
			}
			quiet.report(b, "quiet-")
			swept.report(b, "swept-")
			b.ReportMetric(took.Seconds()/float64(b.N), "sweep-s")
		})
	}
}
