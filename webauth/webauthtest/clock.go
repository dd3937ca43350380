package webauthtest

import (
	"sync"
	"time"
)

// clock is a source of time that tests can stop and move.
type clock struct {
	mu      sync.Mutex
	base    func() time.Time
	offset  time.Duration
	stopped time.Time // zero while the clock runs
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return c.base().Add(c.offset)
}

func (c *clock) stop(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped.IsZero() {
		c.offset += d
		return
	}
	c.stopped = c.stopped.Add(d)
}

// Now is the fake's time. Give it to the site under test as its clock and both agree.
func (w *WLS) Now() time.Time { return w.clock.now() }

// SetNow stops the fake's clock at t; only Advance moves it from then on. A zero t lets
// it run again.
func (w *WLS) SetNow(t time.Time) { w.clock.stop(t) }

// Advance moves the fake's clock by d, which may be negative, stopped or not.
func (w *WLS) Advance(d time.Duration) { w.clock.advance(d) }
