package oauth2server

import (
	"cmp"
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// introspection describes a token (RFC 7662 section 2.2). Of one that is not active it
// says nothing else.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"` // "Bearer"; empty for a refresh token, which is none
	Subject   string `json:"sub,omitempty"`        // the person, or the client for its own tokens
	Username  string `json:"username,omitempty"`   // the person
	Expires   int64  `json:"exp,omitempty"`        // Unix seconds
	Issued    int64  `json:"iat,omitempty"`        // Unix seconds
	Issuer    string `json:"iss,omitempty"`
}

// serveIntrospect is the introspection endpoint (RFC 7662), for confidential clients and
// their own tokens: a client is never told whether another's token is good. The API
// itself needs no introspection, because it has RequireAPI.
func serveIntrospect(ctx context.Context, c *call) (any, *protocolError) {
	switch {
	case !c.client.Confidential:
		return nil, errClient // its name alone proves nothing (section 2.1)
	case c.params.get("token") == "":
		return nil, errMissing
	}
	h, ok := parseClientToken(c.params.get("token"))
	if !ok {
		return introspection{}, nil
	}
	found, err := c.store.Token(ctx, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return introspection{}, nil
	case err != nil:
		return nil, c.unavailable(err)
	case found.ClientID != c.client.ID || !found.Used.IsZero():
		return introspection{}, nil
	}
	switch active, err := c.active(ctx, cmp.Or(found.Principal, c.client.Owner)); {
	case err != nil:
		return nil, c.unavailable(err)
	case !active:
		return introspection{}, nil
	}
	if len(found.Scopes) == 0 {
		return introspection{}, nil // nothing of it is left
	}
	return c.describe(found), nil
}

func (c *call) describe(t store.Token) introspection {
	d := introspection{
		Active: true, Scope: scopelist.Join(t.Scopes), ClientID: t.ClientID, Issuer: c.cfg.Issuer,
		Subject: cmp.Or(t.Principal, t.ClientID), Username: t.Principal,
		Expires: t.Expires.Unix(), Issued: t.Created.Unix(),
	}
	if t.Kind == store.KindAccess {
		d.TokenType = "Bearer"
	}
	return d
}
