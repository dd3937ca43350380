package redisstore_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
)

// worded is a session of a login that was made at a time, with words by which a provider
// ends it.
func (g *rig) worded(t testing.TB, principal, words string) *sessions.Session {
	t.Helper()
	c := save(t, g.Store, values{"principal": principal, glue.ValueLogout: words, glue.ValueIssued: g.Now().Unix()})
	return load(t, g.Store, c)
}

// lives reports whether the session is still there.
func (g *rig) lives(t testing.TB, session *sessions.Session) bool {
	t.Helper()
	r := request(&http.Cookie{Name: session.Name(), Value: session.ID})
	again, err := g.another(t).New(r, session.Name())
	require.NoError(t, err)
	return !again.IsNew
}

func TestEndSessions(t *testing.T) {
	g := newRig(t)
	here, there := g.worded(t, "spqr1", "account session-1"), g.worded(t, "spqr1", "account session-2")
	renamed := g.worded(t, "spqr1@cam.ac.uk", "account session-3") // the same account, another name
	other, none := g.worded(t, "spqr2", "other session-4"), load(t, g.Store, save(t, g.Store, values{"principal": "spqr1"}))

	for _, row := range []struct {
		name, word string
		want       int
		left       []*sessions.Session
		gone       []*sessions.Session
	}{
		{"a word of nobody", "nobody", 0, []*sessions.Session{here, there, renamed, other, none}, nil},
		{"a part of a word", "accoun", 0, []*sessions.Session{here, there, renamed, other, none}, nil},
		{"one session", "session-1", 1, []*sessions.Session{there, renamed, other, none}, []*sessions.Session{here}},
		{"the same once more", "session-1", 0, []*sessions.Session{there, renamed, other, none}, []*sessions.Session{here}},
		{"all of the account", "account", 2, []*sessions.Session{other, none}, []*sessions.Session{here, there, renamed}},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := g.EndSessions(t.Context(), row.word, g.Now())
			require.NoError(t, err)
			assert.Equal(t, row.want, n)
			for _, s := range row.left {
				assert.True(t, g.lives(t, s))
			}
			for _, s := range row.gone {
				assert.False(t, g.lives(t, s))
			}
		})
	}
}

// A login that was under way when its person logged out gives no session, one of later does.
func TestEndSessionsBeforeTheyBegin(t *testing.T) {
	g := newRig(t)
	login := values{"principal": "spqr1", glue.ValueLogout: "account session-1", glue.ValueIssued: g.Now().Unix()}
	g.advance(2 * time.Second)
	n, err := g.EndSessions(t.Context(), "session-1", g.Now())
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = g.EndSessions(t.Context(), "session-1", g.Now().Add(-time.Minute)) // an earlier logout comes late
	require.NoError(t, err)

	late := sessions.NewSession(g.Store, cookieName)
	for k, v := range login {
		late.Values[k] = v
	}
	w := httptest.NewRecorder()
	require.ErrorIs(t, g.Save(request(), w, late), glue.ErrLoggedOut)
	assert.Empty(t, w.Result().Cookies())
	list, err := g.Sessions(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.Empty(t, list)

	g.advance(time.Second)
	assert.True(t, g.lives(t, g.worded(t, "spqr1", "account session-1")), "a login after the logout")
	n, err = g.EndSessions(t.Context(), "session-1", g.Now().Add(-time.Second))
	require.NoError(t, err)
	assert.Zero(t, n, "the logout again: it was before this login")
}

// Whose sessions have a word is known for as long as any of them may last.
func TestEndSessionsIsKnownAsLongAsTheyLast(t *testing.T) {
	g := newRig(t)
	first := g.worded(t, "spqr1", "account session-1")
	g.advance(20 * time.Hour)
	second := g.worded(t, "spqr2", "account session-2")
	g.advance(23 * time.Hour)
	assert.False(t, g.lives(t, first))
	assert.True(t, g.lives(t, second))
	n, err := g.EndSessions(t.Context(), "account", g.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	g.advance(48 * time.Hour)
	for _, key := range g.keys() {
		assert.False(t, strings.Contains(key, "logout:") || strings.Contains(key, "logged-out:"), key)
	}
}

func TestEndSessionsWithoutRedis(t *testing.T) {
	g := newRig(t)
	g.mini.Close()
	_, err := g.EndSessions(t.Context(), "account", g.Now())
	assert.ErrorContains(t, err, "Redis at ")
}
