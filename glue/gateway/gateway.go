package gateway

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/password"
)

// title begins the lines of a gateway in the log.
const title = "wls gateway"

// Gateway is a reverse proxy that logs people in before any backend. It is made by New,
// configured anew by Reload, and safe for concurrent use.
type Gateway struct {
	core    serve.InForce[core, *core]
	handler http.Handler

	// What outlives a configuration: a response that was used, or a password that was
	// tried too often, must not be forgotten because somebody reloads.
	stores   *serve.Stores
	metrics  *metrics
	checker  *password.Checker // of the first configuration; nil before
	removals *removals
	logouts  *ratelimit.Gate
	log      *observe.AccessLog

	readiness serve.Readiness

	mu       sync.Mutex // held while a configuration comes or goes
	backends map[backendKey]*backend
	closed   bool
}

// New checks the configuration, all of it, reads the files that it names, and makes the
// secret if there is none. It connects to no backend. Its errors name the key that is at fault,
// with its place where the configuration comes from [Load]: see [Findings].
func New(cfg Config) (*Gateway, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	g := &Gateway{
		stores:   serve.NewStores(cfg.Now),
		metrics:  newMetrics(),
		logouts:  ratelimit.NewGate(logoutsAtOnce, logoutRest),
		backends: map[backendKey]*backend{},
	}
	g.core.Mutex, g.core.Release = &g.mu, g.release
	g.removals = &removals{now: cfg.Now, metrics: g.metrics, logged: map[removed]time.Time{}}
	c, err := g.build(cfg)
	if err != nil {
		return nil, err
	}
	if g.log, err = observe.NewAccessLog(title, cfg.Log.Access, cfg.Log.Format); err != nil {
		g.release(c)
		return nil, cfg.file.Errorf("log.access", "%v", err)
	}
	c.common.LogNoted(c.noted)
	g.core.Put(c)
	g.handler = observe.Handler(http.HandlerFunc(g.serve), g.log, g.metrics.Metrics, cfg.Now)
	g.metrics.Reloaded(cfg.Now(), nil)
	return g, nil
}

// Handler returns the gateway as an http.Handler. The server around it should have limits of
// its own for slow clients and large headers; Serve sets those of the configuration.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Admin returns the handler for operators and monitoring: see Admin.Listen.
func (g *Gateway) Admin() http.Handler {
	admin := func() *Admin { return &g.core.Load().cfg.Admin }
	return serve.AdminHandler(g.metrics.Metrics, g.ready, admin)
}

// Reload replaces the configuration. Requests that have begun end as they began, connections
// included, and none is refused meanwhile. If anything is wrong, nothing changes, and a secret
// that is not there is wrong: to make another one would log everybody out. Listeners are not
// the Gateway's and stay. What the new rules do not ask for any more is logged as a warning.
func (g *Gateway) Reload(cfg Config) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errors.New("gateway: Reload after Close")
	}
	c, err := g.replacement(cfg)
	if err != nil {
		g.metrics.Reloaded(g.core.Load().cfg.Now(), err)
		return err
	}
	old := g.core.Put(c)
	g.metrics.Reloaded(c.cfg.Now(), nil)
	c.common.LogNoted(c.noted)
	warnOfLoosened(c.cfg.Logger, old.cfg.Rules, c.cfg.Rules)
	g.core.Retire(old)
	return nil
}

// replacement makes all that a configuration needs, or nothing.
func (g *Gateway) replacement(cfg Config) (*core, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(cfg.SecretFile); errors.Is(err, fs.ErrNotExist) {
		return nil, cfg.file.Errorf("secret-file", "%s is not there: put it back; to begin with a new one, which logs everybody out, restart the gateway", cfg.SecretFile)
	}
	c, err := g.build(cfg)
	if err != nil {
		return nil, err
	}
	if err := g.log.Reopen(cfg.Log.Access, cfg.Log.Format, cfg.Logger); err != nil {
		g.release(c)
		return nil, cfg.file.Errorf("log.access", "%v", err)
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
	g.core.Retire(g.core.Load())
	return g.log.Close()
}

// serve passes a request to the configuration that is in force when it arrives.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	c := g.core.Acquire()
	defer g.core.Leave(c)
	if serve.AnswerAlive(w, r) {
		return
	}
	observe.RecordOf(r.Context()).Notes = &notes{}
	defer paceBody(w, r, &c.cfg.Limits).end()
	if c.cfg.ForwardAuth {
		asks, ok := c.question(r)
		if !ok {
			c.refuse(w, r, "forward-auth", notesOf(r.Context()).forwarded.err, pageFront)
			return
		}
		r = asks
	}
	c.handler.ServeHTTP(w, r)
}

// redirect sends a request to the same path at the BaseURL in force.
func (g *Gateway) redirect(w http.ResponseWriter, r *http.Request) {
	c := g.core.Acquire()
	defer g.core.Leave(c)
	c.site.RedirectHandler().ServeHTTP(w, r)
}

// release gives up what a core used and no other one does. The caller holds g.mu, or
// nobody else knows g yet.
func (g *Gateway) release(c *core) {
	for _, b := range c.backends {
		if b.users--; b.users == 0 {
			delete(g.backends, b.key)
			b.closeIdle()
		}
	}
	g.stores.Release(c.store, c.common)
}
