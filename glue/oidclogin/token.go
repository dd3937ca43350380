package oidclogin

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// tokens are what the token endpoint gave for a code. They are for the checks alone, and are
// not kept.
type tokens struct {
	id, access string
}

// redeem asks the token endpoint what the code is worth (OpenID Connect Core 1.0, section
// 3.1.3). Errors never hold what it was sent.
func (a *attempt) redeem(ctx context.Context, m *metadata) (*tokens, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {a.answer.code}, "redirect_uri": {a.callback},
		"code_verifier": {a.state.verifier(a.secret)},
	}
	basic, err := a.p.authenticate(form, m, a.place.Now())
	if err != nil {
		return nil, refusef(webauth.ReasonSetup, "%w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, refusef(webauth.ReasonProvider, "the token endpoint: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if basic != "" {
		r.SetBasicAuth(url.QueryEscape(a.p.ClientID), url.QueryEscape(basic)) // RFC 6749 section 2.3.1
	}
	resp, body, err := a.p.do(r)
	if err != nil {
		return nil, refusef(webauth.ReasonProvider, "the token endpoint: %w", err)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	c, err := parseClaims(body)
	if kind != "application/json" || err != nil {
		return nil, refusef(webauth.ReasonProvider, "the token endpoint answers with status %d and no JSON object", resp.StatusCode)
	}
	if c.has("error") || resp.StatusCode != http.StatusOK {
		return nil, a.notRedeemed(c, resp.StatusCode)
	}
	return readTokens(c)
}

// notRedeemed returns the refusal for an error of the token endpoint (RFC 6749 section 5.2).
func (a *attempt) notRedeemed(c claims, status int) error {
	code, _ := c.text("error")
	described, _ := c.text("error_description")
	a.known.Message = printable(described)
	reason, hint := webauth.ReasonProvider, ""
	switch code {
	case "invalid_grant":
		reason, hint = webauth.ReasonStale, ": the code was used before, is too old, or is not of this login"
	case "invalid_client", "unauthorized_client":
		reason, hint = webauth.ReasonSetup, ": it does not know the site by Provider.ClientID, or the secret or key is wrong or has expired; renew it there, and replace its file here"
	case "invalid_request", "unsupported_grant_type", "invalid_scope":
		reason = webauth.ReasonSetup
	}
	return refusef(reason, "the token endpoint answers with status %d and %q%s", status, printable(code), hint)
}

func readTokens(c claims) (*tokens, error) {
	t := &tokens{}
	for name, value := range map[string]*string{"id_token": &t.id, "access_token": &t.access} {
		text, ok := c.text(name)
		if !ok || text == "" {
			return nil, refusef(webauth.ReasonProvider, "the token endpoint gives no %s", name)
		}
		*value = text
	}
	if kind, _ := c.text("token_type"); !strings.EqualFold(kind, "Bearer") {
		return nil, refusef(webauth.ReasonProvider, "the token endpoint gives a token_type that is not Bearer")
	}
	return t, nil
}
