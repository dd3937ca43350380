package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func TestPersonalTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		create := func(principal, name string, expires time.Time) (Token, credential.Hash) {
			made, text, err := s.CreatePersonal(ctx, Token{Principal: principal, Name: name, Scopes: []string{"profile"}, Expires: expires})
			require.NoError(t, err)
			s.clock.advance(time.Second)
			return made, hashOf(text)
		}
		forever, h1 := create("spqr1", "laptop", time.Time{})
		short, h2 := create("spqr1", "cron job", testNow.Add(time.Hour))
		_, others := create("spqr2", "laptop", time.Time{})

		got, err := s.Token(ctx, h1)
		require.NoError(t, err)
		assert.Equal(t, forever, got)
		list, err := s.PersonalTokens(ctx, "spqr1", Place{})
		require.NoError(t, err)
		assert.Equal(t, []Token{short, forever}, list)

		assert.ErrorIs(t, s.RevokePersonal(ctx, "spqr2", forever.ID), ErrNotFound, "not theirs")
		assert.ErrorIs(t, s.RevokePersonal(ctx, "spqr1", "\x00"), ErrNotFound)
		assert.True(t, s.good(t, h1))
		require.NoError(t, s.RevokePersonal(ctx, "spqr1", forever.ID))
		assert.False(t, s.good(t, h1))
		assert.ErrorIs(t, s.RevokePersonal(ctx, "spqr1", forever.ID), ErrNotFound, "again")
		assert.True(t, s.good(t, h2) && s.good(t, others))

		s.clock.advance(time.Hour)
		assert.False(t, s.good(t, h2))
		list, err = s.PersonalTokens(ctx, "spqr1", Place{})
		require.NoError(t, err)
		assert.Empty(t, list)
		assert.True(t, s.good(t, others))
	})
}

func TestRefreshing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile", "records:read")
		s.clock.advance(24 * time.Hour)
		narrow, err := s.rotate(ctx, p.Refresh, c, "profile")
		require.NoError(t, err)
		assert.Equal(t, []string{"profile"}, narrow.Issued.Scopes)
		a, err := s.Token(ctx, narrow.access)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile"}, a.Scopes)
		assert.Equal(t, s.token(t, p.refresh).GrantID, a.GrantID)
		r, err := s.Token(ctx, narrow.refresh)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile", "records:read"}, r.Scopes, "RFC 6749 section 6: as before")
		assert.Equal(t, s.clock.now().Add(90*24*time.Hour), r.Expires)
		old, err := s.Token(ctx, p.refresh)
		require.NoError(t, err)
		assert.True(t, old.Spent)
		assert.False(t, r.Spent)

		full, err := s.rotate(ctx, narrow.Refresh, c)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile", "records:read"}, full.Issued.Scopes)
	})
}

func TestSixteenRefreshesGiveOneWinner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		pairs, won := make(chan pair, 16), 0
		for _, err := range together(16, func() error {
			p, err := s.rotate(t.Context(), p.Refresh, c)
			pairs <- p
			return err
		}) {
			switch {
			case err == nil:
				won++
			case isRefusal(err): // used, or gone with its family
			default:
				assert.NoError(t, err)
			}
		}
		assert.Equal(t, 1, won)
		assert.False(t, s.good(t, p.access))
		for range 16 {
			p := <-pairs
			assert.False(t, s.good(t, p.access) || s.good(t, p.refresh))
		}
	})
}

func TestReuseKillsTheFamily(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for _, tc := range []struct {
			name         string
			leeway, wait time.Duration
			killed       bool
		}{
			{"at once", 0, 0, true},
			{"later", 0, time.Hour, true},
			{"by a clock behind", 0, -time.Minute, true},
			{"within the leeway", 10 * time.Second, 9 * time.Second, false},
			{"at the end of the leeway", 10 * time.Second, 10 * time.Second, true},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s, ctx := newStore(t, db, func(c *Config) { c.RefreshLeeway = tc.leeway }), t.Context()
				c := s.register(t, "spqr1")
				other := s.authorised(t, c, "spqr2", "profile")
				first := s.authorised(t, c, "spqr2", "profile")
				second, err := s.rotate(ctx, first.Refresh, c)
				require.NoError(t, err)
				s.clock.advance(tc.wait)
				again, err := s.rotate(ctx, first.Refresh, c)
				if tc.killed {
					assert.ErrorIs(t, err, ErrUsed)
					assert.False(t, s.good(t, again.access) || s.good(t, again.refresh))
					_, err = s.rotate(ctx, first.Refresh, c)
					assert.ErrorIs(t, err, ErrNotFound, "there is nothing left of it")
				} else {
					assert.NoError(t, err)
					assert.True(t, s.good(t, again.access) && s.good(t, again.refresh))
				}
				assert.Equal(t, !tc.killed, s.good(t, second.access) || s.good(t, second.refresh))
				assert.True(t, s.good(t, other.refresh))
			})
		}
	})
}

func TestARefusedRefreshConsumesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		_, personal, err := s.CreatePersonal(ctx, Token{Principal: "spqr2"})
		require.NoError(t, err)
		unknown, _ := credential.Mint(credential.Refresh)
		for _, tc := range []struct {
			name   string
			token  string
			by     Client
			scopes []string
			want   error
		}{
			{"another client's", p.Refresh, other, nil, ErrNotFound},
			{"nobody's", p.Refresh, Client{}, nil, ErrNotFound},
			{"an access token", p.Access, c, nil, ErrNotFound},
			{"a personal token", personal, Client{}, nil, ErrNotFound},
			{"unknown", unknown, c, nil, ErrNotFound},
			{"more scope", p.Refresh, c, []string{"profile", "records:read"}, ErrScope},
			{"other scope", p.Refresh, c, []string{"records:read"}, ErrScope},
		} {
			_, err := s.rotate(ctx, tc.token, tc.by, tc.scopes...)
			assert.ErrorIs(t, err, tc.want, tc.name)
		}
		used, err := s.rotate(ctx, p.Refresh, c)
		require.NoError(t, err)
		_, err = s.rotate(ctx, p.Refresh, other)
		assert.ErrorIs(t, err, ErrNotFound, "no reuse: it is not that client's token")
		assert.True(t, s.good(t, used.refresh))
	})
}

func TestNothingOutlivesItsGrant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db, func(c *Config) {
			c.RefreshLife, c.GrantLife = 10*24*time.Hour, 15*24*time.Hour
		}), t.Context()
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		end := testNow.Add(15 * 24 * time.Hour)
		s.clock.advance(10*24*time.Hour - time.Second)
		p, err := s.rotate(ctx, p.Refresh, c)
		require.NoError(t, err)
		assert.Equal(t, end, s.token(t, p.refresh).Expires)
		s.clock.advance(5*24*time.Hour - time.Minute)
		p, err = s.rotate(ctx, p.Refresh, c)
		require.NoError(t, err)
		assert.Equal(t, end, s.token(t, p.refresh).Expires)
		assert.Equal(t, end, s.token(t, p.access).Expires)
		assert.Equal(t, time.Minute+time.Second, p.Life)
		s.clock.advance(time.Minute + time.Second)
		_, err = s.rotate(ctx, p.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestAnIdleRefreshTokenExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		s.clock.advance(90 * 24 * time.Hour)
		_, err := s.rotate(t.Context(), p.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestRevokingTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		personal := s.personal(t, Token{Principal: "spqr2"})

		p := s.authorised(t, c, "spqr2", "profile")
		for _, h := range []credential.Hash{p.access, p.refresh, personal} {
			for _, id := range []string{other.ID, ""} {
				_, err := s.RevokeToken(ctx, h, id)
				assert.ErrorIs(t, err, ErrNotFound)
			}
			assert.True(t, s.good(t, h))
		}
		was, err := s.RevokeToken(ctx, p.access, c.ID)
		require.NoError(t, err)
		assert.Equal(t, p.AccessID, was.ID)
		assert.False(t, s.good(t, p.access))
		assert.True(t, s.good(t, p.refresh), "an access token goes alone")
		_, err = s.RevokeToken(ctx, p.access, c.ID)
		assert.ErrorIs(t, err, ErrNotFound, "again")

		next, err := s.rotate(ctx, p.Refresh, c)
		require.NoError(t, err)
		_, err = s.RevokeToken(ctx, p.refresh, c.ID)
		require.NoError(t, err, "a rotated one names its family as well")
		assert.False(t, s.good(t, next.access) || s.good(t, next.refresh))

		direct, err := s.AuthoriseDirect(ctx, Code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb"}, true)
		require.NoError(t, err)
		_, err = s.RevokeToken(ctx, hashOf(direct.Access), c.ID)
		require.NoError(t, err)
		assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_grants`), "an empty grant goes")
	})
}

func TestTokensOfClientsAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		given, err := s.GrantClient(ctx, c, []string{"harvest"})
		require.NoError(t, err)
		h := hashOf(given.Access)
		assert.Equal(t, time.Hour, given.Life)
		got, err := s.Token(ctx, h)
		require.NoError(t, err)
		assert.Equal(t, Token{
			ID: given.AccessID, Kind: KindAccess, ClientID: c.ID, Scopes: []string{"harvest"},
			Created: testNow, Expires: testNow.Add(time.Hour),
		}, got)
		b, err := s.Bearer(ctx, h)
		require.NoError(t, err)
		assert.Equal(t, "spqr1", b.Owner, "who answers for it")
		_, err = s.GrantClient(ctx, s.registerPublic(t, "spqr1"), []string{"harvest"})
		assert.ErrorIs(t, err, ErrNotFound, "public clients cannot show who they are")
		assert.Equal(t, 1, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
	})
}

// Whatever a crash, a race or an operator leaves behind counts for nothing.
func TestOrphansCountForNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		db.Exec(t, `DELETE FROM wlsoauth_grants WHERE id = $1`, s.token(t, p.access).GrantID)
		assert.False(t, s.good(t, p.access) || s.good(t, p.refresh))
		_, err := s.rotate(ctx, p.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound)

		p = s.authorised(t, c, "spqr2", "profile")
		h := s.approved(t, c, "spqr2", "profile")
		db.Exec(t, `DELETE FROM wlsoauth_clients WHERE id = $1`, c.ID)
		assert.False(t, s.good(t, p.access) || s.good(t, p.refresh))
		_, err = s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.rotate(ctx, p.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound)
		list, err := s.Authorisations(ctx, "spqr2", Place{})
		require.NoError(t, err)
		assert.Empty(t, list)
	})
}

// Scopes that the site takes out of its registration, or keeps to itself, count for
// nothing on tokens that have them, and are not given again.
func TestScopesThatAreNotGivenAnyMore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		first, ctx := newStore(t, db), t.Context()
		c := first.register(t, "spqr1")
		p := first.authorised(t, c, "spqr2", "profile", "records:read", "records:write")
		lost := first.authorised(t, c, "spqr2", "records:read", "records:write")
		alone := first.alone(t, c, "harvest", "profile")
		personal := first.personal(t, Token{Principal: "spqr2", Scopes: []string{"profile", "records:read"}})

		s := newStore(t, db, func(c *Config) {
			c.ForPeople, c.ForClients = []string{"profile"}, []string{"profile"}
		})
		for _, h := range []credential.Hash{p.access, p.refresh, alone, personal} {
			got, err := s.Token(ctx, h)
			require.NoError(t, err)
			assert.Equal(t, []string{"profile"}, got.Scopes)
			assert.True(t, s.good(t, h))
		}
		for _, scope := range []string{"records:read", "records:write"} {
			_, err := s.rotate(ctx, p.Refresh, c, scope)
			assert.ErrorIs(t, err, ErrScope, scope)
		}
		_, err := s.rotate(ctx, lost.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound, "nothing left")
		next, err := s.rotate(ctx, p.Refresh, c)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile"}, next.Issued.Scopes)
		got, err := first.Token(ctx, next.refresh)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile"}, got.Scopes, "nor do they come back")
	})
}
