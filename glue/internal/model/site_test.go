package model

// request is what reaches the site.
type request struct {
	route   Route
	answer  AnswerRef // in WLS-Response, or the code
	madeUp  bool      // a failure, which anybody can write
	token   TokenRef  // that comes with either
	at      Service   // where the person is sent who must log in
	button  AnswerRef // of the page that asked whether to log in with it
	cookies Jar
	fetch   bool // it is no navigation
	between bool // something between two handlers of ours answers it
}

// receive is the site's answer to one request: what becomes of the tab, and why. ok is
// false where the scenario has no room for it. It is Auth.Require with the callback in
// it (glue/callback.go, glue/exchange.go).
func (m *Model) receive(s *State, q request) (t Tab, out Outcome, ok bool) {
	var a *Answer
	switch {
	case q.madeUp:
		a = s.madeUp(q.token)
	case q.answer != 0:
		a = s.answer(q.answer)
		if !a.At.openID() {
			q.token = a.Token // it is signed
		}
		if m.can(ReadsLog) {
			s.reveal(q.answer, q.token)
		}
	}
	switch {
	case q.route == Open:
		return Tab{}, Served, true
	case q.between:
		return Tab{}, AnsweredBetween, true
	case q.button != 0:
		t, out = m.confirmed(s, q)
		return t, out, true
	case a != nil:
		return m.receiveAnswer(s, q, a)
	default:
		return m.visit(s, q)
	}
}

// receiveAnswer deals with a request that carries a response (glue/callback.go,
// answersResponse).
func (m *Model) receiveAnswer(s *State, q request, a *Answer) (t Tab, out Outcome, ok bool) {
	var again bool
	if !q.fetch || m.on(FetchSpends) {
		out, again = m.verify(s, a, q)
	}
	here := a.URL == q.route || a.At.openID()
	repeats := m.repeats(s, q, a, out)
	if a.At.openID() {
		q.route = s.returnTo(q.token)
	}
	switch {
	case q.fetch && m.on(OnlyPages):
		return Tab{}, NotNavigation, true
	case out == LoggedIn && a.At.openID() && m.can(LogsOutThere):
		return m.exchanging(q), AsksProvider, true
	case out == LoggedIn:
		t, out = m.accepted(s, q, again)
		return t, out, true
	case out == RefusedStatus && m.silent(s, q):
		return m.superfluous(q, depthUnknown), WentBack, true
	case here && repeats:
		return m.superfluous(q, depthUnknown), Repeated, true
	case out == RefusedToken && !m.on(NoRetry):
		return m.startLogin(s, q)
	default:
		return Tab{}, out, true
	}
}

// verify judges a response and marks as used what it carried, whatever the judgement.
// What others signed or is for elsewhere cannot get in and is not marked: anybody
// could fill the memory with it. It reports, too, whether the response is a success
// that comes after a failure with the same token.
func (m *Model) verify(s *State, a *Answer, q request) (out Outcome, again bool) {
	out = m.judge(s, a, q)
	genuine := m.genuine(a)
	replay := a.Spent // it gets no more out of its token
	if genuine && m.on(ResponseOnce) && (m.on(MarkFirst) || out == LoggedIn) && m.marksCode(s, a, q) {
		a.Spent = true
	}
	if m.redeems(out) {
		m.redeem(s, a, q)
	}
	if q.token == 0 || !m.on(TokenCheck|TokenOnce) {
		return out, false
	}
	t, failure := s.token(q.token), a.Who == Nobody
	own := m.ownToken(s, a, q)
	again = own && genuine && !replay && !failure && t.Spent && t.Failed
	switch {
	case again:
		t.Again = true
	case failure && !m.on(FailureSpends):
	case replay && a.At.openID() && m.on(ResponseOnce): // it is left to the first copy
	case own:
		t.Failed = t.Failed || out == RefusedStatus && m.can(GoesBack) && !t.Silent
		t.spend(a)
	case (genuine || a.At.openID()) && m.on(SeenSpends) && m.known(t, a): // a state shows whose it is
		t.spend(a)
	}
	return out, again
}

// genuine reports whether a response was made for this site by its service, or is a code.
func (m *Model) genuine(a *Answer) bool {
	if a.At.openID() {
		return a.Who != Nobody
	}
	forUs := a.URL != Elsewhere || !m.on(URLAsked)
	return forUs && !a.MadeUp && !(a.Other && m.on(Signature))
}

// known reports whether a token is one of the service that an answer came by: it is sealed
// for that, or has a MAC.
func (m *Model) known(t *Token, a *Answer) bool {
	return t.At.openID() == a.At.openID() || !m.on(ServiceKeys)
}

// spend uses a token up, for answers of one kind: marks are one service's.
func (t *Token) spend(a *Answer) { *t.spent(a) = true }

func (t *Token) spent(a *Answer) *bool {
	if t.At.openID() != a.At.openID() {
		return &t.Astray
	}
	return &t.Spent
}

// judge gives LoggedIn for a success, else the first check that fails
// (webauth/attempt.go, judge).
func (m *Model) judge(s *State, a *Answer, q request) Outcome {
	switch {
	case a.At.openID(): // what is checked of the address is that it is LoginPath
	case a.Other && m.on(Signature):
		return RefusedSignature
	case a.Old && a.Who != Nobody && m.on(Version):
		return RefusedVersion
	case a.URL != q.route && m.on(URLAsked), a.URL == Dotted && m.on(ReturnsNormalised):
		return RefusedURL
	}
	used := a.Spent && m.on(ResponseOnce) && !m.retold(s, a, q)
	switch {
	case used && !a.At.openID():
		return RefusedReplay
	case m.on(TokenCheck) && !m.ownToken(s, a, q):
		return RefusedToken
	case m.on(TokenCheck|TokenOnce) && m.usedUp(s.token(q.token), a):
		return RefusedTokenUsed
	case used:
		return RefusedReplay
	case a.At.openID() && m.misissued(s, a, q):
		return RefusedIssuer
	case a.Who == Nobody:
		return RefusedStatus
	}
	if out := m.judgeCode(s, a, q); out != LoggedIn {
		return out
	}
	switch asked := m.asked(s, q); {
	case asked == Strict && !a.Typed, asked == Quiet && a.Typed:
		return RefusedStrength
	}
	return LoggedIn
}

// ownToken reports whether the token was made for the browser that brings it, and for the
// response's url. A state has a url of its own.
func (m *Model) ownToken(s *State, a *Answer, q request) bool {
	if q.token == 0 {
		return false
	}
	t := s.token(q.token)
	return t.Secret == q.cookies.Secret && m.known(t, a) && (t.Route == a.URL || !m.on(URLInToken) || a.At.openID())
}

// retold reports whether a response says once more what failed in this browser before: a
// page that is reloaded (webauth/spend.go, useTokenAgain).
func (m *Model) retold(s *State, a *Answer, q request) bool {
	return a.Who == Nobody && m.ownToken(s, a, q) && s.token(q.token).Spent && s.token(q.token).Failed
}

// usedUp reports whether a token was used before. One that a failure used may fail
// again, which lets nobody in, and succeed once (webauth/spend.go, useTokenAgain).
func (m *Model) usedUp(t *Token, a *Answer) bool {
	failure := a.Who == Nobody
	switch {
	case !*t.spent(a):
		return false
	case t.Failed:
		return !failure && t.Again && m.on(AgainOnce)
	default:
		return !failure || m.on(FailureFirst)
	}
}

// asked is how strong a login was asked for, in the words of the route that wants it.
// The token knows; without it, all there is to go by is who sees the response.
func (m *Model) asked(s *State, q request) Route {
	switch {
	case !m.on(TokenCheck|JudgedByToken) && q.route != Callback, q.token == 0:
		return m.outermost(q.route)
	case s.token(q.token).Silent:
		return Quiet
	default:
		return s.token(q.token).Route
	}
}

// outermost is the route whose policy the outermost handler of a route has.
func (m *Model) outermost(route Route) Route {
	if m.can(Nested) || route == Callback {
		return Lax
	}
	return route
}

// silent reports whether a failure is that of silent sign-in, which nobody is to see
// (glue/callback.go, refused).
func (m *Model) silent(s *State, q request) bool {
	if q.token == 0 || !m.can(Nested) {
		return false
	}
	t := s.token(q.token)
	return t.Silent || t.Route == Quiet && !m.on(SilentInToken)
}

// repeats reports whether a refused response is only superfluous: a session of the
// same person would not be sent to log in by this handler (glue/callback.go, repeats).
func (m *Model) repeats(s *State, q request, a *Answer, out Outcome) bool {
	if out != RefusedToken && out != RefusedTokenUsed && out != RefusedReplay {
		return false
	}
	who := m.knownAs(s, q.cookies)
	forbidden := who != Nobody && !s.current(q.cookies.Session)
	same := who == a.Who
	if a.At.openID() { // of whom it is, the provider is not asked again
		same = m.ownToken(s, a, q) && (out == RefusedTokenUsed || out == RefusedReplay && s.token(q.token).Failed)
	}
	q.route = m.outermost(q.route)
	return who != Nobody && same && (forbidden || m.satisfies(s, q))
}

// visit answers a navigation without a response (glue/exchange.go, require and maybe).
func (m *Model) visit(s *State, q request) (Tab, Outcome, bool) {
	known := m.accepts(s, q.cookies)
	switch {
	case m.satisfies(s, q):
		return Tab{}, Served, true
	case known && !s.current(q.cookies.Session):
		return Tab{}, Forbidden, true
	case !known && m.can(Nested) && q.cookies.Secret != NoSecret && !q.cookies.Tried:
		return m.trySilently(s, q)
	default:
		return m.startLogin(s, q)
	}
}

// accepts reports whether the site believes the session in these cookies, be it good
// enough or not (glue/request.go, own and ended).
func (m *Model) accepts(s *State, c Jar) bool { return m.owns(c) && !c.Session.Ended }

// owns reports whether the session in these cookies is, or was, the browser's.
func (m *Model) owns(c Jar) bool {
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
	return m.accepts(s, q.cookies) && s.current(q.cookies.Session) && m.strong(s, q)
}

// strong reports whether the person logged in as the route wants (glue/policy.go, how).
func (m *Model) strong(s *State, q request) bool {
	typed := s.answer(q.cookies.Session.Answer).Typed
	switch {
	case !m.on(PolicyEveryTime):
		return true
	case q.route == Strict:
		return typed
	default:
		return q.route != Quiet || !typed
	}
}

// current reports whether the session has ptag current.
func (s *State) current(session Session) bool { return s.answer(session.Answer).current() }

// current reports whether the response says so. The victim has ptag current, the
// attacker has not, and a success of version 1 implies it.
func (a *Answer) current() bool { return a.Who == Victim || a.Old }
