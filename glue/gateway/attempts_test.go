package gateway

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stoppedClock is a clock that moves only when it is told to.
type stoppedClock struct{ at time.Time }

func newStoppedClock() *stoppedClock {
	return &stoppedClock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
}

func (c *stoppedClock) now() time.Time          { return c.at }
func (c *stoppedClock) advance(d time.Duration) { c.at = c.at.Add(d) }

var (
	hereAddr  = netip.MustParseAddr("192.0.2.1")
	thereAddr = netip.MustParseAddr("198.51.100.1")
)

// try takes an attempt with a password that was not tried before.
func try(a *attempts, addr netip.Addr, user string) time.Duration {
	_, wait := a.take(addr, user, rand.Text())
	return wait
}

// exhaust takes attempts until there are none, and gives their number.
func exhaust(t *testing.T, a *attempts, addr func(i int) netip.Addr, user func(i int) string) int {
	t.Helper()
	for i := range 100 {
		if try(a, addr(i), user(i)) > 0 {
			return i
		}
	}
	require.Fail(t, "no limit")
	return 0
}

func always[T any](v T) func(int) T { return func(int) T { return v } }

func manyAddrs(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}) }
func manyUsers(i int) string     { return fmt.Sprintf("user%d", i) }

func TestAttemptsPerUser(t *testing.T) {
	clock := newStoppedClock()
	a := newAttempts(clock.now)
	assert.Equal(t, userBurst, exhaust(t, a, manyAddrs, always("anna")))
	assert.Equal(t, userInterval, a.wait(hereAddr, "anna"))
	assert.Zero(t, a.wait(hereAddr, "bert"), "another user")

	clock.advance(userInterval - time.Nanosecond)
	assert.Equal(t, time.Nanosecond, a.wait(hereAddr, "anna"))
	clock.advance(time.Nanosecond)
	assert.Zero(t, try(a, hereAddr, "anna"), "one more after the interval")
	assert.Equal(t, userInterval, try(a, hereAddr, "anna"), "and only one")

	clock.advance(userBurst * userInterval)
	assert.Equal(t, userBurst, exhaust(t, a, func(i int) netip.Addr { return manyAddrs(i + 100) }, always("anna")), "all of it after a while")
}

func TestAttemptsPerAddress(t *testing.T) {
	v6 := func(last byte) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", last)) }
	for _, row := range []struct {
		name    string
		addr    func(int) netip.Addr
		limited netip.Addr
		free    netip.Addr
	}{
		{"IPv4", always(hereAddr), hereAddr, netip.MustParseAddr("192.0.2.2")},
		{"IPv4 written as IPv6", always(netip.MustParseAddr("::ffff:192.0.2.1")), hereAddr, thereAddr},
		{"64 bits of IPv6", func(i int) netip.Addr { return v6(byte(i)) }, v6(200), netip.MustParseAddr("2001:db8:0:1::1")},
		{"unknown", always(netip.Addr{}), netip.Addr{}, hereAddr},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newAttempts(newStoppedClock().now)
			assert.Equal(t, addrBurst, exhaust(t, a, row.addr, manyUsers))
			assert.Equal(t, addrInterval, a.wait(row.limited, "anna"))
			assert.Zero(t, a.wait(row.free, "anna"))
		})
	}
}

func TestRightPasswordsDoNotCount(t *testing.T) {
	a := newAttempts(newStoppedClock().now)
	for range 100 {
		require.Zero(t, try(a, hereAddr, "anna"))
		a.right(guess{addr: hereAddr, user: "anna"})
	}
	assert.Equal(t, addrBurst, exhaust(t, a, always(hereAddr), manyUsers), "nothing was counted, and nothing gained")
}

// Somebody who guesses elsewhere does not lock a person out at home.
func TestFamiliarAddress(t *testing.T) {
	clock := newStoppedClock()
	a := newAttempts(clock.now)
	require.Zero(t, try(a, hereAddr, "anna"))
	a.right(guess{addr: hereAddr, user: "anna"})
	exhaust(t, a, manyAddrs, always("anna"))

	assert.NotZero(t, a.wait(thereAddr, "anna"))
	assert.Zero(t, a.wait(hereAddr, "anna"), "familiar")
	assert.Equal(t, addrBurst, exhaust(t, a, always(hereAddr), always("anna")), "but not without limit")

	clock.advance(familiarLife)
	exhaust(t, a, manyAddrs, always("anna"))
	assert.NotZero(t, a.wait(hereAddr, "anna"), "not any more")
}

// Whoever has all networks of 48 bits of IPv6 cannot try as many passwords as they have.
func TestAttemptsPerSite(t *testing.T) {
	clock := newStoppedClock()
	a := newAttempts(clock.now)
	of := func(site, network int) netip.Addr {
		return netip.MustParseAddr(fmt.Sprintf("2001:db8:%x:%x::1", site, network))
	}
	require.Zero(t, try(a, of(1, 1), "anna"))
	a.right(guess{addr: of(1, 1), user: "anna"})
	assert.Equal(t, siteBurst, exhaust(t, a, func(i int) netip.Addr { return of(1, i) }, manyUsers))
	assert.Equal(t, siteInterval, a.wait(of(1, 1000), "bert"))
	assert.Zero(t, a.wait(of(2, 1000), "bert"), "another site")
	assert.Zero(t, a.wait(of(1, 1), "anna"), "familiar")
}

// A limited attempt is not counted, so that waiting as told suffices.
func TestLimitedAttemptsDoNotCount(t *testing.T) {
	clock := newStoppedClock()
	a := newAttempts(clock.now)
	exhaust(t, a, always(hereAddr), always("anna"))
	for range 100 {
		try(a, hereAddr, "anna")
	}
	clock.advance(a.wait(hereAddr, "anna"))
	assert.Zero(t, try(a, hereAddr, "anna"))
}
