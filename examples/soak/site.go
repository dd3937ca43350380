package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// The site's sessions, in its own fast time.
const (
	sessionLife = 10 * time.Minute
	inactivity  = 2 * time.Minute
	freshness   = 3 * time.Minute
)

// newSite is the site under test: a page for everybody who is logged in, one that
// wants a fresh password, and logout.
func newSite(baseURL string, service webauth.Service, now func() time.Time, st *stats) (http.Handler, error) {
	soc, err := site.New(site.Config{
		BaseURL: baseURL,
		Secret:  strings.Join([]string{"soak test only:", baseURL, now().String()}, " "),
		Now:     now,
		Logger:  slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e site.Event) { st.event(e) },
	})
	if err != nil {
		return nil, err
	}
	auth, err := glue.New(glue.Config{
		Site: soc, Service: service,
		MaxAge:  2 * time.Minute, // in fast time; the machine is meant to be busy
		Session: glue.Session{MaxLife: sessionLife, Inactivity: inactivity},
	})
	if err != nil {
		return nil, err
	}
	strict := auth.With(func(p *glue.Policy) { p.Fresh = freshness })
	mux := http.NewServeMux()
	mux.Handle("/page", auth.Require(http.HandlerFunc(who)))
	mux.Handle("/strict", strict.Require(http.HandlerFunc(who)))
	mux.HandleFunc("/logout", auth.Logout)
	return mux, nil
}

// who says who is logged in, and nothing else.
func who(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context())
	fmt.Fprint(w, id.Principal)
}
