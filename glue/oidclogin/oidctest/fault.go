package oidctest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// Fault is something a site must withstand: an answer it must refuse, or no answer. Its
// text is its name on a command line.
type Fault string

// FaultNone is the usual course.
const FaultNone Fault = ""

// effect is what a fault does: each function changes one part of what the provider
// answers, and nil changes nothing.
type effect struct {
	// at is the endpoint whose answer document, body and serve change: its content, its
	// bytes, and how it is sent.
	at       Endpoint
	document func(p *Provider, document map[string]any)
	body     func(body []byte) []byte
	serve    func(p *Provider, rw http.ResponseWriter, r *http.Request, body []byte)

	// claims, header and payload change what is signed in an ID token; sign signs it in
	// another way than by RS256, and jwt changes what is signed already.
	claims  func(p *Provider, g grant, claims map[string]any)
	header  func(p *Provider, header map[string]any)
	payload func(p *Provider, payload []byte) []byte
	sign    func(p *Provider, header map[string]any, payload []byte) string
	jwt     func(jwt string) string

	// answer changes the parameters that the browser brings to the site, location the whole
	// URL.
	answer   func(p *Provider, a authRequest, answer url.Values)
	location func(redirectURI string, answer url.Values) string

	// logout changes the claims of logout tokens.
	logout func(p *Provider, claims map[string]any)

	ignorePKCE bool
}

// standing reports whether the fault is of no one login.
func (e effect) standing() bool {
	return e.logout != nil || e.at != "" && e.at != EndpointToken
}

// named is a fault and what it does.
type named struct {
	fault  Fault
	effect effect
}

// faults are all of them, in the order of what they are about.
var faults = slices.Concat(freshFaults, claimFaults, jwsFaults, keyFaults, answerFaults, tokenFaults, discoveryFaults, logoutFaults)

var effects = func() map[Fault]effect {
	all := map[Fault]effect{FaultNone: {}}
	for _, f := range faults {
		all[f.fault] = f.effect
	}
	return all
}()

// Faults returns every fault but FaultNone.
func Faults() []Fault {
	var all []Fault
	for _, f := range faults {
		all = append(all, f.fault)
	}
	return all
}

func (f Fault) effect() effect { return effects[f] }

func (f Fault) check() error {
	if _, ok := effects[f]; !ok {
		return fmt.Errorf("oidctest: no fault is called %q; there are %q", f, Faults())
	}
	return nil
}
