package oauth2server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// The two grants here exist for parity with older systems, and are off. Config says why
// they should stay so.

// giveToken answers the implicit grant (RFC 6749 section 4.2.2): an access token in the
// fragment, no refresh token.
func (a *authorizer) giveToken(w http.ResponseWriter, r *http.Request, q *authRequest, principal string, asked bool) {
	given, err := a.store.AuthoriseDirect(r.Context(), q.codeFor(principal), asked)
	if err != nil {
		a.giveNothing(w, r, q, err)
		return
	}
	a.event(r, event{Name: EventTokenIssued, Reason: "implicit", Principal: principal, ClientID: q.client.ID, TokenID: given.AccessID})
	answer := newTokenAnswer(given)
	a.redirect(w, r, q, url.Values{
		"access_token": {answer.AccessToken}, "token_type": {answer.TokenType},
		"expires_in": {strconv.FormatInt(answer.ExpiresIn, 10)}, "scope": {answer.Scope},
	})
}

// grantPassword issues tokens for a person's user name and password (RFC 6749 section
// 4.3).
func (c *call) grantPassword(ctx context.Context) (any, *protocolError) {
	if !c.cfg.InsecureAllowPassword {
		return nil, errGrantType
	}
	username, password := c.params.get("username"), c.params.get("password")
	if username == "" || password == "" {
		return nil, errMissing
	}
	scopes, bad := readScopes(c.params, c.scopes.offered().names())
	if bad != nil {
		return nil, bad
	}
	principal, err := c.cfg.PasswordCheck(ctx, username, password)
	switch {
	case err != nil:
		return nil, c.unavailable(err)
	case principal == "":
		return nil, errGrant
	}
	if err := c.mayUse(ctx, principal); err != nil {
		return nil, err
	}
	given, err := c.store.GrantPassword(ctx, c.client, principal, scopes)
	return c.answer(event{Name: EventTokenIssued, Reason: grantTypePassword}, given, err)
}
