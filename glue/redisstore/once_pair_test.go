package redisstore_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// pair returns a response and its token, which were made at a time and last a minute.
func pair(name string, at time.Time) (response, token webauth.Item) {
	token = webauth.Item{ID: "token:" + name, Group: "token:" + name, Issued: at, Expires: at.Add(time.Hour)}
	response = token
	response.ID = "response:" + name
	return response, token
}

// TestOncePair: each of the two is marked, and judged, whatever becomes of the other.
func TestOncePair(t *testing.T) {
	late := func(i *webauth.Item) { i.Expires = i.Issued.Add(-time.Second) }
	early := func(i *webauth.Item) { i.Issued = i.Issued.Add(-time.Hour) }
	for _, row := range []struct {
		name                string
		before              func(t *testing.T, g *rig, response, token webauth.Item)
		response, token     func(*webauth.Item)
		wantResponse, wants error // by errors.Is
	}{
		{name: "first"},
		{name: "response used", wantResponse: webauth.ErrUsed,
			before: func(t *testing.T, g *rig, r, _ webauth.Item) { require.NoError(t, g.Once(t.Context(), r)) }},
		{name: "token used", wants: webauth.ErrUsed,
			before: func(t *testing.T, g *rig, _, k webauth.Item) { require.NoError(t, g.Once(t.Context(), k)) }},
		{name: "both used", wantResponse: webauth.ErrUsed, wants: webauth.ErrUsed,
			before: func(t *testing.T, g *rig, r, k webauth.Item) {
				a, b := g.OncePair(t.Context(), r, k)
				require.NoError(t, errors.Join(a, b))
			}},
		{name: "response from before a loss", response: early, wantResponse: redisstore.ErrLostMemory},
		{name: "token from before a loss", token: early, wants: redisstore.ErrLostMemory},
		{name: "room of one is full", response: func(i *webauth.Item) { i.Unsigned = true }, wantResponse: webauth.ErrFull,
			before: func(t *testing.T, g *rig, r, _ webauth.Item) {
				r.ID, r.Unsigned = "other", true
				require.NoError(t, g.Once(t.Context(), r))
				require.NoError(t, g.mini.Set(g.key(t, "}:unsigned:"), "999999"))
			}},
		{name: "response expired", response: late, wantResponse: errAny},
		{name: "token without an ID", token: func(i *webauth.Item) { i.ID = "" }, wants: errAny},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := newRig(t)
			response, token := pair("a", g.Now())
			if row.before != nil {
				row.before(t, g, response, token)
			}
			for edit, item := range map[*func(*webauth.Item)]*webauth.Item{&row.response: &response, &row.token: &token} {
				if *edit != nil {
					(*edit)(item)
				}
			}
			responseErr, tokenErr := g.another(t).OncePair(t.Context(), response, token)
			wantError(t, row.wantResponse, responseErr)
			wantError(t, row.wants, tokenErr)
			if responseErr == nil {
				assert.ErrorIs(t, g.Once(t.Context(), response), webauth.ErrUsed)
			}
			if tokenErr == nil {
				assert.ErrorIs(t, g.Once(t.Context(), token), webauth.ErrUsed)
			}
		})
	}
}

var errAny = errors.New("any but those with a name")

func wantError(t *testing.T, want, err error) {
	t.Helper()
	if want == errAny {
		require.Error(t, err)
		require.NotErrorIs(t, err, webauth.ErrUsed)
		return
	}
	require.ErrorIs(t, err, want)
}

// TestOncePairOfTwoGroups: they would be in two places, and one step cannot mark both.
func TestOncePairOfTwoGroups(t *testing.T) {
	g := newRig(t)
	for _, groups := range [][2]string{{"", ""}, {"a", "b"}, {"", "a"}, {"a", ""}} {
		response, token := pair("a", g.Now())
		response.Group, token.Group = groups[0], groups[1]
		a, b := g.OncePair(t.Context(), response, token)
		require.ErrorContains(t, a, "one Group")
		require.ErrorContains(t, b, "one Group")
	}
	assert.Empty(t, g.keys(), "nothing is marked")
}

// TestOncePairOfOneID: what is one thing cannot be used as two.
func TestOncePairOfOneID(t *testing.T) {
	g := newRig(t)
	_, token := pair("a", g.Now())
	a, b := g.OncePair(t.Context(), token, token)
	require.NoError(t, a)
	require.ErrorIs(t, b, webauth.ErrUsed)
}

// TestOncePairKnowsItsOwnMarks: the reply to a call gets lost and the client sends the call
// again; that is no second use of what it marked, and no first use of what was used.
func TestOncePairKnowsItsOwnMarks(t *testing.T) {
	g := newRig(t)
	proxy := newProxy(t, g.mini.Addr())
	g.cfg.URL = "redis://" + proxy.addr
	s := g.another(t)
	response, token := pair("warm up: the script is known", g.Now())
	_, _ = s.OncePair(t.Context(), response, token)

	response, token = pair("a", g.Now())
	proxy.dropReplies(1)
	a, b := s.OncePair(t.Context(), response, token)
	require.NoError(t, errors.Join(a, b))
	response.ID = "response:another"
	proxy.dropReplies(1)
	a, b = s.OncePair(t.Context(), response, token)
	require.NoError(t, a)
	require.ErrorIs(t, b, webauth.ErrUsed)
	assert.Equal(t, 2, proxy.dropped())
}

// arrivals are the ways in which a response and its token may come to a store.
var arrivals = map[string]func(*redisstore.Store, *testing.T, webauth.Item, webauth.Item) (response, token error){
	"together": func(s *redisstore.Store, t *testing.T, r, k webauth.Item) (error, error) {
		return s.OncePair(t.Context(), r, k)
	},
	"in turn": func(s *redisstore.Store, t *testing.T, r, k webauth.Item) (error, error) {
		return s.Once(t.Context(), r), s.Once(t.Context(), k)
	},
	"token first": func(s *redisstore.Store, t *testing.T, r, k webauth.Item) (error, error) {
		err := s.Once(t.Context(), k)
		return s.Once(t.Context(), r), err
	},
	"response alone": func(s *redisstore.Store, t *testing.T, r, _ webauth.Item) (error, error) {
		return s.Once(t.Context(), r), webauth.ErrUsed
	},
	"token alone": func(s *redisstore.Store, t *testing.T, _, k webauth.Item) (error, error) {
		return webauth.ErrUsed, s.Once(t.Context(), k)
	},
}

// TestRealArrivals: in whatever ways one response comes to two machines, at once or one after
// the other, each of the two things is accepted once.
func TestRealArrivals(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	stores := []*redisstore.Store{redis.open(), redis.open()}
	settle(t, stores[0])
	for name0, way0 := range arrivals {
		for name1, way1 := range arrivals {
			for i, name := range []string{"one after the other", "at once"} {
				t.Run(fmt.Sprintf("%s, %s, %s", name0, name1, name), func(t *testing.T) {
					for round := range 1 + 9*i {
						response, token := pair(fmt.Sprint(t.Name(), round), time.Now().Truncate(time.Second))
						if i == 0 {
							settle(t, stores[1])
						}
						var responses, tokens, both atomic.Int32
						arrive := func(s *redisstore.Store, way func(*redisstore.Store, *testing.T, webauth.Item, webauth.Item) (error, error)) {
							r, k := way(s, t, response, token)
							for err, count := range map[*atomic.Int32]error{&responses: r, &tokens: k} {
								if count == nil {
									err.Add(1)
								} else {
									assert.ErrorIs(t, count, webauth.ErrUsed)
								}
							}
							if r == nil && k == nil {
								both.Add(1)
							}
						}
						var running sync.WaitGroup
						running.Go(func() { arrive(stores[0], way0) })
						if i == 0 {
							running.Wait()
						}
						running.Go(func() { arrive(stores[1], way1) })
						running.Wait()
						alone := strings.Contains(name0, "alone") && name0 == name1
						if !alone || name0 == "response alone" {
							assert.EqualValues(t, 1, responses.Load(), "responses")
						}
						if !alone || name0 == "token alone" {
							assert.EqualValues(t, 1, tokens.Load(), "tokens")
						}
						if name0 == "together" && name1 == "together" {
							assert.EqualValues(t, 1, both.Load(), "a login")
						}
					}
				})
			}
		}
	}
}

// TestRealOneResponseAtTwoMachines: a double click, or a proxy that tries again, logs its
// person in once. Not both are refused.
func TestRealOneResponseAtTwoMachines(t *testing.T) {
	redis := startRedis(t)
	fake := webauthtest.New(t)
	const baseURL = "http://localhost:8080"
	m := newTwoMachines(t, fake, baseURL, func() *redisstore.Store { return redis.open() })
	settle(t, m.store[0])
	refused := 0
	const logins = 100
	for range logins {
		l := m.begin(t, fake, baseURL)
		var sessions, repeated atomic.Int32
		parallel(2, 2, func(i int) {
			w := m.present(m.machine[i], l)
			if newSession(w) {
				sessions.Add(1)
			} else if w.Code == http.StatusForbidden {
				repeated.Add(1)
			}
		})
		require.LessOrEqual(t, sessions.Load(), int32(1), "it was accepted twice")
		if sessions.Load() == 0 {
			refused++
		}
	}
	assert.Zero(t, refused, "of %d logins both were refused", logins)
}
