package webauth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// slow is a store of single items that takes up to 0.2 ms for each, as one on another
// machine does.
type slow struct{ webauth.OneUse }

func (s slow) Once(ctx context.Context, it webauth.Item) error {
	time.Sleep(time.Duration(time.Now().UnixNano()%200) * time.Microsecond)
	return s.OneUse.Once(ctx, it)
}

// BenchmarkTwoAtOnce brings each response twice at once, and counts how often neither of
// the two was accepted, and how often both were.
func BenchmarkTwoAtOnce(b *testing.B) {
	s := newSite(b)
	v := s.verifier(b, func(c *webauth.VerifierConfig) { c.OneUse = slow{inUse(0)} })
	neither, both := 0, 0
	for b.Loop() {
		value := signed(b, success(s.params(b, nil)))
		var errs [2]error
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { _, errs[i] = v.Verify(b.Context(), value, s.here()) })
		}
		all.Wait()
		switch {
		case errs[0] != nil && errs[1] != nil:
			neither++
		case errs[0] == nil && errs[1] == nil:
			both++
		}
	}
	b.ReportMetric(100*float64(neither)/float64(b.N), "%neither")
	b.ReportMetric(100*float64(both)/float64(b.N), "%both")
}
