package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// recent remembers for a while that something was found to be so. It keeps MACs under
// a key of its own that is nowhere else, never what they are of, and so may be told
// passwords. It holds a bounded number; when it is full, it forgets some early, which
// costs only another check. It is safe for concurrent use.
type recent struct {
	life time.Duration
	max  int
	now  func() time.Time
	key  [sha256.Size]byte

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newRecent(life time.Duration, max int, now func() time.Time) *recent {
	r := &recent{life: life, max: max, now: now, until: map[[sha256.Size]byte]time.Time{}}
	_, _ = rand.Read(r.key[:]) // never fails
	return r
}

// add remembers the parts, together and in this order.
func (r *recent) add(parts ...string) {
	sum, now := r.sum(parts), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= r.max {
		r.makeRoom(now)
	}
	r.until[sum] = now.Add(r.life)
}

// has reports whether the same parts were added lately.
func (r *recent) has(parts ...string) bool {
	sum, now := r.sum(parts), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until[sum])
}

// makeRoom forgets what is over, and if that is nothing, any one entry.
func (r *recent) makeRoom(now time.Time) {
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

func (r *recent) sum(parts []string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, r.key[:])
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		mac.Write(length[:])
		mac.Write([]byte(p))
	}
	mac.Sum(sum[:0])
	return sum
}
