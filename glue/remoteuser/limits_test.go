package remoteuser

import (
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestLimits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newLimits(func() time.Time { return now })
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	tries := func(client netip.Addr, name string) (n int) {
		for l.take(l.keys(client, name)) <= 0 {
			n++
		}
		return n
	}
	assert.Equal(t, triesOfName, tries(one, "ada"))
	assert.Zero(t, tries(other, "ada"), "a name's tries are those of everybody")
	assert.Equal(t, restOfName, l.take(l.keys(one, "ada")))
	assert.Equal(t, triesOfName, tries(one, "bob"))

	now = now.Add(3*restOfName - time.Nanosecond)
	assert.Equal(t, 2, tries(one, "ada"))
	now = now.Add(24 * time.Hour)
	assert.Equal(t, triesOfName, tries(one, "ada"), "never more than at first")

	now = now.Add(24 * time.Hour)
	for range 1000 {
		k := l.keys(one, "ada")
		assert.LessOrEqual(t, l.take(k), time.Duration(0))
		l.giveBack(k)
	}
	assert.Equal(t, triesOfName, tries(one, "ada"), "what is given back does not add up")
}

func TestLimitsPerAddress(t *testing.T) {
	for _, tc := range []struct {
		name, one, other string
		shared           bool
	}{
		{"an IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"its neighbour", "192.0.2.1", "192.0.2.2", false},
		{"the same written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"one network of IPv6", "2001:db8::1", "2001:db8:0:0:ffff::1", true},
		{"another network of IPv6", "2001:db8::1", "2001:db8:0:1::1", false},
		{"nobody knows", "", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := newLimits(time.Now)
			addr := func(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }
			assert.Equal(t, tc.shared, l.keys(addr(tc.one), "x").address == l.keys(addr(tc.other), "x").address)
		})
	}
}

// Many at once get no more than one after the other, and memory does not grow.
func TestLimitsAtOnce(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newLimits(func() time.Time { return now })
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for i := range 200 {
		wg.Go(func() {
			client := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
			if l.take(l.keys(client, "ada")) <= 0 {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.Equal(t, triesOfName, passed)
	for i := range 3 * slots {
		l.take(l.keys(netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1}), strconv.Itoa(i)))
	}
	assert.Len(t, l.names.full, slots)
	assert.Len(t, l.addresses.full, slots)
	assert.Positive(t, l.take(l.keys(netip.Addr{}, "ada")), "no flood of others helps")
}
