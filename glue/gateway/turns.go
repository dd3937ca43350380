package gateway

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// turns bounds how many passwords are checked at once, because bcrypt takes all of a
// processor and the rest of the site shall not wait for it, and how many may wait for
// that. People who were right at this address lately have a place of their own, so that a
// crowd of strangers does not keep them out.
type turns struct {
	open, kept         chan struct{} // for everybody; for those who are familiar
	strangers, friends atomic.Int32  // who wait
}

// How many wait at most, and for how long. Friends were right here lately, and can hardly
// be a flood; after a reload many of them may come at once.
const (
	maxStrangers = 64
	maxFriends   = 256
	maxWait      = 5 * time.Second
)

var errCrowded = errors.New("too many passwords are being checked at this moment")

func newTurns() *turns {
	return &turns{
		open: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2-1)),
		kept: make(chan struct{}, 1),
	}
}

// take waits for a turn. Whoever gets one calls done at its end.
func (t *turns) take(ctx context.Context, familiar bool) (done func(), err error) {
	waiting, most, kept := &t.strangers, int32(maxStrangers), chan struct{}(nil) // nobody can send to that
	if familiar {
		waiting, most, kept = &t.friends, maxFriends, t.kept
	}
	defer waiting.Add(-1)
	if waiting.Add(1) > most {
		return nil, errCrowded
	}
	late := time.NewTimer(maxWait)
	defer late.Stop()
	select {
	case t.open <- struct{}{}:
		return func() { <-t.open }, nil
	case kept <- struct{}{}:
		return func() { <-t.kept }, nil
	case <-late.C:
		return nil, errCrowded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// flights lets requests that ask the same at once share one answer: a page with forty
// images is one check, and takes one turn.
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

type flight struct {
	landed chan struct{}
	attempt
}

// share gives the answer of ask, or of the ask of somebody with the same key that is under
// way. An answer that whoever asked has not waited for is nobody's: then another one asks.
func (f *flights) share(ctx context.Context, key string, ask func() attempt) attempt {
	for {
		f.mu.Lock()
		other := f.now[key]
		if other == nil {
			break // with the lock held
		}
		f.mu.Unlock()
		select {
		case <-other.landed:
			if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
				return other.attempt
			}
		case <-ctx.Done():
			return attempt{err: ctx.Err()}
		}
	}
	own := &flight{landed: make(chan struct{})}
	f.now[key] = own
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.now, key)
		f.mu.Unlock()
		close(own.landed)
	}()
	own.attempt = ask()
	return own.attempt
}
