package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
	errNoID    = errors.New("redisstore: the item has no ID")
	errGroups  = errors.New("redisstore: a response and its token must be of one Group, or they are in two places")
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

// most returns how many items of a room are marked in an hour in each shard, by all machines
// together. A Redis full of them would be of no other use. A login takes two, and so does a
// signed failure, which is what silent sign-in gets for every visitor who is not logged in.
func (s *Store) most(r webauth.Room) int {
	logins := s.cfg.LoginsPerHour
	switch r {
	case webauth.RoomLogin:
		return 2 * logins / markShards
	case webauth.RoomFailure:
		return logins / markShards
	}
	return logins / 5 / markShards
}

// Once implements [webauth.OneUse]. A mark has a random value of the call, so that a call
// which the client repeats after a lost reply recognises its own mark. Any error but
// [webauth.ErrUsed] means that Once cannot know: Redis does not answer, takes no writes
// ([ErrReadOnly]), has lost its memory ([ErrLostMemory]), or has marked too many items of this
// room in this hour ([webauth.ErrFull]).
func (s *Store) Once(ctx context.Context, item webauth.Item) error {
	return s.once(ctx, item)[0]
}

// OncePair implements [webauth.PairOneUse]. It is an error, and neither is marked, if the
// items are not of one group.
func (s *Store) OncePair(ctx context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	if response.Group == "" || response.Group != token.Group {
		return errGroups, errGroups
	}
	errs := s.once(ctx, response, token)
	return errs[0], errs[1]
}

// once marks items of one shard in one step, each whatever becomes of the others, and
// returns an error for each.
func (s *Store) once(ctx context.Context, items ...webauth.Item) []error {
	now, shard := s.cfg.Now(), s.markShard(items[0])
	keys := []string{shard.memory(), shard.canary()}
	args := []any{rand.Text(), now.UnixMilli(), clockSlack.Milliseconds(), markSlack.Milliseconds()}
	errs := make([]error, len(items))
	var asked []int
	for i, item := range items {
		left := item.Expires.Sub(now)
		switch {
		case item.ID == "":
			errs[i] = errNoID
			continue
		case left < 0:
			errs[i] = errExpired // its mark may be gone
			continue
		}
		asked = append(asked, i)
		keys = append(keys, shard.mark(item.ID), shard.count(item.Room(), now))
		// All of its life, however little of that our clock says is left: it may be put back.
		keep := max(left, item.Expires.Sub(item.Issued)) + markSlack
		args = append(args, keep.Milliseconds(), item.Issued.UnixMilli(), item.Expires.UnixMilli(), s.most(item.Room()))
	}
	if len(asked) == 0 {
		return errs
	}
	replies, err := s.run(ctx, onceScript, keys, args...).StringSlice()
	if err == nil && len(replies) != len(asked) {
		err = errReply
	}
	for n, i := range asked {
		if err != nil {
			errs[i] = s.unavailableAt(s.addrOf(ctx, keys[0]), err)
		} else {
			errs[i] = s.verdict(strings.Fields(replies[n]), items[i])
		}
	}
	if strings.Contains(strings.Join(replies, " "), "noted") {
		_, _ = s.survey(ctx) // other shards may have lost theirs: the sooner that is noted, the fewer are sent back
	}
	return errs
}

// verdict returns the error for the script's reply, nil for "first" alone.
func (s *Store) verdict(reply []string, item webauth.Item) error {
	switch {
	case len(reply) == 1 && reply[0] == "first":
		return nil
	case len(reply) == 1 && reply[0] == "used":
		return webauth.ErrUsed
	case len(reply) == 1 && reply[0] == "full":
		return fmt.Errorf("redisstore: more than %d items of room %q in an hour in one of %d shards (see Config.LoginsPerHour): %w", s.most(item.Room()), item.Room(), markShards, webauth.ErrFull)
	case len(reply) >= 2 && reply[0] == "lost":
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
