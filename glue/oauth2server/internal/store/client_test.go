package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func TestClients(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		made, text, err := s.CreateClient(ctx, Client{
			Owner: "spqr1", Name: "Reader – “é”", Description: "two\nlines", Website: "https://app.example",
			Confidential: true, RedirectURIs: []string{"https://app.example/cb", "http://127.0.0.1/cb"},
		})
		require.NoError(t, err)
		assert.Equal(t, testNow, made.Created)
		assert.True(t, made.CheckSecret(text))

		for name, get := range map[string]func() (Client, error){
			"by id":    func() (Client, error) { return s.Client(ctx, made.ID) },
			"by owner": func() (Client, error) { return s.OwnClient(ctx, "spqr1", made.ID) },
		} {
			got, err := get()
			require.NoError(t, err, name)
			assert.Equal(t, made, got, name)
			assert.True(t, got.CheckSecret(text), name)
		}

		s.clock.advance(time.Minute)
		changed := Client{ID: made.ID, Name: "New", RedirectURIs: []string{"https://new.example/"}, Owner: "somebody else", Confidential: false}
		require.NoError(t, s.UpdateClient(ctx, "spqr1", changed))
		got, err := s.Client(ctx, made.ID)
		require.NoError(t, err)
		assert.Equal(t, "New", got.Name)
		assert.Equal(t, []string{"https://new.example/"}, got.RedirectURIs)
		assert.Equal(t, "spqr1", got.Owner, "cannot be given away")
		assert.True(t, got.Confidential, "stays")
		assert.True(t, got.CheckSecret(text), "stays")
		assert.Equal(t, testNow.Add(time.Minute), got.Updated)

		public := s.registerPublic(t, "spqr1")
		list, err := s.ClientsOf(ctx, "spqr1", Place{})
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.Equal(t, []string{made.ID, public.ID}, []string{list[0].ID, list[1].ID})
		assert.Nil(t, list[1].RedirectURIs)

		require.NoError(t, s.DeleteClient(ctx, "spqr1", made.ID))
		_, err = s.Client(ctx, made.ID)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestClientSecrets(t *testing.T) {
	text, h := credential.Mint(credential.Secret)
	other, _ := credential.Mint(credential.Secret)
	for _, tc := range []struct {
		name   string
		client Client
		text   string
		want   bool
	}{
		{"right", Client{Confidential: true, secret: h}, text, true},
		{"another", Client{Confidential: true, secret: h}, other, false},
		{"none", Client{Confidential: true, secret: h}, "", false},
		{"malformed", Client{Confidential: true, secret: h}, text + "x", false},
		{"of a public client", Client{secret: h}, text, false},
		{"of a client without one", Client{Confidential: true}, text, false},
	} {
		assert.Equal(t, tc.want, tc.client.CheckSecret(tc.text), tc.name)
	}
}

func TestAnApplicationIsItsOwnersOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		before, err := s.Client(ctx, c.ID)
		require.NoError(t, err)
		for _, id := range []string{c.ID, newID(), "", "x", c.ID + "\x00", "\xff"} {
			_, err := s.OwnClient(ctx, "spqr2", id)
			assert.ErrorIs(t, err, ErrNotFound, "%q", id)
			assert.ErrorIs(t, s.UpdateClient(ctx, "spqr2", Client{ID: id, Name: "Stolen"}), ErrNotFound, "%q", id)
			_, err = s.ResetSecret(ctx, "spqr2", id)
			assert.ErrorIs(t, err, ErrNotFound, "%q", id)
			assert.ErrorIs(t, s.DeleteClient(ctx, "spqr2", id), ErrNotFound, "%q", id)
			if id != c.ID {
				_, err = s.Client(ctx, id)
				assert.ErrorIs(t, err, ErrNotFound, "%q", id)
			}
		}
		list, err := s.ClientsOf(ctx, "spqr2", Place{})
		require.NoError(t, err)
		assert.Empty(t, list)
		after, err := s.Client(ctx, c.ID)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	})
}

func TestResettingASecret(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		alone, others := s.alone(t, c, "harvest"), s.alone(t, other, "harvest")

		text, err := s.ResetSecret(ctx, "spqr1", c.ID)
		require.NoError(t, err)
		got, err := s.Client(ctx, c.ID)
		require.NoError(t, err)
		assert.True(t, got.CheckSecret(text))
		assert.False(t, s.good(t, alone), "whoever had the old secret could get it")
		assert.True(t, s.good(t, others))
		assert.True(t, s.good(t, p.access), "this took a person as well")

		_, err = s.ResetSecret(ctx, "spqr1", s.registerPublic(t, "spqr1").ID)
		assert.ErrorIs(t, err, ErrNotFound)
	})
}

func TestDeletingAnApplicationEndsAllItHas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p, kept := s.authorised(t, c, "spqr2", "profile"), s.authorised(t, other, "spqr2", "profile")
		h := s.approved(t, c, "spqr2", "profile")
		alone := s.alone(t, c, "harvest")

		require.NoError(t, s.DeleteClient(ctx, "spqr1", c.ID))
		assert.False(t, s.good(t, p.access) || s.good(t, p.refresh) || s.good(t, alone))
		assert.True(t, s.good(t, kept.access) && s.good(t, kept.refresh))
		_, err := s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, ErrNotFound)
		for _, table := range []string{"consents", "grants", "codes", "tokens"} {
			assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_`+table+` WHERE client_id = $1`, c.ID), table)
		}
		_, err = s.GrantClient(ctx, c, []string{"harvest"})
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.Authorise(ctx, Code{ClientID: c.ID, Principal: "spqr2"}, true)
		assert.ErrorIs(t, err, ErrNotFound)
		_, err = s.GrantPassword(ctx, c, "spqr2", nil)
		assert.ErrorIs(t, err, ErrNotFound)
		assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_consents WHERE client_id = $1`, c.ID), "undone")
	})
}

func TestEditingAnApplicationDropsItsCodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c := s.register(t, "spqr1")
		h, p := s.approved(t, c, "spqr2", "profile"), s.authorised(t, c, "spqr2", "profile")
		require.NoError(t, s.UpdateClient(ctx, "spqr1", c))
		_, err := s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, ErrNotFound)
		assert.True(t, s.good(t, p.access))
	})
}

func TestLimitsHoldUnderConcurrency(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db, func(c *Config) { c.MaxPersonal, c.MaxClients = 3, 2 }), t.Context()
		for _, tc := range []struct {
			name   string
			most   int
			create func() error
		}{
			{"tokens", 3, func() error {
				_, _, err := s.CreatePersonal(ctx, Token{Principal: "spqr1"})
				return err
			}},
			{"clients", 2, func() error {
				_, _, err := s.CreateClient(ctx, Client{Owner: "spqr1"})
				return err
			}},
		} {
			won := 0
			for _, err := range together(16, tc.create) {
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, ErrLimit, tc.name)
				}
			}
			assert.Equal(t, tc.most, won, tc.name)
			assert.Equal(t, tc.most, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_`+tc.name), tc.name)
		}
		_, _, err := s.CreateClient(ctx, Client{Owner: "spqr2"})
		assert.NoError(t, err, "others have their own")
	})
}

// together does the same n times at once.
func together(n int, f func() error) []error {
	begin, results := make(chan struct{}), make(chan error)
	for range n {
		go func() {
			<-begin
			results <- f()
		}()
	}
	close(begin)
	errs := make([]error, n)
	for i := range errs {
		errs[i] = <-results
	}
	return errs
}
