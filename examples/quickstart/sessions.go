package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// place is where a person is logged in.
type place struct {
	redisstore.Session
	Here        bool   // in the browser that asks
	Since, Used string // in words
}

// inWords says when something was, as people say it, by the clock of this machine.
func inWords(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := int(day(now).Sub(day(at)).Hours() / 24); {
	case days <= 0:
		return "today at " + at.Format("15:04")
	case days == 1:
		return "yesterday at " + at.Format("15:04")
	case days < 7:
		return fmt.Sprintf("%d days ago", days)
	}
	return "on " + at.Format("2 January 2006")
}

// sessions shows where the person is logged in, and ends one of these sessions or all.
func (s *app) sessions(w http.ResponseWriter, r *http.Request) {
	id, _ := glue.IdentityFrom(r.Context()) // always there, under Require
	var err error
	if r.Method == http.MethodPost {
		if end := r.PostFormValue("end"); end == "all" {
			_, err = s.store.RevokeAll(r.Context(), id.Principal)
		} else {
			_, err = s.store.Revoke(r.Context(), id.Principal, end)
		}
		if err == nil {
			http.Redirect(w, r, "/optional", http.StatusSeeOther)
			return
		}
	}
	var list []redisstore.Session
	if err == nil {
		list, err = s.store.Sessions(r.Context(), id.Principal)
	}
	if err != nil {
		s.soc.Refuse(w, r, site.Event{From: "quickstart", Name: "store-error", Principal: id.Principal, Level: slog.LevelError, Err: err},
			site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "The list of sessions cannot be shown just now", Brief: "The list of sessions cannot be shown just now."})
		return
	}
	v := view{Name: "sessions", Title: "Sessions", Text: "End a session that you do not know, or all of them.", Token: s.guard.Field(r)}
	for _, session := range list {
		v.Sessions = append(v.Sessions, place{session, session.Is(r), inWords(session.Created, s.soc.Now()), inWords(session.LastUsed, s.soc.Now())})
	}
	show(w, r, v)
}
