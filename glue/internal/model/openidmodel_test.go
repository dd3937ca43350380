package model

import "testing"

// byOpenID is a scenario in which people log in by OpenID Connect.
func (s Scenario) byOpenID() Scenario {
	s.Powers |= OpenID
	return s
}

// sized is a scenario with other bounds.
func (s Scenario) sized(tokens, answers int) Scenario {
	s.Tokens, s.Answers = tokens, answers
	return s
}

// The scenarios with OpenID Connect: those of the WLS, and some of its own.
var (
	oidcAttacks  = attacks.byOpenID().sized(2, 2)
	oidcLate     = lateReplies.byOpenID()
	oidcLost     = sessionLost.byOpenID()
	oidcCookies  = cookiesLost.byOpenID()
	oidcTogether = together.byOpenID().sized(1+big, 1)
	oidcBetween  = between.byOpenID()
	oidcNested   = nested.byOpenID()
	oidcTabs     = nestedTabs.byOpenID()
	oidcBack     = goesBack.byOpenID()
	oidcForms    = forms.byOpenID()

	frontFails = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: listens | LogsOut | OpenID | FrontFails}
	logsThere  = Scenario{Tabs: 2, Tokens: 3, Answers: 3, Powers: LogsOut | OpenID | LogsOutThere}
	heardThere = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: listens | OpenID | LogsOutThere}
	moves      = Scenario{Tabs: 1, Tokens: 2, Answers: 1 + big, Powers: listens | LogsOut | OpenID | Moves}
	mixUp      = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: HasAccount | Navigates | OpenID | HasRogue}
	mixUpHeard = Scenario{Tabs: 1, Tokens: 2, Answers: 1, Powers: listens | OpenID | HasRogue}
)

// TestOpenIDAllRules is TestAllRules with OpenID Connect.
func TestOpenIDAllRules(t *testing.T) {
	explore(t, []explored{
		{"attacks", oidcAttacks, 50_000, []Outcome{
			Served, AskedToLogIn, LoggedIn, Repeated, LoggedOut, NotNavigation,
			RefusedToken, RefusedTokenUsed, RefusedStatus, RefusedCode,
		}},
		{"late replies", oidcLate, 10_000, []Outcome{Served, LoggedIn, KeptSession, LoggedOut, RefusedToken, RefusedStrength}},
		{"the session is lost", oidcLost, 10_000, []Outcome{LoggedIn, LoopStopped}},
		{"all cookies are lost", oidcCookies, 150, []Outcome{AskedToLogIn, RefusedToken}},
		{"everything together", oidcTogether, 10_000, []Outcome{
			Served, LoggedIn, LoggedOut, NotNavigation, RefusedToken, RefusedStatus, RefusedCode,
		}[:6+big]}, // the last takes as many codes as there are without the race detector
		{"between handlers", oidcBetween, 10_000, []Outcome{LoggedIn, RefusedToken}},
		{"nested handlers", oidcNested, 100, []Outcome{Served, LoggedIn, TriedSilently, WentBack, RefusedStatus, RefusedStrength}},
		{"nested handlers, two tabs", oidcTabs, 10_000, []Outcome{Served, LoggedIn, KeptSession, TriedSilently, WentBack, RefusedStatus}},
		{"cancel, back, log in", oidcBack, 8_000 + 12_000*big, []Outcome{
			Served, LoggedIn, AskedWho, Repeated, LoggedOut, RefusedTokenUsed, RefusedStatus, RefusedNonce,
		}},
		{"kept forms", oidcForms, 4_000, []Outcome{LoggedIn, FormActs, FormKept, FormLost, FormGone, Forbidden}},
		{"lost at the front server", frontFails, 40_000, []Outcome{LoggedIn, RefusedCode, RefusedNonce, RefusedReplay}},
		{"logout at the provider", logsThere, 1_500, []Outcome{LoggedIn, AsksProvider, RefusedEnded, LoggedOut}},
		{"logout at the provider, and an attacker", heardThere, 10_000, []Outcome{LoggedIn, AsksProvider, RefusedEnded, RefusedCode}},
		{"both kinds", moves, 20_000, []Outcome{LoggedIn, RefusedURL, RefusedVersion, RefusedToken, RefusedCode}},
		{"two providers", mixUp, 5_000, []Outcome{LoggedIn, RefusedToken, RefusedCode}},
	})
}

// TestOpenIDEveryRuleBearsLoad is TestEveryRuleBearsLoad with OpenID Connect. There are more
// locks: verifier and nonce are nothing that the attacker can learn.
func TestOpenIDEveryRuleBearsLoad(t *testing.T) {
	breaks(t, []broken{
		{"a code is marked with any state", StrayMarked, oidcAttacks, VictimAtHome},
		{"a code once", ResponseOnce, oidcAttacks, VictimAtHome},
		{"a code marked first", MarkFirst, oidcAttacks, VictimAtHome},
		{"fetches spend", FetchSpends, oidcAttacks, VictimAtHome},
		{"the outermost handler spends", OuterSpends, oidcBetween, VictimAtHome},
		{"memory of what was used", Memory, oidcAttacks, VictimAtHome},
		{"codes of this client and provider", Audience, oidcAttacks, VictimAtHome},
		{"state of this browser, proof of the secret", TokenCheck | ProofBound, oidcAttacks, NotTheAttacker},
		{"state of this browser, PKCE and nonce", TokenCheck | PKCE | Nonce, oidcAttacks, NotTheAttacker},
		{"state once", TokenOnce, oidcBack, OneLogin},
		{"nonce, where the provider takes a code without challenge", Nonce, frontFails, NotTheAttacker},
		{"PKCE and nonce", PKCE | Nonce, frontFails, VictimAtHome},

		{"failures spend the state", FailureSpends | Nonce, oidcBack, NotTheAttacker},
		{"only the first failure opens a state again", FailureFirst, oidcBack, OneLogin},
		{"once again", AgainOnce, oidcBack, OneLogin},
		{"a page asks after a failure", AsksAfterFailure | Nonce, oidcBack, NotTheAttacker},
		{"it names who it is", AskNames | Nonce, oidcBack, NotTheAttacker},
		{"its button is one browser's", ConfirmBound | Binding, oidcBack, NotTheAttacker},
		{"its button works once", ConfirmOnce, oidcBack, OneSession},

		{"session bound to the secret", Binding, oidcLate, LoggedOutStays},
		{"session bound to the secret, while the token endpoint answers", Binding, logsThere, LoggedOutStays},
		{"__Host-", HostPrefix, oidcAttacks, NotTheAttacker},
		{"rotation at logout", Rotation, oidcLate, LoggedOutStays},
		{"rotation at logout, while the token endpoint answers", Rotation, logsThere, LoggedOutStays},
		{"a logout at the provider is noted", LogoutNoted, logsThere, NamedEnds},
		{"policy on every request", PolicyEveryTime, oidcAttacks, StrictTyped},
		{"silent by the state", SilentInToken, oidcNested, NotStopped},
		{"silent sign-in yields", SilentYields, oidcTabs, NotWeakened},
		{"the better session stays", KeepsBetter, oidcLate, NotWeakened},
		{"better by what it proves", KeepsByProof, oidcNested, NotStopped},
		{"loop counter", LoopCounter, oidcLost, NoLoop},
		{"no retry", NoRetry, oidcCookies, NoLoop},

		{"keys of one service", ServiceKeys, moves, NotTheAttacker},
		{"one provider, or the one that was asked", OneProvider | Issuer, mixUpHeard, CodeKept},
		{"one provider, or marks for all", OneProvider | MarkedForAll, mixUpHeard, VictimAtHome},
		{"mix-up", OneProvider | Issuer | MarkedForAll, mixUp, VictimAtHome},
	})
}

// TestOpenIDTwoLocks is TestTwoLocks with OpenID Connect.
func TestOpenIDTwoLocks(t *testing.T) {
	holds(t, []locked{
		{"a state spent where it is not the browser's", SeenSpends, oidcAttacks, nil},
		{"the state is any browser's", TokenCheck, oidcAttacks, nil},
		{"verifier and nonce are anybody's", ProofBound, oidcAttacks, nil},
		{"PKCE", PKCE, frontFails, nil},
		{"failures leave the state", FailureSpends, oidcBack, NotTheAttacker},
		{"nobody asks after a failure", AsksAfterFailure, oidcBack, nil},
		{"the page names nobody", AskNames, oidcBack, nil},
		{"two providers", OneProvider, mixUpHeard, nil},
		{"any issuer, of one provider", Issuer, mixUpHeard, nil},
		{"marks of one provider, if it is the only one", MarkedForAll, mixUpHeard, nil},
		{"any issuer, if codes are marked for all", OneProvider | Issuer, mixUp, VictimAtHome},
		{"marks of one provider, if the issuer is checked, and nobody reads the log", OneProvider | MarkedForAll, mixUp, nil},
	})
}
