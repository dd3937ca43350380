package remoteuser

import (
	"log/slog"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Names of events that package glue does not have. The others are glue.EventLogin and
// glue.EventLogout (by form), glue.EventRedirect (to the form), glue.EventRefused,
// glue.EventForbidden (by Lookup) and glue.EventStoreError (Lookup or Password failed).
const (
	EventUntrusted = "untrusted-header"  // an identity header from somebody else than a peer was removed
	EventWrong     = "wrong-password"    // a name and a password that do not fit
	EventThrottled = "throttled"         // too many of these
	EventNoAddress = "no-client-address" // tries of passwords are limited per name only; told once
)

var eventLevels = map[string]slog.Level{
	glue.EventRedirect: slog.LevelDebug, glue.EventRefused: slog.LevelWarn, glue.EventForbidden: slog.LevelWarn,
	glue.EventStoreError: slog.LevelError, EventUntrusted: slog.LevelWarn, EventWrong: slog.LevelWarn, EventThrottled: slog.LevelWarn,
	EventNoAddress: slog.LevelWarn,
}

// log tells the operators. The attributes' names are stable. A name that was typed is
// not among them: people type passwords there.
func (v *visit) log(e glue.Event) {
	e.Ref, e.Path, e.Host = v.ref, v.r.URL.EscapedPath(), v.r.Host
	if ip := site.ClientIP(v.r); ip.IsValid() {
		e.Client = ip.String()
	}
	ctx := v.r.Context()
	level := eventLevels[e.Name]
	if e.Reason == reasonNobody {
		level = slog.LevelDebug // everybody begins like that
	}
	if v.u.cfg.Logger.Enabled(ctx, level) {
		v.u.cfg.Logger.LogAttrs(ctx, level, "remoteuser "+e.Name, attrs(e, v.u.cfg.Service)...)
	}
	if v.u.cfg.OnEvent != nil {
		v.u.cfg.OnEvent(ctx, e)
	}
}

func attrs(e glue.Event, service string) []slog.Attr {
	list := []slog.Attr{slog.String("event", e.Name), slog.String("service", service)}
	for _, a := range []struct{ key, value string }{
		{"reason", string(e.Reason)}, {"principal", e.Principal}, {"ref", e.Ref}, {"path", e.Path}, {"client", e.Client},
	} {
		if a.value != "" {
			list = append(list, slog.String(a.key, a.value))
		}
	}
	if e.Err != nil {
		list = append(list, slog.String("error", e.Err.Error()))
	}
	return list
}
