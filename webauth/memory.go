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
	start time.Time // what was used before is not known here; to the microsecond, as in tokens
	max   int
	used  map[markID]struct{}
	rooms [roomCount]room
	// forgotten is the latest expiry, in Unix seconds, of the dropped items, by kind. A
	// clock that is put back makes an item good again after its mark has gone. By kind,
	// because items of one kind live equally long, so that those made after the dropped
	// ones expire after them, and are not taken for one of them.
	forgotten [len(kinds)]int64
}

// room is what is kept of one Room.
type room struct {
	count int
	queue expiryQueue
}

const (
	// forgetPerRoom is how many expired items a call drops from each room, at most: so many
	// that space is freed faster than it is taken, and so few that no caller waits.
	forgetPerRoom = 10
	// lingerPerRoom is how many expired items of a room are kept, those that expired last,
	// where there is space to spare: after a clock was ahead, they can still be told from
	// items that were not used.
	lingerPerRoom = 10_000
)

// defaultMemory is how many items a MemoryOneUse holds if nothing else is said.
const defaultMemory = 1_000_000

// NewMemoryOneUse returns a memory of at most max items, about 70 bytes each. Its Once
// returns [ErrFull] for more until some expire. A login takes two, one for 35 seconds and one for
// an hour. Half of max is for [RoomLogin] alone and a twentieth for each other [Room]; the
// rest is for all, first come, first served.
//
// It refuses items older than itself, because it cannot know what was used before a
// restart: logins under way at a restart begin again. It also refuses items that a clock
// which was put back makes good again after they may have been forgotten. max 0 means
// 1,000,000; a nil now means time.Now. It must be the clock of the [Verifier].
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if max <= 0 {
		max = defaultMemory
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{now: now, start: now().Truncate(time.Microsecond), max: max, used: map[markID]struct{}{}}
}

// Once implements [OneUse].
func (m *MemoryOneUse) Once(_ context.Context, item Item) error {
	k := markOf(item)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.once(k, item)
}

// OncePair implements [PairOneUse].
func (m *MemoryOneUse) OncePair(_ context.Context, response, token Item) (responseErr, tokenErr error) {
	r, t := markOf(response), markOf(token)
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.once(r, response), m.once(t, token)
}

// once marks an item. The caller holds m.mu.
func (m *MemoryOneUse) once(k mark, item Item) error {
	expires, r, now := item.Expires.Unix(), item.Room(), m.now().Unix()
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

// full reports whether there is no space for another item: its Room has used up its
// reserve, and what is not reserved for the others is taken.
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

// reserved returns how many items are kept free for a Room.
func (m *MemoryOneUse) reserved(r Room) int {
	if r == RoomLogin {
		return m.max / 2
	}
	return m.max / 20
}

// forget drops some of the expired items, from rooms that have more than may linger.
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

func markOf(item Item) mark {
	sum := sha256.Sum256([]byte(item.ID))
	return mark{id: markID(sum[:len(markID{})]), kind: kindOf(item.ID)}
}

// markID is the beginning of a hash of an item's ID.
type markID [16]byte
