package remoteuser

import (
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/ucam-webauth/go-webauth/glue/site"
)

// How many wrong passwords may be tried at once, and how long until there is one more
// try. A name's owner shares its tries with whoever guesses at it, so they come back
// soon; an address may be that of many people.
const (
	triesOfName, restOfName       = 20, 30 * time.Second
	triesOfAddress, restOfAddress = 60, 5 * time.Second
)

// slots is how many places each table has: 128 KiB. Memory does not grow with the names
// and addresses that are tried; two that share a place, which nobody can bring about on
// purpose, share their tries.
const slots = 1 << 14

// limits bounds the tries of passwords, per name and per address.
type limits struct {
	now  func() time.Time
	seed maphash.Seed

	mu               sync.Mutex
	names, addresses table
}

// table holds, for each place, when all its tries are there again, in Unix nanoseconds.
type table struct {
	tries int64
	rest  time.Duration
	full  []int64
}

// limitKeys are a try's places.
type limitKeys struct{ name, address uint64 }

func newLimits(now func() time.Time) *limits {
	return &limits{
		now: now, seed: maphash.MakeSeed(),
		names:     table{triesOfName, restOfName, make([]int64, slots)},
		addresses: table{triesOfAddress, restOfAddress, make([]int64, slots)},
	}
}

// keys gives the places for a name, however its letters are written, and for the network
// that one customer has: an IPv4 address or 64 bits of IPv6. All clients whose address is
// not known share one.
func (l *limits) keys(client netip.Addr, name string) limitKeys {
	return limitKeys{
		name:    maphash.String(l.seed, strings.ToLower(name)) % slots,
		address: maphash.Comparable(l.seed, site.AddressPrefix(client, 32, 64)) % slots,
	}
}

// take counts a try. If there is none left it is not counted, and take tells how long
// until there is one.
func (l *limits) take(k limitKeys) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UnixNano()
	if wait := max(l.names.wait(k.name, now), l.addresses.wait(k.address, now)); wait > 0 {
		return wait
	}
	l.names.take(k.name, now)
	l.addresses.take(k.address, now)
	return 0
}

// giveBack undoes take, for a try that was no guess.
func (l *limits) giveBack(k limitKeys) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names.full[k.name] -= int64(l.names.rest)
	l.addresses.full[k.address] -= int64(l.addresses.rest)
}

func (t *table) wait(key uint64, now int64) time.Duration {
	return time.Duration(t.full[key]-now) - time.Duration(t.tries-1)*t.rest
}

func (t *table) take(key uint64, now int64) {
	t.full[key] = max(t.full[key], now) + int64(t.rest)
}
