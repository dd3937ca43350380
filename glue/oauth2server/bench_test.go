package oauth2server

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchTokens is how many tokens the database holds: half of them personal, half of
// them given to applications.
const benchTokens = 100_000

// BenchmarkBearer is what a bearer token costs: the whole decorator, the store's query,
// and the barest query that could find a token.
func BenchmarkBearer(b *testing.B) {
	eachEngine(b, func(b *testing.B, db database) {
		s := newServer(b, db)
		texts := map[string][]string{}
		fillBench(b, s, texts)
		bare, err := db.open(b).Prepare(`SELECT principal FROM wlsoauth_tokens WHERE hash = $1`)
		require.NoError(b, err)
		api := s.RequireAPI("records:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, kind := range []string{"personal", "oauth"} {
			all := texts[kind]
			b.Run(kind, func(b *testing.B) {
				b.Run("bare", func(b *testing.B) {
					benchEach(b, all, func(text string) bool {
						_, h, _ := parse(text)
						var principal string
						return bare.QueryRow(h[:]).Scan(&principal) == nil
					})
				})
				b.Run("store", func(b *testing.B) {
					benchEach(b, all, func(text string) bool {
						_, h, _ := parse(text)
						_, err := s.store.token(b.Context(), h)
						return err == nil
					})
				})
				b.Run("decorator", func(b *testing.B) {
					r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://soc.example/api", http.NoBody)
					benchEach(b, all, func(text string) bool {
						r.Header.Set("Authorization", "Bearer "+text)
						w := httptest.NewRecorder()
						api.ServeHTTP(w, r)
						return w.Code == http.StatusOK
					})
				})
			})
		}
	})
}

func benchEach(b *testing.B, texts []string, check func(text string) bool) {
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(texts) // a prime, so that they come in no order of theirs
		if !check(texts[i]) {
			b.Fatal("not let through")
		}
	}
}

func fillBench(b *testing.B, s *testServer, texts map[string][]string) {
	b.Helper()
	c := s.register(b, "spqr1")
	tx, err := s.db.open(b).Begin()
	require.NoError(b, err)
	for range benchTokens / 2 {
		text, h := mint(prefixPersonal)
		texts["personal"] = append(texts["personal"], text)
		require.NoError(b, insertToken(b.Context(), tx, token{
			ID: newID(), Kind: kindPersonal, Principal: "spqr" + newID()[:3], Scopes: []string{"records:read"}, Created: testNow,
		}, h))
		text, h = mint(prefixAccess)
		texts["oauth"] = append(texts["oauth"], text)
		_, err := s.store.beginGrant(b.Context(), tx, code{
			ClientID: c.ID, Principal: "spqr" + newID()[:3], Scopes: []string{"records:read"}, grantID: newID(),
		}, h, hash{})
		require.NoError(b, err)
	}
	// Last use is noted once a minute, which is not what is measured.
	_, err = tx.Exec(`UPDATE wlsoauth_tokens SET last_used_at = $1`, testNow.Unix())
	require.NoError(b, err)
	require.NoError(b, tx.Commit())
	if s.db.dialect == PostgreSQL {
		s.db.exec(b, `VACUUM ANALYZE`)
	}
}
