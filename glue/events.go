package glue

import (
	"log/slog"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// Event is something that operators may want to know.
type Event struct {
	// Name is one of the Event constants.
	Name string
	// Reason says which check failed, if one did.
	Reason webauth.Reason
	// Principal is the person it is about, if known for certain.
	Principal string
	// Ref is the reference on the page that the person sees.
	Ref string
	// Client is the address that the request comes from; see site.ClientIP.
	Client string
	// Path of the request, without the query, and Host as the client sent it.
	Path, Host string
	// Err has the details, never a secret.
	Err error
}

// Names of events.
const (
	EventLogin       = "login"           // a session began
	EventLogout      = "logout"          // a session was ended by the person
	EventPerson      = "person-changed"  // a browser goes from one person to another
	EventRedirect    = "redirect"        // somebody was sent to the WLS
	EventRefused     = "refused"         // a response or a request was refused
	EventConfirm     = "confirm-login"   // a person is asked whether a login is theirs
	EventForbidden   = "forbidden"       // somebody is not allowed in
	EventRepeated    = "repeated"        // a superfluous response of the person logged in
	EventSilent      = "silent-declined" // silent sign-in did not succeed
	EventLoop        = "loop"            // a redirect loop was stopped
	EventMisdirected = "misdirected"     // a request for a host that is not configured
	EventFormKept    = "form-kept"       // a form was kept for after the login
	EventFormResumed = "form-resumed"    // a kept form was sent
	EventTargetLost  = "target-lost"     // a part of a long address did not come back from the login
	EventStoreError  = "store-error"     // sessions or one-use marks are unavailable
)

var eventLevels = map[string]slog.Level{
	EventRedirect: slog.LevelDebug, EventRepeated: slog.LevelDebug, EventSilent: slog.LevelDebug,
	EventRefused: slog.LevelWarn, EventForbidden: slog.LevelWarn, EventLoop: slog.LevelWarn,
	EventMisdirected: slog.LevelWarn, EventStoreError: slog.LevelError,
}

// log tells the operators. The attributes' names are stable.
func (q *request) log(e Event) {
	e.Path, e.Host = q.path, q.r.Host
	if ip := site.ClientIP(q.r); ip.IsValid() {
		e.Client = ip.String()
	}
	ctx := q.r.Context()
	level := eventLevels[e.Name]
	if q.cfg.Site.Logger().Enabled(ctx, level) {
		q.cfg.Site.Logger().LogAttrs(ctx, level, "wls "+e.Name, e.attrs(q.cfg.Service.Name)...)
	}
	if q.cfg.OnEvent != nil {
		q.cfg.OnEvent(ctx, e)
	}
}

func (e Event) attrs(service string) []slog.Attr {
	attrs := []slog.Attr{slog.String("event", e.Name), slog.String("service", service)}
	for _, a := range []struct{ key, value string }{
		{"reason", string(e.Reason)}, {"principal", e.Principal}, {"ref", e.Ref}, {"path", e.Path}, {"client", e.Client},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if e.Name == EventMisdirected {
		attrs = append(attrs, slog.String("host", e.Host))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
		if we, ok := e.Err.(*webauth.Error); ok && we.Status != 0 {
			attrs = append(attrs, slog.Int("status", we.Status), slog.Bool("signed", we.Signed), slog.String("wls_msg", we.Message()))
		}
	}
	return attrs
}
