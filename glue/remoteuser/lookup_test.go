package remoteuser_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue"
	"github.com/ucam-webauth/go-webauth/glue/remoteuser"
)

func lookup(_ context.Context, id glue.Identity) (any, error) {
	switch id.Principal {
	case "gone1":
		return nil, remoteuser.ErrInactive
	case "new1":
		return nil, fmt.Errorf("users: %s: %w", id.Principal, remoteuser.ErrUnknown)
	case "down1":
		return nil, errors.New("database is down")
	case "number1":
		return 7, nil
	case "nil1":
		return nil, nil
	}
	return "the user " + id.Principal + " by " + id.Service, nil
}

func TestLookup(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Lookup = lookup }})
	for _, tc := range []struct {
		who              string
		status, optional int
		kind, user       string
	}{
		{"spqr1", 200, 200, "", "the user spqr1 by remote-user"},
		{"number1", 200, 200, "", ""},
		{"nil1", 200, 200, "", ""},
		{"new1", 403, 200, "unknown-user", ""},
		{"gone1", 403, 200, "inactive-user", ""},
		{"down1", 503, 503, "unavailable", ""},
	} {
		t.Run(tc.who, func(t *testing.T) {
			a := b.raw("/", "Remote-User: "+tc.who, "Accept: text/html")
			assert.Equal(t, tc.status, a.StatusCode)
			assert.Equal(t, tc.kind, a.kind())
			assert.Equal(t, tc.user, a.seen.User)
			assert.NotContains(t, a.body, "database")
			if tc.status == http.StatusForbidden {
				assert.Contains(t, a.body, "<strong>"+tc.who+"</strong>")
				assert.Contains(t, a.Header.Get("Content-Security-Policy"), "default-src 'none'")
			}
			assert.Equal(t, tc.status == 503, a.Header.Get("Retry-After") != "")

			a = b.raw("/optional", "Remote-User: "+tc.who)
			assert.Equal(t, tc.optional, a.StatusCode)
			assert.Equal(t, tc.status == 200, a.seen.Known)
			if !a.seen.Known {
				assert.Empty(t, a.seen.Header["Remote-User"], "nor does a header tell")
			}
		})
	}
	assert.Contains(t, b.logged(), "database is down")
	assert.Contains(t, b.reasons(), "forbidden inactive-user")
	assert.Contains(t, b.reasons(), "forbidden unknown-user")
	assert.Contains(t, b.reasons(), "store-error store")
}

func TestLookupAfterTheClientWent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := newBackend(t, setup{config: func(c *config) {
		c.Lookup = func(ctx context.Context, _ glue.Identity) (any, error) { cancel(); <-ctx.Done(); return nil, ctx.Err() }
	}})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/", nil)
	assert.NoError(t, err)
	r.Header.Set("Remote-User", "spqr1")
	_, err = b.server.Client().Do(r)
	assert.ErrorIs(t, err, context.Canceled)
	b.server.Close() // waits for the handler
	assert.NotContains(t, b.reasons(), "store-error store", "nobody's fault")
}

// An outer Optional and an inner Require see one person, and look them up once.
func TestNested(t *testing.T) {
	n := 0
	b := newBackend(t, setup{config: func(c *config) {
		c.Lookup = func(ctx context.Context, id glue.Identity) (any, error) { n++; return lookup(ctx, id) }
		c.Password = onePassword
	}})
	a := b.raw("/nested", "Remote-User: spqr1")
	assert.Equal(t, "the user spqr1 by remote-user", a.seen.User)
	assert.Equal(t, 1, n)
	a = b.raw("/nested", "Authorization: Basic YWRhOmNvcnJlY3QgaG9yc2U=")
	assert.Equal(t, "the user ada by password", a.seen.User)
	assert.Equal(t, http.StatusUnauthorized, b.raw("/nested").StatusCode)
}

// Whom an outer Optional lets through without an identity, because Lookup refused it, is
// told so by an inner Require.
func TestNestedRefusal(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Lookup, c.Password = lookupNobody, onePassword }})
	for _, line := range []string{"Remote-User: new1", basicAuth("ada", "correct horse")} {
		a := b.raw("/nested", line, "Accept: text/html")
		assert.Equal(t, http.StatusForbidden, a.StatusCode)
		assert.Equal(t, "unknown-user", a.kind())
	}
	assert.Equal(t, http.StatusUnauthorized, b.raw("/nested").StatusCode)
}

// What one RemoteUser has decided is nothing to another, which may be stricter.
func TestNestedInAnother(t *testing.T) {
	b := newBackend(t, setup{config: func(c *config) { c.Lookup = lookupNobody }})
	other, err := remoteuser.New(remoteuser.Config{Site: newSite(), Peers: []netip.Prefix{loopback}})
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Remote-User", "spqr1")
	w := httptest.NewRecorder()
	other.Require(b.people.Require(http.HandlerFunc(echo))).ServeHTTP(w, r)
	assert.Equal(t, http.StatusForbidden, w.Code)
}

func TestUserFromNowhere(t *testing.T) {
	_, ok := remoteuser.UserFrom[string](t.Context())
	assert.False(t, ok)
	_, ok = remoteuser.UserFrom[any](t.Context())
	assert.False(t, ok)
	_, ok = remoteuser.UserFrom[string](remoteuser.WithUser(t.Context(), 7))
	assert.False(t, ok)
}

func lookupNobody(context.Context, glue.Identity) (any, error) { return nil, remoteuser.ErrUnknown }
