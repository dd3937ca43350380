package store

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// family is a grant whose code is used, and whose first refresh token is.
type family struct {
	*scene
	id            string
	first, second pair
	given         chan pair // what is given in a test
}

func newFamily(t *testing.T, s *testStore) *family {
	t.Helper()
	f := &family{scene: newScene(t, s), given: make(chan pair, 2)}
	var err error
	f.first, err = f.redeem(t.Context(), f.code, f.c)
	require.NoError(t, err)
	f.id = f.token(t, f.first.access).GrantID
	f.second, err = f.rotate(t.Context(), f.first.Refresh, f.c)
	require.NoError(t, err)
	return f
}

// refresh has a refresh token used.
func (f *family) refresh(t *testing.T, token string) error {
	given, err := f.rotate(t.Context(), token, f.c)
	f.given <- given
	return err
}

// familyActs are what can happen to a grant while others hold the application, too. ends says
// that nothing of the grant is left.
var familyActs = []struct {
	name string
	run  func(t *testing.T, f *family) error
	err  error
	ends bool
}{
	{"refresh", func(t *testing.T, f *family) error { return f.refresh(t, f.second.Refresh) }, nil, false},
	{"reuse", func(t *testing.T, f *family) error { return f.refresh(t, f.first.Refresh) }, ErrUsed, true},
	{"replay", func(t *testing.T, f *family) error {
		given, err := f.redeem(t.Context(), f.code, f.c)
		f.given <- given
		return err
	}, ErrUsed, true},
	{"revoke access", func(t *testing.T, f *family) error {
		_, err := f.RevokeToken(t.Context(), f.second.access, f.c.ID)
		return err
	}, nil, false},
	{"revoke refresh", func(t *testing.T, f *family) error {
		_, err := f.RevokeToken(t.Context(), f.second.refresh, f.c.ID)
		return err
	}, nil, true},
}

// Two that share the application and meet at a grant neither wait for one another for
// ever nor leave anything of a grant that one of them has ended.
func TestTwoMeetAtAGrant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		cross := newCrossing(t, db)
		for _, one := range familyActs {
			for _, other := range familyActs {
				t.Run(one.name+", "+other.name, func(t *testing.T) {
					f := newFamily(t, s)
					errOne, errOther := cross(t, func() error { return one.run(t, f) }, func() error { return other.run(t, f) })
					assert.ErrorIs(t, errOne, one.err)
					if errOther != nil {
						assert.True(t, isRefusal(errOther), errOther)
					}
					ended := one.ends || other.ends || one.name == "refresh" && other.name == "refresh"
					tokens := db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens WHERE grant_id = $1`, f.id)
					assert.Equal(t, ended, tokens == 0, "%d tokens", tokens)
					assert.Equal(t, ended, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_grants WHERE id = $1`, f.id) == 0)
					close(f.given)
					for p := range f.given {
						assert.Equal(t, !ended && p.Access != "", s.good(t, p.access) && s.good(t, p.refresh))
					}
				})
			}
		}
	})
}

// The one that revokes a grant's last token holds the grant before the token.
func TestTheLastTokenOfAGrantGoesWhileTheGrantDoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		f := newFamily(t, newStore(t, db))
		db.Exec(t, `DELETE FROM wlsoauth_tokens WHERE hash <> $1`, f.second.access.Text[:])
		cross := crossingAt(t, db, "CREATE TRIGGER %q AFTER %[1]s FOR EACH ROW EXECUTE FUNCTION barrier()", "DELETE ON wlsoauth_tokens")
		revoke, replay := cross(t, func() error { return familyActs[3].run(t, f) }, func() error { return familyActs[2].run(t, f) })
		assert.NoError(t, revoke)
		assert.ErrorIs(t, replay, ErrUsed)
	})
}

func TestTwoAddToAConsent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		x := newScene(t, newStore(t, db))
		allow := func(scope string) func() error {
			return func() error {
				asked := x.asked()
				asked.Principal, asked.Scopes = "spqr2", []string{scope}
				_, err := x.Authorise(t.Context(), asked, true)
				return err
			}
		}
		one, other := newCrossing(t, db)(t, allow("profile"), allow("records:read"))
		require.NoError(t, one)
		require.NoError(t, other)
		scopes, err := x.Consented(t.Context(), "spqr2", x.c.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"profile", "records:read"}, scopes)
	})
}

// Requests for tokens do not wait for one another, and no flood of them, by a thief of
// the secret perhaps, gets past an owner who changes it.
func TestAFloodOfRequestsDoesNotKeepTheOwnerOut(t *testing.T) {
	db := dbtest.PostgreSQL(t)
	s := newStore(t, db)
	c := s.register(t, "spqr1")
	request, err := db.Open(t).Begin()
	require.NoError(t, err)
	defer func() { _ = request.Rollback() }()
	require.NoError(t, s.hold(t.Context(), request, shared, "client", c.ID))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = s.GrantClient(ctx, c, []string{"profile"})
	require.NoError(t, err)

	waits := func(n int, f func() error) chan error {
		result := make(chan error, 1)
		go func() { result <- f() }()
		dbtest.Eventually(t, func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`) == n
		})
		return result
	}
	reset := waits(1, func() error {
		_, err := s.ResetSecret(t.Context(), "spqr1", c.ID)
		return err
	})
	late := waits(2, func() error {
		_, err := s.GrantClient(t.Context(), c, []string{"profile"})
		return err
	})
	require.NoError(t, request.Rollback())
	assert.NoError(t, <-reset)
	assert.ErrorIs(t, <-late, ErrStale)
	assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens`))
}

// No transaction asks for a second connection while it has one.
func TestOneConnectionIsEnough(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		s.cfg.DB.SetMaxOpenConns(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, err := range together(8, func() error {
			f := newFamily(t, s)
			for _, act := range familyActs {
				if err := act.run(t, f); err != nil && !isRefusal(err) {
					return err
				}
				for len(f.given) > 0 {
					<-f.given
				}
			}
			for _, name := range []string{"edit", "reset", "revoke", "delete"} {
				if err := takes[name](t, f.scene); err != nil {
					return err
				}
			}
			h := s.personal(t, Token{Principal: f.person})
			if err := s.Touch(ctx, Bearer{}, h); err != nil {
				return err
			}
			return s.Sweep(ctx)
		}) {
			assert.NoError(t, err)
		}
	})
}
