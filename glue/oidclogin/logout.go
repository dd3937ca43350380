package oidclogin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"github.com/ucam-webauth/go-webauth/webauth"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutVerifier is what the [webauth.Login] of a [Provider] does beside.
type LogoutVerifier interface {
	// VerifyLogoutToken verifies a logout token of the provider's, and spends it (OpenID Connect
	// Back-Channel Logout 1.0, section 2.6). It returns whose sessions end: those with this
	// Proof.Subject, and this Proof.Session, as far as they are not empty; one of them is not.
	// Errors are each a [*webauth.Error].
	VerifyLogoutToken(ctx context.Context, token string) (subject, session string, err error)
}

var _ LogoutVerifier = (*login)(nil)

func (l *login) VerifyLogoutToken(ctx context.Context, token string) (subject, session string, err error) {
	m, err := l.p.discover(ctx, l.place.Now)
	if err != nil {
		return "", "", err
	}
	c, err := l.verifyJWT(ctx, m, token, "JWT", "logout+jwt")
	if err != nil {
		return "", "", err
	}
	if err := errors.Join(checkLogout(c), l.checkTime(c, false)); err != nil {
		e, _ := errors.AsType[*webauth.Error](err)
		return "", "", e
	}
	if err := l.spendLogout(ctx, c); err != nil {
		return "", "", err
	}
	subject, _ = c.text("sub")
	session, _ = c.text("sid")
	return subject, session, nil
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

// spendLogout marks a logout token as used. One that is older than the memory of what was used
// may pass: it can only end sessions.
func (l *login) spendLogout(ctx context.Context, c claims) error {
	jti, _ := c.text("jti")
	issued, _ := c.time("iat")
	h := sha256.Sum256([]byte(l.p.ID() + "\x00" + l.place.Origin + "\x00" + jti))
	err := l.place.OneUse.Once(ctx, webauth.Item{ID: "logout:" + encode(h[:]), Issued: issued, Expires: issued.Add(maxIssueAge + 2*l.skew)})
	if errors.Is(err, webauth.ErrForgotten) {
		return nil
	}
	if e := webauth.UseError(err, webauth.ReasonReplay, "the logout token was used before"); e != nil {
		return e
	}
	return nil
}
