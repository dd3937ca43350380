package password

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/internal/ratelimit"
	"github.com/ucam-webauth/go-webauth/glue/site"
)

// figures are limits that somebody has.
var figures = map[string]Limits{
	"default": {},
	"strict":  {Name: Rate{10, 30 * time.Second}, Network: Rate{20, 15 * time.Second}},
}

// eachFigures runs a test with limits of all figures.
func eachFigures(t *testing.T, test func(t *testing.T, l *testLimits)) {
	for name, figures := range figures {
		t.Run(name, func(t *testing.T) { test(t, newTestLimits(figures)) })
	}
}

// testLimits have a clock that moves only when it is told to.
type testLimits struct {
	*limits
	Limits
	at time.Time
}

func newTestLimits(figures Limits) *testLimits {
	l := &testLimits{Limits: figures, at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	l.normalise(&site.Findings{})
	l.limits = newLimits(l.Limits, func() time.Time { return l.at })
	return l
}

func (l *testLimits) advance(d time.Duration) { l.at = l.at.Add(d) }

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("198.51.100.1")
)

func many(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}) }

// guess is a try of a password that was not tried before.
func (l *testLimits) guess(addr netip.Addr, name string) *try {
	return l.tryOf(addr, name, rand.Text())
}

func (l *testLimits) tryOf(addr netip.Addr, name, password string) *try {
	t := &try{name: name, password: password}
	if addr.IsValid() {
		t.client, t.network = addr, networkOf(addr)
	}
	l.recall(t)
	return t
}

// waits is how long a guess would have to wait.
func (l *testLimits) waits(addr netip.Addr, name string) time.Duration {
	return l.wait(l.guess(addr, name))
}

// allowed counts guesses until there is none left, or as many as there can be at all.
func (l *testLimits) allowed(addr func(i int) netip.Addr, name func(i int) string) (n int) {
	for n < 1000 && l.take(l.guess(addr(n), name(n))) == 0 {
		n++
	}
	return n
}

func always[T any](v T) func(int) T { return func(int) T { return v } }

func TestLimitsOfAName(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		tries, rest := l.Name.Tries, l.Name.Rest
		assert.Equal(t, tries, l.allowed(many, always("ada")))
		assert.Equal(t, rest, l.waits(here, "ada"), "a name's tries are those of everybody")
		assert.Equal(t, rest, l.waits(here, "ADA"), "another spelling may be no other account")
		assert.Zero(t, l.waits(here, "bob"))

		l.advance(rest - time.Nanosecond)
		assert.Equal(t, time.Nanosecond, l.waits(here, "ada"))
		l.advance(2*rest + time.Nanosecond)
		assert.Equal(t, 3, l.allowed(many, always("ada")), "one more after each rest")
		l.advance(24 * time.Hour)
		assert.Equal(t, tries, l.allowed(many, always("ada")), "never more than at first")

		l.advance(24 * time.Hour)
		for range 1000 {
			try := l.guess(here, "ada")
			require.Zero(t, l.take(try))
			l.giveBack(try)
		}
		assert.Equal(t, tries, l.allowed(many, always("ada")), "what is given back does not add up")
	})
}

func TestLimitsOfANetwork(t *testing.T) {
	for _, row := range []struct {
		name, one, other string
		shared           bool
	}{
		{"an IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"its neighbour", "192.0.2.1", "192.0.2.2", false},
		{"the same written as IPv6", "::ffff:192.0.2.1", "192.0.2.1", true},
		{"one network of IPv6", "2001:db8::1", "2001:db8:0:0:ffff::1", true},
		{"another network of IPv6", "2001:db8::1", "2001:db8:0:1::1", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachFigures(t, func(t *testing.T, l *testLimits) {
				assert.Equal(t, l.Network.Tries, l.allowed(always(netip.MustParseAddr(row.one)), strconv.Itoa))
				want := time.Duration(0)
				if row.shared {
					want = l.Network.Rest
				}
				assert.Equal(t, want, l.waits(netip.MustParseAddr(row.other), "ada"))
			})
		})
	}
}

// Whoever has all networks of 48 bits of IPv6 cannot try as many passwords as they have.
func TestLimitsOfASite(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		of := func(site, network int) netip.Addr {
			return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", site, network))
		}
		try := l.guess(of(1, 1), "ada")
		require.Zero(t, l.take(try))
		l.right(try)
		assert.Equal(t, 3*l.Network.Tries, l.allowed(func(i int) netip.Addr { return of(1, i) }, strconv.Itoa))
		assert.Equal(t, l.Network.Rest/3, l.waits(of(1, 1000), "bob"))
		assert.Zero(t, l.waits(of(2, 1000), "bob"), "another site")
		assert.Zero(t, l.waits(of(1, 1), "ada"), "familiar")
	})
}

func TestLimitsWithoutAnAddress(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		assert.Equal(t, 1000, l.allowed(always(netip.Addr{}), strconv.Itoa), "strangers have nothing in common")
		l = newTestLimits(l.Limits) // where nobody shares a cell with ada
		try := l.guess(netip.Addr{}, "ada")
		require.Zero(t, l.take(try))
		l.right(try)
		assert.Equal(t, l.Name.Tries, l.allowed(always(netip.Addr{}), always("ada")), "and nobody is familiar")
	})
}

func TestRightPasswordsDoNotCount(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		for range 100 {
			try := l.guess(here, "ada")
			require.Zero(t, l.take(try))
			l.right(try)
		}
		assert.Equal(t, l.Network.Tries, l.allowed(always(here), strconv.Itoa), "nothing was counted, and nothing gained")
	})
}

// Whoever guesses at a name keeps out its owner at no network where they were lately.
func TestLimitsAtAFamiliarNetwork(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		try := l.guess(here, "ada")
		require.Zero(t, l.take(try))
		l.right(try)
		require.Equal(t, l.Name.Tries, l.allowed(many, always("ada")))
		for range 1000 {
			try := l.guess(here, "ada")
			require.Zero(t, l.take(try))
			l.right(try)
		}
		assert.Positive(t, l.waits(there, "ada"), "the owner's visits give nobody a try")
		assert.Positive(t, l.waits(netip.Addr{}, "ada"))
		assert.Equal(t, l.Network.Tries, l.allowed(always(here), always("ada")), "the network has its own limit")
		l.advance(l.Name.Rest)
		assert.Equal(t, 1, l.allowed(many, always("ada")), "which takes nothing from others")

		l.advance(familiarLife)
		assert.Equal(t, l.Name.Tries, l.allowed(many, always("ada")))
		assert.Positive(t, l.waits(here, "ada"), "familiar no more")
	})
}

// A try that has to wait is not counted, so that waiting as told suffices.
func TestTriesThatWaitDoNotCount(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		l.allowed(always(here), always("ada"))
		for range 100 {
			l.take(l.guess(here, "ada"))
		}
		l.advance(l.waits(here, "ada"))
		assert.Zero(t, l.take(l.guess(here, "ada")))
	})
}

// Tries at once are no more than tries one after the other.
func TestLimitsAtOnce(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		var wg sync.WaitGroup
		var passed atomic.Int32
		for i := range 200 {
			wg.Go(func() {
				if l.take(l.guess(many(i), "ada")) == 0 {
					passed.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, l.Name.Tries, passed.Load())
	})
}

// Whoever fills a tenth of the cells keeps out about a hundredth of all names.
func TestLimitsUnderAFlood(t *testing.T) {
	l := newTestLimits(Limits{})
	l.allowed(always(netip.Addr{}), always("ada"))
	for i := range ratelimit.Size / 10 {
		l.allowed(always(netip.Addr{}), always("flood"+strconv.Itoa(i)))
	}
	assert.Positive(t, l.waits(netip.Addr{}, "ada"), "no flood of others helps")
	kept := 0
	for i := range 1000 {
		if l.waits(netip.Addr{}, "user"+strconv.Itoa(i)) > 0 {
			kept++
		}
	}
	assert.Less(t, kept, 40) // one row alone: 95, give or take 10
}

// A password that goes on being sent although it is wrong has tries of its own.
func TestLimitsOfAStalePassword(t *testing.T) {
	eachFigures(t, func(t *testing.T, l *testLimits) {
		tryOld := func() time.Duration {
			old := l.tryOf(here, "carol", "old")
			wait := l.take(old)
			if wait == 0 {
				l.wrong(old)
			}
			return wait
		}
		require.Zero(t, tryOld())
		for name, other := range map[string]*try{
			"another password":        l.tryOf(here, "carol", "new"),
			"another name":            l.tryOf(here, "bob", "old"),
			"another network":         l.tryOf(there, "carol", "old"),
			"another scope":           {network: "192.0.2.1/32", name: "carol", password: "old", scope: "x"},
			"parts that run together": {network: "192.0.2.1/32carol", password: "old"},
		} {
			l.recall(other)
			assert.False(t, other.stale, name)
		}
		for range l.Name.Tries - 1 { // the first one was a try too
			assert.True(t, l.tryOf(here, "carol", "old").stale)
			assert.False(t, l.tryOf(here, "carol", "old").worn)
			require.Zero(t, tryOld())
		}
		assert.True(t, l.tryOf(here, "carol", "old").worn)
		assert.Equal(t, l.Name.Rest, tryOld())

		l.advance(l.Name.Rest)
		assert.Zero(t, tryOld(), "one more after the rest")
		assert.Zero(t, l.waits(here, "carol"), "which does not count for the name any more")
		assert.Equal(t, 1, l.allowed(many, always("carol")))
		l.advance(l.Name.Rest)
		right := l.tryOf(here, "carol", "old")
		require.Zero(t, l.take(right))
		l.giveBack(right)
		assert.Zero(t, l.take(right), "it was right in the end")

		l.advance(time.Hour + l.Name.Rest)
		assert.False(t, l.tryOf(here, "carol", "old").stale, "forgotten")
		assert.False(t, l.tryOf(here, "carol", "old").worn)
	})
}
