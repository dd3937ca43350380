package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// ready reports why the gateway cannot do its work: it was closed, or Redis does not
// answer, or takes no writes. People who are logged in are served in spite of the last.
func (g *Gateway) ready(ctx context.Context) error {
	c := g.acquire()
	defer g.leave(c)
	switch {
	case c.retired.Load():
		return errors.New("the gateway is closed")
	case c.store == nil:
		return nil
	}
	err := c.store.Check(ctx)
	if !errors.Is(err, context.Canceled) { // whoever asked has gone, which says nothing about Redis
		g.readiness.note(c.cfg.Logger, err)
	}
	return err
}

// readiness is what was found last, so that the log has a line when that changes, and not
// one for every probe.
type readiness struct{ found atomic.Int32 }

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
func (r *readiness) note(log *slog.Logger, err error) {
	found := findingsOf(err)
	switch was := r.found.Swap(found); {
	case found == was:
	case err == nil:
		log.Info("wls gateway: ready again")
	default:
		log.Error("wls gateway: not ready", "error", err)
	}
}
