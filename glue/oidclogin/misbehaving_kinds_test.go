package oidclogin_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/glue/oidclogin/oidctest"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// badKinds are all kinds.
func badKinds() []kind {
	return slices.Concat(claimKinds(), jwsKinds(), keyKinds(), answerKinds(), attackKinds(), errorKinds(), tokenKinds(), discoveryKinds(), freshKinds(), identityKinds(), ptagKinds())
}

// signed lists faults of ID tokens that are refused for one reason.
func faultKinds(want webauth.Reason, until stage, faults ...oidctest.Fault) (all []kind) {
	for _, f := range faults {
		all = append(all, kind{fault: f, want: want, until: until})
	}
	return all
}

// harmless lists faults that change nothing.
func harmless(faults ...oidctest.Fault) []kind { return faultKinds("", atKeys, faults...) }

func claimKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonToken, atKeys, oidctest.FaultNonceWrong, oidctest.FaultNonceMissing, oidctest.FaultNonceEmpty),
		faultKinds(webauth.ReasonURL, atKeys, oidctest.FaultAudForeign, oidctest.FaultAudMissing, oidctest.FaultAudEmpty, oidctest.FaultAudTwo,
			oidctest.FaultAudTwoAzpForeign, oidctest.FaultAzpForeign),
		harmless(oidctest.FaultAudTwoAzpOurs, oidctest.FaultAtHashMissing, oidctest.FaultSubCase),
		faultKinds(webauth.ReasonSignature, atKeys, oidctest.FaultAtHashWrong),
		faultKinds(webauth.ReasonIdentity, atKeys, oidctest.FaultSubMissing, oidctest.FaultSubEmpty, oidctest.FaultSubLong),
		faultKinds(webauth.ReasonMalformed, atKeys, oidctest.FaultNonceList, oidctest.FaultSubNumber, oidctest.FaultIatMissing, oidctest.FaultIatText, oidctest.FaultExpMissing, oidctest.FaultExpText, oidctest.FaultNbfText),
		faultKinds(webauth.ReasonFuture, atKeys, oidctest.FaultIatFuture, oidctest.FaultNbfFuture),
		faultKinds(webauth.ReasonStale, atKeys, oidctest.FaultIatOld, oidctest.FaultExpPast),
		faultKinds(webauth.ReasonURL, atKeys, oidctest.FaultIssMissing, oidctest.FaultIssOther, oidctest.FaultIssSlash, oidctest.FaultIssCase, oidctest.FaultIssHTTPS),
		faultKinds(webauth.ReasonMalformed, atKeys, oidctest.FaultSubTwice, oidctest.FaultNonceTwice, oidctest.FaultClaimsDeep, oidctest.FaultClaimsNoJSON,
			oidctest.FaultClaimsList, oidctest.FaultClaimsTrailing),
		faultKinds(webauth.ReasonProvider, atToken, oidctest.FaultClaimsHuge),
	)
}

func jwsKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonMalformed, atToken, oidctest.FaultAlgNone, oidctest.FaultAlgNoneCase, oidctest.FaultAlgMissing, oidctest.FaultAlgHS256Key,
			oidctest.FaultAlgHS256Secret, oidctest.FaultAlgES256, oidctest.FaultAlgRS512, oidctest.FaultAlgPS256, oidctest.FaultAlgCase),
		faultKinds(webauth.ReasonSignature, atKeys, oidctest.FaultSignatureMissing, oidctest.FaultSignatureAltered, oidctest.FaultPayloadAltered, oidctest.FaultForeignKey),
		harmless(oidctest.FaultKidMissing, oidctest.FaultKidTwice),
		faultKinds(webauth.ReasonUnknownKey, atKeys, oidctest.FaultKidUnknown, oidctest.FaultKidRandom),
		faultKinds(webauth.ReasonSignature, atKeys, oidctest.FaultJWKHeader, oidctest.FaultJKUHeader, oidctest.FaultX5CHeader, oidctest.FaultX5UHeader,
			oidctest.FaultCritHeader, oidctest.FaultB64Header),
		faultKinds(webauth.ReasonMalformed, atToken, oidctest.FaultTypAccessToken, oidctest.FaultTypLogoutToken,
			oidctest.FaultJWE, oidctest.FaultJWSJSON, oidctest.FaultTwoParts, oidctest.FaultFourParts, oidctest.FaultPadded, oidctest.FaultBlank),
		[]kind{{name: "key-rotation", setup: func(_ *testing.T, f *oidctest.Provider, _ *oidclogin.Provider) { f.RotateKey(false) }}},
	)
}

func keyKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonProvider, atKeys, oidctest.FaultKeysDown, oidctest.FaultKeysClosed, oidctest.FaultKeysHTML, oidctest.FaultKeysGarbage,
			oidctest.FaultKeysHuge, oidctest.FaultKeysRedirect, oidctest.FaultKeysEmpty, oidctest.FaultKeyEncryption, oidctest.FaultKeyOps, oidctest.FaultKeyAlg,
			oidctest.FaultKeyType, oidctest.FaultKeyHuge,
			oidctest.FaultKey1024, oidctest.FaultKeyExponent),
		faultKinds(webauth.ReasonMalformed, atToken, oidctest.FaultKeySymmetric),
		harmless(oidctest.FaultKeysOther, oidctest.FaultKeysMany),
		[]kind{slow(oidctest.FaultKeysSlow, "/keys", atKeys)},
	)
}

func answerKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonMalformed, atAnswer, oidctest.FaultStateMissing, oidctest.FaultStateEmpty, oidctest.FaultStateTwice, oidctest.FaultCodeMissing,
			oidctest.FaultCodeEmpty, oidctest.FaultCodeTwice, oidctest.FaultCodeHuge, oidctest.FaultAnswerIssTwice, oidctest.FaultAnswerResponse,
			oidctest.FaultAnswerIDToken, oidctest.FaultAnswerAccessToken, oidctest.FaultCodeAndError, oidctest.FaultErrorEmpty),
		faultKinds(webauth.ReasonToken, atAnswer, oidctest.FaultStateAltered),
		faultKinds(webauth.ReasonURL, atAnswer, oidctest.FaultAnswerIssMissing, oidctest.FaultAnswerIssEmpty, oidctest.FaultAnswerIssOther, oidctest.FaultAnswerIssSlash),
		harmless(oidctest.FaultAnswerUnknown, oidctest.FaultNoPKCE),
		[]kind{
			{fault: oidctest.FaultCodeControl, want: webauth.ReasonStale, until: atToken},
			{fault: oidctest.FaultErrorHostile, want: webauth.ReasonStatus, status: 410, until: atAnswer},
			{fault: oidctest.FaultErrorCode, want: webauth.ReasonStatus, status: 570, until: atAnswer},
		},
	)
}

// somebodyElse logs test0002 in as far as the provider, in a browser of their own, and returns
// what that browser brings.
func somebodyElse(t *testing.T, w *badWorld) (query string) {
	mine := w.secret
	w.secret = webauth.NewBrowserSecret()
	location, err := w.begin(webauth.Request{})
	require.NoError(t, err)
	query = w.comeBack(t, location, "test0002", oidctest.Types)
	w.secret = mine
	return query
}

// withCode returns a query with the code of another.
func withCode(t *testing.T, query, other string) string {
	q, err := url.ParseQuery(query)
	require.NoError(t, err)
	o, err := url.ParseQuery(other)
	require.NoError(t, err)
	q.Set("code", o.Get("code"))
	return q.Encode()
}

// codeBefore is a code that another browser brought before with something that is not its state:
// somebody was sent to the provider with the nonce and the challenge of the attacker's own
// login, who then read the code in a log.
func codeBefore(with, state string, background bool) kind {
	return kind{name: "a code that came before with " + with, want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
		q, err := url.ParseQuery(query)
		require.NoError(t, err)
		arrival := webauth.Arrival{
			Path: callback, Query: url.Values{"state": {state}, "code": {q.Get("code")}, "iss": {w.fake.Issuer()}}.Encode(), Secret: webauth.NewBrowserSecret(),
		}
		require.True(t, w.login.Brings(arrival.Path, arrival.Query))
		if background {
			require.NoError(t, w.login.Spend(t.Context(), arrival))
		} else {
			_, err = w.login.Answer(t.Context(), arrival)
			require.Error(t, err)
		}
		return query
	}}
}

func attackKinds() []kind {
	noPKCE := func(_ *testing.T, f *oidctest.Provider, _ *oidclogin.Provider) {
		f.ForUser("test0002", oidctest.Outcome{Fault: oidctest.FaultNoPKCE})
	}
	return []kind{
		{name: "the answer of another browser", want: webauth.ReasonToken, until: atAnswer, twist: func(t *testing.T, w *badWorld, _ string) string {
			return somebodyElse(t, w)
		}},
		{name: "a browser without a secret", want: webauth.ReasonToken, until: atAnswer, twist: func(_ *testing.T, w *badWorld, query string) string {
			w.secret = ""
			return query
		}},
		{name: "an answer for another origin of the site", want: webauth.ReasonToken, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			place := w.place
			place.Origin = otherOrigin
			w.login = w.at(t, w.provider, place)
			return query
		}},
		{name: "an answer for another provider of the site", want: webauth.ReasonToken, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			other := oidctest.New(t)
			w.login = w.at(t, &oidclogin.Provider{Issuer: other.Issuer(), ClientID: clientID, ClientSecretFile: w.provider.ClientSecretFile}, w.place)
			return query
		}},
		{name: "a state of a site with another key", want: webauth.ReasonToken, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			place := w.place
			place.Keys = func(purpose string) [][]byte { return [][]byte{siteKey("attacker's", purpose)} }
			w.login = w.at(t, w.provider, place)
			return query
		}},
		{name: "an answer of an hour ago", want: webauth.ReasonToken, until: atAnswer, twist: func(_ *testing.T, w *badWorld, query string) string {
			w.fake.Advance(time.Hour + time.Second)
			return query
		}},
		{name: "an answer a second time", want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			_, err := w.answer(query)
			require.NoError(t, err)
			return query
		}},
		{name: "a state a second time, with another code", want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			_, err := w.answer(query)
			require.NoError(t, err)
			asked := w.fake.Requests(oidctest.EndpointAuthorize)[0].Params
			return w.comeBack(t, w.fake.Issuer()+"/authorize?"+asked.Encode(), "test0001", oidctest.Types)
		}},
		{name: "an answer that another browser brought before", want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			mine := w.secret
			w.secret = webauth.NewBrowserSecret()
			_, err := w.answer(query)
			require.Equal(t, webauth.ReasonToken, webauth.ReasonOf(err))
			w.secret = mine
			return query
		}},
		{name: "a code used before, with a state of one's own", want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			location, err := w.begin(webauth.Request{})
			require.NoError(t, err)
			second := w.comeBack(t, location, "test0001", oidctest.Types)
			_, err = w.answer(query)
			require.NoError(t, err)
			return withCode(t, second, query)
		}},
		{name: "a code of somebody else (injection)", want: webauth.ReasonStale, until: atToken, twist: func(t *testing.T, w *badWorld, query string) string {
			return withCode(t, query, somebodyElse(t, w))
		}},
		{name: "a code of somebody else, and no PKCE at the provider", want: webauth.ReasonToken, until: atKeys, setup: noPKCE,
			twist: func(t *testing.T, w *badWorld, query string) string {
				return withCode(t, query, somebodyElse(t, w))
			}},
		codeBefore("a state of nobody", "x", false),
		codeBefore("no state", "", false),
		codeBefore("a state of nobody, in the background", "x", true),
		{name: "a code that expired", want: webauth.ReasonStale, until: atToken, twist: func(_ *testing.T, w *badWorld, query string) string {
			w.fake.Advance(2 * time.Minute)
			return query
		}},
		{name: "an answer that is badly encoded", want: webauth.ReasonMalformed, until: atAnswer, twist: func(_ *testing.T, _ *badWorld, query string) string {
			return strings.Replace(query, "code=", "code=%zz", 1)
		}},
		{name: "an answer with something beside it that is badly encoded", want: webauth.ReasonMalformed, until: atAnswer, twist: func(_ *testing.T, _ *badWorld, query string) string {
			return query + "&session_state=%zz"
		}},
		{name: "an answer with its names encoded, a second time", want: webauth.ReasonReplay, until: atAnswer, twist: func(t *testing.T, w *badWorld, query string) string {
			_, err := w.answer(query)
			require.NoError(t, err)
			return strings.NewReplacer("code=", "c%6Fde=", "state=", "st%61te=").Replace(query)
		}},
		{name: "an error for a login that somebody else began", want: webauth.ReasonToken, until: atAnswer, outcome: oidctest.Outcome{Error: "access_denied"},
			twist: func(t *testing.T, w *badWorld, query string) string {
				w.secret = webauth.NewBrowserSecret()
				return query
			}},
	}
}

func errorKinds() (all []kind) {
	for code, want := range map[string]struct {
		reason webauth.Reason
		status int
	}{
		"access_denied":              {webauth.ReasonStatus, 410},
		"login_required":             {webauth.ReasonStatus, 540},
		"interaction_required":       {webauth.ReasonStatus, 540},
		"consent_required":           {webauth.ReasonStatus, 540},
		"account_selection_required": {webauth.ReasonStatus, 540},
		"server_error":               {webauth.ReasonProvider, 0},
		"temporarily_unavailable":    {webauth.ReasonProvider, 0},
		"invalid_client":             {webauth.ReasonSetup, 0},
		"unauthorized_client":        {webauth.ReasonSetup, 0},
		"invalid_request":            {webauth.ReasonSetup, 0},
		"invalid_scope":              {webauth.ReasonSetup, 0},
		"unsupported_response_type":  {webauth.ReasonSetup, 0},
		"unheard_of":                 {webauth.ReasonStatus, 570},
	} {
		all = append(all, kind{outcome: oidctest.Outcome{Error: code, Description: "see <b>here</b>\r\n\x1b[0m" + strings.Repeat("é", 2000)}, want: want.reason, status: want.status, until: atAnswer})
	}
	return append(all, kind{name: "cancelled", doing: oidctest.Cancels, want: webauth.ReasonStatus, status: 410, until: atAnswer})
}

func tokenKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonProvider, atToken, oidctest.FaultTokenDown, oidctest.FaultTokenClosed, oidctest.FaultTokenHTML, oidctest.FaultTokenGarbage,
			oidctest.FaultTokenHuge, oidctest.FaultTokenRedirect, oidctest.FaultTokenRedirect302, oidctest.FaultTokenTooMany, oidctest.FaultTokenServerError,
			oidctest.FaultTokenErrorUnknown, oidctest.FaultTokenNoIDToken, oidctest.FaultTokenIDTokenList, oidctest.FaultTokenIDTokenEmpty,
			oidctest.FaultTokenIDTokenTwice, oidctest.FaultTokenTrailing, oidctest.FaultTokenIncomplete, oidctest.FaultTokenNoAccessToken, oidctest.FaultTokenTypeMissing, oidctest.FaultTokenTypeOther,
			oidctest.FaultTokenPlain, oidctest.FaultTokenForm),
		faultKinds(webauth.ReasonSetup, atToken, oidctest.FaultTokenInvalidClient, oidctest.FaultTokenUnauthorizedClient, oidctest.FaultTokenInvalidRequest),
		faultKinds(webauth.ReasonStale, atToken, oidctest.FaultTokenInvalidGrant, oidctest.FaultTokenError200, oidctest.FaultTokenErrorHostile),
		faultKinds(webauth.ReasonMalformed, atToken, oidctest.FaultTokenLogout),
		harmless(oidctest.FaultTokenTypeCase),
		[]kind{
			slow(oidctest.FaultTokenSlow, "/token", atToken),
			{name: "the secret has been changed", want: webauth.ReasonSetup, until: atToken, setup: func(_ *testing.T, f *oidctest.Provider, _ *oidclogin.Provider) {
				f.SetApp(oidctest.App{ID: clientID, Secret: "another"})
			}},
		},
	)
}

func discoveryKinds() []kind {
	return slices.Concat(
		faultKinds(webauth.ReasonProvider, atBegin, oidctest.FaultDiscoveryDown, oidctest.FaultDiscoveryClosed, oidctest.FaultDiscoveryHTML,
			oidctest.FaultDiscoveryGarbage, oidctest.FaultDiscoveryHuge, oidctest.FaultDiscoveryRedirect, oidctest.FaultDiscoveryNoRS256, oidctest.FaultDiscoveryNoCode, oidctest.FaultDiscoveryList,
			oidctest.FaultIssuerOther, oidctest.FaultIssuerSlash, oidctest.FaultIssuerMissing, oidctest.FaultAuthEndpointMissing, oidctest.FaultAuthEndpointHTTP,
			oidctest.FaultAuthEndpointScript, oidctest.FaultTokenEndpointMissing, oidctest.FaultTokenEndpointHTTP, oidctest.FaultTokenEndpointNumber,
			oidctest.FaultJWKSURIMissing, oidctest.FaultJWKSURIHTTP, oidctest.FaultJWKSURIFile, oidctest.FaultEndSessionHTTP, oidctest.FaultEndSessionScript),
		harmless(oidctest.FaultDiscoveryUnknown, oidctest.FaultAuthEndpointQuery, oidctest.FaultEndSessionMissing, oidctest.FaultUserinfoOther),
		[]kind{slow(oidctest.FaultDiscoverySlow, "/.well-known/openid-configuration", atBegin)},
	)
}

// TestEveryFaultIsPlayed: each fault of oidctest has a row here or in the table of logout tokens.
func TestEveryFaultIsPlayed(t *testing.T) {
	// Those that change nothing of an answer that is made without a browser, or are no answer.
	played := map[oidctest.Fault]bool{
		oidctest.FaultAnswerFragment: true,                                                                        // see TestAnswerInTheFragment
		oidctest.FaultCodeOther:      true, oidctest.FaultCodeOtherNoPKCE: true, oidctest.FaultCodeReplayed: true, // the attacks, by their name
	}
	for _, k := range badKinds() {
		played[k.fault] = true
	}
	for _, f := range oidctest.Faults() {
		assert.True(t, played[f] || strings.HasPrefix(string(f), "logout-"), "fault %q has no row", f)
	}
}
