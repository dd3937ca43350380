package oauth2server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClients(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		text, secret := mint(prefixSecret)
		made, err := s.store.createClient(ctx, client{
			Owner: "spqr1", Name: "Reader – “é”", Description: "two\nlines", Website: "https://app.example",
			Confidential: true, RedirectURIs: []string{"https://app.example/cb", "http://127.0.0.1/cb"},
		}, secret)
		require.NoError(t, err)
		assert.Equal(t, testNow, made.Created)
		assert.True(t, made.checkSecret(text))

		for name, get := range map[string]func() (client, error){
			"by id":    func() (client, error) { return s.store.client(ctx, made.ID) },
			"by owner": func() (client, error) { return s.store.ownClient(ctx, "spqr1", made.ID) },
		} {
			got, err := get()
			require.NoError(t, err, name)
			assert.Equal(t, made, got, name)
			assert.True(t, got.checkSecret(text), name)
		}

		s.clock.advance(time.Minute)
		changed := client{ID: made.ID, Name: "New", RedirectURIs: []string{"https://new.example/"}, Owner: "somebody else", Confidential: false}
		require.NoError(t, s.store.updateClient(ctx, "spqr1", changed))
		got, err := s.store.client(ctx, made.ID)
		require.NoError(t, err)
		assert.Equal(t, "New", got.Name)
		assert.Equal(t, []string{"https://new.example/"}, got.RedirectURIs)
		assert.Equal(t, "spqr1", got.Owner, "cannot be given away")
		assert.True(t, got.Confidential, "stays")
		assert.True(t, got.checkSecret(text), "stays")
		assert.Equal(t, testNow.Add(time.Minute), got.Updated)

		public, err := s.store.createClient(ctx, client{Owner: "spqr1", Name: "Public"}, hash{})
		require.NoError(t, err)
		list, err := s.store.clientsOf(ctx, "spqr1")
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.Equal(t, []string{made.ID, public.ID}, []string{list[0].ID, list[1].ID})
		assert.Nil(t, list[1].RedirectURIs)

		require.NoError(t, s.store.deleteClient(ctx, "spqr1", made.ID))
		_, err = s.store.client(ctx, made.ID)
		assert.ErrorIs(t, err, errNotFound)
	})
}

func TestClientSecrets(t *testing.T) {
	text, h := mint(prefixSecret)
	other, _ := mint(prefixSecret)
	for _, tc := range []struct {
		name   string
		client client
		text   string
		want   bool
	}{
		{"right", client{Confidential: true, secret: h}, text, true},
		{"another", client{Confidential: true, secret: h}, other, false},
		{"none", client{Confidential: true, secret: h}, "", false},
		{"malformed", client{Confidential: true, secret: h}, text + "x", false},
		{"of a public client", client{secret: h}, text, false},
		{"of a client without one", client{Confidential: true}, text, false},
	} {
		assert.Equal(t, tc.want, tc.client.checkSecret(tc.text), tc.name)
	}
}

func TestAnApplicationIsItsOwnersOnly(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c := s.register(t, "spqr1")
		before, err := s.store.client(ctx, c.ID)
		require.NoError(t, err)
		_, secret := mint(prefixSecret)
		for _, id := range []string{c.ID, newID(), "", "x", c.ID + "\x00", "\xff"} {
			_, err := s.store.ownClient(ctx, "spqr2", id)
			assert.ErrorIs(t, err, errNotFound, "%q", id)
			assert.ErrorIs(t, s.store.updateClient(ctx, "spqr2", client{ID: id, Name: "Stolen"}), errNotFound, "%q", id)
			assert.ErrorIs(t, s.store.resetSecret(ctx, "spqr2", id, secret), errNotFound, "%q", id)
			assert.ErrorIs(t, s.store.deleteClient(ctx, "spqr2", id), errNotFound, "%q", id)
			if id != c.ID {
				_, err = s.store.client(ctx, id)
				assert.ErrorIs(t, err, errNotFound, "%q", id)
			}
		}
		list, err := s.store.clientsOf(ctx, "spqr2")
		require.NoError(t, err)
		assert.Empty(t, list)
		after, err := s.store.client(ctx, c.ID)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	})
}

func TestResettingASecret(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		_, alone := mint(prefixAccess)
		_, others := mint(prefixAccess)
		_, err := s.store.grantClient(ctx, c, []string{"harvest"}, alone)
		require.NoError(t, err)
		_, err = s.store.grantClient(ctx, other, []string{"harvest"}, others)
		require.NoError(t, err)

		text, secret := mint(prefixSecret)
		require.NoError(t, s.store.resetSecret(ctx, "spqr1", c.ID, secret))
		got, err := s.store.client(ctx, c.ID)
		require.NoError(t, err)
		assert.True(t, got.checkSecret(text))
		assert.False(t, s.good(t, alone), "whoever had the old secret could get it")
		assert.True(t, s.good(t, others))
		assert.True(t, s.good(t, p.access), "this took a person as well")

		public, err := s.store.createClient(ctx, client{Owner: "spqr1"}, hash{})
		require.NoError(t, err)
		assert.ErrorIs(t, s.store.resetSecret(ctx, "spqr1", public.ID, secret), errNotFound)
	})
}

func TestDeletingAnApplicationEndsAllItHas(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		p, kept := s.authorised(t, c, "spqr2", "profile"), s.authorised(t, other, "spqr2", "profile")
		h := s.approved(t, c, "spqr2", "profile")
		_, alone := mint(prefixAccess)
		_, err := s.store.grantClient(ctx, c, []string{"harvest"}, alone)
		require.NoError(t, err)

		require.NoError(t, s.store.deleteClient(ctx, "spqr1", c.ID))
		assert.False(t, s.good(t, p.access) || s.good(t, p.refresh) || s.good(t, alone))
		assert.True(t, s.good(t, kept.access) && s.good(t, kept.refresh))
		_, err = s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, errNotFound)
		for _, table := range []string{"consents", "grants", "codes", "tokens"} {
			assert.Zero(t, db.number(t, `SELECT COUNT(*) FROM wlsoauth_`+table+` WHERE client_id = $1`, c.ID), table)
		}
		_, err = s.store.grantClient(ctx, c, []string{"harvest"}, alone)
		assert.ErrorIs(t, err, errNotFound)
		assert.ErrorIs(t, s.store.approve(ctx, code{ClientID: c.ID, Principal: "spqr2"}, h), errNotFound)
		_, err = s.store.grantDirect(ctx, c, "spqr2", nil, alone, hash{})
		assert.ErrorIs(t, err, errNotFound)
		assert.Zero(t, db.number(t, `SELECT COUNT(*) FROM wlsoauth_consents WHERE client_id = $1`, c.ID), "undone")
	})
}

func TestEditingAnApplicationDropsItsCodes(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		c := s.register(t, "spqr1")
		h, p := s.approved(t, c, "spqr2", "profile"), s.authorised(t, c, "spqr2", "profile")
		require.NoError(t, s.store.updateClient(ctx, "spqr1", c))
		_, err := s.redeem(ctx, h, c)
		assert.ErrorIs(t, err, errNotFound)
		assert.True(t, s.good(t, p.access))
	})
}

func TestLimitsHoldUnderConcurrency(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db, func(c *Config) { c.MaxPersonal, c.MaxClients = 3, 2 }), t.Context()
		for _, tc := range []struct {
			name   string
			most   int
			create func() error
		}{
			{"tokens", 3, func() error {
				_, h := mint(prefixPersonal)
				_, err := s.store.createPersonal(ctx, token{Principal: "spqr1"}, h)
				return err
			}},
			{"clients", 2, func() error {
				_, err := s.store.createClient(ctx, client{Owner: "spqr1"}, hash{})
				return err
			}},
		} {
			won := 0
			for _, err := range together(16, tc.create) {
				if err == nil {
					won++
				} else {
					assert.ErrorIs(t, err, errLimit, tc.name)
				}
			}
			assert.Equal(t, tc.most, won, tc.name)
			assert.Equal(t, tc.most, db.number(t, `SELECT COUNT(*) FROM wlsoauth_`+tc.name), tc.name)
		}
		_, err := s.store.createClient(ctx, client{Owner: "spqr2"}, hash{})
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
