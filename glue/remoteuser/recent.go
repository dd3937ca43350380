package remoteuser

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// mac stands for texts that must not be kept, such as passwords.
type mac [sha256.Size]byte

// recent remembers for a while that something was right: by its mac, under a random key
// that this process alone has. When it is full it forgets early, which costs only another
// look.
type recent struct {
	life time.Duration
	max  int
	now  func() time.Time
	key  [sha256.Size]byte

	mu    sync.Mutex
	until map[mac]time.Time
}

func newRecent(life time.Duration, most int, now func() time.Time) *recent {
	r := &recent{life: life, max: most, now: now, until: map[mac]time.Time{}}
	_, _ = rand.Read(r.key[:]) // never fails
	return r
}

func (r *recent) add(parts ...string) {
	sum, now := r.sum(parts...), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= r.max {
		r.makeRoom(now)
	}
	r.until[sum] = now.Add(r.life)
}

// has reports whether the same parts, in the same order, were added lately.
func (r *recent) has(parts ...string) bool {
	sum, now := r.sum(parts...), r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Before(r.until[sum])
}

// makeRoom drops what is over, and if nothing is, any one.
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

func (r *recent) sum(parts ...string) (sum mac) {
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
