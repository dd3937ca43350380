package password

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/internal/expiring"
	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// Limits bound how often wrong passwords are tried.
type Limits struct {
	// Name bounds the tries at a name, whether it exists or not: 20, and one more each 30
	// seconds. Its owner is not kept out where the password was right in the last day.
	Name Rate
	// Network bounds the tries of a client's network, which many people may share: an IPv4
	// address or 64 bits of IPv6, which one household has. 60, and one more each 5 seconds.
	Network Rate
	// Site bounds those of 48 bits of IPv6, which one customer of a provider may have: three
	// times Network.
	Site Rate
}

// Rate is how many wrong passwords may be tried at once, and how long it takes until there
// is one more try. The zero Rate is that of the field of [Limits].
type Rate struct {
	Tries int
	Rest  time.Duration
}

// What a Rate may be.
const (
	maxTries = 10_000
	maxRest  = 24 * time.Hour
)

// So long, and so many, pairs of network and name are remembered as right, and names and
// passwords at a network as wrong. What is forgotten early counts as strange, or new.
const (
	familiarLife, familiarMax = 24 * time.Hour, 10_000
	wrongLife, wrongMax       = time.Hour, 10_000
)

// normalise fills in defaults and finds every mistake.
func (l *Limits) normalise(found *site.Findings) {
	if l.Name == (Rate{}) {
		l.Name = Rate{20, 30 * time.Second}
	}
	if l.Network == (Rate{}) {
		l.Network = Rate{60, 5 * time.Second}
	}
	if l.Site == (Rate{}) {
		l.Site = Rate{3 * l.Network.Tries, l.Network.Rest / 3}
	}
	for _, f := range []struct {
		name string
		rate Rate
		most int
	}{
		{"Name", l.Name, maxTries}, {"Network", l.Network, maxTries}, {"Site", l.Site, 3 * maxTries},
	} {
		if r := f.rate; r.Tries < 1 || r.Tries > f.most || r.Rest < 1 || r.Rest > maxRest {
			found.Errorf("Limits."+f.name, "is %d tries and %v: want 1 to %d, and a time up to %v", r.Tries, r.Rest, f.most, maxRest)
		}
	}
}

// limits counts tries. Who guesses at a name uses up its tries, and those of 48 bits, but
// not for its owner at a network where the password was right in the last day: only that
// network's tries count there.
//
// A name and a password that were wrong at a network before are no new guess: a phone's
// mail program does not forget the old password, and asks with it twice a second. They
// count for the name, and for themselves, but not once more for the network; and once they
// have used up their own tries not for the name either, so that whoever has the right
// password by now comes in beside a program that takes every try that there is.
//
// It needs a fixed amount of memory whatever is tried, and is safe for concurrent use.
type limits struct {
	now      func() time.Time
	familiar *expiring.Set // pairs of network and name
	stale    *expiring.Set // tries that were wrong
	worn     *expiring.Set // those of them that used up their own tries

	mu                            sync.Mutex
	names, networks, sites, pairs *ratelimit.Limiter
}

func newLimits(l Limits, now func() time.Time) *limits {
	limiter := func(r Rate) *ratelimit.Limiter { return ratelimit.New(r.Tries, r.Rest) }
	return &limits{
		now:      now,
		familiar: expiring.New(familiarLife, familiarMax, now),
		stale:    expiring.New(wrongLife, wrongMax, now), worn: expiring.New(wrongLife, wrongMax, now),
		names: limiter(l.Name), networks: limiter(l.Network), sites: limiter(l.Site), pairs: limiter(l.Name),
	}
}

// try is a name and a password that somebody tries.
type try struct {
	name, password, scope string
	client                netip.Addr
	network               string // of client; empty where there is only a front server's: not counted

	familiar, stale, worn bool // what limits knows of it
}

// networkOf is the part of an address that one household has. Clients without an address
// have it in common.
func networkOf(client netip.Addr) string { return site.AddressPrefix(client, 32, 64).String() }

// siteOf is the part of an address that one customer of a provider may have to itself; of
// IPv4 that is no more than networkOf.
func siteOf(client netip.Addr) string { return site.AddressPrefix(client, 32, 48).String() }

func (t *try) parts() []string { return []string{t.network, t.name, t.scope, t.password} }

// recall finds out what is known of a try.
func (l *limits) recall(t *try) {
	t.familiar = l.isFamiliar(t)
	t.stale = l.stale.Has(t.parts()...)
	t.worn = t.stale && l.worn.Has(t.parts()...)
}

// isFamiliar reports whether the name's password was right at this network lately.
func (l *limits) isFamiliar(t *try) bool {
	return t.network != "" && l.familiar.Has(t.network, t.name)
}

// wait returns how long until a try may be made; zero is now.
func (l *limits) wait(t *try) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waitLocked(t)
}

func (l *limits) waitLocked(t *try) (wait time.Duration) {
	now := l.now()
	l.each(t, true, func(c *ratelimit.Limiter, key string) { wait = max(wait, c.Wait(key, now)) })
	return wait
}

// take counts a try that is about to be made, unless it has to wait: then it is not to be
// made, and not counted.
func (l *limits) take(t *try) time.Duration {
	l.recall(t) // it may have waited for its slot
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.waitLocked(t); wait > 0 {
		return wait
	}
	now := l.now()
	l.each(t, false, func(c *ratelimit.Limiter, key string) { c.Add(key, now) })
	if t.stale && l.pairs.Wait(l.pairKey(t), now) > 0 {
		l.worn.Add(t.parts()...)
	}
	return 0
}

// giveBack undoes take, for a try that was no guess.
func (l *limits) giveBack(t *try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each(t, false, (*ratelimit.Limiter).Remove)
}

// welcome notes that a password was right at a network that does not know that yet.
func (l *limits) welcome(t *try) {
	if t.network != "" && !t.familiar {
		l.familiar.Add(t.network, t.name)
	}
}

// right undoes take, for a try that was right.
func (l *limits) right(t *try) {
	if t.network != "" {
		l.familiar.Add(t.network, t.name)
	}
	l.giveBack(t)
}

// wrong notes that a try was wrong. It was the first one of its pair, if that is new.
func (l *limits) wrong(t *try) {
	l.stale.Add(t.parts()...)
	if !t.stale {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pairs.Add(l.pairKey(t), l.now())
	}
}

// each calls do for what limits a try, or only for what it counts for.
func (l *limits) each(t *try, all bool, do func(c *ratelimit.Limiter, key string)) {
	if t.network != "" && (all || !t.stale) {
		do(l.networks, t.network)
		if !t.familiar {
			do(l.sites, siteOf(t.client))
		}
	}
	if !t.familiar && (all || !t.worn) {
		do(l.names, strings.ToLower(t.name)) // another spelling may be no other account
	}
	if t.stale {
		do(l.pairs, l.pairKey(t))
	}
}

// pairKey stands for a try where it must not be kept.
func (l *limits) pairKey(t *try) string {
	sum := l.stale.Sum(t.parts()...)
	return string(sum[:])
}
