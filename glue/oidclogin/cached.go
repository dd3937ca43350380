package oidclogin

import (
	"context"
	"sync"
	"time"
)

const (
	freshFor    = time.Hour        // how long what was fetched is used unasked
	usableFor   = 24 * time.Hour   // how long it is used where it cannot be had again
	failureRest = 10 * time.Second // how long the provider is left alone after a failure
	fetchLimit  = 10 * time.Second // how long fetching takes at most

	// Of fetches, so many may be made within so long a time, whatever asks for them.
	fetchBurst = 3
	fetchRest  = 30 * time.Second
)

// cached is something of the provider's that is fetched when it is needed, by one request at a
// time, and kept for a while. Its zero value is ready for use.
type cached[T any] struct {
	mu      sync.Mutex
	value   T
	fetched time.Time // zero before value is there
	err     error     // what the last fetch failed with
	failed  time.Time // when it did
	started [fetchBurst]time.Time
	flight  chan struct{} // closed at the end of the fetch under way
}

// get returns the value, fetched anew if it is old, or if good is false of it; good may be nil.
// Where it may not be fetched it returns the old one, which good may be false of; where it cannot
// be fetched, the old one if it is good, else the error.
func (c *cached[T]) get(ctx context.Context, now func() time.Time, good func(T) bool, fetch func(context.Context) (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := now()
	switch {
	case c.usable(at, freshFor) && (good == nil || good(c.value)):
		return c.value, nil
	case !c.mayFetch(at):
		return c.known(at, good)
	case c.flight == nil:
		failed := c.err != nil
		c.fetch(now, fetch)
		if failed && c.fits(at, good) {
			return c.value, nil // whether the provider is back nobody need wait for
		}
	case c.err != nil:
		return c.known(at, good) // the one request that tries again waits, and no other
	}
	flight := c.flight
	c.mu.Unlock()
	select {
	case <-flight:
	case <-ctx.Done():
	}
	c.mu.Lock()
	at = now()
	if c.flight == flight && !c.fits(at, good) {
		var none T
		return none, context.Cause(ctx)
	}
	return c.known(at, good)
}

// fits reports whether the value will do where it cannot be had anew.
func (c *cached[T]) fits(now time.Time, good func(T) bool) bool {
	return c.usable(now, usableFor) && (good == nil || good(c.value))
}

// known returns what get does, of what there is.
func (c *cached[T]) known(now time.Time, good func(T) bool) (value T, err error) {
	switch {
	case c.fits(now, good), c.err == nil && c.usable(now, usableFor):
		return c.value, nil
	case c.err == nil:
		return value, errNotFetched
	}
	return value, c.err
}

func (c *cached[T]) usable(now time.Time, limit time.Duration) bool {
	return !c.fetched.IsZero() && within(now, c.fetched, limit)
}

// mayFetch reports whether the provider can be asked: it did not fail a moment ago, and was
// not asked too often.
func (c *cached[T]) mayFetch(now time.Time) bool {
	rest, since := fetchRest, c.started[0]
	if c.err != nil {
		rest, since = failureRest, c.failed
	}
	return c.flight != nil || since.IsZero() || !within(now, since, rest)
}

// fetch begins a fetch, which does not end with the request that asked for it: others wait for
// it as well.
func (c *cached[T]) fetch(now func() time.Time, fetch func(context.Context) (T, error)) {
	copy(c.started[:], c.started[1:])
	at := now()
	c.started[fetchBurst-1] = at
	flight := make(chan struct{})
	c.flight = flight
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchLimit)
		defer cancel()
		value, err := fetch(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err = err; err == nil {
			c.value, c.fetched = value, at
		} else {
			c.failed = now()
		}
		c.flight = nil
		close(flight)
	}()
}

// within reports whether two times are less than limit apart. A clock that was put back makes
// what is remembered old, not new.
func within(a, b time.Time, limit time.Duration) bool {
	d := a.Sub(b)
	return d > -limit && d < limit
}
