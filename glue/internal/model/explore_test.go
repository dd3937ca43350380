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
	var states list
	var from []uint32             // the state before, by number
	known := map[State]struct{}{} // in canonical form
	visit := func(s State, before uint32) {
		key := s.canonical()
		if _, is := known[key]; !is {
			known[key] = struct{}{}
			states.add(s)
			from = append(from, before)
		}
	}
	visit(State{}, 0)
	for at := 0; at < states.len && r.Broken == nil; at++ {
		here := states.at(at)
		if r.Broken = m.broken(here); r.Broken != nil {
			r.Trace = m.trace(&states, from, uint32(at))
		}
		m.next(*here, func(step Step, s State) {
			r.Outcomes[step.Outcome]++
			if step.Outcome == Served {
				r.Served[step.Route]++
			}
			if m.tidy(&s); s != *here {
				visit(s, uint32(at))
			}
		})
	}
	r.States = states.len
	return r
}

// trace finds the steps to a state again.
func (m *Model) trace(states *list, from []uint32, at uint32) []Step {
	if at == 0 {
		return nil
	}
	var last *Step
	m.next(*states.at(int(from[at])), func(step Step, s State) {
		if m.tidy(&s); last == nil && s == *states.at(int(at)) {
			last = &step
		}
	})
	return append(m.trace(states, from, from[at]), *last)
}

// list grows without moving what it holds: that is most of a large exploration's memory.
type list struct {
	len    int
	chunks [][]State
}

const chunk = 1 << 12

func (l *list) add(s State) {
	if l.len%chunk == 0 {
		l.chunks = append(l.chunks, make([]State, 0, chunk))
	}
	last := &l.chunks[len(l.chunks)-1]
	*last = append(*last, s)
	l.len++
}

func (l *list) at(i int) *State { return &l.chunks[i/chunk][i%chunk] }
