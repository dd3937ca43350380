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

// Now returns the fake's time. Give it to the site under test as its clock and both agree.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return c.base().Add(c.offset)
}

// SetNow stops the fake's clock at t; only Advance moves it from then on. A zero t lets
// it run again.
func (c *clock) SetNow(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = t
}

// Advance moves the fake's clock by d, which may be negative, stopped or not.
func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped.IsZero() {
		c.offset += d
		return
	}
	c.stopped = c.stopped.Add(d)
}
