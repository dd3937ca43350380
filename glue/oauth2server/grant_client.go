package oauth2server

import (
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// grantClient gives a confidential client an access token for itself (RFC 6749 section
// 4.4), and no refresh token: it can ask again at any time.
func (c *call) grantClient(ctx context.Context) (any, *protocolError) {
	switch {
	case len(c.cfg.ClientScopes) == 0:
		return nil, errGrantType
	case !c.client.Confidential:
		return nil, errNotForPublic
	}
	scopes, err := scopelist.Parse(c.params.get("scope"))
	if err != nil || len(scopes) == 0 {
		return nil, errScopeMissing
	}
	if !scopelist.Covers(c.cfg.ClientScopes, scopes) {
		return nil, errScopeUnknown
	}
	if err := c.mayUse(ctx, c.client.Owner); err != nil {
		return nil, err
	}
	access, h := credential.Mint(credential.Access)
	given, err := c.store.GrantClient(ctx, c.client, scopes, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errClient // deleted, or given a new secret, just now
	case err != nil:
		return nil, c.unavailable(err)
	}
	c.event(c.r, Event{Name: EventTokenIssued, Reason: grantTypeClient, ClientID: c.client.ID, TokenID: given.AccessID})
	return newTokenAnswer(access, "", given), nil
}
