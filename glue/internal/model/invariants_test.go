package model

// Invariant is what must hold in every state.
type Invariant struct {
	Name  string
	Holds func(m *Model, s *State) bool
}

// The invariants; of several that break at once the first is reported.
var (
	VictimAtHome = &Invariant{"no session of the victim in another browser", func(m *Model, s *State) bool {
		return m.knownAs(s, s.attackers()) != Victim
	}}
	NotTheAttacker = &Invariant{"no session of the attacker in the victim's browser", func(m *Model, s *State) bool {
		return m.knownAs(s, s.Jar) != Attacker
	}}
	OnlyCurrent = &Invariant{"nobody without ptag current gets in", func(m *Model, s *State) bool {
		c := s.attackers()
		return m.knownAs(s, c) != Attacker || !s.current(c.Session)
	}}
	StrictTyped = &Invariant{"strict only after a typed password asked for by us", func(m *Model, s *State) bool {
		q := request{route: Strict, cookies: s.Jar}
		return !m.satisfies(s, q) || s.answer(s.Jar.Session.Answer).Typed && s.Jar.Session.Asked
	}}
	OneSession = &Invariant{"no response makes two sessions", func(_ *Model, s *State) bool {
		for i := range s.Answers {
			if s.Answers[i].Sessions > 1 {
				return false
			}
		}
		return true
	}}
	LoggedOutStays = &Invariant{"no session after logout without a newer login", func(m *Model, s *State) bool {
		return !m.accepts(s, s.Jar) || !s.answer(s.Jar.Session.Answer).Bygone
	}}
	NoLoop = &Invariant{"no endless redirects", func(_ *Model, s *State) bool {
		return s.Tabs[0].Redirects <= maxRedirects && s.Tabs[1].Redirects <= maxRedirects
	}}
	NotStopped = &Invariant{"nobody is told that they go round in circles whose browser keeps its cookies", func(_ *Model, s *State) bool {
		return !s.Stopped
	}}
	NotWeakened = &Invariant{"no login takes away what a typed password proved", func(_ *Model, s *State) bool { return !s.Weakened }}
	OneLogin    = &Invariant{"no token logs in twice", func(_ *Model, s *State) bool {
		for i := range s.Tokens {
			if s.Tokens[i].Logins > 1 {
				return false
			}
		}
		return true
	}}
	NamedEnds = &Invariant{"no session of a login that has ended at the provider", func(m *Model, s *State) bool {
		return !m.accepts(s, s.Jar) || !s.answer(s.Jar.Session.Answer).Named
	}}
	CodeKept = &Invariant{"no code of one provider goes to another", func(_ *Model, s *State) bool { return !s.Leaked }}

	FormAllowed = &Invariant{"no form acts that its route refuses", func(_ *Model, s *State) bool { return !s.Form.ActedBad }}
	FormOwn     = &Invariant{"no form acts in another's name", func(_ *Model, s *State) bool { return !s.Form.AsOther }}
	FormHere    = &Invariant{"no form acts where it was not sent", func(_ *Model, s *State) bool { return !s.Form.Away }}
	FormOneUse  = &Invariant{"no kept form acts twice", func(_ *Model, s *State) bool { return s.Form.Acted < 2 }}
)

var invariants = [...]*Invariant{
	VictimAtHome, NotTheAttacker, OnlyCurrent, StrictTyped, OneSession, LoggedOutStays, NoLoop, NotStopped, NotWeakened,
	OneLogin, NamedEnds, CodeKept, FormAllowed, FormOwn, FormHere, FormOneUse,
}

// maxRedirects bounds what one tab follows in a row: three times to the WLS, back and on.
// Two that overwrite each other's loop cookie get no further, because each return counts
// at least as deep as its token says. A loop without end passes every bound.
const maxRedirects = 9

// attackers are the attacker's own cookies.
func (s *State) attackers() Jar { return Jar{Secret: AttackersSecret, Session: s.Held} }

// knownAs tells whom the site takes the browser with these cookies for.
func (m *Model) knownAs(s *State, c Jar) Person {
	if !m.accepts(s, c) {
		return Nobody
	}
	return s.answer(c.Session.Answer).Who
}

// broken gives the invariant that a state breaks, nil if it breaks none.
func (m *Model) broken(s *State) *Invariant {
	for _, inv := range invariants {
		if (m.Only == nil || m.Only == inv) && !inv.Holds(m, s) {
			return inv
		}
	}
	return nil
}
