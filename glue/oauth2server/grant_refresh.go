package oauth2server

import (
	"context"
	"errors"
)

// grantRefresh gives a new access token and a new refresh token for a refresh token
// (RFC 6749 section 6), which works once: a second use means that it was stolen, by now
// or then, and ends everything that was given with it (RFC 9700 section 4.14.2). Asking
// for fewer scopes narrows the new access token only.
func (c *call) grantRefresh(ctx context.Context) (any, *protocolError) {
	if c.params.get("refresh_token") == "" {
		return nil, errMissing
	}
	scopes, err := parseScopes(c.params.get("scope"))
	if err != nil {
		return nil, errScopeMissing
	}
	h, ok := parseAs(prefixRefresh, c.params.get("refresh_token"))
	if !ok {
		return nil, errGrant
	}
	old, err := c.store.token(ctx, h)
	switch {
	case errors.Is(err, errNotFound):
		return nil, errGrant
	case err != nil:
		return nil, c.unavailable(err)
	case old.ClientID != c.client.ID:
		return nil, errGrant
	}
	if !c.store.reused(old) { // reuse counts whoever may use the site, and gives nothing
		if err := c.mayUse(ctx, old.Principal); err != nil {
			return nil, err
		}
	}
	access, accessHash := mint(prefixAccess)
	refresh, refreshHash := mint(prefixRefresh)
	given, err := c.store.rotate(ctx, h, c.client, scopes, accessHash, refreshHash)
	switch {
	case errors.Is(err, errUsed):
		c.event(c.r, Event{Name: EventRefreshReused, Principal: old.Principal, ClientID: c.client.ID, TokenID: old.ID})
		return nil, errGrant
	case errors.Is(err, errScope):
		return nil, errScopeUnknown
	case errors.Is(err, errStale):
		return nil, errClient
	case errors.Is(err, errNotFound):
		return nil, errGrant
	case err != nil:
		return nil, c.unavailable(err)
	}
	c.event(c.r, Event{Name: EventTokenRefreshed, Principal: given.Principal, ClientID: c.client.ID, TokenID: given.AccessID})
	return newTokenAnswer(access, refresh, given), nil
}
