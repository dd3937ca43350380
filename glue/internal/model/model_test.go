package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const allAttacks = HasAccount | Navigates | ReadsLog | Fetches | Tosses | SignsAsOther | Restarts

// The scenarios, each explored to its end with all rules on. The rows of
// TestEveryRuleBearsLoad use no others.
var (
	attacks     = Scenario{Tabs: 1, Tokens: 2 + big, Answers: 2, Powers: allAttacks | LogsOut | CountsRedirects}
	lateReplies = Scenario{Tabs: 2, Tokens: 4, Answers: 3, Powers: LogsOut | IgnoresIAct | CountsRedirects}
	sessionLost = Scenario{Tabs: 2, Tokens: 3 + big, Answers: 2 + big, Powers: LosesSession | CountsRedirects}
	cookiesLost = Scenario{Tabs: 2, Tokens: 4, Answers: 3, Powers: LosesCookies | CountsRedirects}
	together    = Scenario{Tabs: 2, Tokens: 2, Answers: 1 + big, Powers: allAttacks | LogsOut}
)

// TestAllRules explores everything, and makes sure that there was something to explore.
func TestAllRules(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario Scenario
		floor    int // fewer states than this, and the model has lost something
		reaches  []Outcome
	}{
		{"attacks", attacks, 40_000, []Outcome{
			Served, AskedToLogIn, LoggedIn, Repeated, LoggedOut, NotNavigation,
			RefusedVersion, RefusedURL, RefusedReplay, RefusedToken, RefusedTokenUsed, RefusedStatus,
		}},
		{"late replies", lateReplies, 50_000, []Outcome{Served, LoggedIn, KeptSession, LoggedOut, RefusedToken, RefusedStrength}},
		{"the session is lost", sessionLost, 30_000, []Outcome{LoggedIn, LoopStopped}},
		{"all cookies are lost", cookiesLost, 150, []Outcome{AskedToLogIn, RefusedToken}},
		{"everything together", together, 100_000, []Outcome{
			Served, LoggedIn, LoggedOut, NotNavigation, RefusedURL, RefusedReplay, RefusedToken, RefusedStatus,
		}},
	} {
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
			if tc.scenario.Powers&(LosesSession|LosesCookies) == 0 {
				assert.Positive(t, r.Served[Lax], "a page of /lax")
				assert.Positive(t, r.Served[Strict], "a page of /strict")
			}
		})
	}
}

// TestEveryRuleBearsLoad switches rules off and wants the damage that each prevents.
func TestEveryRuleBearsLoad(t *testing.T) {
	for _, tc := range []struct {
		name     string
		off      Rule
		scenario Scenario
		breaks   *Invariant
	}{
		{"signature", Signature, attacks, VictimAtHome},
		{"version", Version, attacks, OnlyCurrent},
		{"url", URLAsked | URLInToken, attacks, VictimAtHome},
		{"token", TokenCheck, attacks, NotTheAttacker},
		{"response marked before the token", MarkFirst, attacks, VictimAtHome},
		{"response once", ResponseOnce, attacks, VictimAtHome},
		{"response and token once", ResponseOnce | TokenOnce, attacks, OneSession},
		{"token once", TokenOnce, attacks, NotTheAttacker},
		{"failures spend the token", FailureSpends, attacks, NotTheAttacker},
		{"fetches spend", FetchSpends, attacks, VictimAtHome},
		{"memory of what was used", Memory, attacks, OneSession},
		{"session bound to the secret", Binding, lateReplies, LoggedOutStays},
		{"__Host-", HostPrefix, attacks, NotTheAttacker},
		{"rotation at logout", Rotation, lateReplies, LoggedOutStays},
		{"keys of one service", ServiceKeys, attacks, VictimAtHome},
		{"policy on every request", PolicyEveryTime, attacks, StrictTyped},
		{"loop counter", LoopCounter, sessionLost, NoLoop},
		{"logins counted too", LoopLogins, sessionLost, NoLoop},
		{"no retry", NoRetry, cookiesLost, NoLoop},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Model{Scenario: tc.scenario, Rules: AllRules &^ tc.off}
			r := m.Explore()
			require.NotNil(t, r.Broken, "nothing broke in %d states", r.States)
			assert.Equal(t, tc.breaks.Name, r.Broken.Name)
			assert.NotEmpty(t, r.Trace)
			logTrace(t, r)
		})
	}
}

// TestTwoLocks shows that of the two rules about url either is enough here: the
// row above has to switch both off.
func TestTwoLocks(t *testing.T) {
	scenario := attacks
	scenario.Tokens = 2
	for name, off := range map[string]Rule{"url asked for": URLAsked, "url in the token": URLInToken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := Model{Scenario: scenario, Rules: AllRules &^ off}
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
