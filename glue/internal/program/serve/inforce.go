package serve

import (
	"sync"
	"sync/atomic"
)

// Uses counts the requests that use what a reload may replace. It is embedded by what counts as
// one configuration at work.
type Uses struct {
	users    atomic.Int64 // requests on their way
	retired  atomic.Bool  // no longer in force
	released bool         // guarded by the InForce's mutex
}

func (u *Uses) uses() *Uses { return u }

// Users is how many requests use it now.
func (u *Uses) Users() int64 { return u.users.Load() }

// Retired reports whether something else is in force, or nothing any more.
func (u *Uses) Retired() bool { return u.retired.Load() }

// InForce holds the configuration at work, of a type that embeds Uses. What is replaced is
// released when the last request that uses it has ended.
type InForce[E any, T interface {
	*E
	uses() *Uses
}] struct {
	// Mutex is held by whoever puts something in force or retires it, and while Release runs.
	Mutex *sync.Mutex
	// Release gives up what nothing uses any more.
	Release func(T)

	now atomic.Pointer[E]
}

// Load returns what is in force. It may be released at any time: see Acquire.
func (f *InForce[E, T]) Load() T { return f.now.Load() }

// Put puts something in force, and returns what was before, which the caller retires; nil for
// nothing.
func (f *InForce[E, T]) Put(next T) (old T) { return f.now.Swap(next) }

// Acquire returns what is in force and counts its user, who calls Leave. One that is replaced at
// this moment is not used any more: whoever replaced it may have seen that nobody does.
func (f *InForce[E, T]) Acquire() T {
	for {
		c := f.Load()
		c.uses().users.Add(1)
		if f.Load() == c {
			return c
		}
		f.Leave(c)
	}
}

// Leave ends a use; the last one of what was retired releases it.
func (f *InForce[E, T]) Leave(c T) {
	if u := c.uses(); u.users.Add(-1) == 0 && u.retired.Load() {
		f.Mutex.Lock()
		defer f.Mutex.Unlock()
		f.release(c)
	}
}

// Retire releases c now or when its last request has ended. The caller holds the mutex.
func (f *InForce[E, T]) Retire(c T) {
	u := c.uses()
	u.retired.Store(true)
	if u.users.Load() == 0 {
		f.release(c)
	}
}

func (f *InForce[E, T]) release(c T) {
	if u := c.uses(); !u.released {
		u.released = true
		f.Release(c)
	}
}
