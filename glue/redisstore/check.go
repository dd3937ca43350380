package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ucam-webauth/go-webauth/keys/words"
)

// ErrEviction is in the error of New and Check where Redis is set to forget keys when
// its memory is full: a forgotten mark lets a response in again.
var ErrEviction = errors.New("it may evict keys")

// ErrReadOnly is in an error where Redis answers and takes no writes: it is full, has fewer
// replicas than it was told to have, or is a replica itself. People who are logged in are
// served; nobody can log in.
var ErrReadOnly = errors.New("it takes no writes, so that nobody can log in")

// refusals are the errors of a Redis that takes no writes. Redis before version 7 writes
// the sign somewhere within.
var refusals = []struct{ sign, advice string }{
	{"OOM command", "its memory is full: raise maxmemory, or remove what else it holds"},
	{"NOREPLICAS", "it has fewer replicas than min-replicas-to-write: start them"},
	{"MISCONF", "it cannot write to its disk: see its log"},
	{"READONLY", "it is a replica: give the address of the master, or of all Sentinels"},
}

// passes reports whether an error is that of a Redis that will take writes again.
func passes(err error) bool {
	return errors.Is(err, ErrReadOnly) && !strings.Contains(err.Error(), "READONLY")
}

// Check returns an error if Redis does not answer, is not fit for its purpose, or takes no
// writes ([ErrReadOnly]); of a cluster, if that is so of any master that has marks. It is
// for alarms and health checks. What is not a fault yet, such as a master without a
// replica, goes to the log when it changes.
//
// A Redis that lost its memory is noticed by Check or by the first login after that; logins
// that began before then cannot be completed, so that a site which calls Check every few
// seconds sends fewer people back.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.survey(ctx)
	return err
}

// survey looks at all shards of the marks, and has those note since when Redis remembers that
// have not. It reports whether New can make a Store in spite of err.
func (s *Store) survey(ctx context.Context) (usable bool, err error) {
	now := s.cfg.Now()
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var errs []error
	var warnings []string
	unfit := false
	for i, reply := range s.askShards(ctx, now) {
		addr := s.addrOf(ctx, s.marks[i].memory())
		c, err := readCondition(reply, now)
		if err != nil {
			err = s.unavailableAt(addr, err)
			errs = append(errs, err)
		}
		for _, w := range c.warnings(s.replicated()) {
			warnings = append(warnings, "Redis at "+addr+": "+w)
		}
		usable = usable || err == nil || passes(err)
		unfit = unfit || errors.Is(err, ErrEviction)
	}
	s.warn(warnings)
	// Shards of one master, which follow each other, say the same.
	errs = slices.CompactFunc(errs, func(a, b error) bool { return a.Error() == b.Error() })
	return usable && !unfit, errors.Join(errs...)
}

// askShards runs the script at all shards, in one round trip to each master.
func (s *Store) askShards(ctx context.Context, now time.Time) (replies [markShards]*redis.Cmd) {
	pipe := s.client.Pipeline()
	for i, m := range s.marks {
		// With its text, because a node may not know it yet.
		replies[i] = checkScript.Eval(ctx, pipe, []string{m.memory(), m.canary()}, now.UnixMilli(), markSlack.Milliseconds())
	}
	_, _ = pipe.Exec(ctx) // each reply has its own error
	return replies
}

// replicated reports whether the configuration is one where a replica can take over.
func (s *Store) replicated() bool {
	_, cluster := s.client.(*redis.ClusterClient)
	return cluster || s.cfg.Redis.MasterName != ""
}

// warn logs warnings if they are others than last time.
func (s *Store) warn(warnings []string) {
	slices.Sort(warnings)
	warnings = slices.Compact(warnings)
	text := strings.Join(warnings, "\n")
	s.mu.Lock()
	last := s.warned
	s.warned = text
	s.mu.Unlock()
	if text == last {
		return
	}
	for _, w := range warnings {
		s.cfg.Logger.Warn("redisstore: " + w)
	}
}

// condition is the state that the master of a shard reports.
type condition struct {
	ahead           time.Duration // of our clock
	process, policy string        // "" where it does not say
	replicas        string        // how many are connected, "" where it does not say
	enough          string        // how many it counts for min-replicas-to-write, "" where that is 0
}

// readCondition returns the condition that a reply tells, and why Redis will not do.
func readCondition(reply *redis.Cmd, now time.Time) (condition, error) {
	field, err := reply.StringSlice()
	if err != nil {
		return condition{}, err
	}
	if len(field) != 6 {
		return condition{}, errReply
	}
	clock, ok := unixMilli(field[0])
	c := condition{ahead: clock.Sub(now), process: field[1], policy: field[2], replicas: field[4], enough: field[5]}
	switch refused := field[3]; {
	case !ok:
		return c, errReply
	case c.policy != "" && c.policy != "noeviction":
		return c, fmt.Errorf("%w: its maxmemory-policy is %s; set it to noeviction, or use a Redis of its own", ErrEviction, c.policy)
	case refused != "":
		return c, errors.New(refused)
	}
	return c, nil
}

// clocksApart is how far Redis's clock may be from ours before we say so.
const clocksApart = 5 * time.Second

// warnings returns what does not keep the site from starting.
func (c condition) warnings(replicated bool) (all []string) {
	if c == (condition{}) {
		return nil // it did not answer
	}
	if c.ahead.Abs() > clocksApart {
		// Rounded, so that one difference is said once.
		apart := words.Duration(c.ahead.Abs().Round(2*clocksApart)) + " behind"
		if c.ahead > 0 {
			apart = words.Duration(c.ahead.Round(2*clocksApart)) + " ahead of"
		}
		all = append(all, "its clock is about "+apart+" this machine's: when Redis has been restarted, logins are refused until both have passed that time, and all are where Redis is more than five minutes ahead; set both by NTP")
	}
	if c.process == "" || c.policy == "" {
		all = append(all, "INFO is not permitted, or incomplete: it cannot be seen whether Redis evicts keys, or comes back with an old snapshot")
	}
	switch {
	case !replicated || c.enough != "":
	case c.replicas == "0":
		all = append(all, "it has no replica: if it fails, nothing takes over and its sessions are lost; start one, and set min-replicas-to-write 1")
	case c.replicas != "":
		all = append(all, "min-replicas-to-write is 0: after a network split there may be two masters, and a response that was used at one is good at the other; set it to 1, and min-replicas-max-lag to 5")
	}
	return all
}
