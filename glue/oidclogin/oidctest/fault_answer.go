package oidctest

import (
	"net/url"
	"strings"
)

// Faults of the answer that the browser brings to the site.
const (
	FaultStateMissing Fault = "state-missing"
	FaultStateEmpty   Fault = "state-empty"
	FaultStateAltered Fault = "state-altered"
	FaultStateTwice   Fault = "state-twice"
	// FaultCodeMissing has neither code nor error.
	FaultCodeMissing Fault = "code-missing"
	FaultCodeEmpty   Fault = "code-empty"
	FaultCodeTwice   Fault = "code-twice"
	// FaultCodeHuge has a code of 16 KiB, FaultCodeControl one with control characters.
	FaultCodeHuge    Fault = "code-huge"
	FaultCodeControl Fault = "code-control"
	// FaultCodeOther has the newest code of somebody else's login, as an attacker would
	// exchange it; with FaultCodeOtherNoPKCE the provider does not check the verifier. A
	// code of one's own where there is no other.
	FaultCodeOther       Fault = "code-other"
	FaultCodeOtherNoPKCE Fault = "code-other-no-pkce"
	// FaultCodeReplayed has the code of the login before.
	FaultCodeReplayed Fault = "code-replayed"
	// FaultNoPKCE does not check the verifier; the answer is as it should be.
	FaultNoPKCE Fault = "no-pkce"

	// FaultAnswerIssMissing leaves out iss (RFC 9207), although discovery promises it.
	FaultAnswerIssMissing Fault = "answer-iss-missing"
	FaultAnswerIssEmpty   Fault = "answer-iss-empty"
	FaultAnswerIssOther   Fault = "answer-iss-other"
	FaultAnswerIssSlash   Fault = "answer-iss-slash"
	FaultAnswerIssTwice   Fault = "answer-iss-twice"

	// FaultAnswerFragment has the answer in the fragment, FaultAnswerResponse in a JWT (JARM).
	FaultAnswerFragment Fault = "answer-fragment"
	FaultAnswerResponse Fault = "answer-response"
	// FaultAnswerIDToken and FaultAnswerAccessToken bring a token beside the code, as other
	// flows do.
	FaultAnswerIDToken     Fault = "answer-id-token"
	FaultAnswerAccessToken Fault = "answer-access-token"
	// FaultAnswerUnknown brings session_state and more, as providers may.
	FaultAnswerUnknown Fault = "answer-unknown"
	FaultCodeAndError  Fault = "code-and-error"
	// FaultErrorEmpty has an empty error, FaultErrorHostile a description with markup,
	// control characters and 4 KiB. FaultErrorCode has those in the code of the error.
	FaultErrorEmpty   Fault = "error-empty"
	FaultErrorHostile Fault = "error-hostile"
	FaultErrorCode    Fault = "error-code"
)

// hostile is a text for logs and pages to stumble over.
var hostile = "<script>alert(1)</script>\r\nSet-Cookie: a=b\x00\x1b[31m\u202e" + strings.Repeat("x", 4<<10)

var answerFaults = []named{
	{FaultStateMissing, answers(func(_ *Provider, q url.Values) { q.Del("state") })},
	{FaultStateEmpty, answers(func(_ *Provider, q url.Values) { q.Set("state", "") })},
	{FaultStateAltered, answers(func(_ *Provider, q url.Values) {
		s := []byte(q.Get("state"))
		if len(s) > 0 {
			s[len(s)/2] = otherLetter(s[len(s)/2])[0]
		}
		q.Set("state", string(s))
	})},
	{FaultStateTwice, answers(func(_ *Provider, q url.Values) { q.Add("state", q.Get("state")) })},
	{FaultCodeMissing, answers(func(_ *Provider, q url.Values) { q.Del("code") })},
	{FaultCodeEmpty, answers(func(_ *Provider, q url.Values) { q.Set("code", "") })},
	{FaultCodeTwice, answers(func(_ *Provider, q url.Values) { q.Add("code", "another") })},
	{FaultCodeHuge, answers(func(_ *Provider, q url.Values) { q.Set("code", strings.Repeat("x", 16<<10)) })},
	{FaultCodeControl, answers(func(_ *Provider, q url.Values) { q.Set("code", "a\r\nb\x00") })},
	{FaultCodeOther, effect{answer: otherCode}},
	{FaultCodeOtherNoPKCE, effect{answer: otherCode, ignorePKCE: true}},
	{FaultCodeReplayed, effect{answer: func(p *Provider, _ authRequest, q url.Values) {
		if code, ok := p.grants.before(q.Get("code"), func(g grant) bool { return g.used }); ok {
			q.Set("code", code)
		}
	}}},
	{FaultNoPKCE, effect{ignorePKCE: true}},
	{FaultAnswerIssMissing, answers(func(_ *Provider, q url.Values) { q.Del("iss") })},
	{FaultAnswerIssEmpty, answers(func(_ *Provider, q url.Values) { q.Set("iss", "") })},
	{FaultAnswerIssOther, answers(func(_ *Provider, q url.Values) { q.Set("iss", "https://provider.example") })},
	{FaultAnswerIssSlash, answers(func(p *Provider, q url.Values) { q.Set("iss", p.issuer+"/") })},
	{FaultAnswerIssTwice, answers(func(_ *Provider, q url.Values) { q.Add("iss", "https://provider.example") })},
	{FaultAnswerFragment, effect{location: func(uri string, q url.Values) string { return uri + "#" + q.Encode() }}},
	{FaultAnswerResponse, answers(func(p *Provider, q url.Values) {
		claims := map[string]any{"aud": ClientID, "exp": p.Now().Unix() + hour}
		for name := range q {
			claims[name] = q.Get(name)
		}
		clear(q)
		q.Set("response", p.Sign(nil, claims))
	})},
	{FaultAnswerIDToken, answers(func(p *Provider, q url.Values) {
		q.Set("id_token", p.Sign(nil, map[string]any{"iss": p.issuer, "sub": "test0002", "aud": ClientID, "exp": p.Now().Unix() + hour}))
	})},
	{FaultAnswerAccessToken, answers(func(p *Provider, q url.Values) {
		q.Set("access_token", p.grants.newToken("test0002"))
		q.Set("token_type", "Bearer")
	})},
	{FaultAnswerUnknown, answers(func(_ *Provider, q url.Values) {
		q.Set("session_state", "a.b")
		q.Set("unheard_of", "x")
	})},
	{FaultCodeAndError, answers(func(_ *Provider, q url.Values) { q.Set("error", "access_denied") })},
	{FaultErrorEmpty, answers(func(_ *Provider, q url.Values) { q.Del("code"); q.Set("error", "") })},
	{FaultErrorHostile, answers(func(_ *Provider, q url.Values) {
		q.Del("code")
		q.Set("error", "access_denied")
		q.Set("error_description", hostile)
		q.Set("error_uri", "javascript:alert(1)")
	})},
	{FaultErrorCode, answers(func(_ *Provider, q url.Values) { q.Del("code"); q.Set("error", hostile) })},
}

func answers(edit func(*Provider, url.Values)) effect {
	return effect{answer: func(p *Provider, _ authRequest, q url.Values) { edit(p, q) }}
}

// otherCode puts in the newest code of somebody else.
func otherCode(p *Provider, a authRequest, q url.Values) {
	if code, ok := p.grants.before(q.Get("code"), func(g grant) bool { return g.user.ID != a.user() && !g.used }); ok {
		q.Set("code", code)
	}
}
