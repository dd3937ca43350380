package model

// Person is whom a response is about.
type Person uint8

// The two people; a response about Nobody is a cancel.
const (
	Nobody Person = iota
	Victim
	Attacker
)

// Route is an address: one that is asked for, or that a response was made for.
type Route uint8

// Two routes of the site, and the attacker's own site.
const (
	Lax Route = iota
	Strict
	Elsewhere
)

// Secret names the value of a browser's login cookie.
type Secret uint8

// Every Secret above AttackersSecret was made for the victim's browser.
const (
	NoSecret Secret = iota
	AttackersSecret
	maxSecret = 7
)

// Room in a state; a Scenario may use less of it.
const (
	maxTabs    = 2
	maxTokens  = 4
	maxAnswers = 3
)

// Token is what the site puts into params. Its route says how strong a login it asks
// for: Strict wants a password typed now.
type Token struct {
	Secret Secret // of the browser that it was made for
	Route  Route
	Spent  bool
	Seen   bool // the attacker knows it
}

// TokenRef is the number of a token, from 1; 0 is none.
type TokenRef uint8

// Answer is a response of a WLS.
type Answer struct {
	Exists   bool
	Who      Person
	Typed    bool // a password was typed for it
	Old      bool // it is of version 1
	Other    bool // it is signed by the other service
	URL      Route
	Token    TokenRef
	Spent    bool
	Seen     bool  // the attacker has it
	Sessions uint8 // that it began
	Bygone   bool  // the victim has logged out since
}

// AnswerRef is the number of a response, from 1; 0 is none.
type AnswerRef uint8

// Session is a sealed session; the zero Session is none.
type Session struct {
	Answer AnswerRef // that it began with
	Secret Secret    // of the browser then
	Asked  bool      // the response was to a request made by the site for this browser
	Other  bool      // sealed by the other service's site
}

// Jar holds a browser's cookies for the site. The marks are the loop cookie: for each
// route, the steps counted since its first login.
type Jar struct {
	Secret  Secret
	Session Session
	Marks   [2]uint8
}

// Phase is what a tab is up to.
type Phase uint8

// Phases.
const (
	Idle     Phase = iota // shows a page
	AtWLS                 // waits for the WLS, or for the victim to type a password there
	Back                  // is about to bring a response to the site
	Opening               // is about to open a clean URL that it was redirected to
	Replying              // waits for a reply of the site that sets cookies
)

// Tab is one tab of the victim's browser. A reply that sets no cookies arrives at
// once: when it arrives makes no difference.
type Tab struct {
	Phase  Phase
	Route  Route     // asked for; at the WLS, url
	Token  TokenRef  // at the WLS, params
	Typing bool      // at the WLS, iact=yes
	Old    bool      // at the WLS, ver=1
	Answer AnswerRef // on the way back, the response

	// What a reply on its way does. Zero fields change nothing.
	Then       Phase
	SetSecret  Secret
	SetSession bool // to Session, which may be none
	Session    Session
	SetMarks   bool
	Marks      [2]uint8
	Logout     bool

	Redirects uint8 // since the victim last did something
}

// State is the whole world at one moment.
type State struct {
	Jar     Jar // the victim's
	Tabs    [maxTabs]Tab
	SSO     bool    // the victim is logged in at the WLS
	Held    Session // by the attacker, whose browser has AttackersSecret
	Tokens  [maxTokens]Token
	Answers [maxAnswers]Answer
}

func (s *State) token(r TokenRef) *Token    { return &s.Tokens[r-1] }
func (s *State) answer(r AnswerRef) *Answer { return &s.Answers[r-1] }

// acted notes that the victim did something, so that redirects are counted anew.
func (s *State) acted() {
	for i := range s.Tabs {
		s.Tabs[i].Redirects = 0
	}
}

// newToken gives 0 where the scenario has no room, as do newAnswer and newSecret.
func (m *Model) newToken(s *State, t Token) TokenRef {
	for i := range m.Tokens {
		if s.Tokens[i] == (Token{}) {
			s.Tokens[i] = t
			return TokenRef(i + 1)
		}
	}
	return 0
}

func (m *Model) newAnswer(s *State, a Answer) AnswerRef {
	for i := range m.Answers {
		if !s.Answers[i].Exists {
			a.Exists = true
			s.Answers[i] = a
			return AnswerRef(i + 1)
		}
	}
	return 0
}

func (s *State) newSecret() Secret {
	var used [maxSecret + 1]bool
	used[s.Jar.Secret], used[s.Jar.Session.Secret], used[s.Held.Secret] = true, true, true
	for i := range s.Tabs {
		used[s.Tabs[i].SetSecret], used[s.Tabs[i].Session.Secret] = true, true
	}
	for i := range s.Tokens {
		used[s.Tokens[i].Secret] = true
	}
	for n := AttackersSecret + 1; n <= maxSecret; n++ {
		if !used[n] {
			return n
		}
	}
	return NoSecret
}
