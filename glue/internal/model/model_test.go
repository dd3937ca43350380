package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	listens    = HasAccount | Navigates | ReadsLog
	allAttacks = listens | Fetches | Tosses | SignsAsOther | Restarts
)

// The scenarios, each explored to its end with all rules on. The rows of
// TestEveryRuleBearsLoad use no others.
var (
	attacks     = Scenario{Tabs: 1, Tokens: 2 + big, Answers: 2, Powers: allAttacks | LogsOut | CountsRedirects}
	lateReplies = Scenario{Tabs: 2, Tokens: 4, Answers: 3, Powers: LogsOut | IgnoresIAct | CountsRedirects}
	sessionLost = Scenario{Tabs: 2, Tokens: 3 + big, Answers: 2 + big, Powers: LosesSession | CountsRedirects}
	cookiesLost = Scenario{Tabs: 2, Tokens: 4, Answers: 3, Powers: LosesCookies | CountsRedirects}
	together    = Scenario{Tabs: 2, Tokens: 2, Answers: 1 + big, Powers: allAttacks | LogsOut}

	dots       = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: listens | Dots}
	between    = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: listens | Between}
	nested     = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: Nested | TakesMinutes | LogsOut | IgnoresIAct | CountsRedirects}
	nestedTabs = Scenario{Tabs: 2, Tokens: 2 + big, Answers: 2, Powers: Nested | TakesMinutes | LogsOut | IgnoresIAct | CountsRedirects}
	goesBack   = Scenario{Tabs: 1, Tokens: 1 + big, Answers: 2, Powers: listens | LogsOut | GoesBack}
	noCancel   = Scenario{Tabs: 1, Tokens: 1 + big, Answers: 2, Powers: listens | LogsOut | GoesBack | NeverCancels}
	forms      = Scenario{Tabs: 1, Tokens: 2, Answers: 2, Powers: HasAccount | LogsOut | SendsForms}
)

// explored is a scenario that is explored to its end.
type explored struct {
	name     string
	scenario Scenario
	floor    int // fewer states than this, and the model has lost something
	reaches  []Outcome
}

// broken is damage that is done where rules are off.
type broken struct {
	name     string
	off      Rule
	scenario Scenario
	breaks   *Invariant
}

// locked is a rule that is off without damage.
type locked struct {
	name     string
	off      Rule
	scenario Scenario
	only     *Invariant // nil for all
}

// TestAllRules explores everything, and makes sure that there was something to explore.
func TestAllRules(t *testing.T) {
	explore(t, []explored{
		{"attacks", attacks, 40_000, []Outcome{
			Served, AskedToLogIn, LoggedIn, Repeated, LoggedOut, NotNavigation,
			RefusedVersion, RefusedURL, RefusedReplay, RefusedToken, RefusedTokenUsed, RefusedStatus,
		}},
		{"late replies", lateReplies, 10_000, []Outcome{Served, LoggedIn, KeptSession, LoggedOut, RefusedToken, RefusedStrength}},
		{"the session is lost", sessionLost, 10_000, []Outcome{LoggedIn, LoopStopped}},
		{"all cookies are lost", cookiesLost, 150, []Outcome{AskedToLogIn, RefusedToken}},
		{"everything together", together, 100_000, []Outcome{
			Served, LoggedIn, LoggedOut, NotNavigation, RefusedURL, RefusedReplay, RefusedToken, RefusedStatus,
		}},
		{"dot segments", dots, 5_000, []Outcome{LoggedIn, RefusedURL, RefusedToken}},
		{"between handlers", between, 5_000, []Outcome{LoggedIn, RefusedURL, RefusedReplay, RefusedToken}},
		{"nested handlers", nested, 100, []Outcome{Served, LoggedIn, TriedSilently, WentBack, RefusedStatus, RefusedStrength}},
		{"nested handlers, two tabs", nestedTabs, 10_000, []Outcome{
			Served, LoggedIn, KeptSession, Repeated, TriedSilently, WentBack, RefusedStatus,
		}},
		{"cancel, back, log in", goesBack, 5_000, []Outcome{
			Served, LoggedIn, AskedWho, Repeated, LoggedOut, RefusedTokenUsed, RefusedStatus,
		}},
		{"back, but never cancelled", noCancel, 3_000, []Outcome{LoggedIn, RefusedTokenUsed}},
		{"kept forms", forms, 4_000, []Outcome{LoggedIn, FormActs, FormKept, FormLost, FormGone, Forbidden}},
	})
}

func explore(t *testing.T, rows []explored) {
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Model{Scenario: tc.scenario, Rules: AllRules}
			r := m.Explore()
			t.Logf("%d states", r.States)
			noneBroken(t, r)
			assert.Greater(t, r.States, tc.floor)
			for _, out := range tc.reaches {
				assert.Positive(t, r.Outcomes[out], outcomeText[out])
			}
			if !tc.scenario.loses() {
				assert.Positive(t, r.Served[Lax], "a page of /lax")
				assert.Positive(t, r.Served[Strict], "a page of /strict")
				assert.Equal(t, tc.scenario.Powers&Nested != 0, r.Served[Quiet] > 0, "a page of /quiet")
			}
		})
	}
}

// TestEveryRuleBearsLoad switches rules off and wants the damage that they prevent: one
// rule by itself, or two that each suffice (see TestTwoLocks).
func TestEveryRuleBearsLoad(t *testing.T) {
	breaks(t, []broken{
		{"signature", Signature, attacks, VictimAtHome},
		{"version", Version, attacks, OnlyCurrent},
		{"url", URLAsked | URLInToken, attacks, VictimAtHome},
		{"addresses as browsers ask for them", SignsNormalised | ReturnsNormalised, dots, VictimAtHome},
		{"token", TokenCheck, attacks, NotTheAttacker},
		{"response marked before the token", MarkFirst | SeenSpends, attacks, VictimAtHome},
		{"response once", ResponseOnce | SeenSpends, attacks, VictimAtHome},
		{"response and token once", ResponseOnce | TokenOnce, attacks, OneSession},
		{"token once", TokenOnce, attacks, NotTheAttacker},
		{"failures spend the token", FailureSpends, attacks, NotTheAttacker},
		{"fetches spend", FetchSpends, attacks, VictimAtHome},
		{"the outermost handler spends", OuterSpends, between, VictimAtHome},
		{"memory of what was used", Memory, attacks, OneSession},

		{"only the first failure opens a token again", FailureFirst, goesBack, OneLogin},
		{"only the first failure does, if the page named nobody", FailureFirst | AskNames, noCancel, NotTheAttacker},
		{"once again", AgainOnce, goesBack, OneLogin},
		{"a page asks after a failure", AsksAfterFailure, goesBack, NotTheAttacker},
		{"it names who it is", AskNames, goesBack, NotTheAttacker},
		{"its button is one browser's", ConfirmBound | Binding, goesBack, NotTheAttacker},
		{"its button works once", ConfirmOnce, goesBack, OneSession},

		{"session bound to the secret", Binding, lateReplies, LoggedOutStays},
		{"__Host-", HostPrefix, attacks, NotTheAttacker},
		{"rotation at logout", Rotation, lateReplies, LoggedOutStays},
		{"keys of one service", ServiceKeys, attacks, VictimAtHome},
		{"policy on every request", PolicyEveryTime, attacks, StrictTyped},
		{"judged by the token", JudgedByToken, nested, NotStopped},
		{"judged by the token, and not counted", JudgedByToken | LoopCounter, nested, NoLoop},
		{"silent by the token", SilentInToken, nested, NotStopped},
		{"silent by the token, and not counted", SilentInToken | LoopReturns, nested, NoLoop},
		{"silent sign-in yields", SilentYields, nestedTabs, NotWeakened},
		{"the better session stays", KeepsBetter, lateReplies, NotWeakened},
		{"better by what it proves", KeepsByProof, nested, NotStopped},
		{"better by what it proves, and not counted", KeepsByProof | LoopReturns, nested, NoLoop},

		{"loop counter", LoopCounter, sessionLost, NoLoop},
		{"no retry", NoRetry, cookiesLost, NoLoop},

		{"kept forms are judged", FormJudged, forms, FormAllowed},
		{"kept forms once", FormOnce, forms, FormOneUse},
		{"kept forms are one person's in one browser", FormOwner | FormBrowser, forms, FormOwn},
		{"kept forms go where they were sent", FormPlace, forms, FormHere},
	})
}

// loses reports whether no login comes to anything.
func (s Scenario) loses() bool { return s.Powers&(LosesSession|LosesCookies) != 0 }

func breaks(t *testing.T, rows []broken) {
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Model{Scenario: tc.scenario, Rules: AllRules &^ tc.off}
			if tc.off&(FailureFirst|MarkedForAll) != 0 {
				m.Only = tc.breaks // it does other damage sooner
			}
			r := m.Explore()
			require.NotNil(t, r.Broken, "nothing broke in %d states", r.States)
			assert.Equal(t, tc.breaks.Name, r.Broken.Name)
			assert.NotEmpty(t, r.Trace)
			logTrace(t, r)
		})
	}
}

// TestTwoLocks shows that of two rules about the same either is enough here: the
// rows above have to switch both off. One rule is here because nothing hangs on it.
func TestTwoLocks(t *testing.T) {
	small := attacks
	small.Tokens = 2
	holds(t, []locked{
		{"url asked for", URLAsked, small, nil},
		{"url in the token", URLInToken, small, nil},
		{"response once", ResponseOnce, small, nil},
		{"response marked before the token", MarkFirst, small, nil},
		{"token spent where it is not the browser's", SeenSpends, small, nil},
		{"dots are not signed", SignsNormalised, dots, nil},
		{"dots do not come back", ReturnsNormalised, dots, nil},
		{"the page names nobody, but nothing failed", AskNames, noCancel, nil},
		{"the button is not the browser's, but its session is", ConfirmBound, goesBack, nil},
		{"the session is not the browser's, but its button is", Binding, goesBack, NotTheAttacker},
		{"the form is anybody's", FormOwner, forms, nil},
		{"the form is any browser's", FormBrowser, forms, nil},
		// What counts as a page is about what people see: the cookies say who logs in.
		{"all that brings the browser's cookies is a page", OnlyPages, small, nil},
	})
}

func holds(t *testing.T, rows []locked) {
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Model{Scenario: tc.scenario, Rules: AllRules &^ tc.off, Only: tc.only}
			noneBroken(t, m.Explore())
		})
	}
}

func noneBroken(t *testing.T, r Report) {
	t.Helper()
	if !assert.Nil(t, r.Broken) {
		logTrace(t, r)
	}
}

func logTrace(t *testing.T, r Report) {
	t.Helper()
	t.Logf("%d states until broken: %s", r.States, r.Broken.Name)
	for i, step := range r.Trace {
		t.Logf("%3d. %s", i+1, step)
	}
}
