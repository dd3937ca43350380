package remoteuser

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/internal/sketch"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// How many wrong passwords may be tried at once, and how long until there is one more
// try. An address may be that of many people.
const (
	triesOfName, restOfName       = 20, 30 * time.Second
	triesOfNetwork, restOfNetwork = 60, 5 * time.Second

	// So long, and so many, pairs of network and name are remembered as right.
	familiarLife, familiarMax = 24 * time.Hour, 10_000
)

// limits bounds the tries of passwords, per name and per client's network: an IPv4
// address or 64 bits of IPv6, which one customer has. Who guesses at a name uses up its
// tries, but not for its owner at a network where the password was right in the last
// day: only that network's tries count there.
//
// Memory does not grow with the names and addresses that are tried.
type limits struct {
	now      func() time.Time
	familiar *recent.Memory // pairs of network and name

	mu              sync.Mutex
	names, networks sketch.Sketch
}

// try is what is counted.
type try struct {
	name     string
	network  string // empty where the client's address is not known: not counted
	familiar bool   // the name is not counted
}

func newLimits(now func() time.Time) *limits {
	return &limits{
		now: now, familiar: recent.New(familiarLife, familiarMax, now),
		names:    sketch.New(triesOfName, restOfName),
		networks: sketch.New(triesOfNetwork, restOfNetwork),
	}
}

// take counts a try. If there is none left it is not counted, and take tells how long
// until there is one. Clients whose address is not known (not valid) have nothing in
// common, so nothing is counted for them but the name.
func (l *limits) take(client netip.Addr, name string) (try, time.Duration) {
	t := try{name: name}
	if client.IsValid() {
		t.network = site.AddressPrefix(client, 32, 64).String()
		t.familiar = l.familiar.Has(t.network, name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var wait time.Duration
	l.counted(t, func(s *sketch.Sketch, key string) { wait = max(wait, s.Wait(key, now)) })
	if wait > 0 {
		return t, wait
	}
	l.counted(t, func(s *sketch.Sketch, key string) { s.Add(key, now) })
	return t, 0
}

// giveBack undoes take, for a try that was no guess.
func (l *limits) giveBack(t try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted(t, (*sketch.Sketch).Remove)
}

// right undoes take, for a try that was right.
func (l *limits) right(t try) {
	if t.network != "" {
		l.familiar.Add(t.network, t.name)
	}
	l.giveBack(t)
}

// counted calls do for whatever a try counts for.
func (l *limits) counted(t try, do func(s *sketch.Sketch, key string)) {
	if !t.familiar {
		do(&l.names, strings.ToLower(t.name)) // another spelling may be no other account
	}
	if t.network != "" {
		do(&l.networks, t.network)
	}
}
