package oidctest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// logoutEvent is the event of a logout token (OpenID Connect Back-Channel Logout 1.0,
// section 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutType is the typ of a logout token, logoutTokenLife is how long one is good.
const (
	logoutType      = "logout+jwt"
	logoutTokenLife = 2 * time.Minute
)

// notifyTimeout bounds how long a site may take to log somebody out.
const notifyTimeout = 10 * time.Second

// LogOut ends all of a person's sessions at the provider, and tells the sites that they
// logged in to, by the back channel where one is registered. It returns when the sites
// have answered. The error says which did not accept the logout token.
func (p *Provider) LogOut(ctx context.Context, user string) error {
	return p.notify(ctx, p.sessions.end(func(_ string, s session) bool { return s.user == user }))
}

// LogoutToken returns a logout token for an app, as LogOut sends it: about one session of
// the user, the newest, or about all of them if there is none. The fault of [Provider.Always]
// spoils it.
func (p *Provider) LogoutToken(app, user string) string {
	s := session{user: user}
	p.sessions.newest(user, &s)
	return p.logoutToken(app, s)
}

func (p *Provider) logoutToken(app string, s session) string {
	claims := p.logoutClaims(app, s)
	ef := p.script.standing().effect()
	ef.header = both(func(_ *Provider, h map[string]any) { h["typ"] = logoutType }, ef.header)
	if ef.logout != nil {
		ef.logout(p, claims)
	}
	return p.spoilt(claims, ef)
}

func (p *Provider) logoutClaims(app string, s session) map[string]any {
	now := p.Now()
	claims := map[string]any{
		"iss": p.issuer, "sub": s.user, "aud": app, "iat": now.Unix(), "exp": now.Add(logoutTokenLife).Unix(),
		"jti": rand.Text(), "events": map[string]any{logoutEvent: map[string]any{}},
	}
	if s.sid != "" {
		claims["sid"] = s.sid
	}
	return claims
}

// both does one after the other, if that is not nil.
func both(one, other func(*Provider, map[string]any)) func(*Provider, map[string]any) {
	return func(p *Provider, m map[string]any) {
		one(p, m)
		if other != nil {
			other(p, m)
		}
	}
}

// notify sends logout tokens for sessions that have ended.
func (p *Provider) notify(ctx context.Context, ended []session) error {
	var errs []error
	for _, s := range ended {
		slices.Sort(s.apps)
		for _, id := range slices.Compact(s.apps) {
			if app, ok := p.apps.get(id); ok && app.BackChannelLogoutURI != "" {
				errs = append(errs, p.notifyOne(ctx, app, s))
			}
		}
	}
	return errors.Join(errs...)
}

func (p *Provider) notifyOne(ctx context.Context, app App, s session) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	e := Exchange{At: p.Now(), Endpoint: EndpointBackChannel, User: s.user, Fault: p.script.standing(), Token: p.logoutToken(app.ID, s), Reply: ReplyClosed}
	defer func() { p.journal.add(e) }()
	body := url.Values{"logout_token": {e.Token}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, app.BackChannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("oidctest: %s: %v", app.ID, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("oidctest: %s: %v", app.ID, err)
	}
	defer resp.Body.Close()
	e.Reply, e.Status = ReplyJSON, resp.StatusCode
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("oidctest: %s answered status %d", app.BackChannelLogoutURI, resp.StatusCode)
	}
	return nil
}
