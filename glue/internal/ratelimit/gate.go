package ratelimit

import (
	"sync"
	"time"
)

// Gate is a Limiter for tries that count as soon as they are made. It is safe for concurrent
// use.
type Gate struct {
	mu      sync.Mutex
	limiter *Limiter
}

// NewGate returns a Gate with the limits of [New].
func NewGate(tries int, rest time.Duration) *Gate { return &Gate{limiter: New(tries, rest)} }

// Pass counts a try of a key and returns zero, or returns how long until there is one.
func (g *Gate) Pass(key string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := g.limiter.Wait(key, now)
	if wait == 0 {
		g.limiter.Add(key, now)
	}
	return wait
}
