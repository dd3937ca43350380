package gateway

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Gateway is a reverse proxy that logs people in before any backend. It is made by New,
// configured anew by Reload, and safe for concurrent use.
type Gateway struct {
	core    atomic.Pointer[core]
	handler http.Handler

	// What outlives a configuration: a response that was used, or a password that was
	// tried too often, must not be forgotten because somebody reloads.
	once     webauth.OneUse
	attempts *attempts
	metrics  *metrics
	log      *accessLog

	mu       sync.Mutex // held while a configuration comes or goes
	backends map[backendKey]*backend
	stores   map[string]*sharedStore // by URL
	closed   bool
}

// sharedStore is a Redis that one or more configurations use.
type sharedStore struct {
	*redisstore.Store
	users int // configurations; guarded by Gateway.mu
}

// New checks the configuration, all of it, reads the files that it names, and makes the
// secret if there is none. It connects to no backend.
func New(cfg Config) (*Gateway, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	g := &Gateway{
		once:     webauth.NewMemoryOneUse(0, cfg.Now),
		attempts: newAttempts(cfg.Now),
		metrics:  newMetrics(),
		backends: map[backendKey]*backend{},
		stores:   map[string]*sharedStore{},
	}
	c, err := g.build(cfg)
	if err != nil {
		return nil, err
	}
	if g.log, err = newAccessLog(cfg.Log); err != nil {
		g.release(c)
		return nil, err
	}
	g.core.Store(c)
	g.handler = observe(http.HandlerFunc(g.serve), g.log, g.metrics, cfg.Now)
	g.metrics.reloaded(cfg.Now(), nil)
	return g, nil
}

// Handler is the gateway as an http.Handler. The server around it should have limits of
// its own for slow clients and large headers; Serve sets those of the configuration.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Admin is what operators and their programs may ask: see Admin.Listen.
func (g *Gateway) Admin() http.Handler { return adminHandler(g.metrics, g.ready) }

// ready reports why the gateway cannot do its work: it was closed, or Redis does not
// answer.
func (g *Gateway) ready(ctx context.Context) error {
	c := g.acquire()
	defer g.leave(c)
	switch {
	case c.retired.Load():
		return errors.New("the gateway is closed")
	case c.store == nil:
		return nil
	default:
		return c.store.Check(ctx)
	}
}

// Reload puts another configuration in the place of the present one. Requests that have
// begun end as they began, connections included, and none is refused meanwhile. If
// anything is wrong, nothing changes. Listeners are not the Gateway's and stay.
func (g *Gateway) Reload(cfg Config) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errors.New("gateway: Reload after Close")
	}
	c, err := g.replacement(cfg)
	if err != nil {
		g.metrics.reloaded(g.core.Load().cfg.Now(), err)
		return err
	}
	old := g.core.Swap(c)
	g.metrics.reloaded(c.cfg.Now(), nil)
	g.retire(old)
	return nil
}

// replacement makes all that a configuration needs, or nothing.
func (g *Gateway) replacement(cfg Config) (*core, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	c, err := g.build(cfg)
	if err != nil {
		return nil, err
	}
	if err := g.log.reopen(cfg.Log); err != nil {
		g.release(c)
		return nil, err
	}
	return c, nil
}

// Close ends the access log and the connections to backends that nothing uses. Stop the
// servers first: what is still on its way is not waited for.
func (g *Gateway) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.retire(g.core.Load())
	return g.log.close()
}

// serve passes a request to the configuration that is in force when it arrives.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	c := g.acquire()
	defer g.leave(c)
	if c.cfg.ForwardAuth {
		captureForwarded(r, &c.cfg.Front)
	}
	c.handler.ServeHTTP(w, r)
}

// acquire gives the core in force and counts its user. One that is replaced at this
// moment is not used any more: whoever replaced it may have seen that nobody does.
func (g *Gateway) acquire() *core {
	for {
		c := g.core.Load()
		c.users.Add(1)
		if g.core.Load() == c {
			return c
		}
		g.leave(c)
	}
}

// leave ends a use of a core; the last one of a core that was replaced releases it.
func (g *Gateway) leave(c *core) {
	if c.users.Add(-1) == 0 && c.retired.Load() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.release(c)
	}
}

// retire releases a core now or when its last request has ended. The caller holds g.mu.
func (g *Gateway) retire(c *core) {
	c.retired.Store(true)
	if c.users.Load() == 0 {
		g.release(c)
	}
}

// release gives up what a core used and no other one does. The caller holds g.mu, or
// nobody else knows g yet.
func (g *Gateway) release(c *core) {
	if c.released {
		return
	}
	c.released = true
	for _, b := range c.backends {
		if b.users--; b.users == 0 {
			delete(g.backends, b.key)
			b.close()
		}
	}
	if s := c.store; s != nil {
		if s.users--; s.users == 0 {
			delete(g.stores, c.cfg.RedisURL)
			if err := s.Close(); err != nil {
				c.cfg.Logger.Warn("wls gateway: closing Redis", "error", err)
			}
		}
	}
}
