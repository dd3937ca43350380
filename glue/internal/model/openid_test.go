package model

// What the site makes of what comes back from an OpenID provider (glue/oidclogin). An answer
// is a code, or an error; a state comes with it, or none. The code is what can be used once
// at the provider, so it counts as the response here; the state is a token.

// madeUp is a failure with a token, as anybody can write it.
func (s *State) madeUp(r TokenRef) *Answer {
	t := s.token(r)
	return &Answer{At: t.At, MadeUp: true, URL: t.url(), Token: r}
}

// returnTo is where a browser goes on to that comes back with a state.
func (s *State) returnTo(r TokenRef) Route {
	if r == 0 {
		return Lax
	}
	return s.token(r).Route
}

// buttonAt is where the button leads of a page that asks whether to log in.
func (s *State) buttonAt(a *Answer) Route {
	if a.At.openID() {
		return s.returnTo(a.Token)
	}
	return a.URL
}

// marksCode reports whether a code is marked as used that comes with this state.
func (m *Model) marksCode(s *State, a *Answer, q request) bool {
	switch {
	case !a.At.openID():
		return true
	case q.token == 0 || !m.known(s.token(q.token), a) || *s.token(q.token).spent(a):
		return m.on(StrayMarked)
	default:
		return s.token(q.token).At == a.At || m.on(MarkedForAll)
	}
}

// misissued reports whether an answer comes from another provider than the one that was asked.
func (m *Model) misissued(s *State, a *Answer, q request) bool {
	return m.on(Issuer) && q.token != 0 && s.token(q.token).At != a.At
}

// redeems reports whether the token endpoint is asked, where this comes of an answer.
func (m *Model) redeems(out Outcome) bool {
	switch out {
	case LoggedIn, RefusedCode, RefusedNonce, RefusedStrength:
		return true
	}
	return false
}

// redeem is what becomes of a code at the token endpoint. The attacker's provider keeps it.
func (m *Model) redeem(s *State, a *Answer, q request) {
	switch {
	case !a.At.openID():
	case q.token != 0 && s.token(q.token).At == Rogue:
		s.Leaked = s.Leaked || a.Who == Victim
		s.reveal(q.answer, q.token)
	case m.endpoint(s, a, q):
		a.Bound = Redeemed
	}
}

// judgeCode gives LoggedIn for a code for which the token endpoint gives a good identity token.
func (m *Model) judgeCode(s *State, a *Answer, q request) Outcome {
	switch {
	case !a.At.openID():
		return LoggedIn
	case q.token != 0 && s.token(q.token).At == Rogue, !m.endpoint(s, a, q):
		return RefusedCode
	case m.on(Nonce) && !m.bound(s, a, q):
		return RefusedNonce
	default:
		return LoggedIn
	}
}

// endpoint reports whether the provider takes a code, which it does once and for its client
// alone, with the verifier of its challenge. One that had none it takes with any.
func (m *Model) endpoint(s *State, a *Answer, q request) bool {
	foreign := a.Other || a.URL == Elsewhere
	return a.Bound != Redeemed && !(foreign && m.on(Audience)) && (a.Bound == NoChallenge || !m.on(PKCE) || m.bound(s, a, q))
}

// bound reports whether the request for a code had the nonce and the challenge that are
// derived of this state and this browser's secret.
func (m *Model) bound(s *State, a *Answer, q request) bool {
	if a.Bound == 0 || a.Bound != q.token {
		return false
	}
	return s.token(a.Bound).Secret == q.cookies.Secret || !m.on(ProofBound)
}

// exchanging is a tab whose login the site asks the token endpoint about.
func (m *Model) exchanging(q request) Tab {
	c := q.cookies
	return Tab{Phase: Exchanging, Answer: q.answer, Token: q.token, SetSecret: c.Secret, Session: c.Session, Marks: c.Marks, SetTried: c.Tried}
}

// concludes goes on with the login once the token endpoint has answered.
func (m *Model) concludes(s State, i int, emit func(Step, State)) {
	t := s.Tabs[i]
	q := request{answer: t.Answer, token: t.Token, cookies: Jar{t.SetSecret, t.Session, t.Marks, t.SetTried}}
	q.route = s.returnTo(t.Token)
	next, out := Tab{}, RefusedEnded
	if !m.on(LogoutNoted) || !s.answer(t.Answer).Named {
		next, out = m.accepted(&s, q, false)
	}
	next.Redirects = t.Redirects
	s.Tabs[i] = next
	emit(Step{Kind: Concludes, Tab: i, At: Provider, Answer: t.Answer, Token: t.Token, Outcome: out}, s)
}

// logsOutThere ends the victim's login at the provider, which tells the site: what it keeps
// of sessions that began by it is deleted.
func (m *Model) logsOutThere(s State, emit func(Step, State)) {
	s.SSO = false
	for i := range s.Answers {
		a := &s.Answers[i]
		a.Named = a.Named || a.At == Provider && a.Who == Victim
	}
	for _, session := range []*Session{&s.Jar.Session, &s.Held, &s.Tabs[0].Session, &s.Tabs[1].Session} {
		if session.Answer != 0 && s.answer(session.Answer).Named {
			*session = Session{}
		}
	}
	emit(Step{Kind: TellsOfLogout, At: Provider}, s)
}
