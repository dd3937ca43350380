package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/observe"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Limits bound what the connections of a Server may cost. Zero is no limit, but for StopTimeout, of
// which a negative one is.
type Limits struct {
	HeaderBytes                              int
	HeaderTimeout, BodyTimeout, WriteTimeout time.Duration
	IdleTimeout, StopTimeout                 time.Duration
}

// Handlers are what a Server serves at the kinds of its sockets.
type Handlers struct {
	Site     http.Handler // what the site is
	Redirect http.Handler // plain http: what sends people on to the site, and answers probes
	Admin    http.Handler // what operators ask
}

// Server serves at the sockets of a configuration.
type Server struct {
	handlers Handlers
	metrics  *observe.Metrics
	cfg      atomic.Pointer[Config]
	limits   atomic.Pointer[Limits]
	certs    *certificates
	sockets  []socket

	// requests is the context of all requests; it ends when the server has stopped, and
	// with it the connections that were upgraded.
	requests    context.Context
	endRequests context.CancelFunc
	upgrades    upgrades

	mu sync.Mutex // held during Reload
}

// NewServer opens the sockets of a configuration, which has been checked, and reads the
// certificates. Sockets that were opened by somebody else are passed by kind, as
// activation.ListenersWithNames of go-systemd gives them: "https", "redirect", "http" and
// "admin". The Server closes them.
//
// Nothing is answered before Serve.
func NewServer(cfg *Config, limits Limits, handlers Handlers, m *observe.Metrics, passed map[string][]net.Listener) (*Server, error) {
	sockets, err := openSockets(cfg, passed)
	if err != nil {
		return nil, err
	}
	s := &Server{handlers: handlers, metrics: m, certs: newCertificates(cfg, m.CertificateExpires), sockets: sockets}
	s.cfg.Store(cfg)
	s.limits.Store(&limits)
	s.requests, s.endRequests = context.WithCancel(context.Background())
	for i, at := range sockets {
		sockets[i].server = s.newHTTPServer(at)
	}
	pairs, err := s.loadCertificates(cfg)
	if err != nil {
		_ = s.Close() // nothing was accepted
		return nil, err
	}
	s.certs.use(pairs)
	return s, nil
}

// loadCertificates reads those of the configuration, if anything is served by https.
func (s *Server) loadCertificates(cfg *Config) ([]*keyPair, error) {
	if len(s.Addrs(socketHTTPS)) == 0 {
		return nil, nil
	}
	return loadKeyPairs(cfg)
}

// Addrs returns where the server listens with sockets of a kind: "https", "redirect",
// "http" (the unix socket among those) or "admin".
func (s *Server) Addrs(kind string) []net.Addr {
	var addrs []net.Addr
	for _, p := range s.sockets {
		if p.kind == kind {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

func (s *Server) newHTTPServer(at socket) *http.Server {
	cfg, limits := s.cfg.Load(), s.limits.Load()
	return &http.Server{
		Handler:           s.handlerFor(at),
		ReadHeaderTimeout: limits.HeaderTimeout,
		ReadTimeout:       limits.BodyTimeout,
		WriteTimeout:      limits.WriteTimeout,
		IdleTimeout:       limits.IdleTimeout,
		MaxHeaderBytes:    limits.HeaderBytes,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certs.get},
		BaseContext:       func(net.Listener) context.Context { return s.requests },
		ErrorLog:          log.New(serverLog{cfg.Logger, cfg.Program}, "", 0),
	}
}

func (s *Server) handlerFor(at socket) http.Handler {
	switch at.kind {
	case socketAdmin:
		return s.handlers.Admin
	case socketRedirect:
		return s.handlers.Redirect
	}
	served := s.upgrades.count(s.handlers.Site)
	if at.kind == socketHTTP && at.Addr().Network() != "unix" && !IsLoopbackAddress(at.Addr().String()) {
		return forFronts(served, s.handlers.Redirect, func() *Front { return &s.cfg.Load().Front })
	}
	return served
}

// forFronts serves front servers, and this machine; others are redirected, because
// nothing protects what they would send and get.
func forFronts(next, redirect http.Handler, front func() *Front) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if proxies := front().Believed(); IsLoopbackAddress(r.RemoteAddr) || proxies.Trusts(r) {
			next.ServeHTTP(w, r)
			return
		}
		redirect.ServeHTTP(w, r)
	})
}

// Serve answers requests until ctx ends or a socket fails, and then stops: requests that
// have begun may take another Limits.StopTimeout, and open WebSockets are closed after
// that. A Server serves once.
func (s *Server) Serve(ctx context.Context) error {
	failed := make(chan error, len(s.sockets))
	for _, p := range s.sockets {
		s.cfg.Load().Logger.Info(s.cfg.Load().Program+": listening", "kind", p.kind, "address", p.Addr().String())
		go func() { failed <- p.serve() }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return errors.Join(err, s.stop())
}

func (p socket) serve() error {
	if p.kind == socketHTTPS {
		return p.server.ServeTLS(p.Listener, "", "") // TLSConfig has the certificates
	}
	return p.server.Serve(p.Listener)
}

// Close closes the sockets of a server that does not serve yet.
func (s *Server) Close() error {
	s.endRequests()
	return closeSockets(s.sockets)
}

// Reload puts another configuration in force, certificates included, or changes nothing; put
// is what the program does for that beside, before certificates change, and may refuse.
// Sockets stay open as they are: if the configuration says something else about them, or
// about limits that belong to them, that is an error.
func (s *Server) Reload(cfg *Config, limits Limits, put func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unchangeable(cfg, &limits); err != nil {
		return err
	}
	pairs, err := s.loadCertificates(cfg)
	if err != nil {
		return err
	}
	if err := put(); err != nil {
		return err
	}
	s.certs.use(pairs)
	s.cfg.Store(cfg)
	s.limits.Store(&limits)
	return nil
}

// unchangeable reports what only another process can change.
func (s *Server) unchangeable(now *Config, limits *Limits) error {
	var found site.Findings
	old, oldLimits := s.cfg.Load(), s.limits.Load()
	passed := slices.ContainsFunc(s.sockets, func(p socket) bool { return p.key == "" })
	before, after := old.Listening(passed), now.Listening(passed)
	for _, f := range []struct {
		key  string
		a, b any
	}{
		{"listen.https", before.HTTPS, after.HTTPS},
		{"listen.redirect", before.Redirect, after.Redirect},
		{"listen.http", before.HTTP, after.HTTP},
		{"listen.unix", before.Unix, after.Unix},
		{"listen.unix-mode", before.UnixMode, after.UnixMode},
		{"admin.listen", old.Admin.Listen, now.Admin.Listen},
		{"limits.header-bytes", oldLimits.HeaderBytes, limits.HeaderBytes},
		{"limits.header-timeout", oldLimits.HeaderTimeout, limits.HeaderTimeout},
		{"limits.body-timeout", oldLimits.BodyTimeout, limits.BodyTimeout},
		{"limits.write-timeout", oldLimits.WriteTimeout, limits.WriteTimeout},
		{"limits.idle-timeout", oldLimits.IdleTimeout, limits.IdleTimeout},
	} {
		if fmt.Sprint(f.a) != fmt.Sprint(f.b) {
			found.Errorf(f.key, "this changes listeners, which a reload keeps: restart the %s", now.noun())
		}
	}
	return now.File.Err(found)
}

// serverLog passes what package net/http logs on to a slog.Logger. Clients that give up
// during a handshake are nothing to act upon.
type serverLog struct {
	log     *slog.Logger
	program string
}

func (l serverLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelWarn
	if strings.Contains(text, "TLS handshake error") {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, l.program+": "+text)
	return len(line), nil
}
