package oidctest

import (
	"bytes"
	"strings"
)

// Faults of the claims of ID tokens. They are signed as they should be.
const (
	// FaultNonceWrong has another nonce than was asked for.
	FaultNonceWrong   Fault = "nonce-wrong"
	FaultNonceMissing Fault = "nonce-missing"
	FaultNonceEmpty   Fault = "nonce-empty"
	// FaultNonceList has the right nonce, in a list.
	FaultNonceList Fault = "nonce-list"

	// FaultAudForeign is for another site.
	FaultAudForeign Fault = "aud-foreign"
	FaultAudMissing Fault = "aud-missing"
	FaultAudEmpty   Fault = "aud-empty"
	// FaultAudTwo is for the site and another, without azp; the others have this azp.
	FaultAudTwo           Fault = "aud-two"
	FaultAudTwoAzpForeign Fault = "aud-two-azp-foreign"
	FaultAudTwoAzpOurs    Fault = "aud-two-azp-ours"
	// FaultAzpForeign is for the site alone, but was given to another.
	FaultAzpForeign Fault = "azp-foreign"

	// FaultAtHashWrong belongs to another access token.
	FaultAtHashWrong Fault = "at-hash-wrong"
	// FaultAtHashMissing is as the code flow allows.
	FaultAtHashMissing Fault = "at-hash-missing"

	FaultSubMissing Fault = "sub-missing"
	FaultSubEmpty   Fault = "sub-empty"
	FaultSubNumber  Fault = "sub-number"
	// FaultSubLong has 256 bytes, where 255 are allowed.
	FaultSubLong Fault = "sub-long"

	FaultIatMissing Fault = "iat-missing"
	FaultIatText    Fault = "iat-text"
	// FaultIatFuture was made an hour from now.
	FaultIatFuture Fault = "iat-future"
	// FaultIatOld was made a day ago, and is good for another hour.
	FaultIatOld     Fault = "iat-old"
	FaultExpMissing Fault = "exp-missing"
	FaultExpText    Fault = "exp-text"
	FaultExpPast    Fault = "exp-past"
	FaultNbfFuture  Fault = "nbf-future"
	FaultNbfText    Fault = "nbf-text"

	FaultIssMissing Fault = "iss-missing"
	// FaultIssOther is another issuer's; the others are nearly right.
	FaultIssOther Fault = "iss-other"
	FaultIssSlash Fault = "iss-slash"
	FaultIssCase  Fault = "iss-case"
	FaultIssHTTPS Fault = "iss-https"

	// FaultSubTwice has the claim sub twice: another's, then the right one.
	FaultSubTwice Fault = "sub-twice"
	// FaultNonceTwice has a wrong nonce, then the right one.
	FaultNonceTwice Fault = "nonce-twice"
	// FaultSubCase has a claim SUB beside sub, with another's name.
	FaultSubCase Fault = "sub-case"
	// FaultClaimsHuge has a claim of 2 MiB.
	FaultClaimsHuge Fault = "claims-huge"
	// FaultClaimsDeep has a claim of 100,000 lists in one another.
	FaultClaimsDeep     Fault = "claims-deep"
	FaultClaimsNoJSON   Fault = "claims-no-json"
	FaultClaimsList     Fault = "claims-list"
	FaultClaimsTrailing Fault = "claims-trailing"
)

const (
	hour = 60 * 60
	day  = 24 * hour
)

var claimFaults = []named{
	{FaultNonceWrong, claim("nonce", "another")},
	{FaultNonceMissing, claim("nonce", nil)},
	{FaultNonceEmpty, claim("nonce", "")},
	{FaultNonceList, claims(func(_ *Provider, g grant, c map[string]any) { c["nonce"] = []string{g.nonce} })},
	{FaultAudForeign, claim("aud", "another")},
	{FaultAudMissing, claim("aud", nil)},
	{FaultAudEmpty, claim("aud", []string{})},
	{FaultAudTwo, claims(audience(""))},
	{FaultAudTwoAzpForeign, claims(audience("another"))},
	{FaultAudTwoAzpOurs, claims(func(p *Provider, g grant, c map[string]any) { audience(g.app)(p, g, c) })},
	{FaultAzpForeign, claim("azp", "another")},
	{FaultAtHashWrong, claim("at_hash", b64(make([]byte, 16)))},
	{FaultAtHashMissing, claim("at_hash", nil)},
	{FaultSubMissing, claim("sub", nil)},
	{FaultSubEmpty, claim("sub", "")},
	{FaultSubNumber, claim("sub", 17)},
	{FaultSubLong, claim("sub", strings.Repeat("x", 256))},
	{FaultIatMissing, claim("iat", nil)},
	{FaultIatText, claim("iat", "now")},
	{FaultIatFuture, seconds("iat", hour)},
	{FaultIatOld, seconds("iat", -day)},
	{FaultExpMissing, claim("exp", nil)},
	{FaultExpText, claim("exp", "never")},
	{FaultExpPast, seconds("exp", -hour)},
	{FaultNbfFuture, seconds("nbf", hour)},
	{FaultNbfText, claim("nbf", "now")},
	{FaultIssMissing, claim("iss", nil)},
	{FaultIssOther, claim("iss", "https://provider.example")},
	{FaultIssSlash, claims(func(p *Provider, _ grant, c map[string]any) { c["iss"] = p.issuer + "/" })},
	{FaultIssCase, claims(func(p *Provider, _ grant, c map[string]any) { c["iss"] = "HTTP" + strings.TrimPrefix(p.issuer, "http") })},
	{FaultIssHTTPS, claims(func(p *Provider, _ grant, c map[string]any) {
		c["iss"] = "https" + strings.TrimPrefix(p.issuer, "http")
	})},
	{FaultSubTwice, before(`"sub":"test0002",`)},
	{FaultNonceTwice, before(`"nonce":"another",`)},
	{FaultSubCase, claim("SUB", "test0002")},
	{FaultClaimsHuge, claim("huge", strings.Repeat("x", 2<<20))},
	{FaultClaimsDeep, before(`"deep":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + ",")},
	{FaultClaimsNoJSON, payload(func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("}")) })},
	{FaultClaimsList, payload(func(b []byte) []byte { return append(append([]byte("["), b...), ']') })},
	{FaultClaimsTrailing, payload(func(b []byte) []byte { return append(b, `{"sub":"test0002"}`...) })},
}

func claims(edit func(*Provider, grant, map[string]any)) effect { return effect{claims: edit} }

// claim sets a claim of the ID token; nil takes it away.
func claim(name string, value any) effect {
	return claims(func(_ *Provider, _ grant, c map[string]any) { merge(c, map[string]any{name: value}) })
}

// seconds sets a claim to a time that is so far from now.
func seconds(name string, off int64) effect {
	return claims(func(p *Provider, _ grant, c map[string]any) { c[name] = p.Now().Unix() + off })
}

// audience names the site and another, and who got the token if azp is not empty.
func audience(azp string) func(*Provider, grant, map[string]any) {
	return func(_ *Provider, g grant, c map[string]any) {
		c["aud"] = []string{g.app, "another"}
		if azp != "" {
			c["azp"] = azp
		}
	}
}

func payload(edit func([]byte) []byte) effect {
	return effect{payload: func(_ *Provider, b []byte) []byte { return edit(b) }}
}

// before puts members in front of those of the object that is signed.
func before(members string) effect {
	return payload(func(b []byte) []byte { return append([]byte("{"+members), bytes.TrimPrefix(b, []byte("{"))...) })
}
