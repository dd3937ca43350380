package serve

import (
	"log/slog"
	"sync/atomic"

	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// Readiness is whether the Redis in use can do its work, as it was found last, so that the log
// has a line when that changes, and not one for every probe.
type Readiness struct{ found atomic.Int32 }

// Check reports why a program cannot do its work with a store, which is nil for none: Redis
// does not answer, or takes no writes. People who are logged in are served in spite of the
// last.
func (r *Readiness) Check(ctx context.Context, c *Config, store *Store) error {
	if store == nil {
		return nil
	}
	err := store.Check(ctx)
	if !errors.Is(err, context.Canceled) { // whoever asked has gone, which says nothing about Redis
		r.note(c.Logger, c.Program, err)
	}
	return err
}

// What is found: nothing, or one of these, or both, at different masters of a cluster.
const (
	foundReadOnly int32 = 1 << iota
	foundUnfit
)

// findingsOf returns what an error of [redisstore.Store.Check] says of one master or more.
// Texts are not compared: those of one fault differ by port numbers.
func findingsOf(err error) (found int32) {
	if err == nil {
		return 0
	}
	masters := []error{err}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		masters = all.Unwrap()
	}
	for _, master := range masters {
		if errors.Is(master, redisstore.ErrReadOnly) {
			found |= foundReadOnly
		} else {
			found |= foundUnfit
		}
	}
	return found
}

// note logs err if it is of another kind than the last one.
func (r *Readiness) note(log *slog.Logger, program string, err error) {
	found := findingsOf(err)
	switch was := r.found.Swap(found); {
	case found == was:
	case err == nil:
		log.Info(program + ": ready again")
	default:
		log.Error(program+": not ready", "error", err)
	}
}
