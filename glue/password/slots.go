package password

import (
	"context"
	"sync/atomic"
	"time"
)

// slots bounds how many passwords are checked at once, and how many may wait for that, so
// that the rest of the site does not wait for bcrypt. People who were right at this network
// lately have one of their own, so that a crowd of strangers does not keep them out. Nil
// bounds nothing.
type slots struct {
	open, kept         chan struct{} // for everybody; for those who are familiar
	strangers, friends atomic.Int32  // who wait
}

// How many wait at most, and for how long. Friends were right here lately, and can hardly
// be a flood; when memory is lost many of them may come at once.
const (
	maxStrangers = 64
	maxFriends   = 256
	maxWait      = 5 * time.Second
)

func newSlots(atOnce int) *slots {
	if atOnce == 0 {
		return nil
	}
	return &slots{open: make(chan struct{}, atOnce), kept: make(chan struct{}, 1)}
}

// take waits for a slot. Whoever gets one calls done at its end.
func (s *slots) take(ctx context.Context, familiar bool) (done func(), err error) {
	if s == nil {
		return func() {}, nil
	}
	waiting, most, kept := &s.strangers, int32(maxStrangers), chan struct{}(nil) // nobody can send to that
	if familiar {
		waiting, most, kept = &s.friends, maxFriends, s.kept
	}
	defer waiting.Add(-1)
	if waiting.Add(1) > most {
		return nil, ErrCrowded
	}
	late := time.NewTimer(maxWait)
	defer late.Stop()
	select {
	case s.open <- struct{}{}:
		return func() { <-s.open }, nil
	case kept <- struct{}{}:
		return func() { <-s.kept }, nil
	case <-late.C:
		return nil, ErrCrowded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
