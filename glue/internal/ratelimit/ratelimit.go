// Package ratelimit limits how often something may be done for each of any number of keys,
// in a fixed amount of memory: the generic cell rate algorithm (GCRA) over a count-min
// sketch.
package ratelimit

import (
	"hash/maphash"
	"time"
)

// Size is how many cells each row of the sketch has: 128 KiB.
const Size = 1 << 14

// Limiter counts tries for each key, in the cells that two random hashes name. Keys that
// share a cell share its tries, so a key has none left only if both of its cells say so.
// Whoever fills a part of the cells keeps out the square of that part of all keys; whoever
// fills all of them, for which every single try must have been looked at, keeps out all
// keys for a while. No key gets more tries by it. It is not safe for concurrent use.
type Limiter struct {
	rest  time.Duration
	ahead time.Duration // how far ahead of the clock a cell may be: all tries used
	seeds [2]maphash.Seed
	// cells say when all tries there are back, in nanoseconds since 1970: the theoretical
	// arrival time of GCRA. Each try puts that off by rest.
	cells [2][]int64
}

// New returns a Limiter that allows so many tries of a key at once, and then one more after
// each rest.
func New(tries int, rest time.Duration) *Limiter {
	return &Limiter{
		rest: rest, ahead: time.Duration(tries) * rest,
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		cells: [2][]int64{make([]int64, Size), make([]int64, Size)},
	}
}

func (l *Limiter) cell(row int, key string) *int64 {
	return &l.cells[row][maphash.String(l.seeds[row], key)%Size]
}

// Wait returns how long until there is a try of a key; zero is now.
func (l *Limiter) Wait(key string, now time.Time) time.Duration {
	latest := now.UnixNano() + int64(l.ahead-l.rest)
	return max(0, time.Duration(min(*l.cell(0, key), *l.cell(1, key))-latest))
}

// Add counts a try.
func (l *Limiter) Add(key string, now time.Time) {
	for row := range l.cells {
		c := l.cell(row, key)
		*c = max(*c, now.UnixNano()) + int64(l.rest)
	}
}

// Remove takes a try back that Add counted.
func (l *Limiter) Remove(key string) {
	for row := range l.cells {
		*l.cell(row, key) -= int64(l.rest)
	}
}
