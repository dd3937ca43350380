package oidctest

import (
	"errors"
	"sync"
	"time"
)

// Outcome scripts how the provider answers. The zero Outcome is the usual course: the
// person logs in, or has, and the answer is what the protocol says.
type Outcome struct {
	// Error, where not empty, is answered at once and nobody is asked to log in: a code
	// such as "access_denied" (RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section
	// 3.1.2.6). Description is its error_description.
	Error, Description string
	// Fault spoils the answer.
	Fault Fault
	// Delay is waited before anything else, as long as the browser stays connected.
	Delay time.Duration
	// Edit changes the claims of the ID token last before signing. What it makes is not
	// checked, so that it can send what no provider should.
	Edit func(claims map[string]any)
}

func (o Outcome) check() error { return o.Fault.check() }

// script chooses an outcome for each authentication request. It is safe for concurrent use.
type script struct {
	mu      sync.Mutex
	next    []Outcome
	perUser map[string]Outcome
	always  Outcome
}

// choose returns the outcome for a request and removes it from the queue if it was there.
// user is empty where nobody is known yet. If the answer is the login form, the caller
// gives the outcome back, for when the form is sent.
func (s *script) choose(user string) (o Outcome, giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) > 0 {
		o = s.next[0]
		s.next = s.next[1:]
		rest := o
		rest.Delay = 0 // it has been
		return o, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.next = append([]Outcome{rest}, s.next...)
		}
	}
	if scripted, ok := s.perUser[user]; ok {
		return scripted, func() {}
	}
	return s.always, func() {}
}

// standing returns the fault of all that no outcome of one login decides.
func (s *script) standing() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.always.Fault
}

// Next scripts the next logins, one outcome each, after those already waiting. Showing
// the login form uses none up. Like Always and ForUser it panics on an outcome that cannot
// be, such as a fault nobody knows; and on a fault of discovery or keys, which no login
// begins or ends.
func (p *Provider) Next(outcomes ...Outcome) {
	for _, o := range outcomes {
		must(o.check())
		if o.Fault.effect().standing() {
			must(errors.New("oidctest: " + string(o.Fault) + " is not a fault of one login: use Always"))
		}
	}
	p.script.mu.Lock()
	defer p.script.mu.Unlock()
	p.script.next = append(p.script.next, outcomes...)
}

// Always scripts every login that neither Next nor ForUser has anything for, and, by its
// Fault, what sites ask beside logins. The zero Outcome is the usual course.
func (p *Provider) Always(o Outcome) {
	must(o.check())
	p.script.mu.Lock()
	defer p.script.mu.Unlock()
	p.script.always = o
}

// ForUser scripts every login of one user, as soon as the provider knows who it is: at
// once with single sign-on, else when the form has been sent. The zero Outcome is the usual
// course whatever Always says.
func (p *Provider) ForUser(id string, o Outcome) {
	must(o.check())
	p.script.mu.Lock()
	defer p.script.mu.Unlock()
	if p.script.perUser == nil {
		p.script.perUser = make(map[string]Outcome)
	}
	p.script.perUser[id] = o
}
