package redisstore_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

// newWiredRig is a rig whose first Store is on a wire, and has run every script.
func newWiredRig(t testing.TB) (*rig, *wire) {
	t.Helper()
	w := &wire{}
	g := newRig(t)
	plain := g.cfg
	w.through(&g.cfg)
	g.Store = g.another(t)
	g.cfg = plain
	save(t, g.Store, values{"principal": "spqr1", glue.ValueLogout: "account"})
	session := load(t, g.Store, save(t, g.Store, values{"principal": "spqr1"}))
	g.advance(time.Minute)
	resave(t, g.Store, load(t, g.Store, &http.Cookie{Name: cookieName, Value: session.ID}))
	_, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	_, err = g.RevokeAll(t.Context(), "spqr1")
	require.NoError(t, err)
	session.Options.MaxAge = -1
	resave(t, g.Store, session)
	return g, w
}

// TestRoundTrips counts how often Redis is asked.
func TestRoundTrips(t *testing.T) {
	g, w := newWiredRig(t)
	session := load(t, g.Store, save(t, g.Store, values{"principal": "spqr1"}))
	cookie := &http.Cookie{Name: cookieName, Value: session.ID}
	ctx := t.Context()
	for _, c := range []struct {
		name string
		want int
		do   func()
	}{
		{"a page without a session", 0, func() { _, _ = g.New(request(), cookieName) }},
		{"a page", 1, func() { load(t, g.Store, cookie) }},
		{"a page, once a minute", 2, func() { g.advance(time.Minute); load(t, g.Store, cookie) }},
		{"a new session", 1, func() { save(t, g.Store, values{"principal": "spqr1"}) }},
		{"a new session that a provider may end", 5, func() { save(t, g.Store, values{"principal": "spqr1", glue.ValueLogout: "account session"}) }},
		{"saved again", 1, func() { resave(t, g.Store, session) }},
		{"the person changes", 2, func() { session.Values["principal"] = "other1"; resave(t, g.Store, session) }},
		{"the list", 1, func() { _, _ = g.Sessions(ctx, "spqr1") }},
		{"logout", 1, func() { session.Options.MaxAge = -1; resave(t, g.Store, session) }},
		{"all revoked", 1, func() { _, _ = g.RevokeAll(ctx, "spqr1") }},
	} {
		assert.Equal(t, c.want, w.count(c.do, nil), c.name)
	}
}

// many saves sessions of a person, and returns their cookies.
func many(t testing.TB, s *redisstore.Store, n int) (all []*http.Cookie) {
	t.Helper()
	for range n {
		all = append(all, save(t, s, values{"principal": "spqr1"}))
	}
	return all
}

// live are those of the cookies, which are all of a person's, that work. They must be what
// the person's list has.
func live(t testing.TB, s *redisstore.Store, cookies []*http.Cookie) (all []*http.Cookie) {
	t.Helper()
	list, err := s.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	for _, c := range cookies {
		if !load(t, s, c).IsNew {
			all = append(all, c)
			assert.True(t, slices.ContainsFunc(list, func(l redisstore.Session) bool { return l.Is(request(c)) }), "it works, and is in no list")
		}
	}
	assert.Len(t, list, len(all))
	return all
}

// TestRevokeAllInSteps: whatever happens between two steps, what was there before has ended.
func TestRevokeAllInSteps(t *testing.T) {
	t.Parallel()
	const n = 150
	for _, c := range []struct {
		name    string
		between func(t *testing.T, g *rig, other *redisstore.Store, cookies []*http.Cookie) (fresh []*http.Cookie, ended int)
		fresh   int // of the new ones, how many live on at most
	}{
		{"a login", func(t *testing.T, _ *rig, other *redisstore.Store, _ []*http.Cookie) ([]*http.Cookie, int) {
			return many(t, other, 1), -1
		}, 1},
		{"all saved again", func(t *testing.T, g *rig, other *redisstore.Store, cookies []*http.Cookie) ([]*http.Cookie, int) {
			for _, c := range cookies {
				session := load(t, other, c)
				if session.IsNew {
					session.ID, session.Values = c.Value, values{"principal": "spqr1"}
					w := httptest.NewRecorder()
					require.ErrorIs(t, other.Save(request(), w, session), redisstore.ErrEnded)
					require.Empty(t, w.Header())
					continue
				}
				resave(t, other, session)
			}
			return nil, 0
		}, 0},
		{"a list", func(t *testing.T, _ *rig, other *redisstore.Store, _ []*http.Cookie) ([]*http.Cookie, int) {
			list, err := other.Sessions(t.Context(), "spqr1")
			require.NoError(t, err)
			require.Len(t, list, n-100)
			return nil, 0
		}, 0},
		{"some end", func(t *testing.T, _ *rig, other *redisstore.Store, _ []*http.Cookie) ([]*http.Cookie, int) {
			list, err := other.Sessions(t.Context(), "spqr1")
			require.NoError(t, err)
			for _, session := range list[:20] {
				ended, err := other.Revoke(t.Context(), "spqr1", session.Handle)
				require.NoError(t, err)
				require.True(t, ended)
			}
			return nil, 20
		}, 0},
		{"all revoked elsewhere", func(t *testing.T, _ *rig, other *redisstore.Store, _ []*http.Cookie) ([]*http.Cookie, int) {
			ended, err := other.RevokeAll(t.Context(), "spqr1")
			require.NoError(t, err)
			return nil, ended
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, w := newWiredRig(t)
			cookies := many(t, g.Store, n)
			var fresh []*http.Cookie
			var elsewhere, total int
			steps := w.count(func() {
				var err error
				total, err = g.RevokeAll(t.Context(), "spqr1")
				require.NoError(t, err)
			}, map[int]func(){2: func() { fresh, elsewhere = c.between(t, g, g.another(t), cookies) }})
			assert.GreaterOrEqual(t, steps, 2)
			assert.LessOrEqual(t, len(live(t, g.Store, append(cookies, fresh...))), c.fresh)
			for _, session := range cookies {
				assert.True(t, load(t, g.Store, session).IsNew)
			}
			if elsewhere >= 0 {
				assert.Equal(t, n, total+elsewhere, "none is counted twice")
			}
		})
	}
}

// TestRevokeAllBrokenOff: the error says how far it came, and the next call does the rest.
func TestRevokeAllBrokenOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		breaks func(g *rig, cancel func())
		ended  int
	}{
		{"Redis fails", func(g *rig, _ func()) { g.mini.SetError("out of order") }, 100},
		{"cancelled", func(_ *rig, cancel func()) { cancel() }, 200}, // what is sent is done
	} {
		t.Run(c.name, func(t *testing.T) {
			g, w := newWiredRig(t)
			cookies := many(t, g.Store, 210)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.set(map[int]func(){2: func() { c.breaks(g, cancel) }})
			n, err := g.RevokeAll(ctx, "spqr1")
			require.ErrorContains(t, err, fmt.Sprint(c.ended, " sessions have been ended"))
			assert.Equal(t, c.ended, n)
			g.mini.SetError("")
			n, err = g.RevokeAll(t.Context(), "spqr1")
			require.NoError(t, err)
			assert.Equal(t, len(cookies)-c.ended, n)
			assert.Empty(t, live(t, g.Store, cookies))
		})
	}
}

// TestRevokeAllKeepsMany: those to keep may be more than a step, wherever in the list.
func TestRevokeAllKeepsMany(t *testing.T) {
	t.Parallel()
	g := newRig(t)
	cookies := many(t, g.Store, 150)
	var keep []string
	var kept []*http.Cookie
	list, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	for i, session := range list {
		if i < 106 || i%2 == 0 {
			keep = append(keep, session.Handle)
			for _, c := range cookies {
				if session.Is(request(c)) {
					kept = append(kept, c)
				}
			}
		}
	}
	keep = append(keep, keep[0], "no-handle", "")
	n, err := g.RevokeAll(t.Context(), "spqr1", keep...)
	require.NoError(t, err)
	assert.Equal(t, 22, n)
	assert.ElementsMatch(t, kept, live(t, g.Store, cookies))
}

// TestManySessions: the list goes on behind those that are gone, and ends after 1,000.
func TestManySessions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ live, gone, want int }{
		{0, 250, 0},
		{100, 100, 100},
		{1, 300, 1},
		{1000, 110, 1000},
		{1100, 0, 1000},
	} {
		t.Run(fmt.Sprint(c.live, " and ", c.gone, " gone"), func(t *testing.T) {
			g := newRig(t, func(c *redisstore.Config) { c.Inactivity = time.Hour })
			many(t, g.Store, c.gone) // these would end last, but are not used
			g.advance(50 * time.Minute)
			g.cfg.MaxLife = 20 * time.Hour
			s := g.another(t)
			many(t, s, c.live)
			// Package glue has the store keep a session for longer than it lasts.
			ended := values{"principal": "spqr1", "expires": g.Now().Unix()}
			save(t, g.Store, ended, sessions.Options{Path: "/", MaxAge: 48 * 3600})
			g.advance(20 * time.Minute)
			list, err := g.Sessions(t.Context(), "spqr1")
			require.NoError(t, err)
			assert.Len(t, list, c.want)
			n, err := g.RevokeAll(t.Context(), "spqr1")
			require.NoError(t, err)
			assert.Equal(t, c.live+1, n)
		})
	}
}
