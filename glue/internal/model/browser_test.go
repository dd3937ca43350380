package model

// browser gives the steps of the victim and of the victim's browser.
func (m *Model) browser(s State, emit func(Step, State)) {
	opening := s.opening()
	for i := range m.Tabs {
		t := &s.Tabs[i]
		switch {
		case t.Phase == Opening:
			m.send(s, Step{Kind: Follows, Tab: i}, request{route: t.Route}, emit)
		case opening:
		case t.resting():
			m.acts(s, i, emit)
		case t.Phase == AtWLS:
			m.atWLS(s, i, emit)
		case t.Phase == Back:
			m.frontAnswers(s, i, emit)
			m.send(s, Step{Kind: Returns, Tab: i}, request{route: t.Route, answer: t.Answer, token: t.Token}, emit)
		case t.Phase == Exchanging:
			m.concludes(s, i, emit)
		case t.Phase == Replying:
			m.arrives(s, i, emit)
		}
	}
	if m.can(LogsOutThere) && s.SSO {
		m.logsOutThere(s, emit)
	}
	if m.can(SendsForms) && m.accepts(&s, s.Jar) {
		m.sessionEnds(s, emit)
	}
}

// sessionEnds ends what there is of sessions in the victim's browser, also what is on its
// way to it, and what a page offers.
func (m *Model) sessionEnds(s State, emit func(Step, State)) {
	s.Jar.Session.Ended = true
	for i := range s.Tabs {
		s.Tabs[i].Session.Ended = s.Tabs[i].Session != Session{}
	}
	for i := range s.Answers {
		if a := &s.Answers[i]; a.Button > AttackersSecret {
			a.Button = NoSecret
		}
	}
	emit(Step{Kind: SessionEnds}, s)
}

func (s *State) opening() bool { return s.Tabs[0].Phase == Opening || s.Tabs[1].Phase == Opening }

// acts gives what the victim may do with a tab that shows a page.
func (m *Model) acts(s State, i int, emit func(Step, State)) {
	for _, route := range m.routes() {
		m.send(s, Step{Kind: Visits, Tab: i}, request{route: route}, emit)
	}
	m.logsOut(s, i, emit)
	if m.can(GoesBack) {
		m.presses(s, i, emit)
		m.goesBack(s, i, emit)
	}
	if m.can(SendsForms) {
		m.sendsForm(s, i, emit)
		m.continues(s, i, emit)
	}
}

// frontAnswers loses, on its way to the site, the answer to a request that the site made
// for this browser.
func (m *Model) frontAnswers(s State, i int, emit func(Step, State)) {
	a := s.answer(s.Tabs[i].Answer)
	if !m.can(FrontFails) || a.Token == 0 || a.Token != a.Bound || s.token(a.Token).Secret == AttackersSecret {
		return
	}
	step := Step{Kind: FrontAnswers, Tab: i, At: a.At, Token: a.Token, Answer: s.Tabs[i].Answer}
	s.reveal(step.Answer, step.Token)
	s.Tabs[i] = Tab{}
	emit(step, s)
}

// opened is what a browser asks for that is told to open a route (webauth/canonical.go).
func opened(r Route) Route {
	if r == Dotted {
		return Open
	}
	return r
}

// send brings a request to the site, with the cookies of this moment.
func (m *Model) send(s State, step Step, q request, emit func(Step, State)) {
	q.route = opened(q.route)
	if step.Kind == Visits || step.Kind == Presses {
		s.acted()
		if m.can(TakesMinutes) {
			s.Jar.Marks, s.Tabs[0].Marks, s.Tabs[1].Marks = Marks{}, Marks{}, Marks{}
		}
	}
	q.cookies = s.Jar
	if q.answer != 0 && m.can(Between) && !m.on(OuterSpends) {
		lost := q
		lost.between = true
		m.deliver(s, step, lost, emit)
	}
	for _, q.at = range m.services() {
		if out := m.deliver(s, step, q, emit); out != AskedToLogIn {
			return
		}
	}
}

// deliver emits what the site makes of a request.
func (m *Model) deliver(s State, step Step, q request, emit func(Step, State)) Outcome {
	t, out, ok := m.receive(&s, q)
	if !ok {
		return out
	}
	if !t.resting() {
		t.Redirects = s.Tabs[step.Tab].Redirects + 1
	}
	s.Tabs[step.Tab] = t
	s.Stopped = s.Stopped || out == LoopStopped && m.can(Nested) && m.Tabs == 1
	step.At, step.Route, step.Token, step.Outcome = t.At, q.route, t.Token, out
	if step.Answer = q.answer; q.button != 0 {
		step.Answer = q.button
	}
	if q.token != 0 {
		step.At, step.Token = s.token(q.token).At, q.token
	}
	if q.answer != 0 {
		step.At = s.answer(q.answer).At
	}
	emit(step, s)
	return out
}

// logsOut presses the button on the site's own page.
func (m *Model) logsOut(s State, i int, emit func(Step, State)) {
	if !m.can(LogsOut) || s.Jar.Secret == NoSecret {
		return
	}
	if t, ok := m.logOut(&s); ok {
		s.acted()
		s.Tabs[i] = t
		emit(Step{Kind: PressesLogout, Tab: i, Outcome: LoggedOut}, s)
	}
}

// presses goes on from a page that asks whether to log in. People do if it is
// themselves whom it names, and if it names nobody.
func (m *Model) presses(s State, i int, emit func(Step, State)) {
	t := &s.Tabs[i]
	if t.Phase == Asking && (!m.on(AskNames) || s.answer(t.Answer).Who == Victim) {
		m.send(s, Step{Kind: Presses, Tab: i}, request{route: t.Route, button: t.Answer}, emit)
	}
}

// goesBack opens the WLS's page of a failed login again, with the same token.
func (m *Model) goesBack(s State, i int, emit func(Step, State)) {
	for j := range s.Tokens {
		t := &s.Tokens[j]
		if t.Failed && t.Secret == s.Jar.Secret {
			n := s
			n.acted()
			n.Tabs[i] = s.ask(TokenRef(j+1), t.Route.iact())
			step := Step{Kind: GoesBackToWLS, Tab: i}
			step.request(&n.Tabs[i])
			emit(step, n)
		}
	}
}

// arrives is the arrival of a reply: its cookies are stored and its redirect followed.
// Replies to two tabs arrive in either order.
func (m *Model) arrives(s State, i int, emit func(Step, State)) {
	t := s.Tabs[i]
	step := Step{Kind: Arrives, Tab: i, NewSecret: t.SetSecret != NoSecret, NewSession: t.SetSession}
	m.store(&s, &t)
	if t.Logout {
		for j := range s.Answers {
			s.Answers[j].Bygone = s.Answers[j].Exists
		}
	}
	if t.Then == Idle {
		s.Tabs[i] = Tab{}
	} else {
		s.Tabs[i] = Tab{Phase: t.Then, At: t.At, Route: t.Route, Token: t.Token, Bound: t.Bound, IAct: t.IAct, Redirects: t.Redirects}
	}
	emit(step, s)
}

// store is what the victim's browser makes of the cookies that a reply sets.
func (m *Model) store(s *State, t *Tab) {
	stores := !m.can(LosesCookies)
	if stores && t.SetSecret != NoSecret {
		s.Jar.Secret = t.SetSecret
	}
	if stores && t.SetSession && !m.can(LosesSession) {
		s.Jar.Session = t.Session
	}
	if stores && t.SetMarks {
		s.Jar.Marks = t.Marks
	}
	s.Jar.Tried = s.Jar.Tried || t.SetTried
}
