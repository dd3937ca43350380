package serve

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Stores are the Redises that the configurations of a process use, and what the process
// itself remembers: a response that was used must not be forgotten because somebody reloads.
// It is safe for concurrent use.
type Stores struct {
	// OneUse is the memory of this process.
	OneUse webauth.PairOneUse

	mu     sync.Mutex
	stores map[storeKey]*Store
}

// NewStores returns stores of which none is in use, and a memory that is empty.
func NewStores(now func() time.Time) *Stores {
	return &Stores{OneUse: webauth.NewMemoryOneUse(0, now), stores: map[storeKey]*Store{}}
}

// storeKey is all that makes the stores of two configurations different.
type storeKey struct {
	url, site string
	maxLife   time.Duration
}

// Store is a Redis that one or more configurations use.
type Store struct {
	*redisstore.Store
	OneUse webauth.OneUse

	key   storeKey
	users int // configurations; guarded by Stores.mu
}

// Use returns the Redis of a configuration, which calls Release at its end; it stays connected
// over a reload. Without a Redis it returns nil.
func (s *Stores) Use(c *Config, noted *site.Findings) (*Store, error) {
	address, key, err := c.redisURL(noted)
	if err != nil || address == "" {
		return nil, err
	}
	store, err := s.use(c, address)
	if err != nil {
		return nil, c.File.Errorf(key, "%v", err)
	}
	return store, nil
}

func (s *Stores) use(c *Config, address string) (*Store, error) {
	// The site's name in Redis is its host, with the port.
	name := strings.Trim(strings.NewReplacer("[", "-", "]", "-", ":", "-").Replace(HostOf(c.BaseURL)), "-")
	key := storeKey{address, name, time.Duration(c.Session.MaxLife)}
	s.mu.Lock()
	defer s.mu.Unlock()
	store := s.stores[key]
	if store == nil {
		redis, err := redisstore.New(redisstore.Config{
			URL: key.url, Site: key.site, MaxLife: key.maxLife, Logger: c.Logger, Now: c.Now,
		})
		if err != nil {
			return nil, err
		}
		store = &Store{Store: redis, key: key, OneUse: onceInBoth{redis, s.OneUse}}
		s.stores[key] = store
	}
	store.users++
	return store, nil
}

// Release ends the use of a store by one configuration; nil is none.
func (s *Stores) Release(store *Store, c *Config) {
	if store == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if store.users--; store.users > 0 {
		return
	}
	delete(s.stores, store.key)
	if err := store.Close(); err != nil {
		c.Logger.Warn(c.Program+": closing Redis", "error", err)
	}
}

// onceInBoth marks what is used in Redis, for all machines of a site, and in the memory of
// this one: a reload that changes to another Redis or to none, or to Redis from none,
// brings back nothing that was used here. What others let in, Redis alone knows.
//
// Only what Redis vouches for is marked in memory, so that nothing is used up by a Redis
// that does not answer; and memory, which is as old as this process and has an end in each
// webauth.Room, is asked for no more than what it has seen: a flood of one kind that fills
// its room here is not to keep out what Redis has room for.
type onceInBoth struct{ redis, memory webauth.PairOneUse }

// Once implements webauth.OneUse.
func (o onceInBoth) Once(ctx context.Context, item webauth.Item) error {
	if err := o.redis.Once(ctx, item); err != nil {
		return err
	}
	return onlyUsed(o.memory.Once(ctx, item))
}

// OncePair implements webauth.PairOneUse.
func (o onceInBoth) OncePair(ctx context.Context, response, token webauth.Item) (responseErr, tokenErr error) {
	responseErr, tokenErr = o.redis.OncePair(ctx, response, token)
	switch {
	case responseErr == nil && tokenErr == nil:
		responseErr, tokenErr = o.memory.OncePair(ctx, response, token)
		return onlyUsed(responseErr), onlyUsed(tokenErr)
	case responseErr == nil:
		responseErr = onlyUsed(o.memory.Once(ctx, response))
	case tokenErr == nil:
		tokenErr = onlyUsed(o.memory.Once(ctx, token))
	}
	return responseErr, tokenErr
}

// onlyUsed returns what counts of memory's errors.
func onlyUsed(err error) error {
	if errors.Is(err, webauth.ErrUsed) {
		return err
	}
	return nil
}
