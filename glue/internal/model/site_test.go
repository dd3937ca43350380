package model

// request is what reaches the site.
type request struct {
	route   Route
	answer  AnswerRef // in WLS-Response
	madeUp  TokenRef  // in an unsigned failure, which anybody can write
	button  AnswerRef // of the page that asked whether to log in with it
	cookies Jar
	fetch   bool // it is no navigation
	between bool // something between two handlers of ours answers it
}

// receive is the site's answer to one request: what becomes of the tab, and why. ok is
// false where the scenario has no room for it. It is Auth.Require with the callback in
// it (glue/callback.go, glue/exchange.go).
func (m *Model) receive(s *State, q request) (t Tab, out Outcome, ok bool) {
	if q.answer != 0 && m.can(ReadsLog) {
		s.reveal(q.answer)
	}
	switch {
	case q.route == Open:
		return Tab{}, Served, true
	case q.between:
		return Tab{}, AnsweredBetween, true
	case q.button != 0:
		t, out = m.confirmed(s, q)
		return t, out, true
	case q.madeUp != 0:
		return m.receiveAnswer(s, q, &Answer{MadeUp: true, URL: q.route, Token: q.madeUp})
	case q.answer != 0:
		return m.receiveAnswer(s, q, s.answer(q.answer))
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
	switch {
	case q.fetch && m.on(OnlyPages):
		return Tab{}, NotNavigation, true
	case out == LoggedIn:
		t, out = m.accepted(s, q, again)
		return t, out, true
	case out == RefusedStatus && m.silent(s, a):
		return m.superfluous(q, depthUnknown), WentBack, true
	case m.repeats(s, q, a, out):
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
	out = m.judge(s, a, q.route, q.cookies.Secret)
	forUs := a.URL != Elsewhere || !m.on(URLAsked)
	signed := !a.MadeUp && !(a.Other && m.on(Signature))
	replay := a.Spent // it gets no more out of its token
	if forUs && signed && m.on(ResponseOnce) && (m.on(MarkFirst) || out == LoggedIn) {
		a.Spent = true
	}
	if a.Token == 0 || !m.on(TokenCheck|TokenOnce) {
		return out, false
	}
	t, failure := s.token(a.Token), a.Who == Nobody
	own := m.ownToken(s, a, q.cookies.Secret)
	again = own && signed && !replay && !failure && t.Spent && t.Failed
	switch {
	case again:
		t.Again = true
	case failure && !m.on(FailureSpends):
	case own:
		t.Failed = t.Failed || out == RefusedStatus && m.can(GoesBack) && !t.Silent
		t.Spent = true
	case forUs && signed && m.on(SeenSpends):
		t.Spent = true
	}
	return out, again
}

// judge gives LoggedIn for a success, else the first check that fails
// (webauth/attempt.go, judge).
func (m *Model) judge(s *State, a *Answer, route Route, secret Secret) Outcome {
	switch {
	case a.Other && m.on(Signature):
		return RefusedSignature
	case a.Old && a.Who != Nobody && m.on(Version):
		return RefusedVersion
	case a.URL != route && m.on(URLAsked), a.URL == Dotted && m.on(ReturnsNormalised):
		return RefusedURL
	case a.Spent && m.on(ResponseOnce) && !m.retold(s, a, secret):
		return RefusedReplay
	case m.on(TokenCheck) && !m.ownToken(s, a, secret):
		return RefusedToken
	case m.on(TokenCheck|TokenOnce) && m.usedUp(s.token(a.Token), a):
		return RefusedTokenUsed
	case a.Who == Nobody:
		return RefusedStatus
	}
	switch asked := m.asked(s, a, route); {
	case asked == Strict && !a.Typed, asked == Quiet && a.Typed:
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

// retold reports whether a response says once more what failed in this browser before: a
// page that is reloaded (webauth/spend.go, useTokenAgain).
func (m *Model) retold(s *State, a *Answer, secret Secret) bool {
	return a.Who == Nobody && m.ownToken(s, a, secret) && s.token(a.Token).Spent && s.token(a.Token).Failed
}

// usedUp reports whether a token was used before. One that a failure used may fail
// again, which lets nobody in, and succeed once (webauth/spend.go, useTokenAgain).
func (m *Model) usedUp(t *Token, a *Answer) bool {
	failure := a.Who == Nobody
	switch {
	case !t.Spent:
		return false
	case t.Failed:
		return !failure && t.Again && m.on(AgainOnce)
	default:
		return !failure || m.on(FailureFirst)
	}
}

// asked is how strong a login was asked for, in the words of the route that wants it.
// The token knows; without it, all there is to go by is who sees the response.
func (m *Model) asked(s *State, a *Answer, route Route) Route {
	switch {
	case !m.on(TokenCheck | JudgedByToken):
		return m.outermost(route)
	case s.token(a.Token).Silent:
		return Quiet
	default:
		return s.token(a.Token).Route
	}
}

// outermost is the route whose policy the outermost handler of a route has.
func (m *Model) outermost(route Route) Route {
	if m.can(Nested) {
		return Lax
	}
	return route
}

// silent reports whether a failure is that of silent sign-in, which nobody is to see
// (glue/callback.go, refused).
func (m *Model) silent(s *State, a *Answer) bool {
	if a.Token == 0 || !m.can(Nested) {
		return false
	}
	t := s.token(a.Token)
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
	here := a.URL == q.route
	q.route = m.outermost(q.route)
	return here && who != Nobody && who == a.Who && (forbidden || m.satisfies(s, q))
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
