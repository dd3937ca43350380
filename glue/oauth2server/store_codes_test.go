package oauth2server

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedeemingACode(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "records:write", "profile")

		got, err := s.store.code(ctx, h)
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
		assert.Equal(t, []string{"profile", "records:write"}, p.issued.Scopes)
		a, err := s.store.token(ctx, p.access)
		require.NoError(t, err)
		assert.Equal(t, token{
			ID: p.AccessID, Kind: kindAccess, GrantID: p.GrantID, ClientID: c.ID, Principal: "spqr2",
			Scopes: got.Scopes, Created: s.clock.now(), Expires: p.AccessExpires, owner: "spqr1",
		}, a)
		r, err := s.store.token(ctx, p.refresh)
		require.NoError(t, err)
		assert.Equal(t, kindRefresh, r.Kind)
		assert.Equal(t, s.clock.now().Add(90*24*time.Hour), r.Expires)
	})
}

func TestARedemptionWithoutARefreshToken(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, c := newServer(t, db), client{}
		c = s.register(t, "spqr1")
		_, access := mint(prefixAccess)
		given, err := s.store.redeem(t.Context(), s.approved(t, c, "spqr2", "profile"), c, access, hash{})
		require.NoError(t, err)
		assert.Empty(t, given.RefreshID)
		assert.Equal(t, 1, db.number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
	})
}

func TestSixteenRedemptionsGiveOneWinner(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s := newServer(t, db)
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
				assert.ErrorIs(t, err, errUsed)
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
	eachEngine(t, func(t *testing.T, db database) {
		for name, wait := range map[string]time.Duration{"at once": 0, "after the code expired": 23 * time.Hour} {
			s, ctx := newServer(t, db), t.Context()
			c := s.register(t, "spqr1")
			other := s.authorised(t, c, "spqr2", "profile")
			h := s.approved(t, c, "spqr2", "profile")
			p, err := s.redeem(ctx, h, c)
			require.NoError(t, err)
			p2, err := s.rotate(ctx, p.refresh, c)
			require.NoError(t, err)
			s.clock.advance(wait)
			require.NoError(t, s.Sweep(ctx))
			_, err = s.redeem(ctx, h, c)
			assert.ErrorIs(t, err, errUsed, name)
			for _, token := range []hash{p.access, p.refresh, p2.access, p2.refresh} {
				assert.False(t, s.good(t, token), name)
			}
			assert.True(t, s.good(t, other.refresh), "%s: another grant of the same person", name)
			_, err = s.redeem(ctx, h, c)
			assert.ErrorIs(t, err, errUsed, "%s: and again", name)
		}
	})
}

// The refusal counts even if the client, who may be a thief, has hung up.
func TestAReplayCountsThoughTheClientHangsUp(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s := newServer(t, db)
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		p, err := s.redeem(t.Context(), h, c)
		require.NoError(t, err)
		q := s.authorised(t, c, "spqr2", "profile")
		_, err = s.rotate(t.Context(), q.refresh, c)
		require.NoError(t, err)

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.redeem(gone, h, c)
		assert.ErrorIs(t, err, errUsed)
		assert.False(t, s.good(t, p.access))
		_, err = s.rotate(gone, q.refresh, c)
		assert.ErrorIs(t, err, errUsed)
		assert.False(t, s.good(t, q.access))
	})
}

func TestARefusedRedemptionConsumesNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		for _, by := range []client{other, {}, {ID: newID()}} {
			_, err := s.redeem(ctx, h, by)
			assert.ErrorIs(t, err, errNotFound)
		}
		_, unknown := mint(prefixCode)
		_, err := s.redeem(ctx, unknown, c)
		assert.ErrorIs(t, err, errNotFound)
		_, err = s.store.code(ctx, unknown)
		assert.ErrorIs(t, err, errNotFound)

		p, err := s.redeem(ctx, h, c)
		require.NoError(t, err)
		_, err = s.redeem(ctx, h, other)
		assert.ErrorIs(t, err, errNotFound, "no replay: it is not that client's code")
		assert.True(t, s.good(t, p.access))
	})
}

func TestACodeExpires(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s := newServer(t, db)
		c := s.register(t, "spqr1")
		h := s.approved(t, c, "spqr2", "profile")
		s.clock.advance(time.Minute)
		_, err := s.redeem(t.Context(), h, c)
		assert.ErrorIs(t, err, errNotFound)
		assert.Zero(t, db.number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
	})
}

func TestConsentIsRememberedAndGrows(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c := s.register(t, "spqr1")
		again := func(principal string, scopes ...string) error {
			_, h := mint(prefixCode)
			return s.store.continueConsent(ctx, code{ClientID: c.ID, Principal: principal, RedirectURI: "https://app.example/cb", Scopes: scopes}, h)
		}
		have, err := s.store.consented(ctx, "spqr2", c.ID)
		require.NoError(t, err)
		assert.Nil(t, have)
		assert.ErrorIs(t, again("spqr2", "profile"), errNoConsent)
		assert.ErrorIs(t, again("spqr2"), errNoConsent, "not even for nothing")

		s.approved(t, c, "spqr2", "profile")
		assert.NoError(t, again("spqr2", "profile"))
		assert.ErrorIs(t, again("spqr3", "profile"), errNoConsent, "another person's")
		assert.ErrorIs(t, again("spqr2", "profile", "records:read"), errNoConsent, "more")
		s.clock.advance(time.Minute)
		s.approved(t, c, "spqr2", "records:read")
		assert.NoError(t, again("spqr2", "profile", "records:read"), "both together")
		assert.Equal(t, 4, db.number(t, `SELECT COUNT(*) FROM wlsoauth_codes`), "refused ones are not stored")

		all, err := s.store.authorisations(ctx, "spqr2")
		require.NoError(t, err)
		assert.Equal(t, []authorisation{{
			ClientID: c.ID, ClientName: "Reader", Scopes: []string{"profile", "records:read"},
			Since: testNow, Updated: testNow.Add(time.Minute),
		}}, all)
	})
}

func TestConsentsGivenAtOnceAreAllKept(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s := newServer(t, db)
		c := s.register(t, "spqr1")
		scopes := make(chan string, 8)
		for _, scope := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			scopes <- scope
		}
		for _, err := range together(8, func() error {
			_, h := mint(prefixCode)
			return s.store.approve(t.Context(), code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{<-scopes}}, h)
		}) {
			require.NoError(t, err)
		}
		have, err := s.store.consented(t.Context(), "spqr2", c.ID)
		require.NoError(t, err)
		assert.Len(t, have, 8)
	})
}

func TestTakingAnAuthorisationBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p, h := s.authorised(t, c, "spqr2", "profile"), s.approved(t, c, "spqr2", "profile")
		direct, _ := s.authorised(t, c, "spqr2", "profile"), 0
		others, elsewhere := s.authorised(t, c, "spqr3", "profile"), s.authorised(t, other, "spqr2", "profile")

		assert.ErrorIs(t, s.store.revokeAuthorisation(ctx, "spqr4", c.ID), errNotFound)
		assert.ErrorIs(t, s.store.revokeAuthorisation(ctx, "spqr2", "\x00"), errNotFound)
		require.NoError(t, s.store.revokeAuthorisation(ctx, "spqr2", c.ID))
		for _, token := range []hash{p.access, p.refresh, direct.access, direct.refresh} {
			assert.False(t, s.good(t, token))
		}
		_, err := s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, errNotFound, "a code on its way")
		_, err = s.rotate(ctx, p.refresh, c)
		assert.ErrorIs(t, err, errNotFound)
		have, err := s.store.consented(ctx, "spqr2", c.ID)
		require.NoError(t, err)
		assert.Nil(t, have, "and nothing is remembered")
		assert.True(t, s.good(t, others.access) && s.good(t, elsewhere.access))
		assert.ErrorIs(t, s.store.revokeAuthorisation(ctx, "spqr2", c.ID), errNotFound, "again")
	})
}
