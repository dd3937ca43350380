package oidctest

import (
	"net/url"
	"slices"
	"sync"
	"time"
)

// Endpoint names what was asked of the provider.
type Endpoint string

// The endpoints.
const (
	EndpointDiscovery Endpoint = "discovery"
	EndpointKeys      Endpoint = "keys"
	EndpointAuthorize Endpoint = "authorize"
	EndpointToken     Endpoint = "token"
	EndpointUserinfo  Endpoint = "userinfo"
	EndpointLogout    Endpoint = "logout"
	// EndpointBackChannel is the site's own: a logout token that the provider sent it.
	EndpointBackChannel Endpoint = "back-channel"
)

// Reply is the kind of answer.
type Reply string

// The kinds of answer.
const (
	ReplyForm   Reply = "form"   // the login form
	ReplyReturn Reply = "return" // a redirect back to the site
	ReplyPage   Reply = "page"   // an explanation on a page of the provider's own
	ReplyJSON   Reply = "json"   // what a site itself asked for
	ReplyClosed Reply = "closed" // nothing: the connection closed, or who asked left while it waited
)

// Exchange is one request and the provider's answer.
type Exchange struct {
	// At is the provider's time.
	At       time.Time
	Endpoint Endpoint
	// Params are the request's query or form, secrets included.
	Params url.Values
	// Submitted reports whether the browser sent the login form, rather than arriving from
	// the site. BadLogin reports that there is no such user.
	Submitted, BadLogin bool
	Reply               Reply
	// Status is that of the HTTP answer; zero if there was none.
	Status int
	// Error is the error that was answered, by its code; empty for none.
	Error string
	// User is who logged in, or for whom a token was given out.
	User string
	// Fault is the fault that took effect.
	Fault Fault
	// ReturnURL is where the browser was sent, Token the ID token or the logout token that
	// was sent.
	ReturnURL, Token string
}

// DefaultLogSize is how many exchanges the provider remembers.
const DefaultLogSize = 1000

// journal remembers the last exchanges. It is safe for concurrent use.
type journal struct {
	mu       sync.Mutex
	size     int
	entries  []Exchange // oldest first
	observer func(Exchange)
}

func (j *journal) add(e Exchange) {
	j.mu.Lock()
	j.entries = append(j.entries, e)
	j.entries = j.entries[max(0, len(j.entries)-j.size):]
	j.mu.Unlock()
	if j.observer != nil {
		j.observer(e)
	}
}

// Requests returns the exchanges at these endpoints, or at all if none is named, oldest
// first, as many as [Config.LogSize] allows. Each login makes several: the arrival, the
// form unless single sign-on saves it, the site's request for the token, now and then those
// for discovery and keys.
func (p *Provider) Requests(at ...Endpoint) []Exchange {
	p.journal.mu.Lock()
	defer p.journal.mu.Unlock()
	if len(at) == 0 {
		return slices.Clone(p.journal.entries)
	}
	var found []Exchange
	for _, e := range p.journal.entries {
		if slices.Contains(at, e.Endpoint) {
			found = append(found, e)
		}
	}
	return found
}
