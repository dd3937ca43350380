package oidctest

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// tokenLife is how long ID tokens are good.
const tokenLife = time.Hour

// idToken makes the ID token of a login (OpenID Connect Core 1.0, section 2).
func (p *Provider) idToken(g grant, access string) string {
	now := p.Now()
	claims := g.user.claims(p.issuer)
	sum := sha256.Sum256([]byte(access))
	merge(claims, map[string]any{
		"iss": p.issuer, "aud": g.app, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
		"auth_time": g.login.typed.Unix(), "sid": g.login.sid, "at_hash": b64(sum[:16]),
		"amr": g.user.AMR,
	})
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.acr != "" {
		claims["acr"] = g.acr
	}
	merge(claims, g.user.Claims)
	ef := g.outcome.Fault.effect()
	if ef.claims != nil {
		ef.claims(p, g, claims)
	}
	if g.outcome.Edit != nil {
		g.outcome.Edit(claims)
	}
	return p.spoilt(claims, ef)
}

// spoilt signs claims as a fault has it.
func (p *Provider) spoilt(claims map[string]any, ef effect) string {
	kid, key := p.signer.current()
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": kid}
	if ef.header != nil {
		ef.header(p, header)
	}
	payload, err := json.Marshal(claims)
	must(err) // what an Edit made can fail here
	if ef.payload != nil {
		payload = ef.payload(p, payload)
	}
	if ef.sign != nil {
		return ef.sign(p, header, payload)
	}
	jwt := compact(key, header, payload)
	if ef.jwt != nil {
		jwt = ef.jwt(jwt)
	}
	return jwt
}

// acr returns the first of acr_values that the person's login was, empty for none.
func acr(values string, u User) string {
	for _, asked := range strings.Fields(values) {
		if slices.Contains(u.AMR, asked) {
			return asked
		}
	}
	return ""
}
