package oauth2server

import (
	"context"
	"errors"
	"html/template"
	"maps"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Server is the site's OAuth 2.0 server, the pages where people manage its tokens, and
// the decorators of the API that takes them. It is safe for concurrent use.
type Server struct {
	cfg    Config
	site   *site.Site // that of Config.Auth
	scopes scopeSet
	store  *store.Store
	auth   *glue.Auth // for API calls with the browser session: it sends nobody anywhere

	templates *template.Template // of the pages
}

// New returns a Server for cfg, all of which it checks, and brings the tables of the database
// up to date. It is safe when several processes do so at once. A database that a newer version
// of this package has changed is refused.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.normalise(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, site: cfg.Auth.Site(), scopes: cfg.Scopes}
	s.templates = s.readTemplates()
	var err error
	if s.store, err = store.Open(ctx, s.storeConfig()); err != nil {
		return nil, err
	}
	s.auth = cfg.Auth.With(func(p *glue.Policy) { p.Silent = false })
	if err := s.auth.Err(); err != nil {
		return nil, err
	}
	cfg.Guard.Exempt(s.cfg.Path+pathToken, s.cfg.Path+pathRevoke) // which judge pages of other origins themselves
	s.checkPool()
	if err := s.findResourceServers(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// checkPool logs that nothing keeps the site from asking PostgreSQL for more connections
// than it gives, which is then all that it gives to anybody.
func (s *Server) checkPool() {
	if s.cfg.Dialect == PostgreSQL && s.cfg.DB.Stats().MaxOpenConnections == 0 {
		s.site.Logger().Warn("oauth2 Config.DB opens as many connections to PostgreSQL as there are requests, and PostgreSQL refuses those above its max_connections: call SetMaxOpenConns(16) and SetMaxIdleConns(16)")
	}
}

// findResourceServers logs which of [Config.ResourceServers] can check no token. It is no
// mistake of the site that their owners have deleted them.
func (s *Server) findResourceServers(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(s.cfg.ResourceServers)) {
		c, err := s.store.Client(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			s.site.Logger().Warn("oauth2 Config.ResourceServers names an application that is not registered: register it, and put its client ID there", "client_id", id)
		case err != nil:
			return err
		case !c.Confidential:
			s.site.Logger().Warn("oauth2 Config.ResourceServers names a public application, which cannot prove who it is: register a confidential one", "client_id", id)
		}
	}
	return nil
}

// storeConfig returns what the store needs to know of the configuration.
func (s *Server) storeConfig() store.Config {
	return store.Config{
		DB: s.cfg.DB, PostgreSQL: s.cfg.Dialect == PostgreSQL, Now: s.site.Now,
		Report: func(ctx context.Context, what string, err error) {
			s.site.Tell(ctx, event{Name: EventStoreError, Reason: what, Err: err}.forSite())
		},
		ForPeople: s.scopes.offered().names(), ForClients: s.cfg.ClientScopes,
		AccessLife: s.cfg.AccessLife, RefreshLife: s.cfg.RefreshLife, GrantLife: s.cfg.GrantLife,
		CodeLife: s.cfg.CodeLife, RefreshLeeway: s.cfg.RefreshLeeway,
		MaxPersonal: s.cfg.MaxPersonal, MaxClients: s.cfg.MaxClients,
	}
}

// active reports whether a person may still use the site. An empty principal is no
// person, and may not.
func (s *Server) active(ctx context.Context, principal string) (bool, error) {
	if principal == "" || s.cfg.Active == nil {
		return principal != "", nil
	}
	return s.cfg.Active(ctx, principal)
}

// leadsHere reports whether a redirect URI leads to the site itself. Its pages have no use
// for a code, but would have it in their addresses: one that forwards people anywhere, or
// shows what others wrote, might pass it on.
func (s *Server) leadsHere(uri string) bool {
	origin, err := webauth.Origin(uri)
	if err != nil { // a scheme of an application's own
		return false
	}
	issuer, _ := webauth.Origin(s.cfg.Issuer)
	return origin == issuer || slices.Contains(s.site.Origins(), origin)
}
