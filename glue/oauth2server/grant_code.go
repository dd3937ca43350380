package oauth2server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"

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

func newTokenAnswer(given store.Issued) *tokenAnswer {
	return &tokenAnswer{
		AccessToken: given.Access, TokenType: "Bearer", ExpiresIn: int64(given.Life.Seconds()),
		RefreshToken: given.Refresh, Scope: scopelist.Join(given.Scopes),
	}
}

// answer answers with what the store gave, which is the event, or with why it gave
// nothing.
func (c *call) answer(e event, given store.Issued, err error) (any, *protocolError) {
	if err != nil {
		return nil, c.refusal(err)
	}
	e.Principal, e.ClientID, e.TokenID = given.Principal, c.client.ID, given.AccessID
	c.event(c.r, e)
	return newTokenAnswer(given), nil
}

// refusal returns what the client is told of an error of the store.
func (c *call) refusal(err error) *protocolError {
	switch {
	case errors.Is(err, store.ErrStale):
		return errClient // deleted, or given a new secret, just now
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrUsed):
		return errGrant
	case errors.Is(err, store.ErrScope):
		return errScopeUnknown
	}
	return c.unavailable(err)
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

// grantCode issues tokens for an authorization code (RFC 6749 section 4.1.3, RFC 7636
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
	case err != nil:
		return nil, c.refusal(err)
	case found.ClientID != c.client.ID || found.RedirectURI != redirectURI || !provesChallenge(found.Challenge, verifier):
		return nil, errGrant
	}
	if found.Used.IsZero() { // a replay counts whoever may use the site, and gives nothing
		if err := c.mayUse(ctx, found.Principal); err != nil {
			return nil, err
		}
	}
	given, err := c.store.Redeem(ctx, h, c.client)
	if errors.Is(err, store.ErrUsed) {
		c.event(c.r, event{Name: EventCodeReplayed, Principal: found.Principal, ClientID: c.client.ID})
	}
	return c.answer(event{Name: EventTokenIssued, Reason: grantTypeCode}, given, err)
}

// provesChallenge reports whether a verifier is of its form (RFC 7636 section 4.1) and
// its SHA-256 is the challenge that is kept with the code. No verifier fits a code
// without a challenge.
func provesChallenge(challenge, verifier string) bool {
	if !validVerifier.MatchString(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(challenge), []byte(want)) == 1
}

var validVerifier = regexp.MustCompile(`^[a-zA-Z0-9._~-]{43,128}$`)
