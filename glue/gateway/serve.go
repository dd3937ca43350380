package gateway

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/program/serve"
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
	server  *serve.Server
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
	s := &Server{gateway: g}
	s.cfg.Store(&cfg)
	var err error
	handlers := serve.Handlers{Site: g.Handler(), Redirect: s.redirect(), Admin: g.Admin()}
	s.server, err = serve.NewServer(cfg.common(), cfg.Limits.ofServer(), handlers, g.metrics.Metrics, passed)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ofServer are those limits that are for connections.
func (l *Limits) ofServer() serve.Limits {
	return serve.Limits{
		HeaderBytes: l.HeaderBytes, HeaderTimeout: time.Duration(l.HeaderTimeout), BodyTimeout: time.Duration(l.BodyTimeout),
		WriteTimeout: time.Duration(l.WriteTimeout), IdleTimeout: time.Duration(l.IdleTimeout), StopTimeout: time.Duration(l.StopTimeout),
	}
}

// Addrs returns where the server listens with sockets of a kind: "https", "redirect",
// "http" (the unix socket among those) or "admin".
func (s *Server) Addrs(kind string) []net.Addr { return s.server.Addrs(kind) }

// Config is the configuration in force.
func (s *Server) Config() Config { return *s.cfg.Load() }

// redirect sends people to the BaseURL in force, and answers probes.
func (s *Server) redirect() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if serve.AnswerAlive(w, r) {
			return
		}
		defer paceBody(w, r, &s.cfg.Load().Limits).end()
		s.gateway.redirect(w, r)
	})
}

// Alive asks the gateway that serves a configuration on this machine whether it does, at the
// first address of Listen. Addresses of sockets that systemd has passed are not known.
func (c *Config) Alive(ctx context.Context) error { return c.common().Alive(ctx) }

// Serve answers requests until ctx ends or a socket fails, and then stops: requests that
// have begun may take another Limits.StopTimeout, and open WebSockets are closed after
// that. A Server serves once.
func (s *Server) Serve(ctx context.Context) error { return s.server.Serve(ctx) }

// Close closes the sockets of a server that does not serve yet.
func (s *Server) Close() error { return s.server.Close() }

// Reload puts another configuration in force, certificates included, or changes nothing.
// Sockets stay open as they are: if the configuration says something else about them, or
// about limits that belong to them, that is an error.
func (s *Server) Reload(cfg Config) error {
	if err := cfg.normalise(); err != nil {
		return s.failed(err)
	}
	counted := false
	err := s.server.Reload(cfg.common(), cfg.Limits.ofServer(), func() error {
		counted = true // by the gateway
		if err := s.gateway.Reload(cfg); err != nil {
			return err
		}
		s.cfg.Store(&cfg)
		return nil
	})
	if err != nil && !counted {
		return s.failed(err)
	}
	return err
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
