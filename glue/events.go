package glue

import (
	"log/slog"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Names of events.
const (
	EventLogin        = "login"               // a session began
	EventLogout       = "logout"              // a session was ended by the person
	EventPerson       = "person-changed"      // a browser goes from one person to another
	EventRedirect     = "redirect"            // somebody was sent to the WLS
	EventRefused      = "refused"             // a response or a request was refused
	EventConfirm      = "confirm-login"       // a person is asked whether a login is theirs
	EventForbidden    = "forbidden"           // somebody is not allowed in
	EventRepeated     = "repeated"            // a superfluous response of the person logged in
	EventSilent       = "silent-declined"     // silent sign-in did not succeed
	EventLoop         = "loop"                // a redirect loop was stopped
	EventMisdirected  = site.EventMisdirected // a request for a host that is not configured
	EventFormKept     = "form-kept"           // a form was kept for after the login
	EventFormResumed  = "form-resumed"        // a kept form was sent
	EventTargetLost   = "target-lost"         // a part of a long address did not come back from the login
	EventServiceError = "service-error"       // the login service is unavailable, or refuses this site
	EventStoreError   = "store-error"         // sessions or one-use marks are unavailable
)

var eventLevels = map[string]slog.Level{
	EventRedirect: slog.LevelDebug, EventRepeated: slog.LevelDebug, EventSilent: slog.LevelDebug,
	EventRefused: slog.LevelWarn, EventForbidden: slog.LevelWarn, EventLoop: slog.LevelWarn,
	EventMisdirected: slog.LevelWarn, EventStoreError: slog.LevelError, EventServiceError: slog.LevelError,
}

// log reports to the operators. The attributes' names are stable.
func (q *request) log(e site.Event) {
	e.From, e.Path, e.Level = "wls", q.path, eventLevels[e.Name]
	e.More = append(e.More, slog.String("service", q.serviceName()))
	if we, ok := e.Err.(*webauth.Error); ok && we.Status != 0 {
		e.More = append(e.More, slog.Int("status", we.Status), slog.Bool("signed", we.Signed), slog.String("wls_msg", we.Message()))
	}
	q.cfg.Site.Report(q.r, e)
}

// serviceName is the name of the service that new logins go to.
func (q *request) serviceName() string { return q.cfg.Service.Info().Name }
