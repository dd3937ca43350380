package webauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func TestVerifySuccess(t *testing.T) {
	s := newSite(t)
	params := s.params(t, func(r *webauth.Request) { r.IAct, r.AAuth = webauth.IActYes, []string{"pwd", "x-otp"} })
	r := success(params)
	r.SSO, r.Ptags, r.Msg = []string{"x-otp"}, []string{"current", "x-staff"}, "100% well!"
	value := signed(t, r)

	resp, err := s.verifier(t, nil).Verify(t.Context(), value, s.here())
	require.NoError(t, err)
	assert.Equal(t, 3, resp.Version())
	assert.Equal(t, "test0001", resp.Principal())
	assert.Equal(t, []string{"current", "x-staff"}, resp.Ptags())
	assert.Equal(t, "pwd", resp.Auth())
	assert.Equal(t, []string{"x-otp"}, resp.SSO())
	life, has := resp.Life()
	assert.True(t, has)
	assert.Equal(t, time.Hour, life)
	assert.Equal(t, r.Issue, resp.Issue())
	assert.Equal(t, r.ID, resp.ID())
	assert.Equal(t, pageURL, resp.URL())
	assert.Equal(t, params, resp.Params())
	assert.Equal(t, testKid, resp.Kid())
	assert.Equal(t, "100% well!", resp.Msg())
	assert.Equal(t, webauth.IActYes, resp.Token().IAct)
	assert.Equal(t, []string{"pwd", "x-otp"}, resp.Token().AAuth)
	assert.True(t, testNow.Equal(resp.Token().Issued))
	assert.Equal(t, []string{"response", "token"}, s.used.marks())

	resp.Ptags()[0], resp.SSO()[0] = "admin", "x"
	assert.Equal(t, []string{"current", "x-staff"}, resp.Ptags(), "callers get copies")
	assert.Equal(t, []string{"x-otp"}, resp.SSO())
}

// refusal is one way for a response to be refused by a site with a signer.
type refusal struct {
	name   string
	reason webauth.Reason
	// value builds the response from a token that is good.
	value func(t *testing.T, params string) string
	edit  func(*webauth.VerifierConfig)
	want  func(*webauth.Expect)
	// What the refusal leaves behind and tells.
	marks          []string
	signed         bool
	token          bool // Error.Token
	url, principal bool // Error.ReturnURL, Error.SamePrincipal
}

// changed is a success with one thing changed before it is signed.
func changed(edit func(*wls.Response)) func(*testing.T, string) string {
	return func(t *testing.T, params string) string {
		r := success(params)
		edit(&r)
		return signed(t, r)
	}
}

var (
	both          = []string{"response", "token"}
	tokenOnly     = []string{"token"}
	responseOnly  = []string{"response"}
	unsignedToken = []string{"unsigned token"}
	nothing       = []string{}
)

// refusals are in the order of the checks.
var refusals = []refusal{
	{name: "malformed", reason: webauth.ReasonMalformed, marks: nothing,
		value: func(t *testing.T, p string) string { return signed(t, success(p)) + "!" }},
	{name: "undefined version", reason: webauth.ReasonVersion, marks: nothing,
		value: func(t *testing.T, p string) string { return "4" + signed(t, success(p))[1:] }},
	{name: "kid of no key", reason: webauth.ReasonUnknownKey, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string { return signedBy(t, success(p), siteKey(), "502") }},
	{name: "failure under a kid of no key", reason: webauth.ReasonUnknownKey, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string {
			return signedBy(t, failure(1, 410, p), siteKey(), "502")
		}},
	{name: "unsigned success", reason: webauth.ReasonUnsigned, marks: unsignedToken, token: true, url: true,
		value: func(_ *testing.T, p string) string { return success(p).Fields().Unsigned() }},
	{name: "another key's signature", reason: webauth.ReasonSignature, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string { return signedBy(t, success(p), otherKey(), testKid) }},
	{name: "principal altered", reason: webauth.ReasonSignature, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string {
			return strings.Replace(signed(t, success(p)), "test0001", "test0002", 1)
		}},
	{name: "failure with another key's signature", reason: webauth.ReasonSignature, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string { return signedBy(t, failure(3, 410, p), otherKey(), testKid) }},
	{name: "signature cut short", reason: webauth.ReasonSignature, marks: unsignedToken, token: true, url: true,
		value: func(t *testing.T, p string) string {
			value := signed(t, success(p))
			return value[:strings.LastIndex(value, "!")+1] + "AAAA"
		}},
	{name: "version 2", reason: webauth.ReasonVersion, marks: both, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Ver = 2 })},
	{name: "version 1", reason: webauth.ReasonVersion, marks: both, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Ver = 1 })},
	{name: "stale", reason: webauth.ReasonStale, marks: tokenOnly, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Issue = testNow.Add(-36 * time.Second) })},
	{name: "future", reason: webauth.ReasonFuture, marks: both, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Issue = testNow.Add(6 * time.Second) })},
	{name: "so far in the future that durations overflow", reason: webauth.ReasonFuture, marks: both, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Issue = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) })},
	{name: "so long ago that durations overflow", reason: webauth.ReasonStale, marks: tokenOnly, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Issue = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC) })},
	{name: "another path of ours", reason: webauth.ReasonURL, marks: both, signed: true, token: true,
		want: func(e *webauth.Expect) { e.URL = siteOrigin + "/private/admin" }},
	{name: "another spelling of the path", reason: webauth.ReasonURL, marks: both, signed: true, token: true,
		want: func(e *webauth.Expect) { e.URL = siteOrigin + "/private/%70age?n=1&m=" }},
	{name: "another origin of ours", reason: webauth.ReasonURL, marks: both, signed: true, token: true,
		edit: func(c *webauth.VerifierConfig) { c.Origins = []string{"https://www.soc.example"} },
		want: func(e *webauth.Expect) { e.URL = "https://www.soc.example/private/page" }},
	{name: "another site", reason: webauth.ReasonURL, marks: nothing, signed: true,
		value: changed(func(r *wls.Response) { r.URL = "https://evil.example/private/page" })},
	{name: "another site, cancelled without a signature", reason: webauth.ReasonURL, marks: nothing,
		value: func(_ *testing.T, p string) string {
			r := failure(1, 410, p)
			r.URL = "https://evil.example/private/page"
			return r.Fields().Unsigned()
		}},
	{name: "another scheme", reason: webauth.ReasonURL, marks: nothing, signed: true,
		value: changed(func(r *wls.Response) { r.URL = "http" + strings.TrimPrefix(pageURL, "https") })},
	{name: "another port", reason: webauth.ReasonURL, marks: nothing, signed: true,
		value: changed(func(r *wls.Response) { r.URL = siteOrigin + ":8443/private/page" })},
	{name: "the URL asked for is none", reason: webauth.ReasonURL, marks: both, signed: true, token: true,
		want: func(e *webauth.Expect) { e.URL = "" }},
	{name: "query that is not the token's", reason: webauth.ReasonToken, marks: both, signed: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.URL = siteOrigin + "/private/page?n=2" })},
	{name: "another browser", reason: webauth.ReasonToken, marks: both, signed: true, url: true, principal: true,
		want: func(e *webauth.Expect) { e.Secret = webauth.NewBrowserSecret() }},
	{name: "no browser secret", reason: webauth.ReasonToken, marks: both, signed: true, url: true, principal: true,
		want: func(e *webauth.Expect) { e.Secret = "" }},
	{name: "no token", reason: webauth.ReasonToken, marks: responseOnly, signed: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Params = "" })},
	{name: "params altered", reason: webauth.ReasonToken, marks: both, signed: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Params = strings.Replace(r.Params, ".a.", ".n.", 1) })},
	{name: "token of an hour ago", reason: webauth.ReasonToken, marks: responseOnly, signed: true, url: true, principal: true,
		value: func(t *testing.T, _ string) string {
			return signed(t, success(oldToken(t)))
		}, want: func(e *webauth.Expect) { e.Secret = oldSecret }},
	{name: "cancelled, signed", reason: webauth.ReasonStatus, marks: both, signed: true, token: true, url: true,
		value: func(t *testing.T, p string) string { return signed(t, failure(3, 410, p)) }},
	{name: "cancelled, signed, version 1", reason: webauth.ReasonStatus, marks: both, signed: true, token: true, url: true,
		value: func(t *testing.T, p string) string { return signed(t, failure(1, 410, p)) }},
	{name: "cancelled, unsigned", reason: webauth.ReasonStatus, marks: unsignedToken, token: true, url: true,
		value: func(_ *testing.T, p string) string { return failure(1, 410, p).Fields().Unsigned() }},
	{name: "interaction required, unsigned", reason: webauth.ReasonStatus, marks: unsignedToken, token: true, url: true,
		value: func(_ *testing.T, p string) string { return failure(3, 540, p).Fields().Unsigned() }},
	{name: "a status nobody knows", reason: webauth.ReasonStatus, marks: both, signed: true, token: true, url: true,
		value: func(t *testing.T, p string) string { return signed(t, failure(3, 299, p)) }},
	{name: "cancelled, unsigned, answers nothing of ours", reason: webauth.ReasonToken, marks: nothing,
		value: func(*testing.T, string) string { return failure(1, 410, "x").Fields().Unsigned() }},
	{name: "unknown type", reason: webauth.ReasonAuthType, marks: both, signed: true, token: true, url: true, principal: true,
		value: changed(func(r *wls.Response) { r.Auth = "x-new" })},
}

const oldSecret webauth.BrowserSecret = "AAAAAAAAAAAAAAAAAAAAAA"

func oldToken(t *testing.T) string {
	t.Helper()
	signer := newSigner(t, func(c *webauth.SignerConfig) { c.Now = clock(testNow.Add(-time.Hour - time.Second)) })
	out, err := signer.Sign(oldSecret, webauth.Request{URL: pageURL})
	require.NoError(t, err)
	return out.Params
}

// try sends the response of a row to a site where everything else is right.
func (r refusal) try(t *testing.T, s *site) error {
	t.Helper()
	value := r.value
	if value == nil {
		value = changed(func(*wls.Response) {})
	}
	want := s.here()
	if r.want != nil {
		r.want(&want)
	}
	resp, err := s.verifier(t, r.edit).Verify(t.Context(), value(t, s.params(t, nil)), want)
	require.Nil(t, resp)
	return err
}

func TestVerifyRefusals(t *testing.T) {
	for _, row := range refusals {
		onEachStore(t, row.name, func(t *testing.T, s *site) {
			err := row.try(t, s)
			e := wantReason(t, row.reason, err)
			assert.Equal(t, row.reason, webauth.ReasonOf(err))
			assert.Equal(t, row.signed, e.Signed)
			assert.Equal(t, row.marks, s.used.marks())

			token, hasToken := e.Token()
			assert.Equal(t, row.token, hasToken)
			assert.Equal(t, row.token, testNow.Equal(token.Issued) && len(token.Nonce) == 22)
			wantURL := ""
			if row.url {
				wantURL = siteOrigin + "/private/page?n="
				assert.True(t, strings.HasPrefix(e.ReturnURL(), wantURL), e.ReturnURL())
			} else {
				assert.Empty(t, e.ReturnURL())
			}
			assert.Equal(t, row.principal, e.SamePrincipal("test0001"))
			assert.False(t, e.SamePrincipal(""), "nobody is nobody's equal")
			assert.False(t, e.SamePrincipal("test0002"))
			assert.NotContains(t, err.Error(), "test000", "errors name nobody")
			assert.NotContains(t, err.Error(), string(s.secret))
		})
	}
}

// TestVerifyOrder puts faults together: the earlier check names the reason.
func TestVerifyOrder(t *testing.T) {
	stale := func(r *wls.Response) { r.Issue = testNow.Add(-time.Hour) }
	elsewhere := func(r *wls.Response) { r.URL = siteOrigin + "/elsewhere" }
	noToken := func(r *wls.Response) { r.Params = "x" }
	weak := func(r *wls.Response) { r.Auth = "x-new" }
	all := func(edits ...func(*wls.Response)) func(*wls.Response) {
		return func(r *wls.Response) {
			for _, e := range edits {
				e(r)
			}
		}
	}
	old := func(r *wls.Response) { r.Ver = 2 }
	for _, row := range []struct {
		name   string
		edit   func(*wls.Response)
		kid    string
		forged bool
		used   bool
		reason webauth.Reason
	}{
		{name: "key before signature", kid: "502", forged: true, edit: all(), reason: webauth.ReasonUnknownKey},
		{name: "signature before version", forged: true, edit: all(old, stale, elsewhere, noToken, weak), reason: webauth.ReasonSignature},
		{name: "version before time", edit: all(old, stale, elsewhere, noToken, weak), reason: webauth.ReasonVersion},
		{name: "time before url", edit: all(stale, elsewhere, noToken, weak), reason: webauth.ReasonStale},
		{name: "url before one use", used: true, edit: all(elsewhere, noToken, weak), reason: webauth.ReasonURL},
		{name: "one use before token", used: true, edit: all(noToken, weak), reason: webauth.ReasonReplay},
		{name: "token before strength", edit: all(noToken, weak), reason: webauth.ReasonToken},
		{name: "strength last", edit: weak, reason: webauth.ReasonAuthType},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := success(s.params(t, nil))
			row.edit(&r)
			key, kid := siteKey(), testKid
			if row.forged {
				key = otherKey()
			}
			if row.kid != "" {
				kid = row.kid
			}
			value := signedBy(t, r, key, kid)
			v := s.verifier(t, nil)
			if row.used {
				_, err := v.Verify(t.Context(), value, webauth.Expect{URL: siteOrigin + "/third", Secret: s.secret})
				wantReason(t, webauth.ReasonURL, err)
			}
			_, err := v.Verify(t.Context(), value, s.here())
			wantReason(t, row.reason, err)
		})
	}
}

func TestVerifyTimeLimits(t *testing.T) {
	for _, row := range []struct {
		name         string
		maxAge, skew time.Duration
		age          time.Duration
		reason       webauth.Reason
	}{
		{"new", 0, 0, 0, ""},
		{"at the default age and skew", 0, 0, 35 * time.Second, ""},
		{"beyond them", 0, 0, 36 * time.Second, webauth.ReasonStale},
		{"at the default skew", 0, 0, -5 * time.Second, ""},
		{"beyond it", 0, 0, -6 * time.Second, webauth.ReasonFuture},
		{"longer age", 2 * time.Minute, 0, 125 * time.Second, ""},
		{"beyond a longer age", 2 * time.Minute, 0, 126 * time.Second, webauth.ReasonStale},
		{"longer skew", 0, time.Minute, -time.Minute, ""},
		{"longer skew counts both ways", 0, time.Minute, 90 * time.Second, ""},
		{"beyond a longer skew", 0, time.Minute, -61 * time.Second, webauth.ReasonFuture},
		{"the most that a site may allow", 10 * time.Minute, 10 * time.Minute, 20 * time.Minute, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := success(s.params(t, nil))
			r.Issue = testNow.Add(-row.age)
			v := s.verifier(t, func(c *webauth.VerifierConfig) { c.MaxAge, c.Skew = row.maxAge, row.skew })
			_, err := v.Verify(t.Context(), signed(t, r), s.here())
			assertOutcome(t, row.reason, err)
			if err != nil {
				assert.ErrorContains(t, err, "NTP")
			}
		})
	}
}

func TestVerifyTimeErrorsSayByHowMuch(t *testing.T) {
	s := newSite(t)
	r := success(s.params(t, nil))
	r.Issue = testNow.Add(-95 * time.Second)
	_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, r), s.here())
	assert.ErrorContains(t, err, "issued 1 minute 35 seconds ago, 1 minute more than the 30 seconds (and 5 seconds of skew) allowed")
	r.Issue = testNow.Add(90 * time.Second)
	_, err = s.verifier(t, nil).Verify(t.Context(), signed(t, r), s.here())
	assert.ErrorContains(t, err, "issued 1 minute 30 seconds in the future, the skew allowed is 5 seconds")
}

func TestVerifyVersions(t *testing.T) {
	for _, row := range []struct {
		name     string
		versions []int
		ver      int
		status   int
		reason   webauth.Reason
	}{
		{"default, 3", nil, 3, 200, ""},
		{"default, 2", nil, 2, 200, webauth.ReasonVersion},
		{"default, 1", nil, 1, 200, webauth.ReasonVersion},
		{"default, failure as 3", nil, 3, 410, webauth.ReasonStatus},
		{"default, failure as 2", nil, 2, 410, webauth.ReasonStatus},
		{"default, failure as 1", nil, 1, 410, webauth.ReasonStatus},
		{"1 and 2, 1", []int{1, 2}, 1, 200, ""},
		{"1 and 2, 2", []int{2, 1}, 2, 200, ""},
		{"1 and 2, 3", []int{1, 2}, 3, 200, webauth.ReasonVersion},
		{"2 alone, failure as 1", []int{2}, 1, 410, webauth.ReasonStatus},
		{"2 alone, failure as 3", []int{2}, 3, 410, webauth.ReasonVersion},
		{"1 and 3, 2", []int{1, 3}, 2, 200, webauth.ReasonVersion},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := success(s.params(t, nil))
			if row.status != 200 {
				r = failure(row.ver, row.status, r.Params)
			}
			r.Ver = row.ver
			v := s.verifier(t, func(c *webauth.VerifierConfig) { c.Versions = row.versions })
			_, err := v.Verify(t.Context(), signed(t, r), s.here())
			assertOutcome(t, row.reason, err)
		})
	}
}

func TestVerifyURL(t *testing.T) {
	for _, row := range []struct {
		name, signed, here string
		withToken          webauth.Reason // with a signer: path and origin
		bare               webauth.Reason // without: all of it
	}{
		{"equal", pageURL, pageURL, "", ""},
		{"query dropped on the way", pageURL, siteOrigin + "/private/page", "", webauth.ReasonURL},
		{"query rewritten on the way", pageURL, siteOrigin + "/private/page?n=1", "", webauth.ReasonURL},
		{"no path and /", siteOrigin, siteOrigin + "/", "", ""},
		{"capitals in scheme and host", "HTTPS://SOC.Example/a", siteOrigin + "/a", "", ""},
		{"default port", siteOrigin + ":443/a", siteOrigin + "/a", "", ""},
		{"escape in the path", siteOrigin + "/a%2Fb", siteOrigin + "/a%2Fb", "", ""},
		{"escape in small letters", siteOrigin + "/a%2Fb", siteOrigin + "/a%2fb", webauth.ReasonURL, webauth.ReasonURL},
		{"escape undone", siteOrigin + "/a%2Fb", siteOrigin + "/a/b", webauth.ReasonURL, webauth.ReasonURL},
		{"capitals in the path", siteOrigin + "/A", siteOrigin + "/a", webauth.ReasonURL, webauth.ReasonURL},
		{"trailing slash", siteOrigin + "/a", siteOrigin + "/a/", webauth.ReasonURL, webauth.ReasonURL},
		{"points", siteOrigin + "/a/../b", siteOrigin + "/b", webauth.ReasonURL, webauth.ReasonURL},
		{"points, asked for", siteOrigin + "/a/../b", siteOrigin + "/a/../b", webauth.ReasonURL, webauth.ReasonURL},
		{"points, encoded and asked for", siteOrigin + "/a/%2e%2E/b?c", siteOrigin + "/a/%2e%2E/b?c", webauth.ReasonURL, webauth.ReasonURL},
		{"points, asked for with another query", siteOrigin + "/a/%2e?c", siteOrigin + "/a/%2e", webauth.ReasonURL, webauth.ReasonURL},
		{"what browsers encode, asked for", siteOrigin + "/a?'", siteOrigin + "/a?'", webauth.ReasonURL, ""},
		{"doubled slash", siteOrigin + "//a", siteOrigin + "/a", webauth.ReasonURL, webauth.ReasonURL},
		{"prefix", siteOrigin + "/a", siteOrigin + "/ab", webauth.ReasonURL, webauth.ReasonURL},
		{"path in the query", siteOrigin + "/a?/b", siteOrigin + "/a/b", webauth.ReasonURL, webauth.ReasonURL},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := success(s.params(t, func(q *webauth.Request) { q.URL = row.signed }))
			r.URL = row.signed
			_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, r), webauth.Expect{URL: row.here, Secret: s.secret})
			assertOutcome(t, row.withToken, err)
			_, err = bareVerifier(t, nil).Verify(t.Context(), signed(t, r), webauth.Expect{URL: row.here})
			assertOutcome(t, row.bare, err)
		})
	}
}

func TestVerifyAnyURL(t *testing.T) {
	// Whatever the url: but then the refusals vouch for neither URL nor person.
	used := &ledger{}
	v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.OneUse = used })
	value := signed(t, success(""))
	resp, err := v.Verify(t.Context(), value, webauth.Expect{InsecureAnyURL: true})
	require.NoError(t, err)
	assert.Equal(t, pageURL, resp.URL())
	_, err = v.Verify(t.Context(), value, webauth.Expect{InsecureAnyURL: true})
	e := wantReason(t, webauth.ReasonReplay, err)
	assert.Empty(t, e.ReturnURL())
	assert.False(t, e.SamePrincipal("test0001"))
}

func TestVerifyStrengthComesFromTheToken(t *testing.T) {
	s := newSite(t)
	strict := s.params(t, func(r *webauth.Request) { r.IAct = webauth.IActYes })
	sso := success(strict)
	sso.Auth, sso.SSO = "", []string{"pwd"}
	_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, sso), s.here())
	wantReason(t, webauth.ReasonInteract, err)

	lax := success(s.params(t, nil))
	lax.Auth, lax.SSO = "", []string{"pwd"}
	want := s.here()
	want.IAct = webauth.IActYes // what the caller says does not count: the token carries what was asked
	resp, err := s.verifier(t, nil).Verify(t.Context(), signed(t, lax), want)
	require.NoError(t, err)
	assert.Equal(t, webauth.IActAsNeeded, resp.Token().IAct, "and tells the caller")
}

func TestVerifyPublishedKeys(t *testing.T) {
	for _, row := range []struct {
		name, url string
		kid       string
		insecure  bool
		reason    webauth.Reason
	}{
		{"on localhost", "http://localhost:8080/p", "901", false, ""},
		{"on 127.0.0.1", "http://127.0.0.1:8080/p", "901", false, ""},
		{"on a site", pageURL, "901", false, webauth.ReasonUnknownKey},
		{"on a site, as kid 2", pageURL, "2", false, webauth.ReasonUnknownKey},
		{"on a look-alike", "https://localhost.example/p", "901", false, webauth.ReasonUnknownKey},
		{"on a site that asked for it", pageURL, "2", true, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			for size, key := range map[string]func(t testing.TB) (set *keys.Set, value string){
				"demo-sized": func(t testing.TB) (*keys.Set, string) { return publishedBy(t, row.kid, row.url, 1024) },
				"RFC 9500":   func(t testing.TB) (*keys.Set, string) { return publishedBy(t, row.kid, row.url, 2048) },
			} {
				set, value := key(t)
				v := bareVerifier(t, func(c *webauth.VerifierConfig) {
					c.Service.Keys, c.InsecurePublishedKeys = set, row.insecure
				})
				for _, want := range []webauth.Expect{{URL: row.url}, {InsecureAnyURL: true}} {
					_, err := v.Verify(t.Context(), value, want)
					require.Equal(t, row.reason, webauth.ReasonOf(err), "%s: %v", size, err)
				}
			}
		})
	}
}

func publishedBy(t testing.TB, kid, url string, bits int) (*keys.Set, string) {
	t.Helper()
	key := testkeys.RSA2048()
	if bits == 1024 {
		key = testkeys.RSA1024()
	}
	r := success("")
	r.URL = url
	return keySet(t, kid, &key.PublicKey), signedBy(t, r, key, kid)
}

// TestVerifyPublishedKeyThatTurnsUpLater is a key directory that gains a bad key while
// the site runs: NewVerifier could not see it.
func TestVerifyPublishedKeyThatTurnsUpLater(t *testing.T) {
	source := staticKeys{}
	key, err := keys.New(testKid, &siteKey().PublicKey)
	require.NoError(t, err)
	source[testKid] = key
	s := newSite(t)
	s.service.Keys = source
	v := s.verifier(t, nil)

	bad, err := keys.New("502", &testkeys.RSA2048().PublicKey)
	require.NoError(t, err)
	source["502"] = bad
	_, err = v.Verify(t.Context(), signedBy(t, success(s.params(t, nil)), testkeys.RSA2048(), "502"), s.here())
	wantReason(t, webauth.ReasonUnknownKey, err)

	delete(source, testKid)
	_, err = v.Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
	wantReason(t, webauth.ReasonUnknownKey, err)

	source[testKid] = keys.Key{}
	_, err = v.Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
	wantReason(t, webauth.ReasonSignature, err)
}

func TestNewVerifierRefusals(t *testing.T) {
	for _, row := range []struct {
		name string
		edit func(*webauth.VerifierConfig)
		want string
	}{
		{"no service", func(c *webauth.VerifierConfig) { c.Service = webauth.Service{} }, "service name"},
		{"no signer", func(c *webauth.VerifierConfig) { c.Signer = nil }, "Signer is missing"},
		{"no one-use store", func(c *webauth.VerifierConfig) { c.OneUse = nil }, "OneUse is missing"},
		{"no versions", func(c *webauth.VerifierConfig) { c.Versions = []int{} }, "empty list"},
		{"version 4", func(c *webauth.VerifierConfig) { c.Versions = []int{3, 4} }, "no version 4"},
		{"version 0", func(c *webauth.VerifierConfig) { c.Versions = []int{0} }, "no version 0"},
		{"negative age", func(c *webauth.VerifierConfig) { c.MaxAge = -1 }, "negative"},
		{"negative skew", func(c *webauth.VerifierConfig) { c.Skew = -1 }, "negative"},
		{"long age", func(c *webauth.VerifierConfig) { c.MaxAge = 10*time.Minute + 1 }, "NTP"},
		{"long skew", func(c *webauth.VerifierConfig) { c.Skew = 10*time.Minute + 1 }, "NTP"},
		{"endless age without a signer", func(c *webauth.VerifierConfig) {
			c.Signer, c.InsecureNoToken, c.MaxAge = nil, true, 1<<63-1
		}, "100 years"},
		{"endless skew without a signer", func(c *webauth.VerifierConfig) {
			c.Signer, c.InsecureNoToken, c.Skew = nil, true, 1<<63-1
		}, "100 years"},
		{"bad further origin", func(c *webauth.VerifierConfig) { c.Origins = []string{"soc.example"} }, "Origins"},
		{"signer of another service", func(c *webauth.VerifierConfig) { c.Service.AuthURL = "https://other.example/a" }, "another service"},
		{"published key", func(c *webauth.VerifierConfig) {
			c.Service.Keys = keySet(t, "2", &testkeys.RSA2048().PublicKey)
		}, "private half is public"},
		{"published key, loopback beside a site", func(c *webauth.VerifierConfig) {
			c.Service.Keys = keySet(t, "2", &testkeys.RSA2048().PublicKey)
			c.Origins = []string{"http://localhost"}
		}, "not for https://soc.example"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			cfg := webauth.VerifierConfig{Service: s.service, Signer: s.signer, OneUse: s.used}
			row.edit(&cfg)
			v, err := webauth.NewVerifier(cfg)
			require.ErrorContains(t, err, row.want)
			assert.Nil(t, v)
		})
	}
}

func TestNewVerifierCopiesItsConfiguration(t *testing.T) {
	versions := []int{3}
	v := bareVerifier(t, func(c *webauth.VerifierConfig) { c.Versions = versions })
	versions[0] = 1
	_, err := v.Verify(t.Context(), signed(t, success("")), webauth.Expect{URL: pageURL})
	require.NoError(t, err)
}

func TestReasonOf(t *testing.T) {
	_, err := webauth.ParseResponse("")
	assert.Equal(t, webauth.ReasonMalformed, webauth.ReasonOf(err))
	assert.Equal(t, webauth.ReasonMalformed, webauth.ReasonOf(errors.Join(errors.New("x"), err)))
	assert.Empty(t, webauth.ReasonOf(nil))
	assert.Empty(t, webauth.ReasonOf(errors.New("x")))
}
