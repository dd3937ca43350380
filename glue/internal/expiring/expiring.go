// Package expiring remembers for a while what was found to be so, such as that a password
// was right, without keeping it.
package expiring

import (
	"container/list"
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
// full it forgets early what was added first, which costs only another look. It is safe for
// concurrent use, and no call takes longer for what others have added.
type Set struct {
	life time.Duration
	max  int
	now  func() time.Time
	key  [sha256.Size]byte

	mu    sync.Mutex
	known map[MAC]*list.Element
	order list.List // of entry: all last equally long, so the first to be over is in front
}

// entry is what is remembered of texts.
type entry struct {
	sum   MAC
	until time.Time
}

// New returns a Set that keeps what it is told for life, and at most that many.
func New(life time.Duration, most int, now func() time.Time) *Set {
	s := &Set{life: life, max: most, now: now, known: map[MAC]*list.Element{}}
	_, _ = rand.Read(s.key[:]) // never fails
	return s
}

// Add remembers texts, together and in this order.
func (s *Set) Add(parts ...string) {
	sum, now := s.Sum(parts...), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.known[sum]
	if !known && s.order.Len() >= s.max {
		old, known = s.order.Front(), true
	}
	if known {
		delete(s.known, s.order.Remove(old).(entry).sum)
	}
	s.known[sum] = s.order.PushBack(entry{sum, now.Add(s.life)})
}

// Has reports whether the same texts, in the same order, were added lately.
func (s *Set) Has(parts ...string) bool {
	sum, now := s.Sum(parts...), s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	e, known := s.known[sum]
	return known && now.Before(e.Value.(entry).until)
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
