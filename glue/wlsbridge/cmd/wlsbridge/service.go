package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge"
	"github.com/ucam-webauth/go-webauth/glue/wlsbridge/internal/signkeys"
)

// limits bound what connections may cost. Nobody sends or gets more than a page here.
var limits = serve.Limits{
	HeaderBytes: 64 << 10, HeaderTimeout: 10 * time.Second, BodyTimeout: 30 * time.Second,
	WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, StopTimeout: 10 * time.Second,
}

// maxBody is more than any form here has, in bytes.
const maxBody = 64 << 10

// Paths beside those of packages serve and wlsbridge.
const (
	logoutPath = "/auth/logout.html"
	authPath   = "/auth/"
	// backChannelPath is where an OpenID Connect provider says that somebody has logged out
	// there.
	backChannelPath = serve.ReservedPath + "/back-channel-logout"
)

// core is a configuration at work. It does not change; a reload makes another one.
type core struct {
	serve.Uses
	cfg     *Config
	site    *site.Site
	auth    *glue.Auth
	handler http.Handler
	store   *serve.Store
	noted   site.Findings
}

// service serves configurations, one after the other.
type service struct {
	core serve.InForce[core, *core]

	// What outlives a configuration.
	stores    *serve.Stores
	metrics   *metrics
	log       *observe.AccessLog
	readiness serve.Readiness
	server    *serve.Server

	mu sync.Mutex // held while a configuration comes or goes
}

func newService(c *Config) *service {
	s := &service{stores: serve.NewStores(c.Now), metrics: newMetrics()}
	s.core.Mutex, s.core.Release = &s.mu, s.release
	return s
}

// open makes all that a configuration needs, the first key and the secret included, and opens
// its sockets.
func open(c *Config, passed map[string][]net.Listener) (*service, error) {
	s := newService(c)
	made, err := s.build(c, func(*site.Findings) (*signkeys.Ring, error) { return c.openKeys(true) })
	if err != nil {
		return nil, err
	}
	if s.log, err = observe.NewAccessLog(title, c.Log.Access, c.Log.Format); err != nil {
		s.release(made)
		return nil, c.File.Errorf("log.access", "%v", err)
	}
	s.core.Put(made)
	admin := func() *serve.Admin { return &s.core.Load().cfg.Admin }
	handlers := serve.Handlers{
		Site:     observe.Handler(s.inForce(func(c *core) http.Handler { return c.handler }), s.log, s.metrics.Metrics, c.Now),
		Redirect: s.inForce(func(c *core) http.Handler { return c.site.RedirectHandler() }),
		Admin:    serve.AdminHandler(s.metrics.Metrics, s.ready, admin),
	}
	if s.server, err = serve.NewServer(&c.Serving, limits, handlers, s.metrics.Metrics, passed); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	c.LogNoted(made.noted)
	s.metrics.Reloaded(c.Now(), nil)
	return s, nil
}

// inForce serves a request by the configuration that is in force when it arrives, and answers
// probes.
func (s *service) inForce(handler func(*core) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.core.Acquire()
		defer s.core.Leave(c)
		if serve.AnswerAlive(w, r) {
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		handler(c).ServeHTTP(w, r)
	})
}

// build makes a core, or returns all that is wrong.
func (s *service) build(cfg *Config, keys func(*site.Findings) (*signkeys.Ring, error)) (*core, error) {
	c := &core{cfg: cfg}
	err := s.buildSite(c)
	if err == nil {
		err = c.buildLogin()
	}
	if err == nil {
		err = c.buildBridge(keys)
	}
	if err != nil {
		s.release(c)
		return nil, err
	}
	return c, nil
}

func (s *service) buildSite(c *core) (err error) {
	cfg := c.cfg
	config := cfg.SiteConfig()
	config.SecretFile, config.OneUse, config.Proxies = cfg.SecretFile, s.stores.OneUse, cfg.Front.Believed()
	config.Headers = cfg.headers()
	config.OnMisdirected, config.OnEvent = c.misdirected, s.metrics.onEvent
	if config.Page, err = cfg.Page(); err != nil {
		return err
	}
	if c.store, err = s.stores.Use(&cfg.Serving, &c.noted); err != nil {
		return err
	}
	if c.store != nil {
		config.OneUse = c.store.OneUse
	}
	if c.site, err = site.New(config); err != nil {
		return cfg.Refused(err, "secret-file")
	}
	return nil
}

func (c *core) buildLogin() error {
	config, err := c.cfg.Where.LoginConfig(c.cfg.Serving.LoginConfig(), c.cfg.File, c.cfg.Now)
	if err != nil {
		return err
	}
	config.Site, config.Policy, config.LogoutPath = c.site, c.cfg.policy(), logoutPath
	c.cfg.Note(&c.noted, &config)
	if c.store != nil {
		config.Session.Store = c.store.Store
	}
	if c.auth, err = glue.New(config); err != nil {
		return c.cfg.Refused(err, c.cfg.Key())
	}
	return nil
}

func (c *core) buildBridge(keys func(*site.Findings) (*signkeys.Ring, error)) error {
	ring, err := keys(&c.noted)
	if err != nil {
		return err
	}
	for _, warning := range ring.Warnings {
		c.noted.Warnf("signing-keys", "%s", warning)
	}
	config := c.cfg.bridge(ring)
	config.Auth, config.LogoutPath = c.auth, logoutPath
	bridge, err := wlsbridge.New(config)
	if err != nil {
		return c.cfg.refused(err)
	}
	mux := http.NewServeMux()
	mux.Handle(authPath, bridge.Handler())
	mux.HandleFunc(serve.LoginPath, c.auth.Login)
	if c.store != nil { // else no provider can end sessions
		mux.HandleFunc(backChannelPath, c.auth.BackChannelLogout)
	}
	mux.Handle("/", c.auth.Optional(http.HandlerFunc(c.notFound)))
	c.handler = c.site.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		record := observe.RecordOf(r.Context())
		record.Client = site.ClientIP(r)
		_, record.Rule = mux.Handler(r)
		mux.ServeHTTP(w, r)
	}))
	return nil
}

var pageNotFound = site.Page{Kind: "not-found", Status: http.StatusNotFound, Title: "There is nothing here",
	Text: []string{"Start from the web site that you want to go to: this is where people log in."}, Links: []site.Link{}}

func (c *core) notFound(w http.ResponseWriter, r *http.Request) {
	c.site.Refuse(w, r, site.Event{From: "bridge", Name: wlsbridge.EventRefused, Reason: "path"}, pageNotFound)
}

// misdirected spends what a request for a host that is not ours brings.
func (c *core) misdirected(r *http.Request) {
	if c.auth.Brings(r) {
		_ = c.auth.Spend(r) // it is refused either way
	}
}

// release gives up what a core used and no other one does. The caller holds s.mu, or nobody
// else knows s yet.
func (s *service) release(c *core) { s.stores.Release(c.store, &c.cfg.Serving) }

// ready reports why people cannot log in: it was closed, or Redis does not answer, or takes no
// writes.
func (s *service) ready(ctx context.Context) error {
	c := s.core.Acquire()
	defer s.core.Leave(c)
	if c.Retired() {
		return errors.New("the bridge is closed")
	}
	return s.readiness.Check(ctx, &c.cfg.Serving, c.store)
}

// Serve implements [program.Server].
func (s *service) Serve(ctx context.Context) error { return s.server.Serve(ctx) }

// ReloadFile implements [program.Server].
func (s *service) ReloadFile(file string) (serve.Log, error) {
	old := s.core.Load().cfg
	err := s.reload(file, old)
	s.metrics.Reloaded(old.Now(), err)
	return s.core.Load().cfg.Log, err
}

func (s *service) reload(file string, old *Config) error {
	cfg, err := load(file)
	if err != nil {
		return err
	}
	cfg.Logger, cfg.Now = old.Logger, old.Now
	return s.server.Reload(&cfg.Serving, limits, func() error { return s.replace(cfg) })
}

// replace puts another configuration in the place of the present one. Neither a secret nor a
// key is made: that would log everybody out, or have every site refuse what is signed.
func (s *service) replace(cfg *Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Stat(cfg.SecretFile); errors.Is(err, fs.ErrNotExist) {
		return cfg.File.Errorf("secret-file", "%s is not there: put it back; to begin with a new one, which logs everybody out, restart the bridge", cfg.SecretFile)
	}
	next, err := s.build(cfg, func(*site.Findings) (*signkeys.Ring, error) { return cfg.openKeys(false) })
	if err != nil {
		return err
	}
	if err := s.log.Reopen(cfg.Log.Access, cfg.Log.Format, cfg.Logger); err != nil {
		s.release(next)
		return cfg.File.Errorf("log.access", "%v", err)
	}
	cfg.LogNoted(next.noted)
	s.core.Retire(s.core.Put(next))
	return nil
}

// Close implements [program.Server].
func (s *service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.core.Retire(s.core.Load())
	return s.log.Close()
}
