package store

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// The database holds no text that is good for anything: only its SHA-256.
func TestOnlyHashesAreStored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		s, ctx := newStore(t, db), t.Context()
		var texts []string
		hidden := func(text string) {
			texts = append(texts, text, text[len(credential.Code):], hex.EncodeToString([]byte(text)))
		}
		c, secret, err := s.CreateClient(ctx, Client{Owner: "spqr1", Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
		require.NoError(t, err)
		hidden(secret)
		code, err := s.Authorise(ctx, Code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{"profile"}}, true)
		require.NoError(t, err)
		hidden(code)
		given, err := s.Redeem(ctx, hashOf(code), c)
		require.NoError(t, err)
		hidden(given.Access)
		hidden(given.Refresh)
		given, err = s.Rotate(ctx, given.Refresh, c, nil)
		require.NoError(t, err)
		hidden(given.Access)
		hidden(given.Refresh)
		hidden(given.Refresh[:len(credential.Refresh)+16]) // what its line has in common
		_, personal, err := s.CreatePersonal(ctx, Token{Principal: "spqr1"})
		require.NoError(t, err)
		hidden(personal)

		for _, table := range []string{"clients", "consents", "grants", "codes", "tokens"} {
			rows, err := db.Open(t).Query(`SELECT * FROM wlsoauth_` + table)
			require.NoError(t, err)
			columns, err := rows.Columns()
			require.NoError(t, err)
			found := 0
			for rows.Next() {
				row := make([]any, len(columns))
				for i := range row {
					row[i] = new(any)
				}
				require.NoError(t, rows.Scan(row...))
				for i, name := range columns {
					value := *row[i].(*any)
					for _, text := range texts {
						assert.NotContains(t, fmt.Sprintf("%v %s %x", value, value, value), text, "%s.%s", table, name)
					}
					if b, ok := value.([]byte); ok && name != "principal" {
						assert.Len(t, b, 32, "%s.%s", table, name)
					}
				}
				found++
			}
			require.NoError(t, rows.Err())
			assert.Positive(t, found, table)
		}
	})
}
