package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// ErrLostMemory is the error of [Store.Once] for an item that was made before the time
// since which Redis remembers everything: it may have been used before, so it is refused.
// A login that begins now will be accepted.
var ErrLostMemory = fmt.Errorf("redis has lost its memory, or another server took over, since this was made: %w", webauth.ErrForgotten)

var (
	errExpired = errors.New("redisstore: the item has expired by this machine's clock")
	errGone    = errors.New("the item's mark may have expired already")
)

const (
	// clockSlack is how much later than the start of Redis's memory an item must have been
	// made: its time is another clock's. Half a second is ten times the error of NTP, and
	// short enough for people not to notice.
	clockSlack = 500 * time.Millisecond
	// markSlack is how much longer than an item's life its mark is kept, because
	// another machine's clock may be behind, and how far Redis's clock may be ahead.
	markSlack = 5 * time.Minute
)

// most returns how many items of a room are marked in an hour, by all machines together. A
// Redis full of them would be of no other use. A login takes two, and so does a signed
// failure, which is what silent sign-in gets for every visitor who is not logged in.
func most(r webauth.Room) int {
	switch r {
	case webauth.RoomLogin:
		return 1_000_000
	case webauth.RoomFailure:
		return 500_000
	}
	return 100_000
}

// Once implements [webauth.OneUse]. A mark has a random value of the call, so that a call
// which the client repeats after a lost reply recognises its own mark. Any error but
// [webauth.ErrUsed] means that Once cannot know: Redis does not answer, has lost its memory
// ([ErrLostMemory]), or has marked too many items of this room in this hour
// ([webauth.ErrFull]).
func (s *Store) Once(ctx context.Context, item webauth.Item) error {
	now := s.cfg.Now()
	if item.ID == "" {
		return errors.New("redisstore: the item has no ID")
	}
	left := item.Expires.Sub(now)
	if left < 0 {
		return errExpired // its mark may be gone
	}
	// All of its life, however little of that our clock says is left: it may be put back.
	keep := max(left, item.Expires.Sub(item.Issued)) + markSlack
	reply, err := s.run(ctx, onceScript,
		[]string{s.names.mark(item.ID), s.names.memory(), s.names.canary(), s.names.count(item.Room(), now)},
		rand.Text(), keep.Milliseconds(), item.Issued.UnixMilli(), item.Expires.UnixMilli(), now.UnixMilli(),
		clockSlack.Milliseconds(), markSlack.Milliseconds(), most(item.Room()),
	).StringSlice()
	if err != nil {
		return s.unavailable(err)
	}
	return s.verdict(reply, item)
}

// verdict returns the error for the script's reply, nil for "first" alone.
func (s *Store) verdict(reply []string, item webauth.Item) error {
	switch {
	case len(reply) == 1 && reply[0] == "first":
		return nil
	case len(reply) == 1 && reply[0] == "used":
		return webauth.ErrUsed
	case len(reply) == 1 && reply[0] == "full":
		return fmt.Errorf("redisstore: more than %d items of room %q in an hour: %w", most(item.Room()), item.Room(), webauth.ErrFull)
	case len(reply) == 2 && reply[0] == "lost":
		return fmt.Errorf("redisstore: Redis at %s: %w: it remembers since %s, this was made at %s", s.addr, ErrLostMemory,
			shown(reply[1]), item.Issued.UTC().Format(time.RFC3339))
	case len(reply) == 2 && reply[0] == "gone":
		return fmt.Errorf("redisstore: Redis at %s: %w: its clock says %s, this expires at %s; set all clocks by NTP", s.addr, errGone,
			shown(reply[1]), item.Expires.UTC().Format(time.RFC3339))
	}
	return s.unavailable(errReply)
}

// shown formats a time in Unix milliseconds for messages.
func shown(milli string) string {
	ms, _ := strconv.ParseInt(milli, 10, 64)
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}
