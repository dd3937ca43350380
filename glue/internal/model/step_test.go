package model

import (
	"strconv"
	"strings"
)

// Kind is a kind of step.
type Kind uint8

// Kinds of steps: the victim's, the browser's, the WLS's, the attacker's.
const (
	Visits Kind = iota
	PressesLogout
	Presses
	GoesBackToWLS
	SendsForm
	Continues
	SessionEnds
	Follows
	Returns
	Arrives
	SignsOn
	Types
	Cancels
	MayNotAsk
	GetsToken
	LogsInHimself
	Presents
	FailsHimself
	SendsToWLS
	SendsToSite
	MakesUpFailure
	SendsToButton
	KeepsForm
	SendsKeptForm
	FetchesLogin
	FetchesAgain
	PressesHimself
	TossesSecret
	TossesSession
	SignsOther
	LogsInToOther
	MemoryLost
	FrontAnswers
	Concludes
	TellsOfLogout
)

// Outcome is what the site makes of a request.
type Outcome uint8

// Outcomes.
const (
	NoOutcome Outcome = iota
	Served
	AskedToLogIn
	TriedSilently
	Forbidden
	LoopStopped
	LoggedIn
	KeptSession
	Repeated
	AskedWho
	WentBack
	LoggedOut
	AnsweredBetween
	FormActs
	FormKept
	FormLost
	FormGone
	NotNavigation
	RefusedSignature
	RefusedVersion
	RefusedURL
	RefusedReplay
	RefusedToken
	RefusedTokenUsed
	RefusedStatus
	RefusedStrength
	RefusedConfirm
	RefusedIssuer
	RefusedCode
	RefusedNonce
	RefusedEnded
	AsksProvider
)

// Step is one thing that happens. A kind uses those fields that its text names.
type Step struct {
	Kind       Kind
	Tab        int
	At         Service
	Route      Route
	Token      TokenRef
	Bound      TokenRef
	Answer     AnswerRef
	IAct       IAct
	Old        bool
	Bad        bool
	NewSecret  bool
	NewSession bool
	Outcome    Outcome
}

var kindText = [...]string{
	Visits:         "victim, tab TAB: opens ROUTE",
	PressesLogout:  "victim, tab TAB: presses the logout button",
	Presses:        "victim, tab TAB: presses the button for ANSWER",
	GoesBackToWLS:  "victim, tab TAB: goes back to the WLS (url ROUTE, TOKEN)",
	SendsForm:      "victim, tab TAB: sends a formBAD to ROUTE",
	Continues:      "victim, tab TAB: sends the kept form on, to ROUTE",
	SessionEnds:    "the victim's session ends by itself",
	Follows:        "victim, tab TAB: follows the redirect to ROUTE",
	Returns:        "victim, tab TAB: brings ANSWERSTATE to ROUTE",
	Arrives:        "victim, tab TAB: the reply arrivesCOOKIES",
	SignsOn:        "WLS: knows the victim, sends ANSWER (tab TAB, url ROUTE, TOKENBOUND)",
	Types:          "WLS: the victim types the password, it sends ANSWER (tab TAB, url ROUTE, TOKENBOUND)",
	Cancels:        "WLS: the victim cancels, it sends ANSWER (tab TAB, url ROUTE, TOKENBOUND)",
	MayNotAsk:      "WLS: may not ask who it is, it sends ANSWER (tab TAB, url ROUTE, TOKENBOUND)",
	GetsToken:      "attacker: gets TOKEN for ROUTE from the site",
	LogsInHimself:  "attacker: logs in at the WLS, keeps ANSWER (url ROUTE, TOKENOLDBOUND)",
	Presents:       "attacker: brings ANSWERSTATE to ROUTE",
	FailsHimself:   "attacker: brings an unsigned failure with TOKEN to ROUTE",
	SendsToWLS:     "attacker: sends the victim's tab TAB to the WLS (url ROUTE, TOKENIACTOLDBOUND)",
	SendsToSite:    "attacker: sends the victim's tab TAB to ROUTE with ANSWERSTATE",
	MakesUpFailure: "attacker: sends the victim's tab TAB to ROUTE with an unsigned failure (TOKEN)",
	SendsToButton:  "attacker: sends the victim's tab TAB to the button for ANSWER",
	KeepsForm:      "attacker: sends a form to ROUTE, gets a page that keeps it",
	SendsKeptForm:  "attacker: has the victim's tab TAB send his kept form to ROUTE",
	FetchesLogin:   "attacker: has the victim's browser fetch ANSWER through the WLS (url ROUTE, TOKENBOUND)",
	FetchesAgain:   "attacker: has the victim's browser fetch ROUTE with ANSWERSTATE",
	PressesHimself: "attacker: presses the button for ANSWER in his own browser",
	TossesSecret:   "attacker: sets the victim's login cookie to his own",
	TossesSession:  "attacker: sets the victim's login and session cookies to his own",
	SignsOther:     "attacker: signs ANSWER about the victim as the other service (url ROUTE, TOKEN)",
	LogsInToOther:  "attacker: logs in as the victim at a site of the other service (ANSWER)",
	MemoryLost:     "site: forgets what was used",
	Concludes:      "site, for tab TAB: the token endpoint has answered for ANSWER",
	TellsOfLogout:  "victim: logs out at the WLS, which tells the site",
	FrontAnswers:   "front server: logs ANSWER (tab TAB, TOKEN), answers in the site's place",
}

var outcomeText = [...]string{
	Served:           "served",
	AskedToLogIn:     "sent to the WLS with TOKEN",
	TriedSilently:    "sent to the WLS with TOKEN, which is not to ask",
	Forbidden:        "may not come in",
	LoopStopped:      "a page stops the loop",
	LoggedIn:         "a session starts",
	KeptSession:      "keeps the session there is",
	Repeated:         "superfluous, to the clean URL",
	AskedWho:         "a page asks whether to log in",
	WentBack:         "back to the page without a login",
	AnsweredBetween:  "answered between two handlers",
	FormActs:         "it acts",
	FormKept:         "a page keeps it",
	FormLost:         "a page to log in",
	FormGone:         "refused, not a form that was kept here",
	LoggedOut:        "the session ends",
	NotNavigation:    "refused, no navigation",
	RefusedSignature: "refused, signature",
	RefusedVersion:   "refused, version",
	RefusedURL:       "refused, url",
	RefusedReplay:    "refused, response used before",
	RefusedToken:     "refused, token",
	RefusedTokenUsed: "refused, token used before",
	RefusedStatus:    "refused, status",
	RefusedStrength:  "refused, strength",
	RefusedConfirm:   "refused, button",
	RefusedIssuer:    "refused, issuer",
	RefusedCode:      "refused, the provider does not take the code",
	RefusedNonce:     "refused, nonce",
	RefusedEnded:     "refused, a login that has ended",
	AsksProvider:     "asks the token endpoint",
}

var routeText = [...]string{
	Lax: "/lax", Strict: "/strict", Quiet: "/quiet", Dotted: "/lax/%2e%2e/open", Open: "/open", Elsewhere: "the attacker's site", Callback: "/login",
}

var iactText = [...]string{Yes: ", iact=yes", No: ", iact=no"}

// String describes the step. Numbers of tokens and responses are given out again when
// nothing depends on the old ones any more.
func (s Step) String() string {
	text := kindText[s.Kind]
	if s.Outcome != NoOutcome {
		text += ": " + outcomeText[s.Outcome]
	}
	token, answer, state, bound := "token", "response", "", ""
	if s.At.openID() {
		token, answer = "state", "answer"
		state = " with " + numbered(token, uint8(s.Token))
		if bound = ", no nonce, no challenge"; s.Bound < NoChallenge {
			bound = ", nonce of " + numbered(token, uint8(s.Bound))
		}
	}
	cookies := when(s.NewSecret, ", a login cookie") + when(s.NewSession, ", a session cookie")
	return strings.NewReplacer("TAB", strconv.Itoa(s.Tab+1), "ROUTE", routeText[s.Route], "TOKEN", numbered(token, uint8(s.Token)),
		"ANSWER", numbered(answer, uint8(s.Answer)), "COOKIES", cookies, "STATE", state, "BOUND", bound, "WLS", serviceText[s.At],
		"OLD", when(s.Old, ", version 1"), "IACT", iactText[s.IAct], "BAD", when(s.Bad, " that the route refuses")).Replace(text)
}

var serviceText = [...]string{WLS: "WLS", Provider: "provider", Rogue: "attacker's provider"}

func numbered(what string, n uint8) string {
	if n == 0 {
		return "no " + what
	}
	return what + " " + strconv.Itoa(int(n))
}

// request notes what a tab asks for at a login service.
func (s *Step) request(t *Tab) {
	s.At, s.Route, s.Token, s.Bound, s.IAct, s.Old = t.At, t.Route, t.Token, t.Bound, t.IAct, t.Old
}

func when(b bool, text string) string {
	if b {
		return text
	}
	return ""
}
