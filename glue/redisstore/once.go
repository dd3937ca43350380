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

// ErrLostMemory is what Once answers for an item that was made before the time since
// which Redis remembers everything: nobody can tell whether it was used before, so it
// is not accepted. A login that begins now will be.
var ErrLostMemory = fmt.Errorf("redis has lost its memory, or another server took over, since this was made: %w", webauth.ErrForgotten)

var errExpired = errors.New("redisstore: the item has expired by this machine's clock")

const (
	// clockSlack is how much later than the beginning of Redis's memory an item must
	// have been made: its time comes from another clock. Half a second is ten times
	// what NTP leaves, and short enough for people not to notice.
	clockSlack = 500 * time.Millisecond
	// markSlack is how much longer than an item's life its mark is kept, because
	// another machine's clock may be behind.
	markSlack = 5 * time.Minute
	// maxUnsigned is how many unsigned items an hour are marked. Anybody can send them,
	// and a Redis full of them would be good for nothing else.
	maxUnsigned  = 100_000
	keepUnsigned = 2 * time.Hour // the count, not the marks
)

// Once implements webauth.OneUse. A mark carries a random value of the call, so that a
// call which the client repeats after a lost reply knows its own mark again. Any error
// but webauth.ErrUsed means that Once cannot say: Redis does not answer, has lost its
// memory (ErrLostMemory), or holds too many unsigned items (webauth.ErrFull).
func (s *Store) Once(ctx context.Context, item webauth.Item) error {
	now := s.cfg.Now()
	if item.ID == "" {
		return errors.New("redisstore: the item has no ID")
	}
	left := item.Expires.Sub(now)
	if left < 0 {
		return errExpired // its mark may be gone
	}
	most := 0
	if item.Unsigned {
		most = maxUnsigned
	}
	reply, err := s.run(ctx, onceScript,
		[]string{s.names.mark(item.ID), s.names.memory(), s.names.unsigned(now)},
		rand.Text(), (left + markSlack).Milliseconds(), item.Issued.UnixMilli(), now.UnixMilli(),
		clockSlack.Milliseconds(), most, keepUnsigned.Milliseconds(),
	).StringSlice()
	if err != nil {
		return s.unavailable(err)
	}
	return s.verdict(reply, item)
}

// verdict turns the script's reply into an error; only "first" is none.
func (s *Store) verdict(reply []string, item webauth.Item) error {
	switch {
	case len(reply) == 1 && reply[0] == "first":
		return nil
	case len(reply) == 1 && reply[0] == "used":
		return webauth.ErrUsed
	case len(reply) == 1 && reply[0] == "full":
		return fmt.Errorf("redisstore: more than %d unsigned items in an hour: %w", maxUnsigned, webauth.ErrFull)
	case len(reply) == 2 && reply[0] == "lost":
		since, _ := strconv.ParseInt(reply[1], 10, 64) // for the message only
		return fmt.Errorf("redisstore: Redis at %s: %w: it remembers since %s, this was made at %s", s.addr, ErrLostMemory,
			time.UnixMilli(since).UTC().Format(time.RFC3339), item.Issued.UTC().Format(time.RFC3339))
	}
	return s.unavailable(errReply)
}
