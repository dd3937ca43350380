package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Store keeps sessions and one-use marks in Redis. It is a sessions.Store and a
// [webauth.OneUse], safe for concurrent use; make it once with [New].
type Store struct {
	cfg    Config
	client redis.UniversalClient
	addr   string // for messages
	names  names

	unnoted minutely // last uses that could not be stored
}

// New returns a store for cfg. It is an error if Redis does not answer within
// [Config.Timeout] or is not fit for the purpose. An error about Redis names its address.
func New(cfg Config) (*Store, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, client: newClient(*cfg.Redis, cfg.Timeout),
		addr: strings.Join(cfg.Redis.Addrs, ", "), names: newNames(cfg.Site),
	}
	c, err := s.check(context.Background())
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.warn(c)
	return s, nil
}

// Close closes the connections. What is in Redis stays there.
func (s *Store) Close() error { return s.client.Close() }

// ErrEviction is in the error of New and Check where Redis is set to forget keys when
// its memory is full: a forgotten mark lets a response in again.
var ErrEviction = errors.New("it may evict keys")

// Check returns an error if Redis does not answer or is not fit for its purpose. It is for
// health checks. A Redis that lost its memory is noticed by Check or by the first login
// after that; logins that began before then cannot be completed, so that a site which
// calls Check every few seconds sends fewer people back.
func (s *Store) Check(ctx context.Context) error {
	_, err := s.check(ctx)
	return err
}

// condition is the state that Redis reports.
type condition struct {
	ahead           time.Duration // of our clock
	process, policy string        // "" where it does not say
}

func (s *Store) check(ctx context.Context) (condition, error) {
	now := s.cfg.Now()
	reply, err := s.run(ctx, checkScript, []string{s.names.memory(), s.names.canary()}, now.UnixMilli(), markSlack.Milliseconds()).StringSlice()
	if err == nil && len(reply) != 3 {
		err = errReply
	}
	if err != nil {
		return condition{}, s.unavailable(err)
	}
	clock, ok := unixMilli(reply[0])
	c := condition{ahead: clock.Sub(now), process: reply[1], policy: reply[2]}
	switch {
	case !ok:
		return c, s.unavailable(errReply)
	case c.policy != "" && c.policy != "noeviction":
		return c, s.unavailable(fmt.Errorf("%w: its maxmemory-policy is %s; set it to noeviction, or use a Redis of its own", ErrEviction, c.policy))
	}
	return c, nil
}

// clocksApart is how far Redis's clock may be from ours before we say so.
const clocksApart = 5 * time.Second

// warn logs what does not keep the site from starting.
func (s *Store) warn(c condition) {
	if c.ahead.Abs() > clocksApart {
		s.cfg.Logger.Warn("redisstore: the clocks of Redis and of this machine differ: when Redis has been restarted, logins are refused until both have passed that time, and all are where Redis is more than five minutes ahead; set both by NTP",
			"address", s.addr, "ahead", c.ahead.Round(time.Second))
	}
	if c.process == "" || c.policy == "" {
		s.cfg.Logger.Warn("redisstore: INFO is not permitted, or incomplete: it cannot be seen whether Redis evicts keys, or comes back with an old snapshot",
			"address", s.addr)
	}
}

// bounded returns the context of one operation.
func (s *Store) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, s.cfg.Timeout)
}

// run runs a script, for no longer than the timeout.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) *redis.Cmd {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	return script.Run(ctx, s.client, keys, args...)
}

// unavailable returns the error for a failure of Redis. Causes hold no session ids, because
// those are not sent to it.
func (s *Store) unavailable(err error) error {
	return fmt.Errorf("redisstore: Redis at %s: %w", s.addr, err)
}

var errReply = errors.New("an unexpected reply")
