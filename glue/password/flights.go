package password

import (
	"context"
	"sync"

	"github.com/ucam-webauth/go-webauth/glue/internal/expiring"
)

// flights has requests that bring the same guess at once share one check: a browser sends
// its credentials with each of a page's images, and they are one try.
type flights struct {
	mu    sync.Mutex
	under map[expiring.MAC]*flight
}

// flight is a check under way.
type flight struct {
	done    chan struct{}
	verdict Verdict
	shared  bool // the verdict is everybody's
}

// do returns the verdict of check, or that of somebody else's check of the same guess that
// is under way. Where there is none, because whoever began went away or the check panicked,
// another one checks.
func (f *flights) do(ctx context.Context, guess expiring.MAC, check func() Verdict) Verdict {
	for {
		f.mu.Lock()
		other := f.under[guess]
		if other == nil {
			break // with the lock held
		}
		f.mu.Unlock()
		select {
		case <-other.done:
			if other.shared {
				return other.verdict
			}
		case <-ctx.Done():
			return Verdict{Err: ctx.Err()}
		}
	}
	own := &flight{done: make(chan struct{})}
	f.under[guess] = own
	f.mu.Unlock()
	defer func() { // after a panic, too
		f.mu.Lock()
		delete(f.under, guess)
		f.mu.Unlock()
		close(own.done)
	}()
	own.verdict = check()
	own.shared = own.verdict.Err == nil || ctx.Err() == nil
	return own.verdict
}
