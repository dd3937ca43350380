package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// Of a line one token is good. All that were are taken for stolen, and so is what nobody
// made who has not seen one of them: a leeway is for the one before the current one.
func TestOneTokenOfALineIsGood(t *testing.T) {
	forged := func(token string) string {
		text, _ := credential.Next(token)
		return text
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for _, tc := range []struct {
			name   string
			leeway time.Duration
			pick   func(line []string) string // of four tokens, of which the last is good
			want   error
		}{
			{"the current one", 0, func(line []string) string { return line[3] }, nil},
			{"the one before", 0, func(line []string) string { return line[2] }, ErrUsed},
			{"one before that", 0, func(line []string) string { return line[1] }, ErrUsed},
			{"the first", 0, func(line []string) string { return line[0] }, ErrUsed},
			{"forged", 0, func(line []string) string { return forged(line[0]) }, ErrUsed},
			{"the current one, leeway", time.Minute, func(line []string) string { return line[3] }, nil},
			{"the one before, leeway", time.Minute, func(line []string) string { return line[2] }, nil},
			{"one before that, leeway", time.Minute, func(line []string) string { return line[1] }, ErrUsed},
			{"the first, leeway", time.Minute, func(line []string) string { return line[0] }, ErrUsed},
			{"forged, leeway", time.Minute, func(line []string) string { return forged(line[0]) }, ErrUsed},
		} {
			t.Run(tc.name, func(t *testing.T) {
				s := newStore(t, db, func(c *Config) { c.RefreshLeeway = tc.leeway })
				c := s.register(t, "spqr1")
				p := s.authorised(t, c, "spqr2", "profile")
				line := []string{p.Refresh}
				for range 3 {
					var err error
					p, err = s.rotate(t.Context(), p.Refresh, c)
					require.NoError(t, err)
					line = append(line, p.Refresh)
				}
				token := tc.pick(line)
				found := s.token(t, hashOf(token))
				assert.Equal(t, token != line[3], found.Spent)
				assert.Equal(t, tc.want == ErrUsed, s.Reused(found))
				_, err := s.rotate(t.Context(), token, c)
				assert.ErrorIs(t, err, tc.want)
				assert.Equal(t, tc.want == nil, s.good(t, p.access))
			})
		}
	})
}

// The first token of a line has none before it.
func TestAForgedTokenOfANewLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s := newStore(t, db, func(c *Config) { c.RefreshLeeway = time.Minute })
		c := s.register(t, "spqr1")
		p := s.authorised(t, c, "spqr2", "profile")
		forged, h := credential.Next(p.Refresh)
		assert.True(t, s.token(t, h).Spent)
		_, err := s.rotate(t.Context(), forged, c)
		assert.ErrorIs(t, err, ErrUsed)
		assert.False(t, s.good(t, p.access) || s.good(t, p.refresh))
	})
}

// What the leeway gives is a line beside the other, and what comes again in one of them
// ends both.
func TestTwoLinesOfAGrant(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db, func(c *Config) { c.RefreshLeeway = 10 * time.Second }), t.Context()
		c := s.register(t, "spqr1")
		first := s.authorised(t, c, "spqr2", "profile")
		one, err := s.rotate(ctx, first.Refresh, c)
		require.NoError(t, err)
		other, err := s.rotate(ctx, first.Refresh, c)
		require.NoError(t, err)
		assert.Equal(t, first.refresh.Line, one.refresh.Line)
		assert.NotEqual(t, first.refresh.Line, other.refresh.Line)
		assert.Equal(t, 2, db.Number(t, `SELECT COUNT(*) FROM wlsoauth_tokens WHERE kind = 'refresh'`))
		s.clock.advance(time.Hour)
		one, err = s.rotate(ctx, one.Refresh, c)
		require.NoError(t, err)
		next, err := s.rotate(ctx, other.Refresh, c)
		require.NoError(t, err)
		s.clock.advance(time.Hour)
		_, err = s.rotate(ctx, other.Refresh, c)
		assert.ErrorIs(t, err, ErrUsed)
		assert.False(t, s.good(t, one.refresh) || s.good(t, next.refresh))
	})
}

// An application that gives up any token of a line gives up the grant.
func TestRevokingByAnOldToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		c, other := s.register(t, "spqr1"), s.register(t, "spqr1")
		first := s.authorised(t, c, "spqr2", "profile")
		last := first
		var err error
		for range 3 {
			last, err = s.rotate(ctx, last.Refresh, c)
			require.NoError(t, err)
		}
		_, err = s.RevokeToken(ctx, first.refresh, other.ID)
		assert.ErrorIs(t, err, ErrForeign)
		assert.True(t, s.good(t, last.refresh))
		_, err = s.RevokeToken(ctx, first.refresh, c.ID)
		require.NoError(t, err)
		assert.False(t, s.good(t, last.refresh) || s.good(t, last.access))
	})
}
