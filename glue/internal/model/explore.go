package model

// Report is what an exploration found.
type Report struct {
	States   int
	Broken   *Invariant      // nil if every state was visited and none breaks any
	Trace    []Step          // the fewest steps to a state that breaks it
	Outcomes map[Outcome]int // how often the site came to each
	Served   [Elsewhere]int  // pages, by route
}

// Explore visits every state that can be reached, the nearest first, until one breaks
// an invariant.
func (m *Model) Explore() Report {
	r := Report{Outcomes: map[Outcome]int{}}
	var states []State
	var from []uint32             // the state before, by number
	known := map[State]struct{}{} // in canonical form
	visit := func(s State, before uint32) {
		key := s.canonical()
		if _, is := known[key]; !is {
			known[key] = struct{}{}
			states, from = append(states, s), append(from, before)
		}
	}
	visit(State{}, 0)
	for at := 0; at < len(states) && r.Broken == nil; at++ {
		if r.Broken = m.broken(&states[at]); r.Broken != nil {
			r.Trace = m.trace(states, from, uint32(at))
		}
		m.next(states[at], func(step Step, s State) {
			r.Outcomes[step.Outcome]++
			if step.Outcome == Served {
				r.Served[step.Route]++
			}
			if m.tidy(&s); s != states[at] {
				visit(s, uint32(at))
			}
		})
	}
	r.States = len(states)
	return r
}

// trace finds the steps to a state again.
func (m *Model) trace(states []State, from []uint32, at uint32) []Step {
	if at == 0 {
		return nil
	}
	var last *Step
	m.next(states[from[at]], func(step Step, s State) {
		if m.tidy(&s); last == nil && s == states[at] {
			last = &step
		}
	})
	return append(m.trace(states, from, from[at]), *last)
}
