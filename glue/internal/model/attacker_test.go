package model

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

// reveal shows a response, and the token in it, to the attacker.
func (s *State) reveal(r AnswerRef) {
	a := s.answer(r)
	a.Seen = true
	if a.Token != 0 {
		s.token(a.Token).Seen = true
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
		n := s
		if r := m.newToken(&n, Token{Secret: AttackersSecret, Route: route}); r != 0 {
			emit(Step{Kind: GetsToken, Route: route, Token: r}, n)
		}
	}
}

// logsInHimself gets responses about the attacker, of either version.
func (m *Model) logsInHimself(s State, emit func(Step, State)) {
	for _, token := range s.params() {
		for _, url := range routesPlain {
			for _, old := range [...]bool{false, true} {
				a := Answer{Who: Attacker, Typed: true, Old: old, URL: url, Token: token, Seen: true}
				m.gets(s, Step{Kind: LogsInHimself, Old: old}, a, emit)
			}
		}
	}
}

func (m *Model) gets(s State, step Step, a Answer, emit func(Step, State)) {
	if step.Answer = m.newAnswer(&s, a); step.Answer != 0 {
		step.Route, step.Token = a.URL, a.Token
		emit(step, s)
	}
}

// presents brings the site a response that the attacker has, or a failure that he wrote,
// with his own secret.
func (m *Model) presents(s State, emit func(Step, State)) {
	if m.can(GoesBack) {
		for i, t := range s.Tokens {
			if t.Secret == AttackersSecret {
				n := s
				q := request{route: t.Route, madeUp: TokenRef(i + 1), cookies: s.attackers()}
				_, out, _ := m.receive(&n, q)
				emit(Step{Kind: FailsHimself, Route: t.Route, Token: q.madeUp, Outcome: out}, n)
			}
		}
	}
	for i, a := range s.Answers {
		if !a.Seen {
			continue
		}
		for _, route := range m.routes() {
			n := s
			q := request{route: route, answer: AnswerRef(i + 1), cookies: Jar{Secret: AttackersSecret}}
			t, out, ok := m.receive(&n, q)
			if t.SetSession {
				n.Held = t.Session
			}
			if ok {
				emit(Step{Kind: Presents, Route: route, Answer: q.answer, Outcome: out}, n)
			}
		}
	}
}

func (m *Model) navigates(s State, emit func(Step, State)) {
	for i := range m.Tabs {
		if s.Tabs[i].resting() {
			m.toWLS(s, i, emit)
			m.toSite(s, i, emit)
			if m.can(GoesBack) {
				m.toPages(s, i, emit)
			}
		}
	}
}

// toWLS sends a tab to the WLS with a request of the attacker's making. It is in vain
// to alter the version of one that he cannot use, so only one such is tried.
func (m *Model) toWLS(s State, i int, emit func(Step, State)) {
	send := func(t Tab) {
		t.Phase = AtWLS
		s.Tabs[i] = t
		emit(Step{Kind: SendsToWLS, Tab: i, Route: t.Route, Token: t.Token, IAct: t.IAct, Old: t.Old}, s)
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

// toSite is also the victim's own back button: all that the victim brought to the
// site is in the log.
func (m *Model) toSite(s State, i int, emit func(Step, State)) {
	for j, a := range s.Answers {
		if !a.Seen {
			continue
		}
		for _, route := range m.routes() {
			s.Tabs[i] = Tab{Phase: Back, Route: route, Answer: AnswerRef(j + 1)}
			emit(Step{Kind: SendsToSite, Tab: i, Route: route, Answer: AnswerRef(j + 1)}, s)
		}
	}
}

// toPages sends a tab to the site with a failure that he wrote, and to the button of a
// page that asked him, or that was pressed: it is in the log.
func (m *Model) toPages(s State, i int, emit func(Step, State)) {
	for _, token := range s.params() {
		if token != 0 {
			q := request{route: s.token(token).Route, madeUp: token}
			m.send(s, Step{Kind: MakesUpFailure, Tab: i}, q, emit)
		}
	}
	for j, a := range s.Answers {
		if a.Button == AttackersSecret || a.Pressed && m.can(ReadsLog) || a.Button != NoSecret && m.can(ReadsAll) {
			q := request{route: a.URL, button: AnswerRef(j + 1)}
			m.send(s, Step{Kind: SendsToButton, Tab: i}, q, emit)
		}
	}
}

// fetches sends a background request of the victim's browser through the WLS to the
// site. It carries no SameSite cookie, unless it passes for a page.
func (m *Model) fetches(s State, emit func(Step, State)) {
	for _, token := range s.params() {
		for _, url := range m.routes() {
			m.fetchesWith(s, url, token, emit)
		}
	}
	if !m.on(OnlyPages) { // it can begin at the site, then
		t, out, ok := m.visit(&s, request{route: Lax, cookies: s.Jar})
		if m.store(&s, &t); ok && out == AskedToLogIn {
			m.fetchesWith(s, Lax, t.Token, emit)
		}
	}
}

func (m *Model) fetchesWith(s State, url Route, token TokenRef, emit func(Step, State)) {
	q := request{route: opened(url), fetch: true}
	if q.answer = m.newAnswer(&s, Answer{Who: Victim, URL: url, Token: token}); q.answer == 0 {
		return
	}
	if !m.on(OnlyPages) {
		q.cookies = s.Jar
	}
	if t, out, ok := m.receive(&s, q); ok {
		m.store(&s, &t)
		emit(Step{Kind: FetchesLogin, Route: url, Token: token, Answer: q.answer, Outcome: out}, s)
	}
}

// pressesHimself presses, in his own browser, the button of a page that asked anybody.
func (m *Model) pressesHimself(s State, emit func(Step, State)) {
	for i, a := range s.Answers {
		if a.Button == NoSecret {
			continue
		}
		n := s
		q := request{route: a.URL, button: AnswerRef(i + 1), cookies: s.attackers()}
		t, out, _ := m.receive(&n, q)
		if t.SetSession {
			n.Held = t.Session
		}
		emit(Step{Kind: PressesHimself, Route: a.URL, Answer: q.button, Outcome: out}, n)
	}
}

// fetchesAgain has the victim's browser fetch a page of the site with a response that there
// is already.
func (m *Model) fetchesAgain(s State, emit func(Step, State)) {
	for i, a := range s.Answers {
		if !a.Seen {
			continue
		}
		for _, route := range m.routes() {
			n := s
			q := request{route: opened(route), answer: AnswerRef(i + 1), fetch: true}
			_, out, _ := m.receive(&n, q)
			emit(Step{Kind: FetchesAgain, Route: q.route, Answer: q.answer, Outcome: out}, n)
		}
	}
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
	for _, token := range s.params() {
		a := Answer{Who: Victim, Typed: true, Other: true, URL: Lax, Token: token, Seen: true}
		m.gets(s, Step{Kind: SignsOther}, a, emit)
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
			t.Spent, t.Failed = used, t.Failed && !used
		}
	}
	for i := range s.Answers {
		if a := &s.Answers[i]; a.Exists {
			a.Spent = used
			a.Pressed = a.Pressed || used && a.Button != NoSecret
		}
	}
	s.Form.Used = s.Form.Used || used && s.Form.By != Nobody
	emit(Step{Kind: MemoryLost}, s)
}
