package redisstore_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

var _ sessions.Store = (*redisstore.Store)(nil)

func TestSaveAndLoad(t *testing.T) {
	g := newRig(t)
	want := values{"principal": "spqr1", "expires": int64(1795305600), "n": 3, "ok": true}
	c := save(t, g.Store, want)

	session := load(t, g.another(t), c) // at another machine
	assert.False(t, session.IsNew)
	assert.Equal(t, want, session.Values)
	assert.Equal(t, c.Value, session.ID)

	session.Values["n"] = 4
	assert.Equal(t, c.Value, resave(t, g.Store, session).Value, "the id stays")
	assert.Equal(t, 4, load(t, g.Store, c).Values["n"])
}

func TestCookieAttributes(t *testing.T) {
	strict := sessions.Options{Path: "/a", Domain: "soc.example", MaxAge: 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode, Partitioned: true}
	lax := sessions.Options{Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	script := sessions.Options{Path: "/"} // as given, though laxer than we would
	for _, c := range []struct {
		name string
		in   *sessions.Options
		want sessions.Options
	}{
		{"none", nil, lax},
		{"zero", &sessions.Options{}, lax},
		{"given", &strict, strict},
		{"given, laxer", &script, script},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t)
			session := sessions.NewSession(g.Store, "soc")
			session.Options = c.in
			got := resave(t, g.Store, session)
			assert.Equal(t, "soc", got.Name)
			assert.Equal(t, c.want, sessions.Options{
				Path: got.Path, Domain: got.Domain, MaxAge: got.MaxAge, Secure: got.Secure,
				HttpOnly: got.HttpOnly, SameSite: got.SameSite, Partitioned: got.Partitioned,
			})
		})
	}
}

func TestCookieThatCannotBe(t *testing.T) {
	g := newRig(t)
	session := sessions.NewSession(g.Store, "a b")
	w := httptest.NewRecorder()
	require.ErrorContains(t, g.Save(request(), w, session), "cookie")
	assert.Empty(t, w.Header())
	assert.Empty(t, g.keys(), "nothing is stored")
}

func TestValuesOfOtherTypes(t *testing.T) {
	g := newRig(t)
	session := sessions.NewSession(g.Store, "soc")
	session.AddFlash("hello")
	w := httptest.NewRecorder()
	require.ErrorContains(t, g.Save(request(), w, session), `Session.Values["_flash"]`)
	assert.Empty(t, w.Header())
	assert.Empty(t, g.keys())
}

// TestBadCookies: whatever is no cookie of ours gives a new session, and the id in it
// never becomes a session's.
func TestBadCookies(t *testing.T) {
	g := newRig(t)
	c := save(t, g.Store, values{"a": 1})
	unknown := "1." + strings.Repeat("A", 44)
	for name, cookies := range map[string][]*http.Cookie{
		"none":        nil,
		"other name":  {{Name: "other", Value: c.Value}},
		"unknown":     {{Name: cookieName, Value: unknown}},
		"garbage":     {{Name: cookieName, Value: "garbage"}},
		"empty":       {{Name: cookieName, Value: ""}},
		"very long":   {{Name: cookieName, Value: strings.Repeat("A", 100_000)}},
		"twice":       {c, c},
		"tossed in":   {c, {Name: cookieName, Value: unknown}},
		"lower case":  {{Name: cookieName, Value: strings.ToLower(c.Value)}},
		"glob":        {{Name: cookieName, Value: "1.*"}},
		"its handle":  {{Name: cookieName, Value: "1.A" + handles(g)[0]}},
		"only handle": {{Name: cookieName, Value: handles(g)[0]}},
	} {
		t.Run(name, func(t *testing.T) {
			session, err := g.New(request(cookies...), cookieName)
			require.NoError(t, err)
			assert.True(t, session.IsNew)
			assert.Empty(t, session.ID)
			assert.Empty(t, session.Values)
			session.Values["principal"] = "victim"
			got := resave(t, g.Store, session)
			for _, presented := range cookies {
				assert.NotEqual(t, presented.Value, got.Value)
			}
			assert.Equal(t, "victim", load(t, g.Store, got).Values["principal"])
		})
	}
	assert.Equal(t, 1, load(t, g.Store, c).Values["a"], "the session that was there is unharmed")
}

// handles of all sessions in Redis.
func handles(g *rig) (all []string) {
	for _, key := range g.mini.Keys() {
		if _, handle, ok := strings.Cut(key, "}:session:"); ok {
			all = append(all, handle)
		}
	}
	return all
}

// record is the key of a session in Redis.
func record(t testing.TB, g *rig) string {
	t.Helper()
	keys := slices.DeleteFunc(g.mini.Keys(), func(key string) bool { return !strings.Contains(key, "}:session:") })
	require.NotEmpty(t, keys)
	return keys[0]
}

// TestFixation: an attacker has a session of his own and puts its cookie into the
// victim's browser before the login.
func TestFixation(t *testing.T) {
	g := newRig(t)
	for name, attackers := range map[string]values{"anonymous": {"basket": 1}, "attacker's": {"principal": "evil1"}} {
		t.Run(name, func(t *testing.T) {
			planted := save(t, g.Store, attackers)
			session := load(t, g.Store, planted)
			session.Values["principal"] = "victim"
			got := resave(t, g.Store, session)
			assert.NotEqual(t, planted.Value, got.Value)
			assert.Equal(t, "victim", load(t, g.Store, got).Values["principal"])
			assert.True(t, load(t, g.Store, planted).IsNew, "the planted id is good for nothing")
			list, err := g.Sessions(t.Context(), "evil1")
			require.NoError(t, err)
			assert.Empty(t, list)
		})
	}
	t.Run("logout by hand", func(t *testing.T) {
		old := save(t, g.Store, values{"principal": "spqr1"})
		session := load(t, g.Store, old)
		delete(session.Values, "principal")
		assert.NotEqual(t, old.Value, resave(t, g.Store, session).Value)
		assert.True(t, load(t, g.Store, old).IsNew)
	})
}

func TestSaveOfAnIDThatIsNotOurs(t *testing.T) {
	g := newRig(t)
	for id, says := range map[string]string{
		"chosen":                       "not one that this store gave",
		"1." + strings.Repeat("A", 44): redisstore.ErrEnded.Error(), // could be ours, but is not there
	} {
		session := sessions.NewSession(g.Store, cookieName)
		session.ID = id
		w := httptest.NewRecorder()
		require.ErrorContains(t, g.Save(request(), w, session), says)
		assert.Empty(t, w.Header())
	}
	assert.Empty(t, handles(g))
}

func TestEnd(t *testing.T) {
	g := newRig(t)
	c := save(t, g.Store, values{"principal": "spqr1"})
	late := load(t, g.Store, c) // another request, still at work
	session := load(t, g.Store, c)
	session.Options.MaxAge = -1
	gone := resave(t, g.Store, session)
	assert.Equal(t, -1, gone.MaxAge)
	assert.Empty(t, gone.Value)
	assert.True(t, load(t, g.Store, c).IsNew)
	assert.Empty(t, g.keys(), "nor is it in a list")

	w := httptest.NewRecorder()
	require.ErrorIs(t, g.Save(request(), w, late), redisstore.ErrEnded, "it does not come back")
	assert.Empty(t, w.Header())
	assert.Empty(t, handles(g))

	session.Options.MaxAge = 0
	assert.NotEqual(t, c.Value, resave(t, g.Store, session).Value, "saved again, it is a new one")
}

func TestEndOfWhatWasNeverSaved(t *testing.T) {
	g := newRig(t)
	session := sessions.NewSession(g.Store, cookieName)
	session.Options = &sessions.Options{Path: "/", MaxAge: -1}
	assert.Equal(t, -1, resave(t, g.Store, session).MaxAge)
}

func TestExpiry(t *testing.T) {
	const hour = time.Hour
	cookie := func(maxAge int) sessions.Options { return sessions.Options{Path: "/", MaxAge: maxAge} }
	for _, c := range []struct {
		name          string
		life, idle    time.Duration
		maxAge        int
		saves         bool // again, every half hour
		uses          bool // every half hour
		alive, expire time.Duration
	}{
		{name: "browser's session", alive: 24*hour - 1, expire: 24 * hour},
		{name: "browser's session, configured", life: 3 * hour, alive: 3*hour - 1, expire: 3 * hour},
		{name: "MaxAge", maxAge: 3600, alive: hour - 1, expire: hour},
		{name: "long MaxAge", maxAge: 48 * 3600, alive: 48*hour - 1, expire: 48 * hour},
		{name: "long MaxAge, configured", life: hour, maxAge: 48 * 3600, alive: hour - 1, expire: hour},
		{name: "MaxAge counts from the last save", maxAge: 3600, saves: true, alive: 23 * hour, expire: 24 * hour},
		{name: "saving does not prolong", life: 3 * hour, saves: true, alive: 3*hour - 1, expire: 3 * hour},
		{name: "inactivity", idle: hour, alive: hour - 1, expire: hour},
		{name: "inactivity, used", idle: hour, uses: true, alive: 23 * hour, expire: 24 * hour},
		{name: "inactivity, configured life", idle: hour, life: 2 * hour, uses: true, alive: 2*hour - 1, expire: 2 * hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, until := range []time.Duration{c.alive, c.expire} {
				g := newRig(t, func(cfg *redisstore.Config) { cfg.MaxLife, cfg.Inactivity = c.life, c.idle })
				k := save(t, g.Store, values{"principal": "spqr1"}, cookie(c.maxAge))
				step := until
				if c.saves || c.uses {
					step = hour / 2
				}
				for at := step; at < until; at += step {
					g.advance(step)
					session := load(t, g.Store, k)
					require.False(t, session.IsNew, "after %v", at)
					if c.saves {
						*session.Options = cookie(c.maxAge)
						resave(t, g.Store, session)
					}
				}
				rest := until % step
				if rest == 0 {
					rest = step
				}
				g.advance(rest)
				assert.Equal(t, until == c.expire, load(t, g.Store, k).IsNew, "after %v", until)
				if until == c.expire {
					assert.Empty(t, handles(g))
				}
			}
		})
	}
}

// TestExpiryByOurClock: a Redis whose clock stands still keeps nobody logged in.
func TestExpiryByOurClock(t *testing.T) {
	for name, edit := range map[string]func(*redisstore.Config){
		"life":       func(c *redisstore.Config) { c.MaxLife = time.Hour },
		"inactivity": func(c *redisstore.Config) { c.Inactivity = time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, edit)
			k := save(t, g.Store, values{"a": 1})
			g.now = g.now.Add(time.Hour + time.Second)
			assert.True(t, load(t, g.Store, k).IsNew)
			assert.Len(t, handles(g), 1)
		})
	}
}

func TestSaveOfWhatExpiredMeanwhile(t *testing.T) {
	g := newRig(t, func(c *redisstore.Config) { c.MaxLife = time.Hour })
	session := load(t, g.Store, save(t, g.Store, values{"principal": "spqr1"}))
	g.now = g.now.Add(time.Hour)
	require.ErrorIs(t, g.Save(request(), httptest.NewRecorder(), session), redisstore.ErrEnded)
	assert.Empty(t, handles(g))
}

// TestNothingUsableInRedis: what Redis holds and what is logged lets nobody in.
func TestNothingUsableInRedis(t *testing.T) {
	g := newRig(t)
	var ids []string
	for range 3 {
		c := save(t, g.Store, values{"principal": "spqr1"})
		ids = append(ids, strings.TrimPrefix(c.Value, "1."))
	}
	g.mini.HSet(record(t, g), "values", "damaged")
	for _, id := range ids {
		load(t, g.Store, &http.Cookie{Name: cookieName, Value: "1." + id})
	}
	g.mini.SetError("out of order")
	_, err := g.New(request(&http.Cookie{Name: cookieName, Value: "1." + ids[1]}), cookieName)
	require.ErrorContains(t, err, "out of order")
	g.mini.SetError("")
	dump := g.mini.Dump() + g.log.String() + err.Error() + strings.Join(g.mini.Keys(), " ")
	require.Contains(t, dump, "spqr1")
	for _, id := range ids {
		assert.NotContains(t, dump, id)
		assert.NotContains(t, dump, id[:20])
	}
}

func TestHostileRecords(t *testing.T) {
	for name, field := range map[string][2]string{
		"values":        {"values", "gob"},
		"values, empty": {"values", ""},
		"used":          {"used", "soon"},
		"finish":        {"finish", "9e99"},
		"finish, empty": {"finish", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			c := save(t, g.Store, values{"principal": "spqr1"})
			g.mini.HSet(record(t, g), field[0], field[1])
			assert.True(t, load(t, g.Store, c).IsNew)
			assert.Contains(t, g.log.String(), "damaged")
		})
	}
	t.Run("other type", func(t *testing.T) {
		g := newRig(t)
		c := save(t, g.Store, values{"principal": "spqr1"})
		key := record(t, g)
		g.mini.Del(key)
		require.NoError(t, g.mini.Set(key, "x"))
		_, err := g.New(request(c), cookieName)
		assert.ErrorContains(t, err, "WRONGTYPE")
	})
}

func TestRedisGone(t *testing.T) {
	g := newRig(t)
	c := save(t, g.Store, values{"principal": "spqr1"})
	session := load(t, g.Store, c)
	addr := g.mini.Addr()
	g.mini.Close()

	fresh, err := g.New(request(c), cookieName)
	require.ErrorContains(t, err, addr)
	require.NotNil(t, fresh, "as gorilla demands")
	assert.True(t, fresh.IsNew)
	assert.Empty(t, fresh.Values, "nobody is treated as logged in")
	_, err = g.New(request(), cookieName)
	assert.NoError(t, err, "who brings no cookie is no business of Redis")

	w := httptest.NewRecorder()
	require.ErrorContains(t, g.Save(request(), w, session), addr)
	assert.Empty(t, w.Header(), "no cookie for what is not stored")
	session.Options.MaxAge = -1
	w = httptest.NewRecorder()
	require.ErrorContains(t, g.Save(request(), w, session), addr)
	assert.Equal(t, -1, w.Result().Cookies()[0].MaxAge, "the browser forgets it all the same")
	_, err = g.Sessions(t.Context(), "spqr1")
	require.ErrorContains(t, err, addr)
	_, err = g.RevokeAll(t.Context(), "spqr1")
	require.ErrorContains(t, err, addr)
	_, err = g.Revoke(t.Context(), "spqr1", strings.Repeat("A", 43))
	require.ErrorContains(t, err, addr)
	require.ErrorContains(t, g.Check(t.Context()), addr)

	for range 200 { // more than the client has connections
		_, err = g.New(request(c), cookieName)
		require.ErrorContains(t, err, "connection refused")
	}
	require.NoError(t, g.mini.Restart())
	assert.Equal(t, "spqr1", load(t, g.Store, c).Values["principal"], "back by itself, and at once")
}

func TestContextIsHonoured(t *testing.T) {
	g := newRig(t)
	c := save(t, g.Store, values{"a": 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := g.New(request(c).WithContext(ctx), cookieName)
	require.ErrorIs(t, err, context.Canceled)
	session := load(t, g.Store, c)
	require.ErrorIs(t, g.Save(request().WithContext(ctx), httptest.NewRecorder(), session), context.Canceled)
}

func TestGetGoesThroughTheRegistry(t *testing.T) {
	g := newRig(t)
	r := request(save(t, g.Store, values{"a": 1}))
	one, err := g.Get(r, cookieName)
	require.NoError(t, err)
	two, err := g.Get(r, cookieName)
	require.NoError(t, err)
	assert.Same(t, one, two)
	assert.Equal(t, 1, one.Values["a"])
}
