package oidctest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// assertionType is that of private_key_jwt (RFC 7523, section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// token exchanges a code (OpenID Connect Core 1.0, section 3.1.3).
func (p *Provider) token(rw http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	e := Exchange{At: p.Now(), Endpoint: EndpointToken}
	if err := r.ParseForm(); err != nil {
		p.refuse(rw, r, e, failure{"invalid_request", "unreadable form"})
		return
	}
	e.Params = r.PostForm
	app, problem := p.authenticate(r)
	if problem.code != "" {
		p.refuse(rw, r, e, problem)
		return
	}
	g, problem := p.redeem(app, r.PostForm)
	e.Fault, e.User = g.outcome.Fault, g.user.ID
	if problem.code != "" {
		p.refuse(rw, r, e, problem)
		return
	}
	access := p.grants.newToken(g.user.ID)
	e.Token = p.idToken(g, access)
	p.serveJSON(rw, r, e, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 3600, "scope": "openid", "id_token": e.Token,
	})
}

// refuse answers an error (RFC 6749, section 5.2).
func (p *Provider) refuse(rw http.ResponseWriter, r *http.Request, e Exchange, f failure) {
	e.Error, e.Status = f.code, http.StatusBadRequest
	if f.code == "invalid_client" {
		e.Status = http.StatusUnauthorized
		rw.Header().Set("WWW-Authenticate", "Basic")
	}
	p.serveJSON(rw, r, e, map[string]any{"error": f.code, "error_description": f.description})
}

// redeem returns the grant that the form asks for.
func (p *Provider) redeem(app App, form url.Values) (grant, failure) {
	if name := doubled(form); name != "" {
		return grant{}, failure{"invalid_request", name + " twice"}
	}
	if form.Get("grant_type") != "authorization_code" {
		return grant{}, failure{"unsupported_grant_type", "grant_type must be authorization_code"}
	}
	g, used, ok := p.grants.use(form.Get("code"))
	verified := b64Sum(form.Get("code_verifier")) == g.challenge || g.outcome.Fault.effect().ignorePKCE
	switch {
	case !ok, g.app != app.ID:
		return grant{}, failure{"invalid_grant", "no such code"}
	case used:
		return g, failure{"invalid_grant", "the code was used before"}
	case p.Now().After(g.expires):
		return g, failure{"invalid_grant", "the code has expired"}
	case g.redirectURI != form.Get("redirect_uri"):
		return g, failure{"invalid_grant", "redirect_uri is another than in the request"}
	case !verified:
		return g, failure{"invalid_grant", "code_verifier does not fit"}
	}
	return g, failure{}
}

// authenticate returns the app that asks. It may use one method alone (RFC 6749, section
// 2.3).
func (p *Provider) authenticate(r *http.Request) (App, failure) {
	form := r.PostForm
	wrong := failure{"invalid_client", "no such client, or its credentials are wrong"}
	basicID, basicSecret, basic := r.BasicAuth()
	post, assertion := form.Has("client_secret"), form.Has("client_assertion")
	switch {
	case basic && !post && !assertion:
		id, err := url.QueryUnescape(basicID)
		secret, err2 := url.QueryUnescape(basicSecret)
		if a, ok := p.apps.get(id); ok && err == nil && err2 == nil && a.knows(secret) {
			return a, failure{}
		}
	case post && !basic && !assertion:
		if a, ok := p.apps.get(form.Get("client_id")); ok && a.knows(form.Get("client_secret")) {
			return a, failure{}
		}
	case assertion && !basic && !post && form.Get("client_assertion_type") == assertionType:
		return p.asserted(form.Get("client_assertion"), wrong)
	}
	return App{}, wrong
}

func (a App) knows(secret string) bool {
	return a.Secret != "" && subtle.ConstantTimeCompare([]byte(a.Secret), []byte(secret)) == 1
}

// asserted returns the app that signed a JWT (OpenID Connect Core 1.0, section 9).
func (p *Provider) asserted(jwt string, wrong failure) (App, failure) {
	var header struct{ Alg string }
	var claims struct {
		Iss, Sub, Jti string
		Aud           any
		Exp           int64
	}
	signed, sig, _ := cutLast(jwt, ".")
	h, payload, _ := strings.Cut(signed, ".")
	signature, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil || !decodePart(h, &header) || !decodePart(payload, &claims) || header.Alg != "RS256" {
		return App{}, wrong
	}
	a, ok := p.apps.get(claims.Sub)
	sum := sha256.Sum256([]byte(signed))
	if !ok || a.Key == nil || rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], signature) != nil {
		return App{}, wrong
	}
	now := p.Now()
	switch {
	case claims.Iss != a.ID, claims.Jti == "", claims.Aud != p.issuer+tokenPath && claims.Aud != p.issuer:
		return App{}, failure{"invalid_client", "the assertion is for somebody else"}
	case now.After(time.Unix(claims.Exp, 0)):
		return App{}, failure{"invalid_client", "the assertion has expired"}
	case !p.grants.first(a.ID + " " + claims.Jti):
		return App{}, failure{"invalid_client", "the assertion was used before"}
	}
	return a, failure{}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func decodePart(part string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(b, v) == nil
}

func b64Sum(s string) string {
	sum := sha256.Sum256([]byte(s))
	return b64(sum[:])
}

// userinfo tells about whoever an access token is for. A site that takes identity from ID
// tokens has no need of it.
func (p *Provider) userinfo(rw http.ResponseWriter, r *http.Request) {
	e := Exchange{At: p.Now(), Endpoint: EndpointUserinfo}
	id, ok := p.grants.userOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	user, active := p.user(id)
	if !ok || !active {
		rw.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		e.Status, e.Error = http.StatusUnauthorized, "invalid_token"
		p.serveJSON(rw, r, e, map[string]any{"error": e.Error})
		return
	}
	e.User, e.Fault = id, p.script.standing()
	claims := user.claims(p.issuer)
	merge(claims, user.Claims)
	p.serveJSON(rw, r, e, claims)
}
