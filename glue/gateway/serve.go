package gateway

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

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Server is a Gateway with the sockets it listens at.
//
//	s, err := gateway.NewServer(g, *cfg, nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	err = s.Serve(ctx) // until ctx ends
type Server struct {
	gateway *Gateway
	cfg     atomic.Pointer[Config]
	certs   *certificates
	sockets []socket

	// requests is the context of all requests; it ends when the server has stopped, and
	// with it the connections that were upgraded.
	requests    context.Context
	endRequests context.CancelFunc
	upgrades    upgrades

	mu sync.Mutex // held during Reload
}

// NewServer opens the sockets of a configuration, the one that g was made of, and reads
// the certificates. Sockets that were opened by somebody else are passed by kind, as
// activation.ListenersWithNames of go-systemd gives them: "https", "redirect", "http" and
// "admin". The Server closes them.
//
// Nothing is answered before Serve.
func NewServer(g *Gateway, cfg Config, passed map[string][]net.Listener) (*Server, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	sockets, err := openSockets(&cfg, passed)
	if err != nil {
		return nil, err
	}
	s := &Server{gateway: g, certs: newCertificates(&cfg, g.metrics.CertificateExpires), sockets: sockets}
	s.cfg.Store(&cfg)
	s.requests, s.endRequests = context.WithCancel(context.Background())
	for i, at := range sockets {
		sockets[i].server = s.newHTTPServer(at)
	}
	pairs, err := s.loadCertificates(&cfg)
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

// Config is the configuration in force.
func (s *Server) Config() Config { return *s.cfg.Load() }

func (s *Server) newHTTPServer(at socket) *http.Server {
	cfg := s.cfg.Load()
	return &http.Server{
		Handler:           s.handlerFor(at),
		ReadHeaderTimeout: time.Duration(cfg.Limits.HeaderTimeout),
		ReadTimeout:       time.Duration(cfg.Limits.BodyTimeout),
		WriteTimeout:      time.Duration(cfg.Limits.WriteTimeout),
		IdleTimeout:       time.Duration(cfg.Limits.IdleTimeout),
		MaxHeaderBytes:    cfg.Limits.HeaderBytes,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.certs.get},
		BaseContext:       func(net.Listener) context.Context { return s.requests },
		ErrorLog:          log.New(serverLog{cfg.Logger}, "", 0),
	}
}

func (s *Server) handlerFor(at socket) http.Handler {
	switch at.kind {
	case socketAdmin:
		return s.gateway.Admin()
	case socketRedirect:
		return s.redirect()
	}
	served := s.upgrades.count(s.gateway.Handler())
	if at.kind == socketHTTP && at.Addr().Network() != "unix" && !isLoopbackAddress(at.Addr().String()) {
		return s.forFronts(served)
	}
	return served
}

// redirect sends people to the BaseURL in force, and answers probes.
func (s *Server) redirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answerAlive(w, r) {
			return
		}
		defer paceBody(w, r, &s.cfg.Load().Limits).end()
		s.gateway.redirect(w, r)
	})
}

// forFronts serves front servers, and this machine; others are redirected, because
// nothing protects what they would send and get.
func (s *Server) forFronts(next http.Handler) http.Handler {
	redirect := s.redirect()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if proxies := s.cfg.Load().Front.proxies(); isLoopbackAddress(r.RemoteAddr) || proxies.Trusts(r) {
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
		s.cfg.Load().Logger.Info("wls gateway: listening", "kind", p.kind, "address", p.Addr().String())
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

// Reload puts another configuration in force, certificates included, or changes nothing.
// Sockets stay open as they are: if the configuration says something else about them, or
// about limits that belong to them, that is an error.
func (s *Server) Reload(cfg Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cfg.normalise(); err != nil {
		return s.failed(err)
	}
	if err := s.unchangeable(&cfg); err != nil {
		return s.failed(err)
	}
	pairs, err := s.loadCertificates(&cfg)
	if err != nil {
		return s.failed(err)
	}
	if err := s.gateway.Reload(cfg); err != nil {
		return err // the gateway has counted it
	}
	s.certs.use(pairs)
	s.cfg.Store(&cfg)
	return nil
}

// ReloadFile is Load and Reload; Logger and Now stay as they are.
func (s *Server) ReloadFile(path string) error {
	cfg, err := Load(path)
	if err != nil {
		return s.failed(err)
	}
	old := s.cfg.Load()
	cfg.Logger, cfg.Now = old.Logger, old.Now
	return s.Reload(*cfg)
}

// failed counts a reload that the gateway has not heard of.
func (s *Server) failed(err error) error {
	s.gateway.metrics.Reloaded(s.cfg.Load().Now(), err)
	return err
}

// unchangeable reports what only another process can change.
func (s *Server) unchangeable(now *Config) error {
	var found site.Findings
	old := s.cfg.Load()
	passed := slices.ContainsFunc(s.sockets, func(p socket) bool { return p.key == "" })
	before, after := old.listening(passed), now.listening(passed)
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
		{"limits.header-bytes", old.Limits.HeaderBytes, now.Limits.HeaderBytes},
		{"limits.header-timeout", old.Limits.HeaderTimeout, now.Limits.HeaderTimeout},
		{"limits.body-timeout", old.Limits.BodyTimeout, now.Limits.BodyTimeout},
		{"limits.write-timeout", old.Limits.WriteTimeout, now.Limits.WriteTimeout},
		{"limits.idle-timeout", old.Limits.IdleTimeout, now.Limits.IdleTimeout},
	} {
		if fmt.Sprint(f.a) != fmt.Sprint(f.b) {
			found.Errorf(f.key, "this changes listeners, which a reload keeps: restart the gateway")
		}
	}
	return now.file.Err(found)
}

// serverLog passes what package net/http logs on to a slog.Logger. Clients that give up
// during a handshake are nothing to act upon.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	level := slog.LevelWarn
	if strings.Contains(text, "TLS handshake error") {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, "wls gateway: "+text)
	return len(line), nil
}
