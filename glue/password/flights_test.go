package password

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/expiring"
)

func newFlights() *flights { return &flights{under: map[expiring.MAC]*flight{}} }

func TestFlights(t *testing.T) {
	for _, row := range []struct {
		name    string
		verdict Verdict
	}{
		{"right", Verdict{Right: true}},
		{"wrong", Verdict{}},
		{"too often", Verdict{Wait: 7}},
		{"crowded", Verdict{Wait: 7, Err: ErrCrowded}},
		{"an error", Verdict{Err: errors.New("down")}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlights()
				asked, say, got := 0, make(chan bool), make(chan Verdict, 60)
				for range cap(got) {
					go func() {
						got <- f.do(t.Context(), expiring.MAC{1}, func() Verdict { asked++; <-say; return row.verdict })
					}()
				}
				synctest.Wait()
				assert.Equal(t, Verdict{Right: true}, f.do(t.Context(), expiring.MAC{2}, func() Verdict { return Verdict{Right: true} }), "another guess does not wait")
				close(say)
				for range cap(got) {
					assert.Equal(t, row.verdict, <-got)
				}
				assert.Equal(t, 1, asked)
				assert.Empty(t, f.under)
			})
		})
	}
}

// Those who wait do not suffer if whoever began goes away, or has a check that panics: one
// of them checks, for all.
func TestFlightsBegunByAnother(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(ctx context.Context) Verdict
	}{
		{"who went away", func(ctx context.Context) Verdict { return Verdict{Err: ctx.Err()} }},
		{"who panics", func(context.Context) Verdict { panic("check") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlights()
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					defer func() { _ = recover() }()
					f.do(ctx, expiring.MAC{}, func() Verdict { <-ctx.Done(); return row.end(ctx) })
				}()
				synctest.Wait()
				asked, say, got := 0, make(chan bool), make(chan Verdict, 3)
				for range cap(got) {
					go func() {
						got <- f.do(t.Context(), expiring.MAC{}, func() Verdict { asked++; <-say; return Verdict{Right: true} })
					}()
				}
				synctest.Wait()
				assert.Zero(t, asked)
				cancel()
				synctest.Wait()
				close(say)
				for range cap(got) {
					assert.Equal(t, Verdict{Right: true}, <-got)
				}
				assert.Equal(t, 1, asked)
				assert.Empty(t, f.under)
			})
		})
	}
}

func TestFlightsWithoutPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlights()
		say := make(chan bool)
		go f.do(t.Context(), expiring.MAC{}, func() Verdict { <-say; return Verdict{} })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.Equal(t, Verdict{Err: context.Canceled}, f.do(ctx, expiring.MAC{}, nil))
		close(say)
	})
}
