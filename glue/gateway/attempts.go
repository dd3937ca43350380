package gateway

import (
	"net/netip"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/internal/sketch"
	"github.com/ucam-webauth/go-webauth/glue/internal/stale"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// attempts limits how often passwords are tried: per network address (for IPv6 the
// first 64 bits, which one household has), per 48 bits of IPv6 (which anybody can have),
// and per user, known or not. Right ones do not count. Somebody who keeps a user's limit
// exhausted, or that of 48 bits, does not keep out that user at an address where the
// password was right in the last day: only that address's own limit holds there.
//
// A user and password that were wrong at an address before count for the user, and for
// themselves, but not once more for the address, which many people may share; and not for
// the user either once they have used up all tries, so that whoever has the right password
// comes in beside a program that goes on with the old one.
//
// It needs a fixed amount of memory whatever is thrown at it, and is safe for
// concurrent use. It outlives a reload.
type attempts struct {
	now      func() time.Time
	familiar *recent.Memory // pairs of address and user
	stale    *stale.Passwords

	mu    sync.Mutex
	addrs sketch.Sketch
	sites sketch.Sketch
	users sketch.Sketch

	turns *turns
}

// The limits: so many at once, and one more after each interval.
const (
	addrBurst, addrInterval = 20, 15 * time.Second
	siteBurst, siteInterval = 60, 5 * time.Second
	userBurst, userInterval = 10, 30 * time.Second

	familiarLife, familiarMax = 24 * time.Hour, 10_000
)

func newAttempts(now func() time.Time) *attempts {
	return &attempts{
		now:      now,
		familiar: recent.New(familiarLife, familiarMax, now),
		stale:    stale.New(userBurst, userInterval, now),
		addrs:    sketch.New(addrBurst, addrInterval),
		sites:    sketch.New(siteBurst, siteInterval),
		users:    sketch.New(userBurst, userInterval),
		turns:    newTurns(),
	}
}

// isFamiliar reports whether the user's password was right at this address lately.
func (a *attempts) isFamiliar(addr netip.Addr, user string) bool {
	return a.familiar.Has(networkOf(addr), user)
}

// wait is how long until this address may try a password for this user; zero is now.
func (a *attempts) wait(addr netip.Addr, user string) time.Duration {
	known := a.isFamiliar(addr, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waitLocked(addr, user, known)
}

// guess is a password that is about to be looked at.
type guess struct {
	addr           netip.Addr
	user, password string
	stale          bool // it was wrong here before
	worn           bool // and was tried as often as it may be
}

func (g *guess) pair() stale.Pair {
	return stale.Pair{Network: networkOf(g.addr), Name: g.user, Password: g.password}
}

// waitAgain is how long until a password that was wrong here before may be tried once
// more; zero is now, or that it was not.
func (a *attempts) waitAgain(addr netip.Addr, user, password string) time.Duration {
	g := guess{addr: addr, user: user, password: password}
	if !a.stale.Known(g.pair()) {
		return 0
	}
	return a.stale.Wait(g.pair())
}

// take counts an attempt that is about to be made, unless it has to wait: then it is
// not to be made, and not counted.
func (a *attempts) take(addr netip.Addr, user, password string) (guess, time.Duration) {
	g := guess{addr: addr, user: user, password: password}
	g.stale, g.worn = a.stale.Known(g.pair()), a.stale.Worn(g.pair())
	known := a.isFamiliar(addr, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := a.waitLocked(addr, user, known); wait > 0 {
		return g, wait
	}
	now := a.now()
	if g.stale {
		if wait := a.stale.Take(g.pair()); wait > 0 {
			return g, wait
		}
	} else {
		a.addrs.Add(networkOf(addr), now)
		a.sites.Add(siteOf(addr), now)
	}
	if !g.worn {
		a.users.Add(user, now)
	}
	return g, 0
}

// wrong notes that the password of an attempt was wrong.
func (a *attempts) wrong(g guess) { a.stale.Wrong(g.pair()) }

// right takes back what take counted: the password was right.
func (a *attempts) right(g guess) {
	network := networkOf(g.addr)
	a.familiar.Add(network, g.user)
	a.mu.Lock()
	defer a.mu.Unlock()
	if g.stale {
		a.stale.GiveBack(g.pair())
	} else {
		a.addrs.Remove(network)
		a.sites.Remove(siteOf(g.addr))
	}
	if !g.worn {
		a.users.Remove(g.user)
	}
}

func (a *attempts) waitLocked(addr netip.Addr, user string, known bool) time.Duration {
	now := a.now()
	wait := a.addrs.Wait(networkOf(addr), now)
	if !known {
		wait = max(wait, a.sites.Wait(siteOf(addr), now), a.users.Wait(user, now))
	}
	return wait
}

// networkOf is the part of an address that one client has to itself. Clients without
// an address, such as those of a front server that does not tell, have it in common.
func networkOf(addr netip.Addr) string { return site.AddressPrefix(addr, 32, 64).String() }

// siteOf is the part of an address that one customer of a provider may have to itself; of
// IPv4 that is no more than networkOf.
func siteOf(addr netip.Addr) string { return site.AddressPrefix(addr, 32, 48).String() }
