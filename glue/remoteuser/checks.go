package remoteuser

import (
	"context"
	"sync"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
)

// checks are those of HTTP Basic under way. A browser sends the same credentials with
// many requests at once: they are one guess, count as one try, and get one verdict.
type checks struct {
	mu    sync.Mutex
	under map[recent.MAC]*checkUnderWay
}

type checkUnderWay struct {
	done    chan struct{}
	verdict verdict
	again   bool // there is no verdict, for a reason that concerns only who began
}

// do has check tell about a guess, unless it is being told of it already. There are as
// many as there are requests, at most.
func (c *checks) do(ctx context.Context, guess recent.MAC, check func() verdict) verdict {
	for {
		c.mu.Lock()
		way, begun := c.under[guess]
		if !begun {
			way = &checkUnderWay{done: make(chan struct{}), again: true}
			c.under[guess] = way
		}
		c.mu.Unlock()
		if !begun {
			return c.begin(ctx, guess, way, check)
		}
		select {
		case <-way.done:
		case <-ctx.Done():
			return verdict{kind: cannotSay, err: ctx.Err()}
		}
		if !way.again {
			return way.verdict
		}
	}
}

func (c *checks) begin(ctx context.Context, guess recent.MAC, way *checkUnderWay, check func() verdict) verdict {
	defer func() { // after a panic, too
		c.mu.Lock()
		delete(c.under, guess)
		c.mu.Unlock()
		close(way.done)
	}()
	way.verdict = check()
	way.again = way.verdict.kind == cannotSay && ctx.Err() != nil
	return way.verdict
}
