package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The site's sessions, in its own time.
const (
	sessionLife = 10 * time.Minute
	inactivity  = 2 * time.Minute
	freshness   = 3 * time.Minute
	maxAge      = 2 * time.Minute // of a response; the machine is meant to be busy
)

type siteConfig struct {
	baseURL, secret string
	service         webauth.Service
	now             func() time.Time
	onEvent         func(context.Context, site.Event)
	store           *redisstore.Store // nil for one machine, which keeps all to itself
	db              *sql.DB           // PostgreSQL for the site's API; nil for none
}

// newSite returns the site under test: a page for everybody who is logged in, one that
// wants a fresh password, logout, and perhaps an API.
func newSite(ctx context.Context, c siteConfig) (http.Handler, error) {
	cfg := site.Config{
		BaseURL: c.baseURL, Secret: c.secret, Now: c.now,
		Logger: slog.New(slog.DiscardHandler), OnEvent: c.onEvent,
	}
	session := glue.Session{MaxLife: sessionLife, Inactivity: inactivity}
	if c.store != nil {
		cfg.OneUse, session.Store = c.store, c.store
	}
	soc, err := site.New(cfg)
	if err != nil {
		return nil, err
	}
	auth, err := glue.New(glue.Config{Site: soc, Service: c.service, MaxAge: maxAge, Session: session})
	if err != nil {
		return nil, err
	}
	strict := auth.With(func(p *glue.Policy) { p.Fresh = freshness })
	mux := http.NewServeMux()
	mux.Handle("/page", auth.Require(http.HandlerFunc(who)))
	mux.Handle("/strict", strict.Require(http.HandlerFunc(who)))
	mux.HandleFunc(logoutPath, auth.Logout)
	if c.db == nil {
		return mux, nil
	}
	guard, err := xsrf.New(xsrf.Config{Site: soc, Auth: auth})
	if err != nil {
		return nil, err
	}
	access, err := oauth2server.New(ctx, oauth2server.Config{
		DB: c.db, Dialect: oauth2server.PostgreSQL, Auth: auth, Guard: guard,
		Scopes: []oauth2server.Scope{{Name: apiScope, Text: "See your user name."}},
	})
	if err != nil {
		return nil, err
	}
	mux.Handle("/oauth/", access.Handler())
	mux.Handle("GET /api/who", access.RequireAPI(apiScope)(http.HandlerFunc(who)))
	return guard.Protect(mux), nil
}

const logoutPath = "/logout"

// apiScope is what tokens of the API allow.
const apiScope = "profile"

// who says who is logged in, and nothing else.
func who(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context())
	fmt.Fprint(w, id.Principal)
}
