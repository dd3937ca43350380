// Package sketch counts tries per key in a fixed amount of memory, to limit how often
// passwords are tried.
package sketch

import (
	"hash/maphash"
	"time"
)

// Size is how many places each row has: 128 KiB.
const Size = 1 << 14

// Sketch counts tries per key in a table of fixed size, twice, at places that a random
// hash gives. Keys that share a place share its tries, so a key has none left only if
// both of its places say so. Whoever fills a part of the table keeps out the square of
// that part of all keys; whoever fills all of it, for which every single try must have
// been looked at, keeps out all of them for a while. No key gets more tries by it.
type Sketch struct {
	rest  time.Duration
	ahead time.Duration // how far ahead of the clock a place may be: all tries used
	seeds [2]maphash.Seed
	// places say when all tries there are back, in nanoseconds since 1970. Each try puts
	// that off by rest.
	places [2][]int64
}

// New makes one that allows so many tries at once, and then one more after each rest.
func New(tries int, rest time.Duration) Sketch {
	return Sketch{
		rest: rest, ahead: time.Duration(tries) * rest,
		seeds:  [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		places: [2][]int64{make([]int64, Size), make([]int64, Size)},
	}
}

func (s *Sketch) place(row int, key string) *int64 {
	return &s.places[row][maphash.String(s.seeds[row], key)%Size]
}

// Wait is how long until there is a try; zero is now.
func (s *Sketch) Wait(key string, now time.Time) time.Duration {
	latest := now.UnixNano() + int64(s.ahead-s.rest)
	return max(0, time.Duration(min(*s.place(0, key), *s.place(1, key))-latest))
}

// Add counts a try.
func (s *Sketch) Add(key string, now time.Time) {
	for row := range s.places {
		p := s.place(row, key)
		*p = max(*p, now.UnixNano()) + int64(s.rest)
	}
}

// Remove takes a try back that Add counted.
func (s *Sketch) Remove(key string) {
	for row := range s.places {
		*s.place(row, key) -= int64(s.rest)
	}
}
