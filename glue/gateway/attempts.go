package gateway

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/recent"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// attempts limits how often passwords are tried: per network address (for IPv6 the
// first 64 bits, which one household has), per 48 bits of IPv6 (which anybody can have),
// and per user, known or not. Right ones do not count. Somebody who keeps a user's limit
// exhausted, or that of 48 bits, does not keep out that user at an address where the
// password was right in the last day: only that address's own limit holds there.
//
// It needs a fixed amount of memory whatever is thrown at it, and is safe for
// concurrent use. It outlives a reload.
type attempts struct {
	now      func() time.Time
	familiar *recent.Memory // pairs of address and user

	mu    sync.Mutex
	addrs sketch
	sites sketch
	users sketch

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
		addrs:    newSketch(addrBurst, addrInterval),
		sites:    newSketch(siteBurst, siteInterval),
		users:    newSketch(userBurst, userInterval),
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

// take counts an attempt that is about to be made, unless it has to wait: then it is
// not to be made, and not counted.
func (a *attempts) take(addr netip.Addr, user string) time.Duration {
	known := a.isFamiliar(addr, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := a.waitLocked(addr, user, known); wait > 0 {
		return wait
	}
	now := a.now()
	a.addrs.add(networkOf(addr), now)
	a.sites.add(siteOf(addr), now)
	a.users.add(user, now)
	return 0
}

// right takes back what take counted: the password was right.
func (a *attempts) right(addr netip.Addr, user string) {
	network := networkOf(addr)
	a.familiar.Add(network, user)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.addrs.remove(network)
	a.sites.remove(siteOf(addr))
	a.users.remove(user)
}

func (a *attempts) waitLocked(addr netip.Addr, user string, known bool) time.Duration {
	now := a.now()
	wait := a.addrs.wait(networkOf(addr), now)
	if !known {
		wait = max(wait, a.sites.wait(siteOf(addr), now), a.users.wait(user, now))
	}
	return wait
}

// networkOf is the part of an address that one client has to itself. Clients without
// an address, such as those of a front server that does not tell, have it in common.
func networkOf(addr netip.Addr) string { return site.AddressPrefix(addr, 32, 64).String() }

// siteOf is the part of an address that one customer of a provider may have to itself; of
// IPv4 that is no more than networkOf.
func siteOf(addr netip.Addr) string { return site.AddressPrefix(addr, 32, 48).String() }

// sketch counts attempts per key in a fixed table, twice, at places that a random hash
// gives. Keys that share a place share its count, so a key counts as limited only if
// both places say so. Should somebody fill the table, more keys than deserve it are
// limited, for a while, and none fewer.
type sketch struct {
	interval time.Duration
	ahead    time.Duration // how far ahead of the clock a place may be: the burst
	seeds    [2]maphash.Seed
	// places say when all attempts there are forgotten, in nanoseconds since 1970. Each
	// attempt puts that off by the interval.
	places [2][]int64
}

const sketchSize = 1 << 14

func newSketch(burst int, interval time.Duration) sketch {
	return sketch{
		interval: interval, ahead: time.Duration(burst) * interval,
		seeds:  [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		places: [2][]int64{make([]int64, sketchSize), make([]int64, sketchSize)},
	}
}

func (s *sketch) place(row int, key string) *int64 {
	return &s.places[row][maphash.String(s.seeds[row], key)%sketchSize]
}

// wait is how long until an attempt would be within the limit.
func (s *sketch) wait(key string, now time.Time) time.Duration {
	free := now.UnixNano() + int64(s.ahead-s.interval)
	wait := min(*s.place(0, key), *s.place(1, key)) - free
	return max(0, time.Duration(wait))
}

func (s *sketch) add(key string, now time.Time) {
	for row := range s.places {
		p := s.place(row, key)
		*p = max(*p, now.UnixNano()) + int64(s.interval)
	}
}

func (s *sketch) remove(key string) {
	for row := range s.places {
		*s.place(row, key) -= int64(s.interval)
	}
}
