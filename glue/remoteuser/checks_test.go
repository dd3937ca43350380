package remoteuser

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
)

func TestChecks(t *testing.T) {
	down := errors.New("down")
	for _, tc := range []struct {
		name    string
		verdict verdict
	}{
		{"right", verdict{kind: right}},
		{"wrong", verdict{kind: wrong}},
		{"too often", verdict{kind: tooOften, wait: 7}},
		{"cannot say", verdict{kind: cannotSay, err: down}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := checks{under: map[recent.MAC]*checkUnderWay{}}
				asked, say, got := 0, make(chan bool), make(chan verdict, 60)
				for range cap(got) {
					go func() {
						got <- c.do(t.Context(), recent.MAC{1}, func() verdict { asked++; <-say; return tc.verdict })
					}()
				}
				synctest.Wait()
				assert.Equal(t, verdict{kind: right}, c.do(t.Context(), recent.MAC{2}, func() verdict { return verdict{kind: right} }), "another guess does not wait")
				close(say)
				for range cap(got) {
					assert.Equal(t, tc.verdict, <-got)
				}
				assert.Equal(t, 1, asked)
				assert.Empty(t, c.under)
			})
		})
	}
}

// Those who wait do not suffer if whoever began goes away, or is served by a check that
// panics.
func TestChecksBegunByAnother(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(ctx context.Context) verdict
	}{
		{"who went away", func(ctx context.Context) verdict { return verdict{kind: cannotSay, err: ctx.Err()} }},
		{"who panics", func(context.Context) verdict { panic("checker") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := checks{under: map[recent.MAC]*checkUnderWay{}}
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					defer func() { _ = recover() }()
					c.do(ctx, recent.MAC{}, func() verdict { <-ctx.Done(); return tc.end(ctx) })
				}()
				synctest.Wait()
				got := make(chan verdict)
				go func() { got <- c.do(t.Context(), recent.MAC{}, func() verdict { return verdict{kind: right} }) }()
				synctest.Wait()
				cancel()
				assert.Equal(t, verdict{kind: right}, <-got)
				assert.Empty(t, c.under)
			})
		})
	}
}

func TestChecksWithoutPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := checks{under: map[recent.MAC]*checkUnderWay{}}
		say := make(chan bool)
		go c.do(t.Context(), recent.MAC{}, func() verdict { <-say; return verdict{} })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.Equal(t, verdict{kind: cannotSay, err: context.Canceled}, c.do(ctx, recent.MAC{}, nil))
		close(say)
	})
}
