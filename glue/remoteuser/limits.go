package remoteuser

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/internal/sketch"
	"github.com/ucam-webauth/go-webauth/glue/internal/stale"
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
// A name and password that were wrong at a network before count for the name, and for
// themselves, but not once more for the network, which many people may share.
//
// Memory does not grow with the names and addresses that are tried.
type limits struct {
	now      func() time.Time
	familiar *recent.Memory // pairs of network and name
	stale    *stale.Passwords

	mu              sync.Mutex
	names, networks sketch.Sketch
}

// try is what is counted.
type try struct {
	name     string
	password string
	network  string // empty where the client's address is not known: not counted
	familiar bool   // the name is not counted
	stale    bool   // it was wrong here before: the network is not counted
}

func (t try) pair() stale.Pair {
	return stale.Pair{Network: t.network, Name: t.name, Password: t.password}
}

func newLimits(now func() time.Time) *limits {
	return &limits{
		now: now, familiar: recent.New(familiarLife, familiarMax, now),
		stale:    stale.New(triesOfName, restOfName, now),
		names:    sketch.New(triesOfName, restOfName),
		networks: sketch.New(triesOfNetwork, restOfNetwork),
	}
}

// take counts a try. If there is none left it is not counted, and take tells how long
// until there is one. Clients whose address is not known (not valid) have nothing in
// common, so nothing is counted for them but the name.
func (l *limits) take(client netip.Addr, name, password string) (try, time.Duration) {
	t := try{name: name, password: password}
	if client.IsValid() {
		t.network = site.AddressPrefix(client, 32, 64).String()
		t.familiar = l.familiar.Has(t.network, name)
	}
	t.stale = l.stale.Known(t.pair())
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	var wait time.Duration
	l.each(t, true, func(s *sketch.Sketch, key string) { wait = max(wait, s.Wait(key, now)) })
	if wait > 0 {
		return t, wait
	}
	if t.stale {
		if wait := l.stale.Take(t.pair()); wait > 0 {
			return t, wait
		}
	}
	l.each(t, !t.stale, func(s *sketch.Sketch, key string) { s.Add(key, now) })
	return t, 0
}

// giveBack undoes take, for a try that was no guess.
func (l *limits) giveBack(t try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.stale {
		l.stale.GiveBack(t.pair())
	}
	l.each(t, !t.stale, (*sketch.Sketch).Remove)
}

// wrong notes that a try was wrong.
func (l *limits) wrong(t try) { l.stale.Wrong(t.pair()) }

// right undoes take, for a try that was right.
func (l *limits) right(t try) {
	if t.network != "" {
		l.familiar.Add(t.network, t.name)
	}
	l.giveBack(t)
}

// each calls do for whatever limits a try: its network too if network says so.
func (l *limits) each(t try, network bool, do func(s *sketch.Sketch, key string)) {
	if !t.familiar {
		do(&l.names, strings.ToLower(t.name)) // another spelling may be no other account
	}
	if network && t.network != "" {
		do(&l.networks, t.network)
	}
}
