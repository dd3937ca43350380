package model

// Form is one that was kept over a login: sealed into the page that its sender got
// (glue/keptform.go). There is room for one; a new one takes its place.
type Form struct {
	By     Person // who sent it; Nobody where there is none
	Secret Secret // of the browser
	Route  Route
	Bad    bool // the route refuses what is in it: Policy.Allow does, or xsrf.Check
	Used   bool

	Acted                   uint8 // times that a handler got it
	ActedBad, AsOther, Away bool  // although refused, in another's name, at another route
}

// sendsForm sends a form from a page of the site. That the victim's are bad, too, stands
// for those of whoever may log in but not do everything.
func (m *Model) sendsForm(s State, i int, emit func(Step, State)) {
	for _, route := range [...]Route{Lax, Strict} {
		for _, bad := range [...]bool{false, true} {
			n := s
			q := request{route: route, cookies: s.Jar}
			out := m.receiveForm(&n, q, bad)
			if out == FormKept {
				n.Form = Form{By: s.answer(s.Jar.Session.Answer).Who, Secret: s.Jar.Secret, Route: route, Bad: bad}
			}
			n.acted()
			emit(Step{Kind: SendsForm, Tab: i, Route: route, Bad: bad, Outcome: out}, n)
		}
	}
}

// receiveForm is the answer to a form as it is first sent (glue/decision.go, judge; glue/exchange.go, ask).
func (m *Model) receiveForm(s *State, q request, bad bool) Outcome {
	switch session := q.cookies.Session; {
	case !m.owns(q.cookies):
		return FormLost // nobody knows whose it is
	case session.Ended:
		return FormKept
	case !s.current(session), bad:
		return Forbidden
	case !m.strong(s, q):
		return FormKept
	default:
		return FormActs
	}
}

// continues sends a kept form on, to any route: its page is its owner's to change.
func (m *Model) continues(s State, i int, emit func(Step, State)) {
	if s.Form.By == Nobody {
		return
	}
	kind := Continues
	if s.Form.By == Attacker {
		kind = SendsKeptForm
	}
	for _, route := range [...]Route{Lax, Strict} {
		n := s
		out := m.resume(&n, request{route: route, cookies: s.Jar})
		emit(Step{Kind: kind, Tab: i, Route: route, Outcome: out}, n)
	}
}

// resume is the answer to a form that was kept: it is judged as the request that it is,
// and used up only by what lets it through (glue/keptresume.go, glue/xsrf). One that was
// not kept here is told so only to those who may come in.
func (m *Model) resume(s *State, q request) Outcome {
	f, who := &s.Form, m.knownAs(s, q.cookies)
	again, gone := FormKept, f.Used && m.on(FormOnce) // again: its page is shown once more
	if f.Secret != q.cookies.Secret && m.on(FormBrowser) || f.Route != q.route && m.on(FormPlace) {
		again, gone = FormLost, true
	}
	switch {
	case who == Nobody:
		return again
	case f.By != who && m.on(FormOwner) && again == FormKept:
		return FormGone
	case !s.current(q.cookies.Session), f.Bad && m.on(FormJudged) && again == FormKept:
		return Forbidden
	case !m.strong(s, q):
		return again
	case gone:
		return FormGone
	}
	f.Used = true
	f.Acted++
	f.ActedBad = f.Bad
	f.AsOther, f.Away = f.By != who, f.Route != q.route
	return FormActs
}

// keepsForm has the site keep a form of the attacker's, in his own browser: his session
// has ended.
func (m *Model) keepsForm(s State, emit func(Step, State)) {
	for _, route := range [...]Route{Lax, Strict} {
		s.Form = Form{By: Attacker, Secret: AttackersSecret, Route: route}
		emit(Step{Kind: KeepsForm, Route: route}, s)
	}
}
