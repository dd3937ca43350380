package oauth2server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// Values of grant_type.
const (
	grantTypeCode     = "authorization_code"
	grantTypeRefresh  = "refresh_token"
	grantTypeClient   = "client_credentials"
	grantTypePassword = "password"
)

// tokenAnswer is an answer of the token endpoint (RFC 6749 section 5.1).
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
}

func newTokenAnswer(access, refresh string, given store.Issued) *tokenAnswer {
	return &tokenAnswer{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(given.Life.Seconds()),
		RefreshToken: refresh, Scope: scopelist.Join(given.Scopes),
	}
}

// serveToken is the token endpoint (RFC 6749 section 3.2).
func serveToken(ctx context.Context, c *call) (any, *protocolError) {
	switch c.params.get("grant_type") {
	case grantTypeCode:
		return c.grantCode(ctx)
	case grantTypeRefresh:
		return c.grantRefresh(ctx)
	case grantTypeClient:
		return c.grantClient(ctx)
	case grantTypePassword:
		return c.grantPassword(ctx)
	case "":
		return nil, errMissing
	}
	return nil, errGrantType
}

// grantCode gives tokens for an authorization code (RFC 6749 section 4.1.3, RFC 7636
// section 4.6). A code counts as used only once everything about it fits: whoever has
// seen it, but is not the client that asked for it, can neither use it nor use it up.
func (c *call) grantCode(ctx context.Context) (any, *protocolError) {
	redirectURI, verifier := c.params.get("redirect_uri"), c.params.get("code_verifier")
	if c.params.get("code") == "" || redirectURI == "" || verifier == "" {
		return nil, errMissing
	}
	h, ok := credential.ParseAs(credential.Code, c.params.get("code"))
	if !ok {
		return nil, errGrant
	}
	found, err := c.store.Code(ctx, h)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errGrant
	case err != nil:
		return nil, c.unavailable(err)
	case found.ClientID != c.client.ID || found.RedirectURI != redirectURI || !provesChallenge(found.Challenge, verifier):
		return nil, errGrant
	}
	if found.Used.IsZero() { // a replay counts whoever may use the site, and gives nothing
		if err := c.mayUse(ctx, found.Principal); err != nil {
			return nil, err
		}
	}
	access, accessHash := credential.Mint(credential.Access)
	refresh, refreshHash := credential.Mint(credential.Refresh)
	given, err := c.store.Redeem(ctx, h, c.client, accessHash, refreshHash)
	switch {
	case errors.Is(err, store.ErrUsed):
		c.event(c.r, Event{Name: EventCodeReplayed, Principal: found.Principal, ClientID: c.client.ID})
		return nil, errGrant
	case errors.Is(err, store.ErrStale):
		return nil, errClient
	case errors.Is(err, store.ErrNotFound):
		return nil, errGrant
	case err != nil:
		return nil, c.unavailable(err)
	}
	c.event(c.r, Event{Name: EventTokenIssued, Reason: grantTypeCode, Principal: given.Principal, ClientID: c.client.ID, TokenID: given.AccessID})
	return newTokenAnswer(access, refresh, given), nil
}

// provesChallenge reports whether a verifier is of its form (RFC 7636 section 4.1) and
// its SHA-256 is the challenge that is kept with the code. No verifier fits a code
// without a challenge.
func provesChallenge(challenge, verifier string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
	if len(verifier) < 43 || len(verifier) > 128 || strings.Trim(verifier, allowed) != "" {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(want)) == 1
}
