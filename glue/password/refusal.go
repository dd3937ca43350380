package password

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/internal/localpath"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Names of events that package glue does not have. The others are glue.EventLogin and
// glue.EventLogout (of a [Form]), glue.EventRedirect (to it), glue.EventRefused and
// glue.EventStoreError (Config.Check failed).
const (
	EventWrong     = "wrong-password"    // a name and a password that do not fit
	EventThrottled = "throttled"         // too many of these
	EventNoAddress = "no-client-address" // tries of passwords are limited per name only; told once
)

// Reasons of events.
const (
	ReasonNobody    = "login_required" // the request says nothing of who sends it
	ReasonMalformed = "malformed"      // what it says cannot be read
	ReasonWrong     = "password"
	ReasonThrottled = "tries"
	ReasonCrowded   = "crowded" // ErrCrowded

	reasonStore = "store"
)

// Refusal is why somebody may not come in, for the operators and for the person.
type Refusal struct {
	Event  site.Event
	Page   site.Page
	Header http.Header // of the answer
}

var (
	pageNobody = site.Page{Kind: "login-required", Status: http.StatusUnauthorized, Title: "Please log in first",
		Text: []string{"Load the page again, and type your user name and your password when your browser asks for them."}}
	pageUnavailable = site.Page{Kind: "unavailable", Status: http.StatusServiceUnavailable, Title: "Please try again in a moment",
		Text: []string{"The site cannot look up accounts just now. Nothing is wrong with yours."}}
	pageThrottled = site.Page{Kind: "throttled", Status: http.StatusTooManyRequests, Title: "Too many wrong passwords",
		Text: []string{"Wait a few minutes, and then try again. For this account, or from where you are, wrong passwords were typed too often."}}
	pageCrowded = site.Page{Kind: "crowded", Status: http.StatusServiceUnavailable, Title: "Too many people are logging in",
		Text: []string{"Please load the page again in a moment. Your password was not looked at."}}
)

// refusal is the answer where a password was not looked at.
func (v Verdict) refusal() *Refusal {
	switch {
	case errors.Is(v.Err, ErrCrowded):
		return &Refusal{event(glue.EventRefused, ReasonCrowded, v.Err), pageCrowded, retryAfter(v.Wait)}
	case v.Err != nil:
		return Unavailable("password", v.Err)
	default:
		return &Refusal{event(EventThrottled, ReasonThrottled, nil), pageThrottled, retryAfter(v.Wait)}
	}
}

// Unavailable returns the refusal of a request whose sender cannot be found out just now:
// nobody is let in meanwhile.
func Unavailable(what string, err error) *Refusal {
	return &Refusal{event(glue.EventStoreError, reasonStore, fmt.Errorf("%s: %w", what, err)), pageUnavailable, retryAfter(5 * time.Second)}
}

func retryAfter(wait time.Duration) http.Header {
	return http.Header{"Retry-After": {strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10)}}
}

// Answer reports the refusal and answers with it: by the page to a person, by a line of
// text, or JSON, to a script.
func (f *Refusal) Answer(s *site.Site, w http.ResponseWriter, r *http.Request) {
	if f.Event.Name == glue.EventStoreError && r.Context().Err() != nil {
		w.WriteHeader(f.Page.Status) // the client has gone: nobody's fault
		return
	}
	h, p := w.Header(), f.Page
	for name, values := range f.Header {
		h[name] = values
	}
	p.Brief, p.Code = p.Title+".", strings.ReplaceAll(p.Kind, "-", "_")
	s.Refuse(w, r, f.Event, p)
}

// asked returns the path, with its query, that the browser asked for; empty where nobody is
// to be sent to it.
func asked(s *site.Site, r *http.Request) string {
	target := localpath.WithQuery(s.Asked(r))
	if !s.Local(target) {
		return ""
	}
	return target
}

// event returns what operators are told. A name that was typed is not in it: people type
// passwords there.
func event(name, reason string, err error) site.Event {
	e := site.Event{From: "password", Name: name, Reason: reason, Err: err}
	switch {
	case reason == ReasonNobody, name == glue.EventRedirect:
		e.Level = slog.LevelDebug // everybody begins like that
	case name == glue.EventStoreError:
		e.Level = slog.LevelError
	case name != glue.EventLogin && name != glue.EventLogout:
		e.Level = slog.LevelWarn
	}
	return e
}
