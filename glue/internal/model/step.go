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
	Follows
	Returns
	Arrives
	SignsOn
	Types
	Cancels
	GetsToken
	LogsInHimself
	Presents
	SendsToWLS
	SendsToSite
	FetchesLogin
	TossesSecret
	TossesSession
	SignsOther
	LogsInToOther
	MemoryLost
)

// Outcome is what the site makes of a request.
type Outcome uint8

// Outcomes.
const (
	NoOutcome Outcome = iota
	Served
	AskedToLogIn
	Forbidden
	LoopStopped
	LoggedIn
	KeptSession
	Repeated
	LoggedOut
	NotNavigation
	RefusedSignature
	RefusedVersion
	RefusedURL
	RefusedReplay
	RefusedToken
	RefusedTokenUsed
	RefusedStatus
	RefusedStrength
)

// Step is one thing that happens. A kind uses those fields that its text names.
type Step struct {
	Kind       Kind
	Tab        int
	Route      Route
	Token      TokenRef
	Answer     AnswerRef
	Typing     bool
	Old        bool
	NewSecret  bool
	NewSession bool
	Outcome    Outcome
}

var kindText = [...]string{
	Visits:        "victim, tab TAB: opens ROUTE",
	PressesLogout: "victim, tab TAB: presses the logout button",
	Follows:       "victim, tab TAB: follows the redirect to ROUTE",
	Returns:       "victim, tab TAB: brings ANSWER to ROUTE",
	Arrives:       "victim, tab TAB: the reply arrivesCOOKIES",
	SignsOn:       "WLS: knows the victim, signs ANSWER (tab TAB, url ROUTE, TOKEN)",
	Types:         "WLS: the victim types the password, it signs ANSWER (tab TAB, url ROUTE, TOKEN)",
	Cancels:       "WLS: the victim cancels, it sends ANSWER (tab TAB, url ROUTE, TOKEN)",
	GetsToken:     "attacker: gets TOKEN for ROUTE from the site",
	LogsInHimself: "attacker: logs in at the WLS, keeps ANSWER (url ROUTE, TOKENOLD)",
	Presents:      "attacker: brings ANSWER to ROUTE",
	SendsToWLS:    "attacker: sends the victim's tab TAB to the WLS (url ROUTE, TOKENTYPINGOLD)",
	SendsToSite:   "attacker: sends the victim's tab TAB to ROUTE with ANSWER",
	FetchesLogin:  "attacker: has the victim's browser fetch ANSWER through the WLS (url ROUTE, TOKEN)",
	TossesSecret:  "attacker: sets the victim's login cookie to his own",
	TossesSession: "attacker: sets the victim's login and session cookies to his own",
	SignsOther:    "attacker: signs ANSWER about the victim as the other service (url ROUTE, TOKEN)",
	LogsInToOther: "attacker: logs in as the victim at a site of the other service (ANSWER)",
	MemoryLost:    "site: forgets what was used",
}

var outcomeText = [...]string{
	Served:           "served",
	AskedToLogIn:     "sent to the WLS with TOKEN",
	Forbidden:        "may not come in",
	LoopStopped:      "a page stops the loop",
	LoggedIn:         "a session starts",
	KeptSession:      "keeps the session there is",
	Repeated:         "superfluous, to the clean URL",
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
}

var routeText = [...]string{Lax: "/lax", Strict: "/strict", Elsewhere: "the attacker's site"}

// String describes the step. Numbers of tokens and responses are given out again when
// nothing depends on the old ones any more.
func (s Step) String() string {
	text := kindText[s.Kind]
	if s.Outcome != NoOutcome {
		text += ": " + outcomeText[s.Outcome]
	}
	token := "no token"
	if s.Token != 0 {
		token = "token " + strconv.Itoa(int(s.Token))
	}
	cookies := when(s.NewSecret, ", a login cookie") + when(s.NewSession, ", a session cookie")
	return strings.NewReplacer("TAB", strconv.Itoa(s.Tab+1), "ROUTE", routeText[s.Route], "TOKEN", token,
		"ANSWER", "response "+strconv.Itoa(int(s.Answer)), "COOKIES", cookies,
		"OLD", when(s.Old, ", version 1"), "TYPING", when(s.Typing, ", iact=yes")).Replace(text)
}

func when(b bool, text string) string {
	if b {
		return text
	}
	return ""
}
