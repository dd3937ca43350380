package webauthtest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/webauthtest/fakelogin"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// Outcome scripts how the fake answers. The zero Outcome is the usual course: the
// person logs in, or has, and the answer is what the protocol says.
type Outcome struct {
	// Status, where it is neither 0 nor 200, is answered at once and nobody is asked to
	// log in. An unusable request is still answered as such.
	Status int
	// Msg replaces the usual msg of a failure.
	Msg string
	// Fault spoils the answer.
	Fault Fault
	// Quirks are added to the fake's own.
	Quirks []Quirk
	// Delay is waited before anything else, as long as the browser stays connected.
	Delay time.Duration
	// Edit changes the response last before signing, after quirks and faults. What it
	// makes is not checked, so that it can send what no service should.
	Edit func(*wls.Response)
}

func (o Outcome) check() error {
	errs := []error{o.Fault.check()}
	for _, q := range o.Quirks {
		errs = append(errs, q.check())
	}
	if o.Status != 0 && (o.Status < 100 || o.Status > 999) {
		errs = append(errs, errors.New("webauthtest: Outcome.Status: want three digits or zero"))
	}
	return errors.Join(errs...)
}

// failure returns the failing status that the outcome asks for, 0 if none.
func (o Outcome) failure() int {
	switch {
	case o.Status != 0 && o.Status != wls.StatusSuccess:
		return o.Status
	case o.Fault == FaultCancel:
		return wls.StatusCancelled
	}
	return 0
}

// script chooses an outcome for each authentication request. It is safe for concurrent use.
type script struct {
	mu      sync.Mutex
	next    []Outcome
	perUser map[string]Outcome
	always  *Outcome
	quirks  []Quirk
	mix     mix
}

// choose returns the outcome for a request and removes it from the queue if it was there.
// submitted says whether the login form was sent; user is empty where nobody is known yet.
// If the answer is the login form, the caller gives the outcome back, for when the form is
// sent.
func (s *script) choose(submitted bool, user string) (o Outcome, giveBack func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	giveBack = func() {}
	switch scripted, ok := s.perUser[user]; {
	case len(s.next) > 0:
		o = s.next[0]
		s.next = s.next[1:]
		rest := o
		giveBack = func() { s.putBack(rest) }
	case ok:
		o = scripted
	case s.always != nil:
		o = *s.always
	default:
		// Both requests of a login draw, but a fault on arrival counts in the first only
		// and a spoilt answer only where there is one: so each comes as often as asked.
		if o.Fault = s.mix.draw(); submitted && o.Fault.onArrival() {
			o.Fault = FaultNone
		}
	}
	o.Quirks = append(slices.Clone(s.quirks), o.Quirks...)
	return o, giveBack
}

// putBack makes o the next outcome again, without the delay that has been.
func (s *script) putBack(o Outcome) {
	o.Delay = 0
	if o.Fault == FaultSlow {
		o.Fault = FaultNone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append([]Outcome{o}, s.next...)
}

func (s *script) has(q Quirk) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.quirks, q)
}

// Next scripts the next logins, one outcome each, after those already waiting. Showing
// the login form uses none up; a wrong password neither. Like Always, ForUser and
// SetQuirks it panics on an outcome that cannot be, such as a fault nobody knows.
func (w *WLS) Next(outcomes ...Outcome) {
	for _, o := range outcomes {
		fakelogin.Must(o.check())
	}
	w.script.mu.Lock()
	defer w.script.mu.Unlock()
	w.script.next = append(w.script.next, outcomes...)
}

// Always scripts every login that neither Next nor ForUser has anything for, in place of
// Config.Faults. The zero Outcome is the usual course without faults.
func (w *WLS) Always(o Outcome) {
	fakelogin.Must(o.check())
	w.script.mu.Lock()
	defer w.script.mu.Unlock()
	w.script.always = &o
}

// ForUser scripts every login of one user, as soon as the fake knows who it is: at
// once with single sign-on, else when the password has been typed. The zero Outcome is
// the usual course whatever Always says.
func (w *WLS) ForUser(id string, o Outcome) {
	fakelogin.Must(o.check())
	w.script.mu.Lock()
	defer w.script.mu.Unlock()
	if w.script.perUser == nil {
		w.script.perUser = make(map[string]Outcome)
	}
	w.script.perUser[id] = o
}

// SetQuirks replaces the quirks that every answer has, those of Config.Quirks included.
func (w *WLS) SetQuirks(all ...Quirk) {
	fakelogin.Must(Outcome{Quirks: all}.check())
	w.script.mu.Lock()
	defer w.script.mu.Unlock()
	w.script.quirks = slices.Clone(all)
}
