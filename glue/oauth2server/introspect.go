package oauth2server

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// introspection describes a token (RFC 7662 section 2.2). Of one that is not active it
// says nothing else.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`  // empty for a personal token
	TokenType string `json:"token_type,omitempty"` // "Bearer"; empty for a refresh token, which is none
	Subject   string `json:"sub,omitempty"`        // the person, or the client for its own tokens
	Username  string `json:"username,omitempty"`   // the person; empty where there is none
	Expires   int64  `json:"exp,omitempty"`        // Unix seconds; zero: never
	Issued    int64  `json:"iat,omitempty"`        // Unix seconds, of the client's own tokens
	Issuer    string `json:"iss,omitempty"`
}

// serveIntrospect is the introspection endpoint (RFC 7662), for confidential clients and
// their own tokens, and for resource servers and the tokens that they serve: nobody else is
// told whether a token is good.
func serveIntrospect(ctx context.Context, c *call) (any, *protocolError) {
	switch {
	case !c.client.Confidential:
		return nil, errClient // its name alone proves nothing (section 2.1)
	case c.params.get("token") == "":
		return nil, errMissing
	}
	kind, h, ok := credential.Parse(c.params.get("token"))
	if !ok {
		return introspection{}, nil
	}
	if own, bad := c.introspectOwn(ctx, kind, h); own.Active || bad != nil {
		return own, bad
	}
	return c.introspectServed(ctx, kind, h)
}

// introspectOwn describes a token of the client's own.
func (c *call) introspectOwn(ctx context.Context, kind credential.Prefix, h credential.Hash) (d introspection, bad *protocolError) {
	if kind != credential.Access && kind != credential.Refresh {
		return d, nil
	}
	t, err := c.store.Token(ctx, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return d, nil
	case err != nil:
		return d, c.unavailable(err)
	case t.ClientID != c.client.ID || t.Spent:
		return d, nil
	}
	d, bad = c.describe(ctx, store.Bearer{ClientID: t.ClientID, Principal: t.Principal, Owner: c.client.Owner, Scopes: t.Scopes, Expires: t.Expires})
	if d.Active {
		d.Issued = t.Created.Unix()
	}
	if t.Kind != store.KindAccess {
		d.TokenType = ""
	}
	return d, bad
}

// introspectServed describes a bearer token for what the client serves of it, as a resource
// server. That is a use of the token: its person sees it.
func (c *call) introspectServed(ctx context.Context, kind credential.Prefix, h credential.Hash) (d introspection, bad *protocolError) {
	serves := c.cfg.ResourceServers[c.client.ID]
	if len(serves) == 0 || kind != credential.Access && kind != credential.Personal {
		return d, nil
	}
	t, err := c.store.Bearer(ctx, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return d, nil
	case err != nil:
		return d, c.unavailable(err)
	}
	t.Scopes = slices.DeleteFunc(t.Scopes, func(name string) bool { return !slices.Contains(serves, name) })
	if d, bad = c.describe(ctx, t); d.Active {
		c.touch(ctx, c.r, t, h)
	}
	return d, bad
}

// describe says what a token is good for: nothing, if no scope of it is left or its person, or
// the owner of the application that it stands for, may not use the site any more.
func (c *call) describe(ctx context.Context, t store.Bearer) (introspection, *protocolError) {
	switch active, err := c.active(ctx, cmp.Or(t.Principal, t.Owner)); {
	case err != nil:
		return introspection{}, c.unavailable(err)
	case !active || len(t.Scopes) == 0:
		return introspection{}, nil
	}
	d := introspection{
		Active: true, Scope: scopelist.Join(t.Scopes), ClientID: t.ClientID, Issuer: c.cfg.Issuer, TokenType: "Bearer",
		Subject: cmp.Or(t.Principal, t.ClientID), Username: t.Principal,
	}
	if !t.Expires.IsZero() {
		d.Expires = t.Expires.Unix()
	}
	return d, nil
}
