package oidclogin

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ucam-webauth/go-webauth/webauth"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

var _ webauth.BackChannel = (*login)(nil)

// VerifyLogout implements [webauth.BackChannel] (OpenID Connect Back-Channel Logout 1.0,
// section 2.6).
func (l *login) VerifyLogout(ctx context.Context, token string) (webauth.LoggedOut, error) {
	m, err := l.p.discover(ctx, l.place.Now)
	if err != nil {
		return webauth.LoggedOut{}, err
	}
	c, err := l.verifyJWT(ctx, m, token, "JWT", "logout+jwt")
	if err != nil {
		return webauth.LoggedOut{}, err
	}
	if err := errors.Join(checkLogout(c), l.checkTime(c, false)); err != nil {
		e, _ := errors.AsType[*webauth.Error](err)
		return webauth.LoggedOut{}, e
	}
	var out webauth.LoggedOut
	out.Subject, _ = c.text("sub")
	out.Session, _ = c.text("sid")
	out.At, _ = c.time("iat")
	return out, nil
}

// checkLogout checks what makes a token one for logging out.
func checkLogout(c claims) error {
	var events, event map[string]json.RawMessage
	isName := func(claim string) bool {
		s, ok := c.text(claim)
		return ok && webauth.IsName(s)
	}
	switch {
	case json.Unmarshal(c["events"], &events) != nil, json.Unmarshal(events[logoutEvent], &event) != nil, event == nil:
		return refusef(webauth.ReasonMalformed, "it is no logout token (events)")
	case c.has("nonce"):
		return refusef(webauth.ReasonMalformed, "it is an identity token, not a logout token (nonce)")
	case !isName("sub") && !isName("sid"), c.has("sub") && !isName("sub"), c.has("sid") && !isName("sid"):
		return refusef(webauth.ReasonMalformed, "it does not say whose sessions end (sub, sid)")
	case !isName("jti"):
		return refusef(webauth.ReasonMalformed, "it has no identifier (jti)")
	}
	return nil
}
