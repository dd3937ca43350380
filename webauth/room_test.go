package webauth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/wls"
)

func TestRoomOfItem(t *testing.T) {
	for _, row := range []struct {
		name              string
		id                string
		unsigned, failure bool
		want              webauth.Room
	}{
		{"response of a success", "response:a", false, false, webauth.RoomLogin},
		{"token of a success", "token:a", false, false, webauth.RoomLogin},
		{"response of a failure", "response:a", false, true, webauth.RoomFailure},
		{"token of a signed failure", "token:a", false, true, webauth.RoomFailure},
		{"token of an unsigned failure", "token:a", true, true, webauth.RoomUnsigned},
		{"token of an unsigned success", "token:a", true, false, webauth.RoomUnsigned},
		{"kept form", "form:a", true, false, webauth.RoomForm},
		{"kept form, said to be signed", "form:a", false, false, webauth.RoomForm},
		{"single-use token of a person", "xsrf:a", true, false, webauth.RoomXSRF},
		{"single-use token of a visitor", "xsrf-visitor:a", true, false, webauth.RoomVisitor},
		{"login that was asked about", "confirm:a", false, false, webauth.RoomLogin},
		{"another kind", "mine:a", false, false, webauth.RoomLogin},
		{"another kind, unsigned", "mine:a", true, false, webauth.RoomUnsigned},
		{"no kind", "form", false, true, webauth.RoomForm},
		{"a kind that begins as one of ours", "forms:a", true, false, webauth.RoomUnsigned},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := webauth.Item{ID: row.id, Unsigned: row.unsigned, Failure: row.failure}.Room()
			assert.Equal(t, row.want, got, "%s, not %s", row.want, got)
		})
	}
}

func TestRoomNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rooms {
		seen[r.room.String()] = true
	}
	assert.Len(t, seen, 6)
	assert.Equal(t, "unknown", webauth.Room(-1).String())
	assert.Equal(t, "unknown", webauth.Room(6).String())
}

// rooms has an item for each room.
var rooms = []struct {
	room webauth.Room
	item func(n int) webauth.Item
}{
	{webauth.RoomLogin, func(n int) webauth.Item { return item(fmt.Sprint("token:l", n), time.Hour) }},
	{webauth.RoomFailure, func(n int) webauth.Item {
		it := item(fmt.Sprint("token:f", n), time.Hour)
		it.Failure = true
		return it
	}},
	{webauth.RoomUnsigned, func(n int) webauth.Item { return unsigned(fmt.Sprint("token:u", n)) }},
	{webauth.RoomForm, func(n int) webauth.Item { return unsigned(fmt.Sprint("form:", n)) }},
	{webauth.RoomXSRF, func(n int) webauth.Item { return unsigned(fmt.Sprint("xsrf:", n)) }},
	{webauth.RoomVisitor, func(n int) webauth.Item { return unsigned(fmt.Sprint("xsrf-visitor:", n)) }},
}

func unsigned(id string) webauth.Item {
	it := item(id, time.Hour)
	it.Unsigned = true
	return it
}

// fill puts in what fits, and returns how many that were.
func fill(t *testing.T, m *webauth.MemoryOneUse, of func(int) webauth.Item) int {
	t.Helper()
	for n := range 10_000 {
		if err := m.Once(t.Context(), of(n)); err != nil {
			require.ErrorIs(t, err, webauth.ErrFull)
			return n
		}
	}
	require.Fail(t, "no end")
	return 0
}

// Whoever fills one room leaves every other one what is its own, in whatever order rooms
// are filled; and all together are never more than was said.
func TestMemoryOneUseRooms(t *testing.T) {
	const size = 1000
	own := func(r webauth.Room) int {
		if r == webauth.RoomLogin {
			return size / 2
		}
		return size / 20
	}
	for first := range rooms {
		t.Run(rooms[first].room.String(), func(t *testing.T) {
			m := webauth.NewMemoryOneUse(size, clock(testNow))
			all := 0
			for i := range rooms {
				r := rooms[(first+i)%len(rooms)]
				n := fill(t, m, r.item)
				all += n
				if i == 0 {
					assert.Equal(t, own(r.room)+size/4, n, "its own, and what is nobody's")
				} else {
					assert.Equal(t, own(r.room), n, "%s after %s", r.room, rooms[first].room)
				}
				require.ErrorContains(t, m.Once(t.Context(), r.item(-1)), r.room.String())
			}
			assert.Equal(t, size, all)
			for _, r := range rooms {
				assert.ErrorIs(t, m.Once(t.Context(), r.item(0)), webauth.ErrUsed, "full or not")
			}
		})
	}
}

// What a response brings says in which room it is marked.
func TestVerifyRooms(t *testing.T) {
	cancelled := func(s *site, t *testing.T) wls.Response { return failure(3, 410, s.params(t, nil)) }
	succeeded := func(s *site, t *testing.T) wls.Response { return success(s.params(t, nil)) }
	both := func(r webauth.Room) map[string]webauth.Room {
		return map[string]webauth.Room{"response": r, "token": r}
	}
	for _, row := range []struct {
		name     string
		response func(*site, *testing.T) wls.Response
		unsigned bool
		stranger bool // another browser brings it
		want     map[string]webauth.Room
	}{
		{"success", succeeded, false, false, both(webauth.RoomLogin)},
		{"success, another browser", succeeded, false, true, both(webauth.RoomLogin)},
		{"signed failure", cancelled, false, false, both(webauth.RoomFailure)},
		{"signed failure, another browser", cancelled, false, true, both(webauth.RoomFailure)},
		{"unsigned failure", cancelled, true, false, map[string]webauth.Room{"token": webauth.RoomUnsigned}},
		{"unsigned failure, another browser", cancelled, true, true, map[string]webauth.Room{}},
		{"unsigned success", succeeded, true, false, map[string]webauth.Room{"token": webauth.RoomUnsigned}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			r := row.response(s, t)
			value := r.Fields().Unsigned()
			if !row.unsigned {
				value = signed(t, r)
			}
			want := s.here()
			if row.stranger {
				want.Secret = webauth.NewBrowserSecret()
			}
			_, _ = s.verifier(t, nil).Verify(t.Context(), value, want)
			assert.Equal(t, row.want, s.used.rooms())
		})
	}
}

// Signed failures, with made-up tokens or with real ones, leave room for logins.
func TestVerifySignedFailuresLeaveRoomForLogins(t *testing.T) {
	for _, row := range []struct {
		name  string
		token func(s *site, t *testing.T, i int) string
	}{
		{"made-up tokens", func(_ *site, _ *testing.T, i int) string { return fmt.Sprintf("1.%d.a.%022d.x", testNow.Unix(), i) }},
		{"tokens of the site", func(s *site, t *testing.T, _ int) string { return s.params(t, nil) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t)
			v := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse = inUse(20) })
			full := false
			for i := range 40 {
				r := failure(3, 540, row.token(s, t, i))
				r.ID = fmt.Sprint(i)
				_, err := v.Verify(t.Context(), signed(t, r), s.here())
				full = full || errors.Is(err, webauth.ErrFull)
			}
			require.True(t, full)
			_, err := v.Verify(t.Context(), signed(t, success(s.params(t, nil))), s.here())
			assert.NoError(t, err)
		})
	}
}
