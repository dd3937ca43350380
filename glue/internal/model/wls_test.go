package model

// atWLS has the login service answer the request that a tab brought: at once if it knows the
// victim and need not ask, or may not; else after the victim typed the password, or
// cancelled.
func (m *Model) atWLS(s State, i int, emit func(Step, State)) {
	if s.Tabs[i].At == Rogue {
		return // the attacker takes it from there
	}
	iact := s.Tabs[i].IAct
	if s.SSO && (iact != Yes || m.can(IgnoresIAct)) {
		m.answers(s, Step{Kind: SignsOn, Tab: i}, Answer{Who: Victim}, emit)
	}
	switch {
	case iact == No && !s.SSO:
		m.answers(s, Step{Kind: MayNotAsk, Tab: i}, Answer{Who: Nobody}, emit)
	case !s.SSO || iact == Yes:
		if !m.can(NeverCancels) {
			m.answers(s, Step{Kind: Cancels, Tab: i}, Answer{Who: Nobody}, emit)
		}
		m.answers(s, Step{Kind: Types, Tab: i}, Answer{Who: Victim, Typed: true}, emit)
	}
}

// answers sends the tab back to the request's url, with a response.
func (m *Model) answers(s State, step Step, a Answer, emit func(Step, State)) {
	t := &s.Tabs[step.Tab]
	if step.Kind == Types || step.Kind == Cancels {
		s.acted()
	}
	s.SSO = s.SSO || a.Typed
	a.At, a.URL, a.Token, a.Old, a.Bound = t.At, t.Route, t.Token, t.Old, t.Bound
	if t.At.openID() && a.Who == Nobody {
		a.Bound = 0
	}
	r := m.newAnswer(&s, a)
	if r == 0 {
		return
	}
	step.request(t)
	step.Answer = r
	*t = Tab{Phase: Back, Route: a.URL, Answer: r, Token: a.Token, Redirects: t.Redirects + 1}
	if a.URL == Elsewhere {
		*t = Tab{}
	}
	if a.URL == Elsewhere || m.can(ReadsAll) {
		s.reveal(r, a.Token)
	}
	emit(step, s)
}
