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

func TestRedeemingACode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "records:write", "profile")

		got, err := s.Code(ctx, h)
		require.NoError(t, err)
		assert.Equal(t, c.ID, got.ClientID)
		assert.Equal(t, "spqr2", got.Principal)
		assert.Equal(t, "https://app.example/cb", got.RedirectURI)
		assert.Equal(t, "challenge", got.Challenge)
		assert.Equal(t, []string{"profile", "records:write"}, got.Scopes)
		assert.Equal(t, testNow.Add(time.Minute), got.Expires)

		s.clock.advance(59 * time.Second)
		p, err := s.redeem(ctx, h, c)
		require.NoError(t, err)
		assert.Equal(t, time.Hour, p.Life)
		assert.Equal(t, []string{"profile", "records:write"}, p.Issued.Scopes)
		r := s.token(t, p.refresh)
		assert.Equal(t, Token{
			ID: p.AccessID, Kind: KindAccess, GrantID: r.GrantID, ClientID: c.ID, Principal: "spqr2",
			Scopes: got.Scopes, Created: s.clock.now(), Expires: s.clock.now().Add(time.Hour),
		}, s.token(t, p.access))
		assert.Equal(t, KindRefresh, r.Kind)
		assert.Equal(t, s.clock.now().Add(90*24*time.Hour), r.Expires)
	})
}

func TestAuthorisingDirectlyGivesNoRefreshToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		given, err := s.AuthoriseDirect(t.Context(), Code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{"profile"}}, true)
		require.NoError(t, err)
		assert.Empty(t, given.Refresh)
		assert.Equal(t, 1, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
		assert.True(t, s.good(t, hashOf(given.Access)))
	})
}

func TestSixteenRedemptionsGiveOneWinner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		pairs := make(chan pair, 16)
		won := 0
		for _, err := range together(16, func() error {
			p, err := s.redeem(t.Context(), h, c)
			pairs <- p
			return err
		}) {
			if err == nil {
				won++
			} else {
				assert.ErrorIs(t, err, ErrUsed)
			}
		}
		assert.Equal(t, 1, won)
		for range 16 {
			p := <-pairs
			assert.False(t, s.good(t, p.access) || s.good(t, p.refresh), "the others were replays, which revoke")
		}
	})
}

func TestAReplayRevokesWhatTheCodeGave(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for name, wait := range map[string]time.Duration{"at once": 0, "after the code expired": 23 * time.Hour} {
			s, ctx := newStore(t, db), t.Context()
			c := s.register(t, "spqr1")
			other := s.authorised(t, c, "spqr2", "profile")
			h := s.approved(t, c, "spqr2", "profile")
			p, err := s.redeem(ctx, h, c)
			require.NoError(t, err)
			p2, err := s.rotate(ctx, p.Refresh, c)
			require.NoError(t, err)
			s.clock.advance(wait)
			require.NoError(t, s.Sweep(ctx))
			_, err = s.redeem(ctx, h, c)
			assert.ErrorIs(t, err, ErrUsed, name)
			for _, token := range []credential.Hash{p.access, p.refresh, p2.access, p2.refresh} {
				assert.False(t, s.good(t, token), name)
			}
			assert.True(t, s.good(t, other.refresh), "%s: another grant of the same person", name)
			_, err = s.redeem(ctx, h, c)
			assert.ErrorIs(t, err, ErrUsed, "%s: and again", name)
		}
	})
}

// The refusal counts even if the client, who may be a thief, has hung up.
func TestAReplayCountsThoughTheClientHangsUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		p, err := s.redeem(t.Context(), h, c)
		require.NoError(t, err)
		q := s.authorised(t, c, "spqr2", "profile")
		_, err = s.rotate(t.Context(), q.Refresh, c)
		require.NoError(t, err)

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.redeem(gone, h, c)
		assert.ErrorIs(t, err, ErrUsed)
		assert.False(t, s.good(t, p.access))
		_, err = s.rotate(gone, q.Refresh, c)
		assert.ErrorIs(t, err, ErrUsed)
		assert.False(t, s.good(t, q.access))
	})
}

func TestARefusedRedemptionConsumesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		for _, by := range []Client{other, {}, {ID: newID()}} {
			_, err := s.redeem(ctx, h, by)
			assert.ErrorIs(t, err, ErrNotFound)
		}
		_, err := s.redeem(ctx, unknown(credential.Code), c)
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.Code(ctx, unknown(credential.Code))
		assert.ErrorIs(t, err, ErrNotFound)

		p, err := s.redeem(ctx, h, c)
		require.NoError(t, err)
		_, err = s.redeem(ctx, h, other)
		assert.ErrorIs(t, err, ErrNotFound, "no replay: it is not that client's code")
		assert.True(t, s.good(t, p.access))
	})
}

func TestACodeExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		s.clock.advance(time.Minute)
		_, err := s.redeem(t.Context(), h, c)
		assert.ErrorIs(t, err, ErrNotFound)
		assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
	})
}

func TestConsentIsRememberedAndGrows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		again := func(principal string, scopes ...string) error {
			_, err := s.Authorise(ctx, Code{ClientID: c.ID, Principal: principal, RedirectURI: "https://app.example/cb", Scopes: scopes}, false)
			return err
		}
		have, err := s.Consented(ctx, "spqr2", c.ID)
		require.NoError(t, err)
		assert.Nil(t, have)
		assert.ErrorIs(t, again("spqr2", "profile"), ErrNoConsent)
		assert.ErrorIs(t, again("spqr2"), ErrNoConsent, "not even for nothing")

		s.approved(t, c, "spqr2", "profile")
		assert.NoError(t, again("spqr2", "profile"))
		assert.ErrorIs(t, again("spqr3", "profile"), ErrNoConsent, "another person's")
		assert.ErrorIs(t, again("spqr2", "profile", "records:read"), ErrNoConsent, "more")
		s.clock.advance(time.Minute)
		s.approved(t, c, "spqr2", "records:read")
		assert.NoError(t, again("spqr2", "profile", "records:read"), "both together")
		assert.Equal(t, 4, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_codes`), "refused ones are not stored")

		all, err := s.Authorisations(ctx, "spqr2", Place{})
		require.NoError(t, err)
		assert.Equal(t, []Authorisation{{
			ClientID: c.ID, ClientName: "Reader", Scopes: []string{"profile", "records:read"},
			Since: testNow, Updated: testNow.Add(time.Minute),
		}}, all)
	})
}

func TestConsentsGivenAtOnceAreAllKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		c := s.register(t, "spqr1")
		scopes := make(chan string, 8)
		for _, scope := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			scopes <- scope
		}
		for _, err := range together(8, func() error {
			_, err := s.Authorise(t.Context(), Code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{<-scopes}}, true)
			return err
		}) {
			require.NoError(t, err)
		}
		have, err := s.Consented(t.Context(), "spqr2", c.ID)
		require.NoError(t, err)
		assert.Len(t, have, 8)
	})
}

func TestTakingAnAuthorisationBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p, h := s.authorised(t, c, "spqr2", "profile"), s.approved(t, c, "spqr2", "profile")
		direct, _ := s.authorised(t, c, "spqr2", "profile"), 0
		others, elsewhere := s.authorised(t, c, "spqr3", "profile"), s.authorised(t, other, "spqr2", "profile")

		assert.ErrorIs(t, s.RevokeAuthorisation(ctx, "spqr4", c.ID), ErrNotFound)
		assert.ErrorIs(t, s.RevokeAuthorisation(ctx, "spqr2", "\x00"), ErrNotFound)
		require.NoError(t, s.RevokeAuthorisation(ctx, "spqr2", c.ID))
		for _, token := range []credential.Hash{p.access, p.refresh, direct.access, direct.refresh} {
			assert.False(t, s.good(t, token))
		}
		_, err := s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, ErrNotFound, "a code on its way")
		_, err = s.rotate(ctx, p.Refresh, c)
		assert.ErrorIs(t, err, ErrNotFound)
		have, err := s.Consented(ctx, "spqr2", c.ID)
		require.NoError(t, err)
		assert.Nil(t, have, "and nothing is remembered")
		assert.True(t, s.good(t, others.access) && s.good(t, elsewhere.access))
		assert.ErrorIs(t, s.RevokeAuthorisation(ctx, "spqr2", c.ID), ErrNotFound, "again")
	})
}
