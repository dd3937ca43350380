package redisstore_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

func TestSessions(t *testing.T) {
	g := newRig(t)
	began := g.Now()
	first := save(t, g.Store, values{"principal": "spqr1"})
	g.advance(time.Hour)
	second := save(t, g.Store, values{"principal": "spqr1", "expires": g.Now().Add(2 * time.Hour).Unix()})
	save(t, g.Store, values{"principal": "spqr11"})
	save(t, g.Store, values{"basket": 1})
	g.advance(90 * time.Second)
	load(t, g.Store, first)

	list, err := g.another(t).Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	require.Len(t, list, 2, "only this person's")
	assert.Equal(t, redisstore.Session{
		Handle: list[0].Handle, Created: began.Add(time.Hour), LastUsed: began.Add(time.Hour), Expires: began.Add(3 * time.Hour),
	}, list[0], "newest first; the end that the session itself says")
	assert.Equal(t, redisstore.Session{
		Handle: list[1].Handle, Created: began, LastUsed: began.Add(time.Hour + 90*time.Second), Expires: began.Add(24 * time.Hour),
	}, list[1])

	assert.True(t, list[0].Is(request(second)))
	assert.False(t, list[0].Is(request(first)))
	assert.True(t, list[1].Is(request(second, first)))
	assert.False(t, list[1].Is(request(&http.Cookie{Name: "other", Value: first.Value})))
	assert.NotContains(t, list[0].Handle+list[1].Handle, first.Value[2:])

	for _, nobody := range []string{"", "nobody", "spqr", "SPQR1", "*"} {
		list, err := g.Sessions(t.Context(), nobody)
		require.NoError(t, err)
		assert.Empty(t, list, nobody)
	}
}

func TestSessionsThatHaveEnded(t *testing.T) {
	g := newRig(t)
	// The store keeps it for an hour longer than it lasts, as package glue asks.
	save(t, g.Store, values{"principal": "spqr1", "expires": g.Now().Add(time.Hour).Unix()}, sessions.Options{Path: "/", MaxAge: 7200})
	g.advance(time.Hour)
	list, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Empty(t, list)
	n, err := g.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Equal(t, 1, n, "but it is ended with the others")
}

func TestRevoke(t *testing.T) {
	g := newRig(t)
	one := save(t, g.Store, values{"principal": "spqr1"})
	two := save(t, g.Store, values{"principal": "spqr1"})
	other := save(t, g.Store, values{"principal": "other1"})
	anonymous := save(t, g.Store, values{})
	revoke := func(principal string, c *http.Cookie) bool {
		t.Helper()
		ok, err := g.Revoke(t.Context(), principal, handleIn(t, g, c))
		require.NoError(t, err)
		return ok
	}
	handle := handleIn(t, g, one)
	late := load(t, g.Store, one)
	assert.True(t, revoke("spqr1", one))
	assert.True(t, load(t, g.another(t), one).IsNew, "at once, on all machines")
	assert.ErrorIs(t, g.Save(request(), httptest.NewRecorder(), late), redisstore.ErrEnded)
	ok, err := g.Revoke(t.Context(), "spqr1", handle)
	require.NoError(t, err)
	assert.False(t, ok, "it is gone already")

	assert.False(t, revoke("spqr1", other), "another person's is left alone")
	assert.False(t, revoke("", anonymous), "nobody's as well")
	for _, bad := range []string{"", "*", "x", strings.Repeat("A", 43), strings.Repeat("A", 10_000)} {
		ok, err := g.Revoke(t.Context(), "spqr1", bad)
		require.NoError(t, err)
		assert.False(t, ok)
	}
	for _, c := range []*http.Cookie{two, other, anonymous} {
		assert.False(t, load(t, g.Store, c).IsNew)
	}
	list, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Len(t, list, 1)
}

// handleIn finds the handle of a cookie's session among those in Redis.
func handleIn(t testing.TB, g *rig, c *http.Cookie) string {
	t.Helper()
	for _, handle := range handles(g) {
		if (redisstore.Session{Handle: handle}).Is(request(c)) {
			return handle
		}
	}
	require.Fail(t, "no such session")
	return ""
}

func TestRevokeAll(t *testing.T) {
	g := newRig(t)
	var mine []*http.Cookie
	for range 5 {
		mine = append(mine, save(t, g.Store, values{"principal": "spqr1"}))
	}
	other := save(t, g.Store, values{"principal": "other1"})

	n, err := g.RevokeAll(t.Context(), "spqr1", handleIn(t, g, mine[2]), "no-handle")
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	for i, c := range mine {
		assert.Equal(t, i != 2, load(t, g.another(t), c).IsNew)
	}
	n, err = g.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.True(t, load(t, g.Store, mine[2]).IsNew)
	for _, nobody := range []string{"", "nobody"} {
		n, err = g.RevokeAll(t.Context(), nobody)
		require.NoError(t, err)
		assert.Zero(t, n)
	}
	assert.False(t, load(t, g.Store, other).IsNew)
}

func TestListsAreCleaned(t *testing.T) {
	g := newRig(t, func(c *redisstore.Config) { c.Inactivity = time.Hour })
	list := func() (all []string) {
		for _, key := range g.mini.Keys() {
			if strings.Contains(key, "}:person:") {
				members, err := g.mini.ZMembers(key)
				require.NoError(t, err)
				all = append(all, members...)
			}
		}
		return all
	}
	age := func(d time.Duration) sessions.Options { return sessions.Options{Path: "/", MaxAge: int(d.Seconds())} }
	save(t, g.Store, values{"principal": "spqr1"}, age(30*time.Minute))
	save(t, g.Store, values{"principal": "spqr1"}, age(3*time.Hour))
	assert.Len(t, list(), 2)

	g.advance(31 * time.Minute)
	save(t, g.Store, values{"principal": "spqr1"}, age(10*time.Minute))
	assert.Len(t, list(), 2, "a login takes out what has expired")

	g.advance(90 * time.Minute) // the second was not used, and is gone before its time
	got, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Empty(t, got)
	assert.Empty(t, list(), "listing takes out what is gone")

	save(t, g.Store, values{"principal": "spqr1"}, age(10*time.Minute))
	save(t, g.Store, values{"principal": "spqr1"}, age(2*time.Minute)) // does not shorten the list's life
	g.advance(9 * time.Minute)
	assert.NotEmpty(t, list())
	g.advance(time.Minute)
	assert.Empty(t, g.keys(), "the list itself expires")
}

// A login takes out a few only of many that have expired: everybody waits meanwhile.
func TestListsAreCleanedByAndBy(t *testing.T) {
	g := newRig(t)
	save(t, g.Store, values{"principal": "spqr1"})
	list := g.mini.Keys()[slices.IndexFunc(g.mini.Keys(), func(key string) bool { return strings.Contains(key, "}:person:") })]
	for i := range 150 {
		_, err := g.mini.ZAdd(list, float64(start.UnixMilli()), strconv.Itoa(i))
		require.NoError(t, err)
	}
	for _, want := range []int{52, 3, 4} {
		save(t, g.Store, values{"principal": "spqr1"})
		all, err := g.mini.ZMembers(list)
		require.NoError(t, err)
		assert.Len(t, all, want)
	}
}

func TestSitesAreApart(t *testing.T) {
	g := newRig(t)
	c := save(t, g.Store, values{"principal": "spqr1"})
	g.cfg.Site = "soc2"
	two := g.another(t)
	assert.True(t, load(t, two, c).IsNew)
	n, err := two.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Zero(t, n)
	assert.False(t, load(t, g.Store, c).IsNew)
}

// A session says the family of its browser in our own words, where the site has that noted.
func TestSessions_browser(t *testing.T) {
	for userAgent, want := range map[string]string{"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux", "<b>1 2</b>": ""} {
		for _, noted := range []bool{true, false} {
			g := newRig(t, func(c *redisstore.Config) { c.NoteBrowsers = noted })
			r := request()
			r.Header.Set("User-Agent", userAgent)
			session, err := g.New(r, cookieName)
			require.NoError(t, err)
			session.Values["principal"], session.Values["expires"] = "spqr1", g.Now().Add(time.Hour).Unix()
			require.NoError(t, g.Save(r, httptest.NewRecorder(), session))
			list, err := g.Sessions(t.Context(), "spqr1")
			require.NoError(t, err)
			require.Len(t, list, 1)
			assert.Equal(t, noted && want != "", list[0].Browser != "")
			if noted {
				assert.Equal(t, want, list[0].Browser)
			}
			assert.Equal(t, g.Now().Add(time.Hour).Unix(), list[0].Expires.Unix())
		}
	}
}
