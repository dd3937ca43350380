package wlsbridge

import (
	"net/http"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// How many requests are answered at once, and how long until there is one more: of a network,
// where there may be a whole college behind one address, and of a person, whom a site that
// asks again and again would otherwise send round in circles.
const (
	addressTries, addressRest = 600, 50 * time.Millisecond
	personTries, personRest   = 30, 2 * time.Second
)

// limited counts a request from an address and returns how long it must wait; zero is not at
// all.
func (b *Bridge) limited(r *http.Request) time.Duration {
	network := site.AddressPrefix(site.ClientIP(r), 32, 64)
	if !network.IsValid() {
		return 0 // a unix socket whose front server says nothing: all would be one
	}
	return b.byAddress.Pass(network.String(), b.site.Now())
}

// limitedPerson is the same for a person.
func (b *Bridge) limitedPerson(principal string) time.Duration {
	return b.byPerson.Pass(principal, b.site.Now())
}
