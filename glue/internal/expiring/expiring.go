// Package expiring remembers for a while what was found to be so, such as that a password
// was right, without keeping it.
package expiring

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// MAC stands for texts that must not be kept, such as passwords: it is made under a random
// key that one Set alone has.
type MAC [sha256.Size]byte

// Set remembers texts by their MAC, for a while, and a bounded number of them. When it is
// full it forgets some early, which costs only another look. It is safe for concurrent use.
type Set struct {
	life time.Duration
	max  int
	now  func() time.Time
	key  [sha256.Size]byte

	mu    sync.Mutex
	until map[MAC]time.Time
}

// New returns a Set that keeps what it is told for life, and at most that many.
func New(life time.Duration, most int, now func() time.Time) *Set {
	s := &Set{life: life, max: most, now: now, until: map[MAC]time.Time{}}
	_, _ = rand.Read(s.key[:]) // never fails
	return s
}

// Add remembers texts, together and in this order.
func (s *Set) Add(parts ...string) {
	sum, now := s.Sum(parts...), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.until[sum]; !known && len(s.until) >= s.max {
		s.makeRoom(now)
	}
	s.until[sum] = now.Add(s.life)
}

// Has reports whether the same texts, in the same order, were added lately.
func (s *Set) Has(parts ...string) bool {
	sum, now := s.Sum(parts...), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[sum])
}

// makeRoom drops what is over, and if nothing is, any one.
func (s *Set) makeRoom(now time.Time) {
	for sum, until := range s.until {
		if !now.Before(until) {
			delete(s.until, sum)
		}
	}
	for sum := range s.until {
		if len(s.until) < s.max {
			return
		}
		delete(s.until, sum)
	}
}

// Sum returns the MAC of texts, together and in this order.
func (s *Set) Sum(parts ...string) (sum MAC) {
	h := hmac.New(sha256.New, s.key[:])
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	h.Sum(sum[:0])
	return sum
}
