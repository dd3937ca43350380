package xsrf_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/glue/xsrf"
	"github.com/ucam-webauth/go-webauth/webauth"
)

type onceFunc func(context.Context, webauth.Item) error

func (f onceFunc) Once(ctx context.Context, item webauth.Item) error { return f(ctx, item) }

// guardWith makes a Guard of its own with this memory.
func guardWith(t *testing.T, store webauth.OneUse) *xsrf.Guard {
	t.Helper()
	guard, err := xsrf.New(xsrf.Config{Site: newSoc(t, func(c *site.Config) { c.OneUse = store })})
	require.NoError(t, err)
	return guard
}

// person is the context of a request of somebody who is logged in.
func person(t *testing.T) context.Context {
	return glue.WithIdentity(t.Context(), glue.Identity{Principal: "test0001", SessionID: "s"})
}

// Somebody clicks twice, and the browser drops the first request. Exactly one is served,
// whether the store hears of that before or after it marks the token.
func TestSingleUseDoubleClick(t *testing.T) {
	for name, before := range map[string]bool{"before the store hears of it": true, "before the store answers": false} {
		t.Run(name, func(t *testing.T) {
			memory := webauth.NewMemoryOneUse(0, nil)
			guard := guardWith(t, onceFunc(func(ctx context.Context, item webauth.Item) error {
				if before && ctx.Err() != nil {
					return ctx.Err()
				}
				err := memory.Once(ctx, item)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return err
			}))
			token, err := guard.Token(httptest.NewRequest(http.MethodGet, "/", nil).WithContext(person(t)), xsrf.SingleUse())
			require.NoError(t, err)
			served := 0
			h := guard.Check(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }))
			for i, want := range []int{http.StatusOK, http.StatusForbidden, http.StatusForbidden} {
				ctx, cancel := context.WithCancel(person(t))
				if i == 0 {
					cancel()
				}
				r := httptest.NewRequest(http.MethodPost, "https://soc.example/x", nil).WithContext(ctx)
				r.Header.Set(xsrf.Header, token)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				assert.Equal(t, want, w.Code, "click %d", i)
				cancel()
			}
			assert.Equal(t, 1, served)
		})
	}
}

// What a token was used for before a restart nobody knows: people are told to look.
func TestSingleUseAfterALostMemory(t *testing.T) {
	guard := guardWith(t, onceFunc(func(context.Context, webauth.Item) error {
		return fmt.Errorf("redis: %w", webauth.ErrForgotten)
	}))
	token, err := guard.Token(httptest.NewRequest(http.MethodGet, "/", nil).WithContext(person(t)), xsrf.SingleUse())
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, "https://soc.example/x", nil).WithContext(person(t))
	r.Header.Set(xsrf.Header, token)
	r.Header.Set("Accept", "text/html")
	require.ErrorIs(t, guard.Verify(httptest.NewRecorder(), r), xsrf.ErrForgotten)
	w := httptest.NewRecorder()
	guard.Check(http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Contains(t, w.Body.String(), "restarted")
	r.Header.Set("Accept", "application/json")
	w = httptest.NewRecorder()
	guard.Check(http.NotFoundHandler()).ServeHTTP(w, r)
	assert.Contains(t, w.Body.String(), `"token-forgotten"`)
}

// Visitors, whom nobody knows, have room of their own.
func TestSingleUseRooms(t *testing.T) {
	var marked webauth.Item
	guard := guardWith(t, onceFunc(func(_ context.Context, item webauth.Item) error { marked = item; return nil }))
	use := func(edit func(*http.Request) *http.Request) webauth.Item {
		token, err := guard.Token(edit(httptest.NewRequest(http.MethodGet, "/", nil)), xsrf.SingleUse())
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodPost, "https://soc.example/x", nil)
		r.Header.Set(xsrf.Header, token)
		require.NoError(t, guard.Verify(httptest.NewRecorder(), edit(r)))
		return marked
	}
	of := use(func(r *http.Request) *http.Request { return r.WithContext(person(t)) })
	assert.Equal(t, webauth.RoomXSRF, of.Room())
	of = use(func(r *http.Request) *http.Request {
		r.AddCookie(&http.Cookie{Name: "__Host-wls-visitor", Value: strings.Repeat("A", 22)})
		return r
	})
	assert.Equal(t, webauth.RoomVisitor, of.Room())
}

// A Guard for single use takes no token that works more than once.
func TestSingleUseAlone(t *testing.T) {
	guard := newSite(t).guard
	once := guard.With(xsrf.SingleUse())
	for name, want := range map[string]error{"single use": nil, "more": xsrf.ErrNotValid} {
		r := httptest.NewRequest(http.MethodPost, "/", nil).WithContext(person(t))
		from := map[string]*xsrf.Guard{"single use": once, "more": guard}[name]
		token, err := from.Token(r)
		require.NoError(t, err)
		r.Header.Set(xsrf.Header, token)
		assert.Equal(t, want, once.Verify(httptest.NewRecorder(), r), name)
	}
}
