package store

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// Pages of public applications are known by their origin as long as it is on one of their
// redirect URIs.
func TestHasOrigin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		create := func(confidential bool, uris ...string) Client {
			c, _, err := s.CreateClient(ctx, Client{Owner: "spqr1", Name: "Reader", Confidential: confidential, RedirectURIs: uris})
			require.NoError(t, err)
			return c
		}
		has := func(origin string) bool {
			found, err := s.HasOrigin(ctx, origin)
			require.NoError(t, err)
			return found
		}
		public := create(false, "https://one.example/a", "https://one.example/b", "http://127.0.0.1/cb", "com.example.app:/cb")
		secret := create(true, "https://secret.example/cb")
		for origin, want := range map[string]bool{
			"https://one.example": true, "http://127.0.0.1:5173": true, "http://one.example": false, "https://one.example:8443": false,
			"https://secret.example": false, "com.example.app:": false, "null": false, "": false, "https://x.one.example": false,
		} {
			assert.Equal(t, want, has(origin), origin)
		}

		same := create(false, "https://one.example/other")
		public.RedirectURIs = []string{"https://two.example/"}
		require.NoError(t, s.UpdateClient(ctx, "spqr1", public))
		assert.True(t, has("https://two.example"))
		assert.True(t, has("https://one.example"), "of the other application")
		require.NoError(t, s.DeleteClient(ctx, "spqr1", same.ID))
		assert.False(t, has("https://one.example"))
		assert.False(t, has("http://127.0.0.1:5173"))

		secret.Confidential = false // whatever the caller says
		require.NoError(t, s.UpdateClient(ctx, "spqr1", secret))
		assert.False(t, has("https://secret.example"))

		assert.ErrorIs(t, s.UpdateClient(ctx, "spqr2", Client{ID: public.ID, RedirectURIs: []string{"https://evil.example/"}}), ErrNotFound)
		assert.False(t, has("https://evil.example"))

		db.Exec(t, `DELETE FROM wlsoauth_clients`) // behind our back
		assert.False(t, has("https://two.example"))
		require.NoError(t, s.Sweep(ctx))
		assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_origins`))
	})
}
