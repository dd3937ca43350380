package oauth2server

import (
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// grantRefresh issues a new access token and a new refresh token for a refresh token
// (RFC 6749 section 6), which works once: a second use means that it was stolen, by now
// or then, and ends everything that was given with it (RFC 9700 section 4.14.2). Asking
// for fewer scopes narrows the new access token only.
func (c *call) grantRefresh(ctx context.Context) (any, *protocolError) {
	refresh := c.params.get("refresh_token")
	if refresh == "" {
		return nil, errMissing
	}
	scopes, err := scopelist.Parse(c.params.get("scope"))
	if err != nil {
		return nil, errScopeMissing
	}
	h, ok := credential.ParseAs(credential.Refresh, refresh)
	if !ok {
		return nil, errGrant
	}
	old, err := c.store.Token(ctx, h)
	switch {
	case err != nil:
		return nil, c.refusal(err)
	case old.ClientID != c.client.ID:
		return nil, errGrant
	}
	if !c.store.Reused(old) { // reuse counts whoever may use the site, and gives nothing
		if err := c.mayUse(ctx, old.Principal); err != nil {
			return nil, err
		}
	}
	given, err := c.store.Rotate(ctx, refresh, c.client, scopes)
	if errors.Is(err, store.ErrUsed) {
		c.event(c.r, event{Name: EventRefreshReused, Principal: old.Principal, ClientID: c.client.ID, TokenID: old.ID})
	}
	return c.answer(event{Name: EventTokenRefreshed}, given, err)
}
