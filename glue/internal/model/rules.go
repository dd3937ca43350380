package model

// Rule is something that the code does to keep people safe.
type Rule uint32

// The rules, and the code that keeps each.
const (
	// Signature: a response is signed by this site's own service (webauth/verifier.go,
	// checkSignature).
	Signature Rule = 1 << iota
	// Version: a success has the version that we sent (webauth/verifier.go, checkVersion).
	Version
	// URLAsked: its url is the address being asked for (webauth/verifier.go, checkURL).
	URLAsked
	// URLInToken: its url is the one that its token was made for (webauth/token.go, mac).
	URLInToken
	// TokenCheck: its token was made by this site for this browser (webauth/token.go, Check).
	TokenCheck
	// ResponseOnce: a response works once (webauth/verifier.go, useResponse).
	ResponseOnce
	// MarkFirst: it is marked before its token is judged (webauth/verifier.go, judge).
	MarkFirst
	// TokenOnce: a token works once (webauth/verifier.go, useToken).
	TokenOnce
	// FailureSpends: a failure spends its token too (webauth/verifier.go, judge).
	FailureSpends
	// FetchSpends: what is no navigation spends what it carries (glue/callback.go,
	// answersResponse).
	FetchSpends
	// Memory: what was used is not forgotten while it would still pass
	// (webauth/oneuse.go, OneUse and Item).
	Memory
	// Binding: a session fits one browser's secret (glue/visit.go, session).
	Binding
	// HostPrefix: no other host can set our cookies (glue/cookies.go, newCookieJar).
	HostPrefix
	// Rotation: logout changes the secret (glue/logout.go, logOutHere).
	Rotation
	// ServiceKeys: what is sealed for one service is nothing to another (glue/place.go,
	// newPlace).
	ServiceKeys
	// PolicyEveryTime: a route's policy is checked on every request (glue/visit.go, judge).
	PolicyEveryTime
	// LoopCounter: a redirect to the WLS after a login is a step of a loop
	// (glue/loop.go, loopStep).
	LoopCounter
	// LoopLogins: so is every login (glue/loop.go, loopLogin).
	LoopLogins
	// NoRetry: a refusal is a page, never another try (glue/callback.go, refused).
	NoRetry

	AllRules Rule = 1<<iota - 1
)

// Power is something that can happen beside the victim's own clicks.
type Power uint16

// Powers.
const (
	HasAccount      Power = 1 << iota // the attacker gets tokens from the site, and responses about himself from the WLS
	Navigates                         // he sends the victim's tabs to addresses of his choice
	ReadsLog                          // he reads every response that reached the site
	Fetches                           // his page has the victim's browser fetch in the background
	Tosses                            // his host, a sibling of the site's, sets cookies for it: without HostPrefix
	SignsAsOther                      // he can sign as another service, under which another site has the same secret
	Restarts                          // the memory of what was used is lost: without Memory
	LogsOut                           // the victim logs out
	LosesSession                      // the victim's browser loses the session cookie, as if logging in never helped
	LosesCookies                      // it loses every cookie
	IgnoresIAct                       // the WLS may answer without asking, although iact=yes
	CountsRedirects                   // redirects and loop marks are kept; without, they are left out, to have fewer states
)

// Scenario is a world to explore: how large, and what can happen in it.
type Scenario struct {
	Tabs    int // of the victim's browser
	Tokens  int // that can be alive at once
	Answers int // likewise
	Powers  Power
}

// Model is a scenario and the rules that are kept in it.
type Model struct {
	Scenario
	Rules Rule
}

func (m *Model) on(r Rule) bool   { return m.Rules&r == r }
func (m *Model) can(p Power) bool { return m.Powers&p == p }

// next gives every step that can follow, and where it leads.
func (m *Model) next(s State, emit func(Step, State)) {
	m.browser(s, emit)
	if !s.opening() { // a browser follows that redirect before anything else happens
		m.attacker(s, emit)
	}
}
