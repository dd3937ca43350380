package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// Rows that the store never writes let nobody in.
func TestOnlyPersonalAndAccessTokensAreBearers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for _, tc := range []struct{ name, set string }{
			{"nothing changed", ""},
			{"a refresh token", `kind = 'refresh'`},
			{"a kind of tomorrow", `kind = 'device'`},
			{"the other kind", `kind = CASE kind WHEN 'personal' THEN 'access' ELSE 'personal' END`},
			{"of an application that is not there", `client_id = 'NONE'`},
			{"of a grant that is not there", `grant_id = 'NONE'`},
			{"expired", `expires_at = 1`},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s := newStore(t, db)
				c := s.register(t, "spqr1")
				p := s.authorised(t, c, "spqr2", "profile")
				for kind, h := range map[string]credential.Hash{
					"personal": s.personal(t, Token{Principal: "spqr2", Scopes: []string{"profile"}}),
					"access":   p.access, "alone": s.alone(t, c, "profile"),
				} {
					if tc.set != "" {
						db.Exec(t, `UPDATE wlsoauth_tokens SET `+tc.set+` WHERE hash = $1`, h.Text[:])
					}
					_, err := s.Bearer(t.Context(), h)
					if tc.set == "" {
						assert.NoError(t, err, kind)
					} else {
						assert.ErrorIs(t, err, ErrNotFound, kind)
					}
				}
			})
		}
	})
}

// A request that has ended waits for nothing, though SQLite's queries do not heed it.
func TestABearerIsNotLookedUpForNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		pool := db.Open(t)
		pool.SetMaxOpenConns(1)
		s := newStore(t, db, func(c *Config) { c.DB = pool })
		h := s.personal(t, Token{Principal: "spqr1"})
		held, err := pool.Conn(t.Context())
		require.NoError(t, err)
		defer func() { _ = held.Close() }() // of no consequence where it is closed already

		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		before := pool.Stats().WaitCount
		go func() {
			_, err := s.Bearer(ctx, h)
			answer <- err
		}()
		dbtest.Eventually(t, func() bool { return pool.Stats().WaitCount > before })
		cancel()
		dbtest.Eventually(t, func() bool { return len(answer) == 1 })
		require.ErrorIs(t, <-answer, context.Canceled, "while all connections are in use")

		require.NoError(t, held.Close())
		_, err = s.Bearer(ctx, h)
		require.ErrorIs(t, err, context.Canceled, "from the beginning")
		_, err = s.Bearer(t.Context(), h)
		require.NoError(t, err)
	})
}

func TestLastUseIsNotedOnceAMinute(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		gone, hangUp := context.WithCancel(ctx)
		hangUp()
		h := s.personal(t, Token{Principal: "spqr1"})
		for _, tc := range []struct {
			at, want time.Duration
		}{{0, 0}, {59 * time.Second, 0}, {60 * time.Second, 60 * time.Second}, {61 * time.Second, 60 * time.Second}, {3 * time.Minute, 3 * time.Minute}} {
			s.clock.offset.Store(int64(tc.at))
			before, err := s.Bearer(ctx, h)
			require.NoError(t, err)
			require.NoError(t, s.Touch(gone, before, h), "whether or not the client waits")
			after, err := s.Bearer(ctx, h)
			require.NoError(t, err)
			assert.Equal(t, testNow.Add(tc.want), after.LastUsed, tc.at)
			// One that was found before the note, by another request, does not write again.
			require.NoError(t, s.Touch(ctx, before, h))
		}
	})
}
