// Package recent remembers for a while what was found to be so, such as that a password
// was right, without keeping it.
package recent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// MAC stands for texts that must not be kept, such as passwords: it is made under a random
// key that one Memory alone has.
type MAC [sha256.Size]byte

// Memory remembers texts by their MAC, for a while, and a bounded number of them. When it
// is full it forgets some early, which costs only another look. It is safe for concurrent
// use.
type Memory struct {
	life time.Duration
	max  int
	now  func() time.Time
	key  [sha256.Size]byte

	mu    sync.Mutex
	until map[MAC]time.Time
}

// New makes a memory that keeps what it is told for life, and at most that many.
func New(life time.Duration, most int, now func() time.Time) *Memory {
	r := &Memory{life: life, max: most, now: now, until: map[MAC]time.Time{}}
	_, _ = rand.Read(r.key[:]) // never fails
	return r
}

// Add remembers texts, together and in this order.
func (r *Memory) Add(parts ...string) {
	sum, now := r.Sum(parts...), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.until[sum]; !known && len(r.until) >= r.max {
		r.makeRoom(now)
	}
	r.until[sum] = now.Add(r.life)
}

// Has reports whether the same texts, in the same order, were added lately.
func (r *Memory) Has(parts ...string) bool {
	sum, now := r.Sum(parts...), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until[sum])
}

// makeRoom drops what is over, and if nothing is, any one.
func (r *Memory) makeRoom(now time.Time) {
	for sum, until := range r.until {
		if !now.Before(until) {
			delete(r.until, sum)
		}
	}
	for sum := range r.until {
		if len(r.until) < r.max {
			return
		}
		delete(r.until, sum)
	}
}

// Sum gives the MAC of texts, together and in this order.
func (r *Memory) Sum(parts ...string) (sum MAC) {
	h := hmac.New(sha256.New, r.key[:])
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	h.Sum(sum[:0])
	return sum
}
