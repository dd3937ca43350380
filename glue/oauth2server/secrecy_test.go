package oauth2server

import (
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The database holds no text that is good for anything: only its SHA-256.
func TestOnlyHashesAreStored(t *testing.T) {
	eachEngine(t, func(t *testing.T, db database) {
		s, ctx := newServer(t, db), t.Context()
		var texts hidden
		minted := func(p prefix) hash {
			text, h := mint(p)
			texts = append(texts, text, text[prefixLength:], hex.EncodeToString([]byte(text)))
			return h
		}
		c, err := s.store.createClient(ctx, client{Owner: "spqr1", Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}}, minted(prefixSecret))
		require.NoError(t, err)
		h := minted(prefixCode)
		require.NoError(t, s.store.approve(ctx, code{ClientID: c.ID, Principal: "spqr2", RedirectURI: "https://app.example/cb", Scopes: []string{"profile"}}, h))
		refresh := minted(prefixRefresh)
		_, err = s.store.redeem(ctx, h, c, minted(prefixAccess), refresh)
		require.NoError(t, err)
		_, err = s.store.rotate(ctx, refresh, c, nil, minted(prefixAccess), minted(prefixRefresh))
		require.NoError(t, err)
		_, err = s.store.createPersonal(ctx, token{Principal: "spqr1"}, minted(prefixPersonal))
		require.NoError(t, err)

		for _, table := range []string{"clients", "consents", "grants", "codes", "tokens"} {
			rows, err := db.open(t).Query(`SELECT * FROM wlsoauth_` + table)
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
					assert.Empty(t, texts.foundIn(fmt.Sprintf("%v %s %x", value, value, value)), "%s.%s", table, name)
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
