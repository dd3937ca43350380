package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// lists are all that has pages: how to add a thing, and one page of it.
var lists = map[string]struct {
	add  func(t *testing.T, s *testStore, i int) (id string)
	page func(t *testing.T, s *testStore, from Place) (ids []string, next Place)
}{
	"tokens": {
		func(t *testing.T, s *testStore, i int) string {
			made, _, err := s.CreatePersonal(t.Context(), Token{Principal: "spqr1", Name: "same"})
			require.NoError(t, err)
			return made.ID
		},
		func(t *testing.T, s *testStore, from Place) ([]string, Place) {
			list, err := s.PersonalTokens(t.Context(), "spqr1", from)
			require.NoError(t, err)
			return idsOf(list, func(one Token) string { return one.ID })
		},
	},
	"applications": {
		func(t *testing.T, s *testStore, i int) string { return s.register(t, "spqr1").ID },
		func(t *testing.T, s *testStore, from Place) ([]string, Place) {
			list, err := s.ClientsOf(t.Context(), "spqr1", from)
			require.NoError(t, err)
			return idsOf(list, func(one Client) string { return one.ID })
		},
	},
	"authorised": {
		func(t *testing.T, s *testStore, i int) string {
			c, _, err := s.CreateClient(t.Context(), Client{Owner: "spqr9", Name: fmt.Sprintf("Ä %d & co", i%7), Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
			require.NoError(t, err)
			s.approved(t, c, "spqr1", "profile")
			return c.ID
		},
		func(t *testing.T, s *testStore, from Place) ([]string, Place) {
			list, err := s.Authorisations(t.Context(), "spqr1", from)
			require.NoError(t, err)
			return idsOf(list, func(one Authorisation) string { return one.ClientID })
		},
	},
}

func idsOf[T Listed](list []T, id func(T) string) (ids []string, next Place) {
	page, next := Cut(list)
	for _, one := range page {
		ids = append(ids, id(one))
	}
	return ids, next
}

// Whoever goes from page to page sees each thing once, those of one second and of one name
// included.
func TestPagesHaveEachThingOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for name, list := range lists {
			t.Run(name, func(t *testing.T) {
				s := newStore(t, db, func(c *Config) { c.MaxPersonal, c.MaxClients = 1000, 1000 })
				var made []string
				for i := range 2*PageSize + 1 {
					made = append(made, list.add(t, s, i))
					if i%30 == 0 {
						s.clock.advance(time.Second)
					}
				}
				var seen []string
				from, sizes := Place{}, []int{}
				for {
					page, next := list.page(t, s, from)
					seen, sizes = append(seen, page...), append(sizes, len(page))
					if next == (Place{}) {
						break
					}
					from = ParsePlace(next.String())
					require.Equal(t, next, from)
				}
				assert.Equal(t, []int{PageSize, PageSize, 1}, sizes)
				assert.ElementsMatch(t, made, seen)
				one, next := list.page(t, s, Place{})
				assert.Equal(t, seen[:PageSize], one)
				assert.NotEqual(t, Place{}, next)
			})
		}
	})
}

// A place holds although what it names is gone, and what came before it.
func TestAPlaceHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db, func(c *Config) { c.MaxPersonal = 1000 })
		for range PageSize + 2 {
			lists["tokens"].add(t, s, 0)
			s.clock.advance(time.Second)
		}
		first, next := lists["tokens"].page(t, s, Place{})
		second, _ := lists["tokens"].page(t, s, next)
		require.Len(t, second, 2)
		for _, id := range slices.Concat(first[:3], first[PageSize-1:]) {
			require.NoError(t, s.RevokePersonal(t.Context(), "spqr1", id))
		}
		lists["tokens"].add(t, s, 0)
		again, none := lists["tokens"].page(t, s, next)
		assert.Equal(t, second, again)
		assert.Equal(t, Place{}, none)
		n, err := s.CountPersonal(t.Context(), "spqr1")
		require.NoError(t, err)
		assert.Equal(t, PageSize-1, n)
	})
}

// What a link says of a place is anybody's word.
func TestPlacesThatAreNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db)
		for _, list := range lists {
			list.add(t, s, 0)
		}
		id := newID()
		for _, text := range []string{"", "x", id[1:], "1" + id[1:] + "_", "\x00" + id, "\xff" + id, "' OR 1=1 --"} {
			assert.Equal(t, Place{}, ParsePlace(text), "%q", text)
		}
		for _, text := range []string{id, "x" + id, "9999999999999999999999" + id, "-1" + id, "'" + id, "é" + id} {
			from := ParsePlace(text)
			assert.Equal(t, text, from.String())
			for name, list := range lists {
				page, next := list.page(t, s, from)
				assert.LessOrEqual(t, len(page), 2, name)
				assert.Equal(t, Place{}, next, name)
			}
		}
	})
}
