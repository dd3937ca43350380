package model

// Rule is something that the code does to keep people safe.
type Rule uint64

// The rules, and the code that keeps each.
const (
	// Signature: a response is signed by this site's own service (webauth/attempt.go,
	// checkSignature).
	Signature Rule = 1 << iota
	// Version: a success has the version that we sent (webauth/attempt.go, checkVersion).
	Version
	// URLAsked: its url is the address being asked for (webauth/attempt.go, checkURL).
	URLAsked
	// URLInToken: its url is the one that its token was made for (webauth/token.go, mac).
	URLInToken
	// SignsNormalised: no token is made for an address that a browser would ask for
	// differently (glue/address.go, isDeadEnd; webauth/request.go, checkReturn).
	SignsNormalised
	// ReturnsNormalised: no response for such an address is accepted (webauth/attempt.go,
	// checkReturn).
	ReturnsNormalised
	// TokenCheck: its token was made by this site for this browser (webauth/token.go, Check).
	TokenCheck
	// ResponseOnce: a response works once (webauth/spend.go, spend).
	ResponseOnce
	// MarkFirst: it is marked before its token is judged (webauth/spend.go, spend).
	MarkFirst
	// TokenOnce: a token works once (webauth/spend.go, judgeToken).
	TokenOnce
	// SeenSpends: it is spent, too, where it comes without its browser's secret
	// (webauth/spend.go, tokenItem).
	SeenSpends
	// FailureSpends: a failure spends its token too (webauth/spend.go, tokenItem).
	FailureSpends
	// FetchSpends: what is no navigation spends what it carries (glue/callback.go,
	// answersResponse).
	FetchSpends
	// OnlyPages: it logs nobody in (glue/site/wantspage.go, WantsPage). Without, whatever
	// the attacker's page has the victim's browser fetch brings all cookies along, as a
	// frame does that a service worker passes on, or a script of the site's own.
	OnlyPages
	// OuterSpends: so does the outermost handler, whatever is between it and the next
	// (glue/exchange.go, require and maybe).
	OuterSpends
	// Memory: what was used is not forgotten while it would still pass
	// (webauth/oneuse.go, OneUse and Item).
	Memory

	// FailureFirst: a token that failed may succeed after all, if the failure was the
	// first to use it (glue/failed.go, rememberFailure).
	FailureFirst
	// AgainOnce: it may once (webauth/spend.go, useTokenAgain).
	AgainOnce
	// AsksAfterFailure: but first a page asks the person (glue/callback.go, accepted).
	AsksAfterFailure
	// AskNames: it names who they would be logged in as (glue/confirm.go,
	// pageConfirmLogin). Without, people press any button.
	AskNames
	// ConfirmBound: its button works in the browser that was asked (glue/confirm.go,
	// openConfirm).
	ConfirmBound
	// ConfirmOnce: it works once (glue/confirm.go, confirmed).
	ConfirmOnce

	// Binding: a session fits one browser's secret (glue/request.go, own).
	Binding
	// HostPrefix: no other host can set our cookies (glue/cookies.go, newCookieJar).
	HostPrefix
	// Rotation: logout changes the secret (glue/logout.go, logOutHere).
	Rotation
	// ServiceKeys: what is sealed for one service is nothing to another (glue/place.go,
	// newPlace).
	ServiceKeys
	// PolicyEveryTime: a route's policy is checked on every request (glue/decision.go, judge).
	PolicyEveryTime
	// JudgedByToken: how strong a login must be is what its token asked for, not what the
	// handler that sees it wants (webauth/attempt.go, checkOutcome).
	JudgedByToken
	// SilentInToken: so is whether its failure is one that nobody is to see
	// (glue/silent.go, noteSilent).
	SilentInToken
	// SilentYields: silent sign-in wants no session without a typed password, only one at
	// all (glue/callback.go, accepted).
	SilentYields
	// KeepsBetter: a login that proves less does not replace a session that proves more
	// (glue/callback.go, logIn).
	KeepsBetter
	// KeepsByProof: what proves more is up to the two, not to the policy of the handler
	// that compares them (glue/callback.go, covers).
	KeepsByProof

	// LoopCounter: a redirect to the WLS after a return from there is a step of a loop
	// (glue/loop.go, loopStep).
	LoopCounter
	// LoopReturns: every return counts, also one that starts no session (glue/loop.go,
	// loopReturn).
	LoopReturns
	// NoRetry: a refusal is a page, never another try (glue/callback.go, refused).
	NoRetry

	// FormJudged: a kept form is judged as the request that it is (glue/keptresume.go,
	// takeMarked).
	FormJudged
	// FormOnce: it is sent on once (glue/keptresume.go, resume).
	FormOnce
	// FormOwner: for the person who sent it (glue/decision.go, judge).
	FormOwner
	// FormBrowser: in the browser that sent it (glue/keptform.go, openForm).
	FormBrowser
	// FormPlace: to where it was sent (glue/keptform.go, openForm).
	FormPlace

	// StrayMarked: a code is marked whatever state comes with it: none, or one that was used or
	// is older than the memory (glue/oidclogin/attempt.go, mark).
	StrayMarked
	// MarkedForAll: whichever of the services that state belongs to (glue/oidclogin/attempt.go,
	// codeItem).
	MarkedForAll
	// PKCE: a code is good for the browser whose request it answers: the provider wants the
	// verifier of its challenge, if it had any (glue/oidclogin/token.go, redeem).
	PKCE
	// Nonce: so is the identity token, which has the nonce of that request
	// (glue/oidclogin/idtoken.go, checkNonce).
	Nonce
	// ProofBound: verifier and nonce are made of the browser's secret, too
	// (glue/oidclogin/state.go, value).
	ProofBound
	// Audience: code and identity token are this client's, of this provider
	// (glue/oidclogin/token.go, redeem, and idtoken.go, checkParty).
	Audience
	// Issuer: the answer names the provider that was asked (glue/oidclogin/attempt.go, judge).
	Issuer
	// LogoutNoted: a logout that the provider tells of is noted, for the login that is still
	// on its way (glue/redisstore/loggedout.go, loggedOut).
	LogoutNoted
	// OneProvider: the site has one OpenID provider, or the answers of two would come to one
	// address (glue/way.go, brought).
	OneProvider

	AllRules Rule = 1<<iota - 1
)

// Power is something that can happen beside the victim's own clicks.
type Power uint32

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
	Dots                              // addresses can be spelled with dot segments, which browsers resolve
	Nested                            // an optional handler with silent sign-in is around the site, and /quiet in it
	Between                           // something between two handlers may answer: without OuterSpends
	GoesBack                          // the victim goes back to the WLS after a failed login
	NeverCancels                      // but makes none fail
	ReadsAll                          // he reads requests to the WLS, responses and pages before anybody uses them: nothing helps against that but luck
	TakesMinutes                      // the victim takes a minute for each page, by when no redirect counts as one of a loop
	OpenID                            // people log in by OpenID Connect
	Moves                             // by the WLS, too: the site is on the way from one to the other
	LogsOutThere                      // at the provider, which tells the site; and the token endpoint takes its time
	FrontFails                        // answers to requests of the site's own may be logged, and never get there
	HasRogue                          // the site knows another OpenID provider, which is the attacker's: without OneProvider
	SendsForms                        // forms are sent, and kept while one logs in; sessions end by themselves
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
	Only  *Invariant // to look for; nil for all
}

func (m *Model) on(r Rule) bool   { return m.Rules&r == r }
func (m *Model) can(p Power) bool { return m.Powers&p == p }

// services are those where people may be sent to log in.
func (m *Model) services() []Service {
	switch {
	case m.can(HasRogue) && !m.on(OneProvider):
		return []Service{Provider, Rogue}
	case m.can(OpenID | Moves):
		return []Service{Provider, WLS}
	case m.can(OpenID):
		return []Service{Provider}
	default:
		return []Service{WLS}
	}
}

// routes are those that handlers of ours answer, of those that there are.
func (m *Model) routes() []Route {
	switch {
	case m.can(Nested):
		return routesNested
	case m.can(Dots):
		return routesDotted
	default:
		return routesPlain
	}
}

var (
	routesPlain  = []Route{Lax, Strict}
	routesNested = []Route{Lax, Strict, Quiet}
	routesDotted = []Route{Lax, Strict, Dotted}
)

// next gives every step that can follow, and where it leads.
func (m *Model) next(s State, emit func(Step, State)) {
	m.browser(s, emit)
	if !s.opening() { // a browser follows that redirect before anything else happens
		m.attacker(s, emit)
	}
}
