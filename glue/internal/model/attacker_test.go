package model

import "slices"

// attacker gives the attacker's steps. With the site and the WLS he talks by himself;
// for what he cannot do by himself he uses the victim's browser.
func (m *Model) attacker(s State, emit func(Step, State)) {
	if m.can(HasAccount) {
		m.getsTokens(s, emit)
		m.logsInHimself(s, emit)
		m.presents(s, emit)
		if m.can(SendsForms) {
			m.keepsForm(s, emit)
		}
	}
	if m.can(Navigates) {
		m.navigates(s, emit)
	}
	if m.can(Fetches) && s.SSO {
		m.fetches(s, emit)
	}
	if m.can(ReadsAll) {
		m.pressesHimself(s, emit)
		m.fetchesAgain(s, emit)
	}
	if m.can(Tosses) {
		m.tosses(s, emit)
	}
	if m.can(SignsAsOther) {
		m.signsAsOther(s, emit)
	}
	if m.can(Restarts) {
		m.restarts(s, emit)
	}
}

// reveal shows a response, and the token that comes with it, to the attacker.
func (s *State) reveal(r AnswerRef, token TokenRef) {
	s.answer(r).Seen = true
	if token != 0 {
		s.token(token).Seen = true
	}
}

// params are what the attacker can put into a request: nothing, a token that he got
// himself, one that he read.
func (s *State) params() []TokenRef {
	known := []TokenRef{0}
	for i, t := range s.Tokens {
		if t.Secret == AttackersSecret || t.Seen {
			known = append(known, TokenRef(i+1))
		}
	}
	return known
}

func (m *Model) getsTokens(s State, emit func(Step, State)) {
	for _, route := range m.routes() {
		if route == Dotted && m.on(SignsNormalised) {
			continue
		}
		for _, at := range m.services() {
			n := s
			if r := m.newToken(&n, Token{At: at, Secret: AttackersSecret, Route: route}); r != 0 {
				emit(Step{Kind: GetsToken, At: at, Route: route, Token: r}, n)
			}
		}
	}
}

// logsInHimself gets responses about the attacker, of either version, or codes.
func (m *Model) logsInHimself(s State, emit func(Step, State)) {
	for _, at := range m.services() {
		if at == Provider {
			for _, t := range m.proofs(&s) {
				m.gets(s, Step{Kind: LogsInHimself}, Answer{Who: Attacker, Typed: true, URL: Callback, Seen: true}, t, emit)
			}
		}
		if at != WLS {
			continue
		}
		for _, token := range s.params() {
			for _, url := range routesPlain {
				for _, old := range [...]bool{false, true} {
					a := Answer{Who: Attacker, Typed: true, URL: url, Seen: true}
					m.gets(s, Step{Kind: LogsInHimself}, a, Tab{Token: token, Old: old}, emit)
				}
			}
		}
	}
}

// proofs are what the attacker can put into a request to the provider that the answer will be
// judged by: nonce and challenge of a request that he got himself, or knows, or none.
func (m *Model) proofs(s *State) []Tab {
	known := []Tab{{At: Provider}, {At: Provider, Bound: NoChallenge}}
	for i, t := range s.Tokens {
		if t.At.openID() && (t.Secret == AttackersSecret || t.Seen && m.readsAll(t.At)) {
			known = append(known, Tab{At: Provider, Bound: TokenRef(i + 1)})
		}
	}
	return known
}

// gets is a response to a request of the attacker's making.
func (m *Model) gets(s State, step Step, a Answer, t Tab, emit func(Step, State)) {
	a.At, a.Token, a.Bound, a.Old = t.At, t.Token, t.Bound, t.Old
	if step.Answer = m.newAnswer(&s, a); step.Answer != 0 {
		t.Route = a.URL
		step.request(&t)
		emit(step, s)
	}
}

// brings gives what the attacker can bring the site, or have the victim's browser bring:
// any response that he has, a code beside any state.
func (m *Model) brings(s *State, each func(request)) {
	for i, a := range s.Answers {
		q := request{answer: AnswerRef(i + 1), route: Callback}
		switch {
		case !a.Seen:
		case a.At.openID():
			for _, q.token = range s.params() {
				each(q)
			}
		default:
			for _, q.route = range m.routes() {
				each(q)
			}
		}
	}
}

// presents brings the site a response that the attacker has, or a failure that he wrote,
// with his own secret.
func (m *Model) presents(s State, emit func(Step, State)) {
	if m.can(GoesBack) {
		for i, t := range s.Tokens {
			if t.Secret == AttackersSecret {
				n := s
				q := request{route: t.url(), madeUp: true, token: TokenRef(i + 1), cookies: s.attackers()}
				_, out, _ := m.receive(&n, q)
				emit(Step{Kind: FailsHimself, At: t.At, Route: q.route, Token: q.token, Outcome: out}, n)
			}
		}
	}
	m.brings(&s, func(q request) {
		n := s
		q.cookies = Jar{Secret: AttackersSecret}
		t, out, ok := m.receive(&n, q)
		if t.SetSession {
			n.Held = t.Session
		}
		if ok {
			emit(Step{Kind: Presents, At: s.answer(q.answer).At, Route: q.route, Token: q.token, Answer: q.answer, Outcome: out}, n)
		}
	})
}

func (m *Model) navigates(s State, emit func(Step, State)) {
	for i := range m.Tabs {
		if s.Tabs[i].resting() || s.Tabs[i].Phase == AtWLS && s.Tabs[i].At == Rogue {
			m.toWLS(s, i, emit)
			m.toSite(s, i, emit)
			if m.can(GoesBack) {
				m.toPages(s, i, emit)
			}
		}
	}
}

// toWLS sends a tab to the login service with a request of the attacker's making. It is in
// vain to alter the version of one that he cannot use, so only one such is tried.
func (m *Model) toWLS(s State, i int, emit func(Step, State)) {
	send := func(t Tab) {
		t.Phase = AtWLS
		s.Tabs[i] = t
		step := Step{Kind: SendsToWLS, Tab: i}
		step.request(&t)
		emit(step, s)
	}
	if m.can(OpenID) {
		m.toProvider(&s, send)
	}
	if !slices.Contains(m.services(), WLS) {
		return
	}
	for _, token := range s.params() {
		for _, url := range m.routes() {
			send(Tab{Route: url, Token: token})
			send(Tab{Route: url, Token: token, IAct: Yes})
		}
		send(Tab{Route: Elsewhere, Token: token})
		send(Tab{Route: Elsewhere, Token: token, IAct: Yes})
		send(Tab{Route: Lax, Token: token, Old: true})
	}
}

// toProvider gives requests to the provider: with the site's address or, as another client of
// the provider's, that of the attacker's own.
func (m *Model) toProvider(s *State, send func(Tab)) {
	for _, t := range m.proofs(s) {
		for _, t.IAct = range [...]IAct{AsNeeded, Yes} {
			t.Token, t.Route = 0, Elsewhere
			send(t)
			t.Route = Callback
			for _, t.Token = range s.params() {
				send(t)
			}
		}
	}
}

// toSite is also the victim's own back button: all that the victim brought to the
// site is in the log.
func (m *Model) toSite(s State, i int, emit func(Step, State)) {
	m.brings(&s, func(q request) {
		n := s
		n.Tabs[i] = Tab{Phase: Back, Route: q.route, Answer: q.answer, Token: q.token}
		emit(Step{Kind: SendsToSite, Tab: i, At: s.answer(q.answer).At, Route: q.route, Token: q.token, Answer: q.answer}, n)
	})
}

// toPages sends a tab to the site with a failure that he wrote, and to the button of a
// page that asked him, or that was pressed: it is in the log.
func (m *Model) toPages(s State, i int, emit func(Step, State)) {
	for _, token := range s.params() {
		if token != 0 {
			q := request{route: s.token(token).url(), madeUp: true, token: token}
			m.send(s, Step{Kind: MakesUpFailure, Tab: i}, q, emit)
		}
	}
	for j, a := range s.Answers {
		if a.Button == AttackersSecret || a.Pressed && m.can(ReadsLog) || a.Button != NoSecret && m.can(ReadsAll) {
			q := request{route: s.buttonAt(&a), button: AnswerRef(j + 1)}
			m.send(s, Step{Kind: SendsToButton, Tab: i}, q, emit)
		}
	}
}

// fetches sends a background request of the victim's browser through the WLS to the
// site. It carries no SameSite cookie, unless it passes for a page.
func (m *Model) fetches(s State, emit func(Step, State)) {
	fetch := func(t Tab) {
		if t.Route != Elsewhere && t.IAct == AsNeeded {
			m.fetchesWith(s, t, emit)
		}
	}
	if m.can(OpenID) {
		m.toProvider(&s, fetch)
	}
	if slices.Contains(m.services(), WLS) {
		for _, token := range s.params() {
			for _, url := range m.routes() {
				fetch(Tab{Route: url, Token: token})
			}
		}
	}
	if !m.on(OnlyPages) { // it can begin at the site, then
		t, out, ok := m.visit(&s, request{route: Lax, at: m.services()[0], cookies: s.Jar})
		if m.store(&s, &t); ok && out == AskedToLogIn {
			m.fetchesWith(s, t, emit)
		}
	}
}

func (m *Model) fetchesWith(s State, t Tab, emit func(Step, State)) {
	q := request{route: opened(t.Route), token: t.Token, fetch: true}
	q.answer = m.newAnswer(&s, Answer{At: t.At, Who: Victim, URL: t.Route, Token: t.Token, Bound: t.Bound})
	if q.answer == 0 {
		return
	}
	if !m.on(OnlyPages) {
		q.cookies = s.Jar
	}
	step := Step{Kind: FetchesLogin, Answer: q.answer}
	step.request(&t)
	reply, out, ok := m.receive(&s, q)
	if step.Outcome = out; ok {
		m.store(&s, &reply)
		emit(step, s)
	}
}

// pressesHimself presses, in his own browser, the button of a page that asked anybody.
func (m *Model) pressesHimself(s State, emit func(Step, State)) {
	for i, a := range s.Answers {
		if a.Button == NoSecret {
			continue
		}
		n := s
		q := request{route: s.buttonAt(&a), button: AnswerRef(i + 1), cookies: s.attackers()}
		t, out, _ := m.receive(&n, q)
		if t.SetSession {
			n.Held = t.Session
		}
		emit(Step{Kind: PressesHimself, Route: q.route, Answer: q.button, Outcome: out}, n)
	}
}

// fetchesAgain has the victim's browser fetch a page of the site with a response that there
// is already.
func (m *Model) fetchesAgain(s State, emit func(Step, State)) {
	m.brings(&s, func(q request) {
		n := s
		q.route, q.fetch = opened(q.route), true
		_, out, _ := m.receive(&n, q)
		emit(Step{Kind: FetchesAgain, At: s.answer(q.answer).At, Route: q.route, Token: q.token, Answer: q.answer, Outcome: out}, n)
	})
}

// tosses puts the attacker's cookies in place of the victim's, if the browser lets him.
func (m *Model) tosses(s State, emit func(Step, State)) {
	if m.on(HostPrefix) {
		emit(Step{Kind: TossesSecret}, s)
		return
	}
	s.Jar.Secret = AttackersSecret
	emit(Step{Kind: TossesSecret}, s)
	if s.Held != (Session{}) {
		s.Jar.Session = s.Held
		emit(Step{Kind: TossesSession}, s)
	}
}

// signsAsOther makes responses about the victim for our site, or gets a session as
// the victim at the other service's site.
func (m *Model) signsAsOther(s State, emit func(Step, State)) {
	a := Answer{Who: Victim, Typed: true, Other: true, Seen: true}
	if m.can(OpenID) {
		a.URL = Callback
		for _, t := range m.proofs(&s) {
			m.gets(s, Step{Kind: SignsOther}, a, t, emit)
		}
	} else {
		for _, token := range s.params() {
			m.gets(s, Step{Kind: SignsOther}, a, Tab{Token: token}, emit)
		}
	}
	if r := m.newAnswer(&s, Answer{Who: Victim, Typed: true}); r != 0 && s.Held == (Session{}) {
		s.Held = Session{Answer: r, Secret: AttackersSecret, Other: true}
		emit(Step{Kind: LogsInToOther, Answer: r}, s)
	}
}

// restarts loses what was used. A memory that knows when it began vouches for nothing older.
func (m *Model) restarts(s State, emit func(Step, State)) {
	used := m.on(Memory)
	for i := range s.Tokens {
		if t := &s.Tokens[i]; *t != (Token{}) {
			t.Spent, t.Astray, t.Failed = used, used && t.Astray, t.Failed && !used
		}
	}
	for i := range s.Answers {
		if a := &s.Answers[i]; a.Exists {
			a.Spent = used && !a.At.openID() // a code is as old as when it came; its state is older
			a.Pressed = a.Pressed || used && a.Button != NoSecret
		}
	}
	s.Form.Used = s.Form.Used || used && s.Form.By != Nobody
	emit(Step{Kind: MemoryLost}, s)
}
