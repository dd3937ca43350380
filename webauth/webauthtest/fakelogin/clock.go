package fakelogin

import (
	"sync"
	"time"
)

// Clock is a source of time that tests can stop and move. It is safe for concurrent use.
type Clock struct {
	base    func() time.Time
	mu      sync.Mutex
	offset  time.Duration
	stopped time.Time // zero while the clock runs
}

// NewClock returns a clock that goes with base until it is stopped.
func NewClock(base func() time.Time) *Clock { return &Clock{base: base} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return c.base().Add(c.offset)
}

// Set stops the clock at t; only Advance moves it from then on. A zero t lets it run again.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = t
}

// Advance moves the clock by d, which may be negative, stopped or not.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped.IsZero() {
		c.offset += d
		return
	}
	c.stopped = c.stopped.Add(d)
}
