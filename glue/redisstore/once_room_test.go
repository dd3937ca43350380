package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// rooms has an item of each room, and how many of them each shard marks in an hour.
var rooms = []struct {
	name string
	most int
	item webauth.Item
}{
	{"login", 1_000_000 / 16, webauth.Item{ID: "token:"}},
	{"failure", 500_000 / 16, webauth.Item{ID: "response:", Failure: true}},
	{"unsigned", 100_000 / 16, webauth.Item{ID: "token:", Unsigned: true, Failure: true}},
	{"form", 100_000 / 16, webauth.Item{ID: "form:", Unsigned: true}},
	{"xsrf", 100_000 / 16, webauth.Item{ID: "xsrf:", Unsigned: true}},
	{"visitor", 100_000 / 16, webauth.Item{ID: "xsrf-visitor:", Unsigned: true}},
}

// Each room has an end, and nothing of it is anybody else's.
func TestOnceRooms(t *testing.T) {
	for i, full := range rooms {
		t.Run(full.name, func(t *testing.T) {
			g := newRig(t)
			n := 0
			once := func(item webauth.Item) error {
				n++
				item.ID += fmt.Sprint(n)
				item.Group = "one shard"
				item.Issued, item.Expires = g.Now(), g.Now().Add(time.Hour)
				return g.Once(t.Context(), item)
			}
			require.NoError(t, once(full.item))
			count := g.key(t, fmt.Sprintf("}:%s:%d$", full.name, g.Now().Unix()/3600))
			require.NoError(t, g.mini.Set(count, fmt.Sprint(full.most-1)))
			require.NoError(t, once(full.item), "the last one")
			err := once(full.item)
			require.ErrorIs(t, err, webauth.ErrFull)
			require.ErrorContains(t, err, fmt.Sprintf("more than %d items of room %q in an hour in one of 16 shards", full.most, full.name))
			for j, other := range rooms {
				if i != j {
					assert.NoError(t, once(other.item), other.name)
				}
			}
			elsewhere := full.item
			elsewhere.ID += "elsewhere"
			elsewhere.Issued, elsewhere.Expires = g.Now(), g.Now().Add(time.Hour)
			assert.NoError(t, g.Once(t.Context(), elsewhere), "in another shard")
			g.advance(time.Hour)
			assert.NoError(t, once(full.item), "in the next hour")
			g.advance(3 * time.Hour)
			assert.Empty(t, g.keys(), "nothing is left behind")
		})
	}
}

// A site of many people can make the rooms larger.
func TestLoginsPerHour(t *testing.T) {
	g := newRig(t, func(c *redisstore.Config) { c.LoginsPerHour = 1_600_000 })
	item := func(id string) webauth.Item {
		return webauth.Item{ID: "token:" + id, Group: "one shard", Issued: g.Now(), Expires: g.Now().Add(time.Hour)}
	}
	require.NoError(t, g.Once(t.Context(), item("first")))
	count := g.key(t, fmt.Sprintf("}:login:%d$", g.Now().Unix()/3600))
	require.NoError(t, g.mini.Set(count, "199999"))
	require.NoError(t, g.Once(t.Context(), item("last")))
	require.ErrorIs(t, g.Once(t.Context(), item("one more")), webauth.ErrFull)
}

// leap moves Redis's clock ahead and back again, by as much, and the site's own with it if
// they are on one machine.
func (g *rig) leap(by time.Duration, meanwhile func()) {
	g.advance(by)
	meanwhile()
	g.mu.Lock()
	g.now = g.now.Add(-by)
	now := g.now
	g.mu.Unlock()
	g.mini.SetTime(now)
	g.advance(time.Second)
}

// A clock of Redis's machine that leaps ahead takes marks with it. When it is put back,
// what was used is not accepted again, and what is made after that is.
func TestOnceWhenRedisClockLeaps(t *testing.T) {
	for _, row := range []struct {
		name      string
		by        time.Duration
		meanwhile func(*testing.T, *rig)
	}{
		{"nobody noticed", time.Hour, func(*testing.T, *rig) {}},
		{"just enough", 6*time.Minute + time.Second, func(*testing.T, *rig) {}},
		{"somebody logs in meanwhile", time.Hour, func(t *testing.T, g *rig) {
			require.NoError(t, g.Once(t.Context(), g.item("meanwhile")))
		}},
		{"by less, and somebody logs in meanwhile", 7 * time.Minute, func(t *testing.T, g *rig) {
			require.NoError(t, g.Once(t.Context(), g.item("meanwhile")))
		}},
		{"health checks go on", time.Hour, func(t *testing.T, g *rig) { require.NoError(t, g.Check(t.Context())) }},
		{"by a year", 365 * 24 * time.Hour, func(t *testing.T, g *rig) {
			require.NoError(t, g.Once(t.Context(), g.item("meanwhile")))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newRig(t)
			used := g.item("used")
			require.NoError(t, g.Once(t.Context(), used))
			g.leap(row.by, func() { row.meanwhile(t, g) })
			for range 2 {
				require.ErrorIs(t, g.Once(t.Context(), used), redisstore.ErrLostMemory)
			}
			g.advance(time.Second)
			require.NoError(t, g.Once(t.Context(), g.item("fresh")))
			require.ErrorIs(t, g.Once(t.Context(), g.item("fresh")), webauth.ErrUsed)
		})
	}
}

// Checks notice a leap that took marks of long ago, in whichever shard nobody has logged in
// since.
func TestCheckWhenRedisClockLeaps(t *testing.T) {
	g := newRig(t)
	form := webauth.Item{ID: "form:a", Issued: g.Now(), Expires: g.Now().Add(time.Hour)}
	require.NoError(t, g.Once(t.Context(), form))
	for range 20 {
		g.advance(time.Minute)
		require.NoError(t, g.Check(t.Context()))
	}
	g.leap(2*time.Hour, func() {})
	require.ErrorIs(t, g.Once(t.Context(), form), redisstore.ErrLostMemory)
}

// A leap that took nothing sends nobody back.
func TestOnceWhenRedisClockLeapsALittle(t *testing.T) {
	g := newRig(t)
	used, unused := g.item("used"), g.item("unused")
	require.NoError(t, g.Once(t.Context(), used))
	g.leap(4*time.Minute, func() { require.NoError(t, g.Once(t.Context(), g.item("meanwhile"))) })
	assert.ErrorIs(t, g.Once(t.Context(), used), webauth.ErrUsed)
	assert.NoError(t, g.Once(t.Context(), unused))
}

// Nor does a night without a login.
func TestOnceAfterAQuietTime(t *testing.T) {
	for _, quiet := range []time.Duration{time.Minute, 4*time.Minute + 29*time.Second, 5 * time.Minute, time.Hour, 10 * time.Hour} {
		t.Run(quiet.String(), func(t *testing.T) {
			g := newRig(t)
			require.NoError(t, g.Once(t.Context(), g.item("evening")))
			g.advance(quiet)
			morning := g.item("morning")
			g.advance(10 * time.Second) // a person types a password
			assert.NoError(t, g.Once(t.Context(), morning))
		})
	}
}

// The site's own clock leaps, and Redis's does not.
func TestOnceWhenOurClockLeaps(t *testing.T) {
	for _, row := range []struct {
		name string
		by   time.Duration // while the token is used
	}{{"ahead", 55 * time.Minute}, {"right", 0}, {"back", -55 * time.Minute}} {
		t.Run(row.name, func(t *testing.T) {
			g := newRig(t)
			token := webauth.Item{ID: "token:a", Issued: g.Now(), Expires: g.Now().Add(time.Hour)}
			g.ours(row.by)
			require.NoError(t, g.Once(t.Context(), token))
			g.ours(-row.by)
			for range 6 {
				require.ErrorIs(t, g.Once(t.Context(), token), webauth.ErrUsed, "at %s", g.Now())
				g.advance(10 * time.Minute)
			}
			require.ErrorIs(t, g.Once(t.Context(), token), webauth.ErrUsed, "to its end")

			g.advance(2 * time.Hour)
			g.ours(-3 * time.Hour) // it seems good again, and its mark has gone
			require.ErrorContains(t, g.Once(t.Context(), token), "set all clocks by NTP")
		})
	}
}

// ours moves the site's clock and not Redis's.
func (g *rig) ours(by time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(by)
}
