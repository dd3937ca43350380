package oauth2server

import (
	"log/slog"
	"net/http"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Names of events that package glue does not have, and of some that it has. Their
// site.Event has client_id and token_id in More, where an application or a token is known.
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

// event is what happened, for [site.Event]. It never holds a token, a code or a secret.
type event struct {
	Name, Reason string
	// Principal is the person it is about, ClientID the application, TokenID the token:
	// empty where there is none, or none is known for certain.
	Principal, ClientID, TokenID string
	Err                          error
}

// forSite returns the event as all packages report theirs: with client_id and token_id
// in More.
func (e event) forSite() site.Event {
	se := site.Event{From: "oauth2", Name: e.Name, Reason: e.Reason, Principal: e.Principal, Level: eventLevels[e.Name], Err: e.Err}
	if e.ClientID != "" {
		se.More = append(se.More, slog.String("client_id", e.ClientID))
	}
	if e.TokenID != "" {
		se.More = append(se.More, slog.String("token_id", e.TokenID))
	}
	return se
}

// event reports an event about a request.
func (s *Server) event(r *http.Request, e event) { s.site.Report(r, e.forSite()) }
