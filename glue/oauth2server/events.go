package oauth2server

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Event is something that operators may want to know. It never holds a token, a code,
// or a secret.
type Event struct {
	// Name is one of the Event constants.
	Name string
	// Reason says which check failed, if one did.
	Reason string
	// Principal is the person it is about, ClientID the application, TokenID the token:
	// empty where there is none, or none is known for certain.
	Principal, ClientID, TokenID string
	// Client is the address that the request comes from; see site.ClientIP.
	Client string
	// Path of the request, without the query.
	Path string
	// Ref is a reference that the page shown has too; empty where there is none.
	Ref string
	// Err has the details.
	Err error
}

// Names of events.
const (
	EventTokenCreated     = "token-created"     // a person made a personal token
	EventTokenRevoked     = "token-revoked"     // a token was revoked, by its person or its client
	EventClientRegistered = "client-registered" // a person registered an application
	EventClientChanged    = "client-changed"    // its owner edited an application
	EventSecretReset      = "secret-reset"      // its owner gave an application a new secret
	EventClientDeleted    = "client-deleted"    // its owner deleted an application
	EventAuthorised       = "authorised"        // a person authorised an application
	EventDeclined         = "declined"          // a person declined to
	EventUnauthorised     = "unauthorised"      // a person took an authorisation back
	EventTokenIssued      = "token-issued"      // an application got a token
	EventTokenRefreshed   = "token-refreshed"   // an application refreshed a token
	EventCodeReplayed     = "code-replayed"     // a code came twice: what it gave was revoked
	EventRefreshReused    = "refresh-reused"    // a refresh token came twice: its grant was revoked
	EventClientRefused    = "client-refused"    // an application did not authenticate
	EventRefused          = "refused"           // a request was refused
	EventStoreError       = "store-error"       // the database or Config.Active cannot say
)

var eventLevels = map[string]slog.Level{
	EventTokenRefreshed: slog.LevelDebug, EventTokenIssued: slog.LevelDebug,
	EventCodeReplayed: slog.LevelWarn, EventRefreshReused: slog.LevelWarn, EventClientRefused: slog.LevelWarn,
	EventStoreError: slog.LevelError,
}

// event tells the operators of something about a request. The attributes' names are
// stable.
func (s *Server) event(r *http.Request, e Event) {
	e.Path = r.URL.Path
	if ip := site.ClientIP(r); ip.IsValid() {
		e.Client = ip.String()
	}
	s.report(r.Context(), e)
}

// report tells the operators of something that no request is to blame for.
func (s *Server) report(ctx context.Context, e Event) {
	if level := eventLevels[e.Name]; s.cfg.Logger.Enabled(ctx, level) {
		s.cfg.Logger.LogAttrs(ctx, level, "oauth2 "+e.Name, e.attrs()...)
	}
	if s.cfg.OnEvent != nil {
		s.cfg.OnEvent(ctx, e)
	}
}

func (e Event) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("event", e.Name)}
	for _, a := range []struct{ key, value string }{
		{"reason", e.Reason}, {"principal", e.Principal}, {"client_id", e.ClientID}, {"token_id", e.TokenID},
		{"path", e.Path}, {"client", e.Client}, {"ref", e.Ref},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	return attrs
}
