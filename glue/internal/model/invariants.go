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
)

var invariants = [...]*Invariant{VictimAtHome, NotTheAttacker, OnlyCurrent, StrictTyped, OneSession, LoggedOutStays, NoLoop}

// maxRedirects bounds what one tab follows in a row. A tab alone stops after 9; two
// that overwrite each other's loop cookie in the worst order get this far and no
// further. A loop without end passes every bound.
const maxRedirects = 21

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
		if !inv.Holds(m, s) {
			return inv
		}
	}
	return nil
}
