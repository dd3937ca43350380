package oauth2server

import (
	"context"
	"errors"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// serveRevoke is the revocation endpoint (RFC 7009): a client gives up a token of its
// own, and with a refresh token everything that came of the same authorisation. A token
// that is not there, or not any more, is as good as revoked (section 2.2); one of
// another client stays, and the caller is told (section 2.1). The token itself says what
// it is, so that token_type_hint is not needed.
func serveRevoke(ctx context.Context, c *call) (any, *protocolError) {
	if c.params.get("token") == "" {
		return nil, errMissing
	}
	h, ok := parseClientToken(c.params.get("token"))
	if !ok {
		return nil, nil
	}
	gone, err := c.store.RevokeToken(ctx, h, c.client.ID)
	switch {
	case errors.Is(err, store.ErrForeign):
		return nil, errGrant
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, c.unavailable(err)
	}
	c.event(c.r, event{Name: EventTokenRevoked, Principal: gone.Principal, ClientID: c.client.ID, TokenID: gone.ID})
	return nil, nil
}

// parseClientToken takes the kinds of token that clients have.
func parseClientToken(text string) (credential.Hash, bool) {
	p, h, ok := credential.Parse(text)
	return h, ok && (p == credential.Access || p == credential.Refresh)
}
