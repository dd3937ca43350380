package oauth2server

import "context"

// grantClient issues a confidential client an access token for itself (RFC 6749 section
// 4.4), and no refresh token: it can ask again at any time.
func (c *call) grantClient(ctx context.Context) (any, *protocolError) {
	switch {
	case len(c.cfg.ClientScopes) == 0:
		return nil, errGrantType
	case !c.client.Confidential:
		return nil, errNotForPublic
	}
	scopes, bad := readScopes(c.params, c.cfg.ClientScopes)
	if bad != nil {
		return nil, bad
	}
	if err := c.mayUse(ctx, c.client.Owner); err != nil {
		return nil, err
	}
	given, err := c.store.GrantClient(ctx, c.client, scopes)
	return c.answer(event{Name: EventTokenIssued, Reason: grantTypeClient}, given, err)
}
