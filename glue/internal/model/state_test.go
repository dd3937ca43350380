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

// The site's routes, the attacker's own site, and the one to which OpenID Connect comes back.
const (
	Lax    Route = iota // a session will do
	Strict              // it began with a typed password
	Quiet               // it began without (iact=no)
	Dotted              // guarded as Lax is; a browser that is told to open it asks for Open
	Open                // no handler of ours: whatever arrives there is read by somebody
	Elsewhere
	Callback
)

// guarded is the number of routes that a handler of ours answers.
const guarded = int(Open)

// Service is where somebody logs in.
type Service uint8

// The WLS and the OpenID providers that the site may know: an honest one, and one that is the
// attacker's.
const (
	WLS Service = iota
	Provider
	Rogue
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

// Token is what the site puts into params, or into state. Its route says how strong a login
// it asks for: Strict wants a password typed now.
type Token struct {
	At     Service
	Secret Secret // of the browser that it was made for
	Route  Route
	Silent bool  // silent sign-in asked, so it asks for a login without a typed password
	Depth  uint8 // of what may be a loop
	Spent  bool
	Astray bool // spent by an answer of the other kind
	Failed bool // the browser remembers that its login failed
	Again  bool // a success came after that
	Logins uint8
	Seen   bool // the attacker knows it
}

// TokenRef is the number of a token, from 1; 0 is none.
type TokenRef uint8

// What a code may be bound to but a token.
const (
	NoChallenge TokenRef = maxTokens + 1 + iota // the request for it had none, and no nonce
	Redeemed                                    // the provider has taken it
	boundRefs
)

// Answer is a response of a WLS, or what comes back from an OpenID provider: a code, or an
// error where it is about Nobody.
type Answer struct {
	Exists   bool
	At       Service
	Who      Person
	Typed    bool // a password was typed for it
	Old      bool // it is of version 1
	Other    bool // it is signed by the other service
	MadeUp   bool // nobody signed it
	URL      Route
	Token    TokenRef // that comes with it; the attacker puts any state beside a code
	Bound    TokenRef // whose nonce and challenge the request for the code had; 0 is the attacker's own
	Spent    bool
	Seen     bool   // the attacker has it
	Sessions uint8  // that it began
	Bygone   bool   // the victim has logged out since
	Named    bool   // by the provider, which says that the login it was of has ended
	Button   Secret // a page asked in the browser with this secret whether to log in with it
	Pressed  bool   // and its button was pressed
}

// AnswerRef is the number of a response, from 1; 0 is none.
type AnswerRef uint8

// Session is a sealed session; the zero Session is none.
type Session struct {
	Answer AnswerRef // that it began with
	Secret Secret    // of the browser then
	Asked  bool      // the response was to a request made by the site for this browser
	Other  bool      // sealed by the other service's site
	Ended  bool
}

// Marks is the loop cookie: for each route, the depth of the deepest request that came
// back for it.
type Marks [guarded]uint8

// Jar holds a browser's cookies for the site.
type Jar struct {
	Secret  Secret
	Session Session
	Marks   Marks
	Tried   bool // silent sign-in was
}

// IAct is what a request to the WLS says of asking the person.
type IAct uint8

// As needed, always, never.
const (
	AsNeeded IAct = iota
	Yes
	No
)

// Phase is what a tab is up to.
type Phase uint8

// Phases.
const (
	Idle       Phase = iota // shows a page
	AtWLS                   // waits for the login service, or for the victim to type a password there
	Back                    // is about to bring a response to the site
	Opening                 // is about to open a clean URL that it was redirected to
	Replying                // waits for a reply of the site that sets cookies
	Exchanging              // waits for the site, which asks the token endpoint
	Asking                  // shows a page that asks whether to log in
)

// Tab is one tab of the victim's browser. A reply that sets no cookies arrives at
// once: when it arrives makes no difference.
type Tab struct {
	Phase  Phase
	At     Service   // at the login service, which
	Route  Route     // asked for; at the login service, url or redirect_uri
	Token  TokenRef  // at the login service, params or state; on the way back, state
	Bound  TokenRef  // at the provider, as in Answer
	IAct   IAct      // at the login service
	Old    bool      // at the WLS, ver=1
	Answer AnswerRef // on the way back, the response; on a page that asks, that of the login to be

	// What a reply on its way does. Zero fields change nothing. While the site asks the token
	// endpoint: the cookies that came.
	Then       Phase
	SetSecret  Secret
	SetSession bool // to Session, which may be none
	Session    Session
	SetMarks   bool
	Marks      Marks
	SetTried   bool
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
	Form    Form // that is kept, in a page of its sender's

	Leaked   bool // a code of the provider's went to the attacker's
	Stopped  bool // a browser that keeps its cookies was told that it goes round in circles
	Weakened bool // a login took away what a typed password had proved
}

func (s *State) token(r TokenRef) *Token    { return &s.Tokens[r-1] }
func (s *State) answer(r AnswerRef) *Answer { return &s.Answers[r-1] }

// openID reports whether a service speaks OpenID Connect.
func (s Service) openID() bool { return s != WLS }

// url is where the answer to a request with the token comes to.
func (t *Token) url() Route {
	if t.At.openID() {
		return Callback
	}
	return t.Route
}

// ask is a tab that was sent to a login service by the site, with a token.
func (s *State) ask(r TokenRef, iact IAct) Tab {
	t := s.token(r)
	tab := Tab{Phase: AtWLS, At: t.At, Route: t.url(), Token: r, IAct: iact}
	if t.At.openID() {
		tab.Bound = r
	}
	return tab
}

// resting reports whether the tab shows a page.
func (t *Tab) resting() bool { return t.Phase == Idle || t.Phase == Asking }

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
	used[s.Jar.Secret], used[s.Jar.Session.Secret], used[s.Held.Secret], used[s.Form.Secret] = true, true, true, true
	for i := range s.Tabs {
		used[s.Tabs[i].SetSecret], used[s.Tabs[i].Session.Secret] = true, true
	}
	for i := range s.Tokens {
		used[s.Tokens[i].Secret] = true
	}
	for i := range s.Answers {
		used[s.Answers[i].Button] = true
	}
	for n := AttackersSecret + 1; n <= maxSecret; n++ {
		if !used[n] {
			return n
		}
	}
	return NoSecret
}
