package remoteuser

import (
	"crypto/rand"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/ucam-webauth/go-webauth/glue/internal/sketch"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

// testClock gives limits and what moves their clock.
func testClock() (*limits, func(time.Duration)) {
	now := time.Unix(1_800_000_000, 0)
	return newLimits(func() time.Time { return now }), func(d time.Duration) { now = now.Add(d) }
}

// allowed counts wrong tries until there is none left, or as many as there can be at all.
func allowed(l *limits, client netip.Addr, name string) (n int) {
	for ; n < 1000; n++ {
		if _, wait := l.take(client, name, rand.Text()); wait > 0 {
			break
		}
	}
	return n
}

func TestLimits(t *testing.T) {
	l, advance := testClock()
	assert.Equal(t, triesOfName, allowed(l, here, "ada"))
	assert.Zero(t, allowed(l, there, "ada"), "a name's tries are those of everybody")
	_, wait := l.take(here, "ada", rand.Text())
	assert.Equal(t, restOfName, wait)
	assert.Equal(t, triesOfName, allowed(l, here, "bob"))

	advance(3*restOfName - time.Nanosecond)
	assert.Equal(t, 2, allowed(l, here, "ada"))
	advance(24 * time.Hour)
	assert.Equal(t, triesOfName, allowed(l, here, "ada"), "never more than at first")

	advance(24 * time.Hour)
	for range 1000 {
		try, wait := l.take(here, "ada", rand.Text())
		assert.Zero(t, wait)
		l.giveBack(try)
	}
	assert.Equal(t, triesOfName, allowed(l, here, "ada"), "what is given back does not add up")
}

func TestLimitsPerNetwork(t *testing.T) {
	for _, tc := range []struct {
		name, one, other string
		shared           bool
	}{
		{"an IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"its neighbour", "192.0.2.1", "192.0.2.2", false},
		{"the same written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"one network of IPv6", "2001:db8::1", "2001:db8:0:0:ffff::1", true},
		{"another network of IPv6", "2001:db8::1", "2001:db8:0:1::1", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, _ := testClock()
			for i := range triesOfNetwork {
				_, wait := l.take(netip.MustParseAddr(tc.one), strconv.Itoa(i), rand.Text())
				assert.Zero(t, wait)
			}
			_, wait := l.take(netip.MustParseAddr(tc.other), "ada", rand.Text())
			assert.Equal(t, tc.shared, wait > 0)
		})
	}
}

func TestLimitsWithoutAnAddress(t *testing.T) {
	l, _ := testClock()
	for i := range 10 * triesOfNetwork {
		_, wait := l.take(netip.Addr{}, strconv.Itoa(i), rand.Text())
		assert.Zero(t, wait, "strangers have nothing in common")
	}
	l, _ = testClock() // where nobody shares a place with ada
	try, _ := l.take(netip.Addr{}, "ada", rand.Text())
	l.right(try)
	assert.Equal(t, triesOfName, allowed(l, netip.Addr{}, "ada"), "and nobody is familiar")
}

// Whoever guesses at a name keeps out its owner at no place where they were lately.
func TestLimitsOfAFamiliarPlace(t *testing.T) {
	l, advance := testClock()
	try, _ := l.take(here, "ada", rand.Text())
	l.right(try)
	assert.Equal(t, triesOfName, allowed(l, there, "ada"))
	for range 1000 {
		try, wait := l.take(here, "ada", rand.Text())
		assert.Zero(t, wait)
		l.right(try)
	}
	assert.Zero(t, allowed(l, there, "ada"), "the owner's visits give nobody a try")
	assert.Zero(t, allowed(l, netip.Addr{}, "ada"))
	assert.Equal(t, triesOfNetwork, allowed(l, here, "ada"), "the place has its own limit")
	advance(restOfName)
	assert.Equal(t, 1, allowed(l, there, "ada"), "which takes nothing from others")

	advance(familiarLife)
	assert.Equal(t, triesOfName, allowed(l, there, "ada"))
	assert.Zero(t, allowed(l, here, "ada"), "familiar no more")
}

// Tries at once are no more than tries one after the other.
func TestLimitsAtOnce(t *testing.T) {
	l, _ := testClock()
	var wg sync.WaitGroup
	var passed atomic.Int32
	for i := range 200 {
		wg.Go(func() {
			if _, wait := l.take(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), "ada", rand.Text()); wait == 0 {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, triesOfName, passed.Load())
}

// Whoever fills a tenth of the table keeps out about a hundredth of all names.
func TestLimitsUnderAFlood(t *testing.T) {
	l, _ := testClock()
	allowed(l, netip.Addr{}, "ada")
	for i := range sketch.Size / 10 {
		allowed(l, netip.Addr{}, "flood"+strconv.Itoa(i))
	}
	_, wait := l.take(netip.Addr{}, "ada", rand.Text())
	assert.Positive(t, wait, "no flood of others helps")
	kept := 0
	for i := range 1000 {
		if _, wait := l.take(netip.Addr{}, "user"+strconv.Itoa(i), rand.Text()); wait > 0 {
			kept++
		}
	}
	assert.Less(t, kept, 40) // one row alone: 95, give or take 10
}
