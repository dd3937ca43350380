package model

import "cmp"

// startLogin sends the browser to the WLS with a token, and with a secret if it had
// none (glue/exchange.go, startLogin).
func (m *Model) startLogin(s *State, q request) (Tab, Outcome, bool) {
	depth, stop := m.loopStep(q)
	if stop {
		return Tab{}, LoopStopped, true
	}
	secret := cmp.Or(q.cookies.Secret, s.newSecret())
	token := m.newToken(s, Token{At: q.at, Secret: secret, Route: q.route, Depth: depth, Seen: m.readsAll(q.at)})
	if token == 0 || secret == NoSecret {
		return Tab{}, AskedToLogIn, false
	}
	t := s.ask(token, q.route.iact())
	if q.cookies.Secret == NoSecret {
		t.SetSecret = secret
		t.Phase, t.Then = Replying, AtWLS
	}
	return t, AskedToLogIn, true
}

// readsAll reports whether the attacker reads requests to a service.
func (m *Model) readsAll(at Service) bool { return at == Rogue || m.can(ReadsAll) }

// trySilently asks the WLS for a login that troubles nobody, once (glue/silent.go).
func (m *Model) trySilently(s *State, q request) (Tab, Outcome, bool) {
	if _, stop := m.loopStep(q); stop {
		return m.startLogin(s, q)
	}
	token := m.newToken(s, Token{At: q.at, Secret: q.cookies.Secret, Route: q.route, Silent: true, Seen: m.readsAll(q.at)})
	if token == 0 {
		return Tab{}, TriedSilently, false
	}
	t := s.ask(token, No)
	t.Phase, t.Then, t.SetTried = Replying, AtWLS, true
	return t, TriedSilently, true
}

// iact is what a route's policy has the WLS do.
func (r Route) iact() IAct {
	switch r {
	case Strict:
		return Yes
	case Quiet:
		return No
	default:
		return AsNeeded
	}
}

// accepted takes a success whose every check passed (glue/callback.go, accepted).
func (m *Model) accepted(s *State, q request, again bool) (Tab, Outcome) {
	a := s.answer(q.answer)
	session := Session{Answer: q.answer, Secret: q.cookies.Secret, Asked: m.ownToken(s, a, q)}
	a.Token = q.token
	if again && m.on(AsksAfterFailure) && m.knownAs(s, q.cookies) != a.Who {
		a.Button = q.cookies.Secret
		return Tab{Phase: Asking, Route: q.route, Answer: q.answer}, AskedWho
	}
	asked, depth := m.asked(s, q), depthUnknown
	if q.token != 0 {
		t := s.token(q.token)
		depth = t.Depth
		if t.Silent && m.on(SilentYields) {
			asked = Lax
		}
		if m.can(GoesBack) {
			t.Logins++
		}
	}
	return m.logIn(s, q, session, asked, depth)
}

// confirmed starts the session that was asked about (glue/confirm.go, confirmed).
func (m *Model) confirmed(s *State, q request) (Tab, Outcome) {
	a := s.answer(q.button)
	switch {
	case a.Button != q.cookies.Secret && m.on(ConfirmBound):
		return Tab{}, RefusedConfirm
	case a.Pressed && m.on(ConfirmOnce) && m.knownAs(s, q.cookies) == a.Who:
		return m.superfluous(q, depthUnknown), Repeated
	case a.Pressed && m.on(ConfirmOnce):
		return Tab{}, RefusedConfirm
	}
	a.Pressed = true
	if a.Token != 0 {
		s.token(a.Token).Logins++
	}
	session := Session{Answer: q.button, Secret: a.Button, Asked: true}
	return m.logIn(s, q, session, q.route, depthUnknown)
}

// logIn starts a session, unless the old one proves as much already, and goes on to what
// was asked for (glue/callback.go, logIn).
func (m *Model) logIn(s *State, q request, session Session, asked Route, depth uint8) (Tab, Outcome) {
	a := s.answer(session.Answer)
	same := m.knownAs(s, q.cookies) == a.Who && s.answer(q.cookies.Session.Answer).At == a.At
	if same && m.covers(s, q, a, asked) {
		return m.superfluous(q, depth), KeptSession
	}
	if same && !a.Typed && s.answer(q.cookies.Session.Answer).Typed && q.route != Quiet {
		s.Weakened = true
	}
	a.Sessions++
	t := Tab{Phase: Replying, Then: Opening, Route: q.route, SetSession: true, Session: session}
	m.loopReturn(&t, q, depth)
	return t, LoggedIn
}

// covers reports whether a session of the same person is as good as a new one for every
// policy that the new one satisfies, and for the request that it answers
// (glue/callback.go, covers).
func (m *Model) covers(s *State, q request, a *Answer, asked Route) bool {
	old := s.answer(q.cookies.Session.Answer)
	switch {
	case !m.on(KeepsBetter) || a.Typed:
		return false
	case !m.on(KeepsByProof):
		q.route = m.outermost(q.route)
		return m.satisfies(s, q)
	case asked == Quiet && old.Typed:
		return false
	default:
		return old.current() == a.current()
	}
}

// superfluous goes on to what was asked for, without a session that is new.
func (m *Model) superfluous(q request, depth uint8) Tab {
	t := Tab{Phase: Opening, Route: q.route}
	if m.on(LoopReturns) {
		m.loopReturn(&t, q, depth)
	}
	return t
}

const (
	loopDepth    = 3        // of the deepest request that is made (glue/loop.go)
	depthUnknown = uint8(0) // of what comes back and does not say: it counts as one more
)

// loopStep tells how deep a redirect to the WLS is, and whether it is one too many
// (glue/loop.go, loopStep).
func (m *Model) loopStep(q request) (depth uint8, stop bool) {
	if !m.can(CountsRedirects) {
		return 0, false
	}
	depth = q.cookies.Marks[q.route] + 1
	return min(depth, loopDepth), depth > loopDepth && m.on(LoopCounter)
}

// loopReturn notes that the browser came back from the WLS (glue/loop.go, loopReturn).
func (m *Model) loopReturn(t *Tab, q request, depth uint8) {
	if !m.can(CountsRedirects) || int(q.route) >= guarded {
		return
	}
	t.Phase, t.Then = Replying, Opening
	t.SetMarks, t.Marks = true, q.cookies.Marks
	mark := &t.Marks[q.route]
	if depth == depthUnknown {
		depth = min(*mark+1, loopDepth) // deeper stops no sooner
	}
	*mark = max(*mark, depth)
}

// logOut ends the session and gives the browser a new secret (glue/logout.go,
// logOutHere).
func (m *Model) logOut(s *State) (Tab, bool) {
	t := Tab{Phase: Replying, SetSession: true, Logout: true, SetTried: m.can(Nested)}
	t.SetMarks = s.Jar.Marks != Marks{} // to none, if the browser brought any (glue/loop.go, clearLoops)
	if m.on(Rotation) {
		t.SetSecret = s.newSecret()
		return t, t.SetSecret != NoSecret
	}
	return t, true
}
