package webauthtest

import (
	"slices"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

// Reply is the kind of answer a browser got.
type Reply string

// The kinds of answer.
const (
	ReplyForm   Reply = "form"   // the login form
	ReplyReturn Reply = "return" // a redirect back to the site
	ReplyPage   Reply = "page"   // an explanation on a page of the fake's own
	ReplyDown   Reply = "down"   // a 503
	ReplyClosed Reply = "closed" // nothing: the connection closed, or the browser left while it waited
)

// Exchange is one authentication request and the fake's answer.
type Exchange struct {
	// At is the fake's time.
	At time.Time
	// Request is what came, as far as it could be read, and Refused why it was not
	// acceptable; empty if it was.
	Request wls.Request
	Refused string
	// Submitted reports whether the browser sent the login form, rather than arriving from
	// the site. BadLogin reports that user and password did not fit.
	Submitted, BadLogin bool
	// Reply is the kind of answer.
	Reply Reply
	// Response is what was signed, or what the fake's own page explains; its Status
	// says how it went. Zero where there was neither. Faults that strike after signing,
	// and the older response of FaultReplay, show in Value only.
	Response wls.Response
	// Fault is the fault that took effect; a form has none but FaultSlow. Quirks are
	// those in force.
	Fault  Fault
	Quirks []Quirk
	// Value is the WLS-Response sent, after all, and ReturnURL the URL that carries it.
	Value, ReturnURL string
}

// DefaultLogSize is how many exchanges the fake remembers.
const DefaultLogSize = 1000

// journal remembers the last exchanges. It is safe for concurrent use.
type journal struct {
	mu       sync.Mutex
	size     int
	entries  []Exchange // oldest first
	previous string     // the last value sent
	observer func(Exchange)
}

func (j *journal) add(e Exchange) {
	j.mu.Lock()
	j.entries = append(j.entries, e)
	j.entries = j.entries[max(0, len(j.entries)-j.size):]
	if e.Value != "" {
		j.previous = e.Value
	}
	j.mu.Unlock()
	if j.observer != nil {
		j.observer(e)
	}
}

func (j *journal) previousValue() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.previous
}

// Requests returns the exchanges, oldest first, as many as [Config.LogSize] allows. Each
// login with a form makes two: the arrival and the form.
func (w *WLS) Requests() []Exchange {
	w.journal.mu.Lock()
	defer w.journal.mu.Unlock()
	return slices.Clone(w.journal.entries)
}
