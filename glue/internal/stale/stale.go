// Package stale knows passwords that go on being sent although they are wrong: a phone's
// mail program does not forget the old one, and asks with it twice a second.
package stale

import (
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/internal/sketch"
)

// How long, and how many, pairs of name and password are remembered as wrong. One that is
// forgotten early counts as a new guess.
const (
	wrongLife = time.Hour
	wrongMax  = 10_000
)

// Passwords remembers which name and password were wrong at which network. To try them
// again there is no guess, and need not use up the tries of the network, which others
// need; the pair has its own. It is safe for concurrent use, and memory does not grow with
// what is tried.
type Passwords struct {
	now   func() time.Time
	wrong *recent.Memory

	mu    sync.Mutex
	tries sketch.Sketch
}

// Pair is a name and a password, as tried at a network.
type Pair struct{ Network, Name, Password string }

func (p Pair) parts() []string { return []string{p.Network, p.Name, p.Password} }

// New returns a Passwords that allows so many tries of a pair at once, and then one more
// after each rest.
func New(tries int, rest time.Duration, now func() time.Time) *Passwords {
	return &Passwords{now: now, wrong: recent.New(wrongLife, wrongMax, now), tries: sketch.New(tries, rest)}
}

// Wrong notes that a pair is wrong. It has one try less then.
func (p *Passwords) Wrong(pair Pair) {
	first := !p.Known(pair)
	p.wrong.Add(pair.parts()...)
	if first {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tries.Add(p.key(pair), p.now())
	}
}

// Known reports whether a pair was wrong lately.
func (p *Passwords) Known(pair Pair) bool {
	return p.wrong.Has(pair.parts()...)
}

// Wait returns how long until there is a try of a pair that is known; zero is now.
func (p *Passwords) Wait(pair Pair) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries.Wait(p.key(pair), p.now())
}

// Take counts a try of a pair that is known, unless there is none: then it returns how
// long until there is one.
func (p *Passwords) Take(pair Pair) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, now := p.key(pair), p.now()
	if wait := p.tries.Wait(key, now); wait > 0 {
		return wait
	}
	p.tries.Add(key, now)
	if p.tries.Wait(key, now) > 0 {
		p.wrong.Add(worn(pair)...)
	}
	return 0
}

// Worn reports whether a pair has used up all its tries at once, lately. What goes on
// sending it does so whenever there is one more, and would take each try that the name
// has from whoever knows the right password by now.
func (p *Passwords) Worn(pair Pair) bool { return p.wrong.Has(worn(pair)...) }

func worn(pair Pair) []string { return append(pair.parts(), "worn") }

// GiveBack undoes Take.
func (p *Passwords) GiveBack(pair Pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries.Remove(p.key(pair))
}

// key is what stands for a pair where it must not be kept.
func (p *Passwords) key(pair Pair) string {
	sum := p.wrong.Sum(pair.parts()...)
	return string(sum[:])
}
