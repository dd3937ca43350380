package redisstore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// noteEvery bounds how often the last use of a session is stored.
const noteEvery = time.Minute

// noteUse stores that a session is in use. Whoever has read the session is served all the
// same where that fails, because Redis is full, say, or without its replicas: a session is
// then taken to be unused for longer than it was, which can only end it sooner.
func (s *Store) noteUse(ctx context.Context, key string, now time.Time) {
	err := s.run(ctx, touchScript, []string{key}, now.UnixMilli(), s.cfg.Inactivity.Milliseconds()).Err()
	if err != nil && !errors.Is(err, context.Canceled) && s.unnoted.due(now) {
		s.cfg.Logger.Error("redisstore: the last use of a session cannot be stored; people who are logged in are served, but logins fail while Redis takes no writes (said at most once a minute)",
			"error", s.unavailable(err))
	}
}

// minutely is an event that is logged once a minute.
type minutely struct{ last atomic.Int64 } // in Unix milliseconds

// due reports whether to log the event, and takes it for logged.
func (m *minutely) due(now time.Time) bool {
	last := m.last.Load()
	return now.Sub(time.UnixMilli(last)).Abs() >= time.Minute && m.last.CompareAndSwap(last, now.UnixMilli())
}
