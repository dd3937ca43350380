package webauth

import (
	"container/heap"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// OneUse remembers what has been used, so that a response and a token work once. All
// machines of a site must share one, or each lets a response in once.
type OneUse interface {
	// Once marks the item as used: nil the first time, ErrUsed after that (64 callers
	// at once: one nil), any other error when it cannot say. Only nil lets anybody in.
	Once(ctx context.Context, item Item) error
}

// Item is what can be used once.
type Item struct {
	// ID names it: printable ASCII, under 100 bytes, not secret.
	ID string
	// Issued is when it was made; a store that has lost its memory since then must
	// not vouch for it.
	Issued time.Time
	// Expires is when it is refused for its age anyway and may be forgotten.
	Expires time.Time
	// Unsigned marks what came without the WLS's signature, as anybody can make it: a
	// token that came back in an unsigned failure, a form. A bounded store keeps these
	// from crowding out the others.
	Unsigned bool
}

// ErrUsed is what OneUse.Once answers from the second time on.
var ErrUsed = errors.New("webauth: used before")

// ErrFull is what a MemoryOneUse answers when it has no room.
var ErrFull = errors.New("webauth: no room to remember another used response")

// ErrForgotten is what a OneUse answers, or wraps, for an item that is older than its
// memory: it may have been used, and a new one will do.
var ErrForgotten = errors.New("webauth: older than the memory of what was used")

var errExpired = errors.New("webauth: already expired by the clock of the MemoryOneUse")

// MemoryOneUse is the OneUse for a site that runs in one process.
type MemoryOneUse struct {
	mu       sync.Mutex
	now      func() time.Time
	start    int64 // Unix seconds; what was used before, nobody knows here
	max      int
	used     map[[16]byte]struct{}
	queue    useQueue
	unsigned int
}

// NewMemoryOneUse makes one that holds at most max items, about 150 bytes each, and
// refuses more until some expire. It refuses what is older than itself: what was used
// before a restart nobody knows, so logins under way at a restart begin again. max 0
// means 1,000,000; a nil now means time.Now, and must be the clock of the Verifier
// where that has one of its own. Half of the room is for items that are not Unsigned
// alone.
func NewMemoryOneUse(max int, now func() time.Time) *MemoryOneUse {
	if max <= 0 {
		max = 1_000_000
	}
	if now == nil {
		now = time.Now
	}
	return &MemoryOneUse{now: now, start: now().Unix(), max: max, used: map[[16]byte]struct{}{}}
}

// Once implements OneUse.
func (m *MemoryOneUse) Once(_ context.Context, item Item) error {
	sum := sha256.Sum256([]byte(item.ID))
	e := useEntry{id: [16]byte(sum[:16]), expires: item.Expires.Unix(), unsigned: item.Unsigned}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now().Unix()
	m.forget(now)
	if _, seen := m.used[e.id]; seen {
		return ErrUsed
	}
	if item.Issued.Unix() < m.start {
		return ErrForgotten
	}
	if e.expires < now { // it may have been here, and forgotten
		return errExpired
	}
	if len(m.used) >= m.max || e.unsigned && m.unsigned >= m.max/2 {
		return ErrFull
	}
	m.used[e.id] = struct{}{}
	heap.Push(&m.queue, e)
	if e.unsigned {
		m.unsigned++
	}
	return nil
}

// forget drops what has expired.
func (m *MemoryOneUse) forget(now int64) {
	for len(m.queue) > 0 && m.queue[0].expires < now {
		e := heap.Pop(&m.queue).(useEntry)
		delete(m.used, e.id)
		if e.unsigned {
			m.unsigned--
		}
	}
}

type useEntry struct {
	id       [16]byte
	expires  int64 // Unix seconds
	unsigned bool
}

// useQueue is a heap, the first to expire on top.
type useQueue []useEntry

func (q useQueue) Len() int           { return len(q) }
func (q useQueue) Less(i, j int) bool { return q[i].expires < q[j].expires }
func (q useQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *useQueue) Push(x any)        { *q = append(*q, x.(useEntry)) }
func (q *useQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
