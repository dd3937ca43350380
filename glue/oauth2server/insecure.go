package oauth2server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/scopelist"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// The two grants here exist for parity with older systems, and are off. Config says why
// they should stay so.

// giveToken answers the implicit grant (RFC 6749 section 4.2.2): an access token in the
// fragment, no refresh token.
func (a *authorizer) giveToken(w http.ResponseWriter, r *http.Request, q *authRequest, record func(context.Context, store.Code, credential.Hash) (store.Issued, error)) {
	id, _ := glue.IdentityFrom(r.Context())
	text, h := credential.Mint(credential.Access)
	given, err := record(r.Context(), q.codeFor(id.Principal), h)
	if err != nil {
		a.giveNothing(w, r, q, err)
		return
	}
	a.event(r, Event{Name: EventTokenIssued, Reason: "implicit", Principal: id.Principal, ClientID: q.client.ID, TokenID: given.AccessID})
	answer := newTokenAnswer(text, "", given)
	a.redirect(w, q, url.Values{
		"access_token": {answer.AccessToken}, "token_type": {answer.TokenType},
		"expires_in": {strconv.FormatInt(answer.ExpiresIn, 10)}, "scope": {answer.Scope},
	})
}

// grantPassword gives tokens for a person's user name and password (RFC 6749 section
// 4.3).
func (c *call) grantPassword(ctx context.Context) (any, *protocolError) {
	if !c.cfg.InsecureAllowPassword {
		return nil, errGrantType
	}
	username, password := c.params.get("username"), c.params.get("password")
	if username == "" || password == "" {
		return nil, errMissing
	}
	scopes, err := scopelist.Parse(c.params.get("scope"))
	if err != nil || len(scopes) == 0 {
		return nil, errScopeMissing
	}
	if !scopelist.Covers(c.scopes.offered().names(), scopes) {
		return nil, errScopeUnknown
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
	access, accessHash := credential.Mint(credential.Access)
	refresh, refreshHash := credential.Mint(credential.Refresh)
	given, err := c.store.GrantDirect(ctx, c.client, principal, scopes, accessHash, refreshHash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, errClient // deleted, or given a new secret, just now
	case err != nil:
		return nil, c.unavailable(err)
	}
	c.event(c.r, Event{Name: EventTokenIssued, Reason: grantTypePassword, Principal: principal, ClientID: c.client.ID, TokenID: given.AccessID})
	return newTokenAnswer(access, refresh, given), nil
}
