package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Store keeps sessions and one-use marks in Redis. It is a sessions.Store and a
// [webauth.OneUse], safe for concurrent use; make it once with [New].
type Store struct {
	cfg    Config
	client redis.UniversalClient
	addr   string // for messages
	names  names
	marks  [markShards]markShard

	unnoted minutely // last uses that could not be stored

	mu     sync.Mutex
	warned string // what Check found last
}

// New returns a store for cfg. It is an error if Redis does not answer within
// [Config.Timeout] or is not fit for the purpose. An error about Redis names its address.
//
// A Redis that is full or has lost its replicas ([ErrReadOnly]), and a cluster some of whose
// masters do not answer, are warnings in the log: a machine that is started then can serve
// those who are logged in, and [Store.Check] returns the error.
func New(cfg Config) (*Store, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, client: newClient(*cfg.Redis, cfg.Timeout),
		addr: strings.Join(cfg.Redis.Addrs, ", "), names: names{cfg.Site}, marks: names{cfg.Site}.marks(),
	}
	usable, err := s.survey(context.Background())
	if !usable {
		return nil, errors.Join(err, s.Close())
	}
	if err != nil {
		cfg.Logger.Warn("redisstore: logins will fail until this is mended", "error", err)
	}
	return s, nil
}

// Close closes the connections. What is in Redis stays there.
func (s *Store) Close() error { return s.client.Close() }

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
func (s *Store) unavailable(err error) error { return s.unavailableAt(s.addr, err) }

func (s *Store) unavailableAt(addr string, err error) error {
	for _, r := range refusals {
		if strings.Contains(err.Error(), r.sign) {
			return fmt.Errorf("redisstore: Redis at %s: %w: %s (%w)", addr, ErrReadOnly, r.advice, err)
		}
	}
	return fmt.Errorf("redisstore: Redis at %s: %w", addr, err)
}

// addrOf returns the address of the master of a key.
func (s *Store) addrOf(ctx context.Context, key string) string {
	if c, ok := s.client.(*redis.ClusterClient); ok {
		if node, err := c.MasterForKey(ctx, key); err == nil {
			return node.Options().Addr
		}
	}
	return s.addr
}

var errReply = errors.New("an unexpected reply")
