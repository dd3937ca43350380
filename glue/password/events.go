package password

import (
	"log/slog"

	"github.com/ucam-webauth/go-webauth/glue"
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

// Form's own reasons for a refusal.
const (
	reasonNext   = "next"
	reasonOrigin = "cross-origin"
	reasonToken  = "token"
	reasonCookie = "cookie"
	reasonHost   = "host"
)

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
