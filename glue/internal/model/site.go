package model

// request is what reaches the site.
type request struct {
	route   Route
	answer  AnswerRef // in WLS-Response
	cookies Jar
	fetch   bool // it is no navigation
}

// receive is the site's answer to one request: what becomes of the tab, and why. ok is
// false where the scenario has no room for it. It is Auth.Require with the callback in
// it (glue/callback.go, glue/visit.go).
func (m *Model) receive(s *State, q request) (t Tab, out Outcome, ok bool) {
	if q.answer == 0 {
		return m.visit(s, q)
	}
	if m.can(ReadsLog) {
		s.reveal(q.answer)
	}
	if !q.fetch || m.on(FetchSpends) {
		out = m.verify(s, q)
	}
	switch {
	case q.fetch:
		return Tab{}, NotNavigation, true
	case out == LoggedIn:
		t, out = m.accept(s, q)
		return t, out, true
	case m.repeats(s, q, out):
		return Tab{Phase: Opening, Route: q.route}, Repeated, true
	case out == RefusedToken && !m.on(NoRetry):
		return m.startLogin(s, q)
	default:
		return Tab{}, out, true
	}
}

// verify judges a response and marks as used what it carried, whatever the judgement.
// What others signed or is for elsewhere cannot get in and is not marked: anybody
// could fill the memory with it.
func (m *Model) verify(s *State, q request) Outcome {
	a := s.answer(q.answer)
	out := m.judge(s, a, q.route, q.cookies.Secret)
	ours := !(a.Other && m.on(Signature)) && !(a.URL == Elsewhere && m.on(URLAsked))
	if ours && m.on(ResponseOnce) && (m.on(MarkFirst) || out == LoggedIn) {
		a.Spent = true
	}
	if m.on(TokenCheck|TokenOnce) && m.ownToken(s, a, q.cookies.Secret) && (a.Who != Nobody || m.on(FailureSpends)) {
		s.token(a.Token).Spent = true
	}
	return out
}

// judge gives LoggedIn for a success, else the first check that fails
// (webauth/verifier.go, judge).
func (m *Model) judge(s *State, a *Answer, route Route, secret Secret) Outcome {
	switch {
	case a.Other && m.on(Signature):
		return RefusedSignature
	case a.Old && a.Who != Nobody && m.on(Version):
		return RefusedVersion
	case a.URL != route && m.on(URLAsked):
		return RefusedURL
	case a.Spent && m.on(ResponseOnce):
		return RefusedReplay
	case m.on(TokenCheck) && !m.ownToken(s, a, secret):
		return RefusedToken
	case m.on(TokenCheck) && s.token(a.Token).Spent && m.on(TokenOnce):
		return RefusedTokenUsed
	case a.Who == Nobody:
		return RefusedStatus
	case m.asked(s, a, route) == Strict && !a.Typed:
		return RefusedStrength
	}
	return LoggedIn
}

// ownToken reports whether the response's token was made for the browser with this
// secret, and for the response's url.
func (m *Model) ownToken(s *State, a *Answer, secret Secret) bool {
	if a.Token == 0 {
		return false
	}
	t := s.token(a.Token)
	return t.Secret == secret && (t.Route == a.URL || !m.on(URLInToken))
}

// asked is how strong a login was asked for. The token knows; without it, all there
// is to go by is the route.
func (m *Model) asked(s *State, a *Answer, route Route) Route {
	if m.on(TokenCheck) {
		return s.token(a.Token).Route
	}
	return route
}

// accept starts a session, unless there is one as good or better (glue/callback.go,
// accepted).
func (m *Model) accept(s *State, q request) (Tab, Outcome) {
	a := s.answer(q.answer)
	if m.satisfies(s, q) && s.answer(q.cookies.Session.Answer).Who == a.Who && !a.Typed {
		return Tab{Phase: Opening, Route: q.route}, KeptSession
	}
	a.Sessions++
	t := Tab{Phase: Replying, Then: Opening, Route: q.route, SetSession: true}
	t.Session = Session{Answer: q.answer, Secret: q.cookies.Secret, Asked: m.ownToken(s, a, q.cookies.Secret)}
	if m.can(CountsRedirects) {
		t.SetMarks, t.Marks = true, m.loginMarks(q)
	}
	return t, LoggedIn
}

// repeats reports whether a refused response is only superfluous: a session of the
// same person lets the request through (glue/callback.go, repeats).
func (m *Model) repeats(s *State, q request, out Outcome) bool {
	if out != RefusedToken && out != RefusedTokenUsed && out != RefusedReplay || !m.satisfies(s, q) {
		return false
	}
	a := s.answer(q.answer)
	return a.URL == q.route && s.answer(q.cookies.Session.Answer).Who == a.Who
}

// visit answers a navigation without a response (glue/visit.go, require).
func (m *Model) visit(s *State, q request) (Tab, Outcome, bool) {
	switch {
	case m.satisfies(s, q):
		return Tab{}, Served, true
	case m.accepts(s, q.cookies) && !s.current(q.cookies.Session):
		return Tab{}, Forbidden, true
	default:
		return m.startLogin(s, q)
	}
}

// accepts reports whether the site believes the session in these cookies, be it good
// enough or not (glue/visit.go, session).
func (m *Model) accepts(s *State, c Jar) bool {
	switch {
	case c.Secret == NoSecret || c.Session.Answer == 0:
		return false
	case c.Session.Secret != c.Secret && m.on(Binding):
		return false
	default:
		return !c.Session.Other || !m.on(ServiceKeys)
	}
}

// satisfies reports whether the session lets the request through to the handler.
func (m *Model) satisfies(s *State, q request) bool {
	if !m.accepts(s, q.cookies) || !s.current(q.cookies.Session) {
		return false
	}
	return q.route != Strict || s.answer(q.cookies.Session.Answer).Typed || !m.on(PolicyEveryTime)
}

// current reports whether the session has ptag current. The victim has it, the
// attacker has not, and a success of version 1 implies it.
func (s *State) current(session Session) bool {
	a := s.answer(session.Answer)
	return a.Who == Victim || a.Old
}

// startLogin sends the browser to the WLS with a token, and with a secret if it had
// none (glue/visit.go, startLogin).
func (m *Model) startLogin(s *State, q request) (Tab, Outcome, bool) {
	t := Tab{Phase: AtWLS, Route: q.route, Typing: q.route == Strict, Marks: q.cookies.Marks}
	if t.Marks[q.route] > 0 && m.on(LoopCounter) {
		if t.Marks[q.route]++; t.Marks[q.route] >= m.loopSteps() {
			return Tab{}, LoopStopped, true
		}
		t.SetMarks = true
	} else {
		t.Marks = [2]uint8{}
	}
	secret := q.cookies.Secret
	if secret == NoSecret {
		secret = s.newSecret()
		t.SetSecret = secret
	}
	if t.Token = m.newToken(s, Token{Secret: secret, Route: q.route}); t.Token == 0 || secret == NoSecret {
		return Tab{}, NoOutcome, false
	}
	if t.SetMarks || t.SetSecret != NoSecret {
		t.Phase, t.Then = Replying, AtWLS
	}
	return t, AskedToLogIn, true
}

// loopSteps stops the third time round (glue/loop.go).
func (m *Model) loopSteps() uint8 {
	if m.on(LoopLogins) {
		return 6 // three logins and three redirects
	}
	return 4 // the first login and three redirects
}

// loginMarks notes a login. Where it is a step as well, every reply counts further
// than the cookie that it answers, so a slow one cannot hold the counter back for ever.
func (m *Model) loginMarks(q request) [2]uint8 {
	marks := q.cookies.Marks
	if mark := &marks[q.route]; *mark == 0 || m.on(LoopLogins) && *mark < m.loopSteps() {
		*mark++
	}
	return marks
}

// logOut ends the session and gives the browser a new secret (glue/logout.go,
// logOutHere).
func (m *Model) logOut(s *State) (Tab, bool) {
	t := Tab{Phase: Replying, SetSession: true, SetMarks: true, Logout: true}
	if m.on(Rotation) {
		t.SetSecret = s.newSecret()
		return t, t.SetSecret != NoSecret
	}
	return t, true
}
