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
		case t.Phase == Idle:
			m.send(s, Step{Kind: Visits, Tab: i}, request{route: Lax}, emit)
			m.send(s, Step{Kind: Visits, Tab: i}, request{route: Strict}, emit)
			m.logsOut(s, i, emit)
		case t.Phase == AtWLS:
			m.atWLS(s, i, emit)
		case t.Phase == Back:
			m.send(s, Step{Kind: Returns, Tab: i}, request{route: t.Route, answer: t.Answer}, emit)
		case t.Phase == Replying:
			m.arrives(s, i, emit)
		}
	}
}

func (s *State) opening() bool { return s.Tabs[0].Phase == Opening || s.Tabs[1].Phase == Opening }

// send brings a request to the site, with the cookies of this moment.
func (m *Model) send(s State, step Step, q request, emit func(Step, State)) {
	q.cookies = s.Jar
	if step.Kind == Visits {
		s.acted()
	}
	t, out, ok := m.receive(&s, q)
	if !ok {
		return
	}
	if t.Phase != Idle {
		t.Redirects = s.Tabs[step.Tab].Redirects + 1
	}
	s.Tabs[step.Tab] = t
	step.Route, step.Answer, step.Token, step.Outcome = q.route, q.answer, t.Token, out
	emit(step, s)
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

// arrives is the arrival of a reply: its cookies are stored and its redirect followed.
// Replies to two tabs arrive in either order.
func (m *Model) arrives(s State, i int, emit func(Step, State)) {
	t := s.Tabs[i]
	step := Step{Kind: Arrives, Tab: i, NewSecret: t.SetSecret != NoSecret, NewSession: t.SetSession}
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
	if t.Logout {
		for j := range s.Answers {
			s.Answers[j].Bygone = s.Answers[j].Exists
		}
	}
	if t.Then == Idle {
		s.Tabs[i] = Tab{}
	} else {
		s.Tabs[i] = Tab{Phase: t.Then, Route: t.Route, Token: t.Token, Typing: t.Typing, Redirects: t.Redirects}
	}
	emit(step, s)
}
