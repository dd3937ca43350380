package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// scene is an application, read when a request of it began, with all that can be given
// or taken.
type scene struct {
	*testStore
	c           Client
	person      string
	code, given credential.Hash // what there was; what came of it
	pair        pair
}

func newScene(t *testing.T, s *testStore) *scene {
	t.Helper()
	x := &scene{testStore: s, c: s.register(t, "owner"+newID()), person: "person" + newID()}
	x.code, x.pair = s.approved(t, x.c, x.person, "profile"), s.authorised(t, x.c, x.person, "profile")
	return x
}

func (x *scene) asked() Code {
	return Code{ClientID: x.c.ID, Principal: x.person, RedirectURI: "https://app.example/cb", Scopes: []string{"profile"}, Challenge: "challenge"}
}

// authorise has a code given.
func (x *scene) authorise(t *testing.T, asked bool) error {
	text, err := x.Authorise(t.Context(), x.asked(), asked)
	x.given = hashOf(text)
	return err
}

// take notes the access token that was given.
func (x *scene) take(given Issued, err error) error {
	x.given = hashOf(given.Access)
	return err
}

// lives reports whether what was given is good for anything.
func (x *scene) lives(t *testing.T) bool {
	t.Helper()
	now, err := x.Client(t.Context(), x.c.ID)
	if err != nil {
		now = x.c
	}
	if p, err := x.redeem(t.Context(), x.given, now); err == nil { // it is a code
		x.given = p.access
	}
	return x.good(t, x.given)
}

// gives are the ways to come by a code or a token. dead says after what it is worthless
// if that came later, late what it is refused with if that came first.
var gives = []struct {
	name string
	run  func(t *testing.T, x *scene) error
	dead string
	late map[string]error
}{
	{"approve", func(t *testing.T, x *scene) error { return x.authorise(t, true) },
		"revoke edit delete", map[string]error{"edit": ErrStale, "delete": ErrNotFound}},
	{"continueConsent", func(t *testing.T, x *scene) error { return x.authorise(t, false) },
		"revoke edit delete", map[string]error{"revoke": ErrNoConsent, "edit": ErrStale, "delete": ErrNotFound}},
	{"approveDirect", func(t *testing.T, x *scene) error {
		return x.take(x.AuthoriseDirect(t.Context(), x.asked(), true))
	}, "revoke delete", map[string]error{"edit": ErrStale, "delete": ErrNotFound}},
	{"continueDirect", func(t *testing.T, x *scene) error {
		return x.take(x.AuthoriseDirect(t.Context(), x.asked(), false))
	}, "revoke delete", map[string]error{"revoke": ErrNoConsent, "edit": ErrStale, "delete": ErrNotFound}},
	{"grantPassword", func(t *testing.T, x *scene) error {
		return x.take(x.GrantPassword(t.Context(), x.c, x.person, []string{"profile"}))
	}, "revoke delete", map[string]error{"reset": ErrStale, "delete": ErrStale}},
	{"redeem", func(t *testing.T, x *scene) error {
		return x.take(x.Redeem(t.Context(), x.code, x.c))
	}, "revoke delete", map[string]error{"revoke": ErrNotFound, "reset": ErrStale, "edit": ErrNotFound, "delete": ErrStale}},
	{"rotate", func(t *testing.T, x *scene) error {
		return x.take(x.Rotate(t.Context(), x.pair.Refresh, x.c, nil))
	}, "revoke delete", map[string]error{"revoke": ErrNotFound, "reset": ErrStale, "delete": ErrStale}},
	{"grantClient", func(t *testing.T, x *scene) error {
		return x.take(x.GrantClient(t.Context(), x.c, []string{"profile"}))
	}, "reset delete", map[string]error{"reset": ErrStale, "delete": ErrStale}},
}

// takes are what a person or an owner may do at the same moment.
var takes = map[string]func(t *testing.T, x *scene) error{
	"revoke": func(t *testing.T, x *scene) error {
		return x.RevokeAuthorisation(t.Context(), x.person, x.c.ID)
	},
	"reset": func(t *testing.T, x *scene) error {
		_, err := x.ResetSecret(t.Context(), x.c.Owner, x.c.ID)
		return err
	},
	"edit": func(t *testing.T, x *scene) error {
		return x.UpdateClient(t.Context(), x.c.Owner, Client{ID: x.c.ID, Name: "Reader", RedirectURIs: []string{"https://new.example/cb"}})
	},
	"delete": func(t *testing.T, x *scene) error {
		return x.DeleteClient(t.Context(), x.c.Owner, x.c.ID)
	},
}

// crossing starts first, and then second while first is about to commit.
type crossing func(t *testing.T, first, second func() error) (error, error)

// newCrossing has transactions of PostgreSQL stop before they commit.
func newCrossing(t *testing.T, db *dbtest.Database) crossing {
	t.Helper()
	return crossingAt(t, db, "CREATE CONSTRAINT TRIGGER %q AFTER %[1]s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION barrier()",
		"INSERT ON wlsoauth_codes", "INSERT OR DELETE ON wlsoauth_tokens", "DELETE ON wlsoauth_consents",
		"DELETE ON wlsoauth_clients", "UPDATE OF redirect_uris, secret_hash ON wlsoauth_clients")
}

// crossingAt has transactions of PostgreSQL stop where triggers say. Those of SQLite
// that write cannot cross, because the later one does not begin before the earlier one
// has ended.
func crossingAt(t *testing.T, db *dbtest.Database, trigger string, events ...string) crossing {
	t.Helper()
	if !db.PostgreSQL {
		return func(_ *testing.T, first, second func() error) (error, error) { return first(), second() }
	}
	db.Exec(t, `CREATE FUNCTION barrier() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$`)
	for _, event := range events {
		db.Exec(t, fmt.Sprintf(trigger, event))
	}
	control := db.Open(t)
	return func(t *testing.T, first, second func() error) (error, error) {
		t.Helper()
		barrier, err := control.Begin()
		require.NoError(t, err)
		_, err = barrier.Exec(`SELECT pg_advisory_xact_lock(42)`)
		require.NoError(t, err)
		start := func(f func() error, waiting int) chan error {
			result := make(chan error, 1)
			go func() { result <- f() }()
			dbtest.Eventually(t, func() bool {
				var n int
				require.NoError(t, control.QueryRow(`SELECT COUNT(*) FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
				return n == waiting || len(result) > 0
			})
			return result
		}
		one := start(first, 1)
		two := start(second, 2)
		require.NoError(t, barrier.Rollback())
		return <-one, <-two
	}
}

// What takes something back takes what is being given, too; and after it nothing more is
// given, though the request began before.
func TestNothingIsGivenPastATaking(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		cross := newCrossing(t, db)
		for _, give := range gives {
			for taken, take := range takes {
				t.Run(give.name+", "+taken, func(t *testing.T) {
					x := newScene(t, s)
					errGive, errTake := cross(t, func() error { return give.run(t, x) }, func() error { return take(t, x) })
					require.NoError(t, errGive)
					require.NoError(t, errTake)
					dead := slices.Contains(strings.Fields(give.dead), taken)
					assert.Equal(t, !dead, x.lives(t), "alive")
					x.assertListed(t, give.name)
				})
				t.Run(taken+", "+give.name, func(t *testing.T) {
					x := newScene(t, s)
					errTake, errGive := cross(t, func() error { return take(t, x) }, func() error { return give.run(t, x) })
					require.NoError(t, errTake)
					require.ErrorIs(t, errGive, give.late[taken])
					assert.Equal(t, errGive == nil, x.lives(t), "alive")
					x.assertListed(t, give.name)
				})
			}
		}
		for _, table := range clientTables {
			assert.Zero(t, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_`+table.name+` t
				WHERE NOT EXISTS (SELECT 1 FROM wlsoauth_clients c WHERE c.id = t.client_id)`), "left behind in %s", table.name)
		}
	})
}

// assertListed wants the person to see who holds something of theirs, and able to take
// it back.
func (x *scene) assertListed(t *testing.T, give string) {
	t.Helper()
	if !x.lives(t) || give == "grantClient" {
		return
	}
	list, err := x.Authorisations(t.Context(), x.person, Place{})
	require.NoError(t, err)
	assert.Len(t, list, 1)
	require.NoError(t, x.RevokeAuthorisation(t.Context(), x.person, x.c.ID))
	assert.False(t, x.lives(t))
}

// As it comes about by itself, too.
func TestNothingSurvivesARevocationThatRacesWithIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		for range 30 {
			x := newScene(t, s)
			begin, results := make(chan struct{}), make(chan error)
			race := []func() error{func() error { return takes["revoke"](t, x) }}
			var mine []*scene
			for _, give := range gives {
				if slices.Contains([]string{"continueConsent", "continueDirect", "redeem", "rotate"}, give.name) {
					y := *x
					mine = append(mine, &y)
					race = append(race, func() error { return give.run(t, &y) })
				}
			}
			for _, f := range race {
				go func() {
					<-begin
					results <- f()
				}()
			}
			close(begin)
			for range race {
				if err := <-results; err != nil {
					require.True(t, isRefusal(err), err)
				}
			}
			for i, y := range mine {
				assert.False(t, y.lives(t), i)
			}
		}
	})
}

// What has no consent, by whatever mishap, can be taken back all the same.
func TestTakingBackWhatHasNoConsent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		x := newScene(t, newStore(t, db))
		db.Exec(t, `DELETE FROM wlsoauth_consents`)
		require.NoError(t, takes["revoke"](t, x))
		assert.False(t, x.good(t, x.pair.access) || x.good(t, x.pair.refresh))
		_, err := x.redeem(t.Context(), x.code, x.c)
		assert.ErrorIs(t, err, ErrNotFound)
		assert.ErrorIs(t, takes["revoke"](t, x), ErrNotFound)
	})
}
