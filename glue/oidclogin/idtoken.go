package oidclogin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/ucam-webauth/go-webauth/keys/words"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// maxIssueAge is how old an identity token may be that was made for this login. Entra ID dates
// its tokens back by five minutes.
const maxIssueAge = 6 * time.Minute

// verifyJWT returns the claims of a token that the provider signed for the site. Its time, and
// what it is for, are for the caller to check.
func (l *login) verifyJWT(ctx context.Context, m *metadata, raw string, types ...string) (claims, error) {
	jws, err := parseJWT(raw, types)
	if err != nil {
		return nil, err
	}
	keys := &verifiedKeys{}
	keys.verify = func() ([]byte, error) { return l.p.verifySignature(ctx, l.place.Now, m, jws) }
	v := oidc.NewVerifier(l.p.Issuer, keys, &oidc.Config{ClientID: l.p.ClientID, SupportedSigningAlgs: []string{signingAlg}, SkipExpiryCheck: true})
	_, err = v.Verify(ctx, raw)
	switch {
	case keys.err != nil:
		return nil, keys.err
	case err != nil && keys.payload == nil:
		return nil, refusef(webauth.ReasonMalformed, "it is not a JSON Web Token signed by %s", signingAlg)
	}
	c, claimsErr := parseClaims(keys.payload)
	if claimsErr != nil {
		return nil, refusef(webauth.ReasonMalformed, "its claims: %w", claimsErr)
	}
	if partyErr := l.checkParty(c); partyErr != nil {
		return nil, partyErr
	}
	if err != nil {
		return nil, refusef(webauth.ReasonMalformed, "its claims are not of their form")
	}
	return c, nil
}

// verifiedKeys is an [oidc.KeySet] for one token, which keeps what came of it.
type verifiedKeys struct {
	verify  func() ([]byte, error)
	payload []byte
	err     error
}

// VerifySignature implements [oidc.KeySet].
func (k *verifiedKeys) VerifySignature(context.Context, string) ([]byte, error) {
	k.payload, k.err = k.verify()
	return k.payload, k.err
}

// parseJWT parses a token in the compact serialization, of one of these types if it names its
// type. Package oidc would read the other serializations, too.
func parseJWT(raw string, types []string) (*jose.JSONWebSignature, error) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{signingAlg})
	if err != nil {
		return nil, refusef(webauth.ReasonMalformed, "it is not a JSON Web Token signed by %s", signingAlg)
	}
	kind, named := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType]
	if text, _ := kind.(string); named && !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(text, t) }) {
		return nil, refusef(webauth.ReasonMalformed, "it is a token of another type (typ)")
	}
	return jws, nil
}

// checkParty checks who made the token and who may use it (OpenID Connect Core 1.0, section
// 3.1.3.7, rules 2 to 5). Package oidc does so as well, but it takes "ISS" for "iss", lets
// others be among the audience and does not look at azp.
func (l *login) checkParty(c claims) error {
	issuer, _ := c.text("iss")
	audience, _ := c.textOrTexts("aud")
	azp, named := c.text("azp")
	switch {
	case issuer != l.p.Issuer:
		return refusef(webauth.ReasonURL, "it was made by another issuer (iss %+.200q)", issuer)
	case c.has("azp") && (!named || azp != l.p.ClientID):
		return refusef(webauth.ReasonURL, "it was made for another client (azp)")
	case len(audience) != 1 && !named:
		return refusef(webauth.ReasonURL, "it was made for several clients, and does not say for which (azp)")
	case !slices.Contains(audience, l.p.ClientID):
		return refusef(webauth.ReasonURL, "it was made for another client (aud)")
	}
	return nil
}

func (l *login) checkTenant(c claims) error {
	if tid, _ := c.text("tid"); l.p.TenantID != "" && tid != l.p.TenantID {
		return refusef(webauth.ReasonIdentity, "it is of another tenant, or of none (tid)")
	}
	return nil
}

// verifyIDToken returns the claims of an identity token that answers this login and no other.
func (a *attempt) verifyIDToken(ctx context.Context, m *metadata, t *tokens) (claims, error) {
	c, err := a.verifyJWT(ctx, m, t.id, "JWT")
	if err == nil {
		a.known.Signed = true
		err = errors.Join(a.checkTenant(c), a.checkNonce(c), a.checkHash(c, t), a.checkTime(c, true), a.checkAuthTime(c))
	}
	if err != nil {
		e, _ := errors.AsType[*webauth.Error](err)
		return nil, refusef(e.Reason, "the identity token: %s", e.Detail)
	}
	return c, nil
}

func (a *attempt) checkNonce(c claims) error {
	nonce, _ := c.text("nonce")
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(a.state.nonce(a.secret))) != 1 {
		return refusef(webauth.ReasonToken, "it was not made for this request (nonce)")
	}
	return nil
}

// checkHash checks that the access token came with it, where it says so (section 3.1.3.6).
func (a *attempt) checkHash(c claims, t *tokens) error {
	hash, _ := c.text("at_hash")
	sum := sha256.Sum256([]byte(t.access))
	if c.has("at_hash") && hash != base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2]) {
		return refusef(webauth.ReasonSignature, "it was made with another access token (at_hash)")
	}
	return nil
}

// checkTime checks when it was made and how long it is good. A logout token need not say how
// long: the first edition of its specification had no exp.
func (l *login) checkTime(c claims, expires bool) error {
	now := l.place.Now()
	issued, ok := c.time("iat")
	expiry, ok2 := c.time("exp")
	starts, ok3 := c.time("nbf")
	switch {
	case !ok || !ok2 && (expires || c.has("exp")) || c.has("nbf") && !ok3:
		return refusef(webauth.ReasonMalformed, "it does not say when it was made, or until when it is good (iat, exp, nbf)")
	case issued.After(now.Add(l.skew)):
		return refusef(webauth.ReasonFuture, "it was made %s in the future, the skew allowed is %s; check that both clocks are set by NTP", words.Ago(issued.Sub(now)), words.Duration(l.skew))
	case starts.After(now.Add(l.skew)):
		return refusef(webauth.ReasonFuture, "it is not good yet (nbf)")
	case issued.Before(now.Add(-maxIssueAge - l.skew)):
		return refusef(webauth.ReasonStale, "it was made %s ago, which is more than %s; check that both clocks are set by NTP", words.Ago(now.Sub(issued)), words.Duration(maxIssueAge))
	case ok2 && !expiry.After(now.Add(-l.skew)):
		return refusef(webauth.ReasonStale, "it expired %s ago", words.Ago(now.Sub(expiry)))
	}
	return nil
}

// checkAuthTime checks that the time when the person logged in at the provider is one, if it is
// there. Whether it is late enough is a question of strength.
func (l *login) checkAuthTime(c claims) error {
	at, ok := c.time("auth_time")
	switch {
	case c.has("auth_time") && !ok:
		return refusef(webauth.ReasonMalformed, "its auth_time is no time")
	case ok && at.After(l.place.Now().Add(l.skew)):
		return refusef(webauth.ReasonFuture, "it says that the person will log in (auth_time)")
	}
	return nil
}

// justNow reports whether the person logged in at the provider for this request.
func (a *attempt) justNow(c claims) bool {
	at, ok := c.time("auth_time")
	return ok && !at.Before(a.state.Issued.Truncate(time.Second).Add(-a.skew))
}
