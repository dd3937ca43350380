package webauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"
)

var errExpired = errors.New("webauth: already expired by the clock of the MemoryOneUse")

// MemoryOneUse is the OneUse for a site that runs in one process.
type MemoryOneUse struct {
	mu    sync.Mutex
	now   func() time.Time
	start time.Time // what was used before, nobody knows here; to the microsecond, as tokens have it
	max   int
	used  map[markID]struct{}
	rooms [roomCount]room
	// forgotten has the latest expiry, in Unix seconds, of what was dropped, by kind. A
	// clock that is put back makes an item good again after its mark has gone. By kind,
	// because within one the life is the same, so that what is made after the dropped ones
	// expires after them, and is not taken for one of them.
	forgotten [len(kinds)]int64
}

// room is what is kept of one Room.
type room struct {
	count int
	queue expiryQueue
}

const (
	// forgetPerRoom is how many expired items a call drops from each room, at most: so many
	// that room comes back faster than it is taken, and so few that nobody waits for it.
	forgetPerRoom = 10
	// lingerPerRoom is how many items of a room are kept though they have expired, those
	// that expired last, where there is room to spare: after a clock was ahead, what was
	// used is known from what was not.
	lingerPerRoom = 10_000
)

// defaultMemory is how many items a MemoryOneUse holds if nothing else is said.
const defaultMemory = 1_000_000

// NewMemoryOneUse returns one that holds at most max items, about 60 bytes each, and
// answers ErrFull to more until some expire. A login takes two, one for 35 seconds and one
// for an hour. Half of max is for RoomLogin alone and a twentieth for each other Room;
// the rest is for those who come first.
//
// It refuses what is older than itself: what was used before a restart nobody knows, so
// logins under way at a restart begin again. It refuses as well what a clock that was put
// back makes good again after it may have been forgotten. max 0 means 1,000,000; a nil now means
// time.Now, and must be the clock of the Verifier where that has one of its own.
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if max <= 0 {
		max = defaultMemory
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{now: now, start: now().Truncate(time.Microsecond), max: max, used: map[markID]struct{}{}}
}

// Once implements OneUse.
func (m *MemoryOneUse) Once(_ context.Context, item Item) error {
	sum := sha256.Sum256([]byte(item.ID))
	k := mark{id: markID(sum[:len(markID{})]), kind: kindOf(item.ID)}
	expires, r := item.Expires.Unix(), item.Room()
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now().Unix()
	m.forget(now)
	_, seen := m.used[k.id]
	switch {
	case seen && expires >= now:
		return ErrUsed
	case item.Issued.Before(m.start):
		return ErrForgotten
	case expires < now: // it may have been here, and forgotten
		m.forgotten[k.kind] = max(m.forgotten[k.kind], expires)
		return errExpired
	case expires <= m.forgotten[k.kind]:
		return ErrForgotten
	case m.full(r):
		return fmt.Errorf("%w, of those in room %q", ErrFull, r)
	}
	m.used[k.id] = struct{}{}
	m.rooms[r].count++
	m.rooms[r].queue.add(k, expires)
	return nil
}

// full reports whether there is no room for another item: its Room has all that it has to
// itself, and what is not kept free for the others is taken.
func (m *MemoryOneUse) full(r Room) bool {
	if m.rooms[r].count < m.reserved(r) {
		return false
	}
	taken := 0
	for q := range roomCount {
		taken += max(m.rooms[q].count, m.reserved(q))
	}
	return taken >= m.max
}

// reserved is how many items are kept free for a Room.
func (m *MemoryOneUse) reserved(r Room) int {
	if r == RoomLogin {
		return m.max / 2
	}
	return m.max / 20
}

// forget drops some of what has expired, from rooms that have more than may linger.
func (m *MemoryOneUse) forget(now int64) {
	for i := range m.rooms {
		r := &m.rooms[i]
		linger := min(lingerPerRoom, m.reserved(Room(i))/2)
		for range min(forgetPerRoom, max(0, r.count-linger)) {
			k, expired, ok := r.queue.popBefore(now)
			if !ok {
				break
			}
			delete(m.used, k.id)
			r.count--
			m.forgotten[k.kind] = max(m.forgotten[k.kind], expired)
		}
	}
}

// mark is what is kept of an item.
type mark struct {
	id   markID
	kind itemKind
}

// markID is the beginning of a hash of an item's ID.
type markID [16]byte
