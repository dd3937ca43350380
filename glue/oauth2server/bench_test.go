package oauth2server

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/credential"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/store"
)

// benchTokens is how many tokens the database holds: half of them personal, half of
// them given to applications.
const benchTokens = 100_000

// BenchmarkBearer is what a bearer token costs: the whole decorator, and the barest query
// that could find a token. All use one connection: in SQLite the connections of a process
// take the room for pages from one another.
func BenchmarkBearer(b *testing.B) {
	dbtest.Each(b, func(b *testing.B, db *dbtest.Database) {
		s := newServer(b, db)
		texts := map[string][]string{}
		fillBench(b, s, texts)
		bare, err := s.cfg.DB.Prepare(`SELECT principal FROM wlsoauth_tokens WHERE hash = $1`)
		require.NoError(b, err)
		api := s.RequireAPI("records:read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, kind := range []string{"personal", "oauth"} {
			all := texts[kind]
			b.Run(kind, func(b *testing.B) {
				b.Run("bare", func(b *testing.B) {
					benchEach(b, all, func(text string) bool {
						_, h, _ := credential.Parse(text)
						var principal string
						return bare.QueryRow(h.Text[:]).Scan(&principal) == nil
					})
				})
				b.Run("decorator", func(b *testing.B) {
					r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://soc.example/api", http.NoBody)
					w := &blankWriter{header: http.Header{}}
					benchEach(b, all, func(text string) bool {
						r.Header.Set("Authorization", "Bearer "+text)
						clear(w.header)
						w.status = http.StatusOK
						api.ServeHTTP(w, r)
						return w.status == http.StatusOK
					})
				})
			})
		}
	})
}

// BenchmarkIntrospect is what an application's question about one of its tokens costs.
func BenchmarkIntrospect(b *testing.B) {
	dbtest.Each(b, func(b *testing.B, db *dbtest.Database) {
		s := newServer(b, db)
		c, secret, err := s.store.CreateClient(b.Context(), store.Client{Owner: "spqr1", Name: "Reader", Confidential: true, RedirectURIs: []string{"https://app.example/cb"}})
		require.NoError(b, err)
		given := s.authorised(b, c, "spqr2", "records:read")
		handler, form := s.Handler(), url.Values{"client_id": {c.ID}, "client_secret": {secret}, "token": {given.Access}}.Encode()
		benchEach(b, []string{form}, func(form string) bool {
			r := httptest.NewRequest(http.MethodPost, "https://soc.example/oauth/introspect", strings.NewReader(form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			return w.Code == http.StatusOK
		})
	})
}

// blankWriter is a ResponseWriter that costs next to nothing.
type blankWriter struct {
	header http.Header
	status int
}

func (w *blankWriter) Header() http.Header         { return w.header }
func (w *blankWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *blankWriter) WriteHeader(status int)      { w.status = status }

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
	c := s.client(b, "spqr1")
	tx, err := s.cfg.DB.Begin()
	require.NoError(b, err)
	// Last use is noted once a minute, which is not what is measured.
	const insert = `INSERT INTO wlsoauth_tokens (hash, id, kind, grant_id, client_id, principal, name, scopes, created_at, expires_at, last_used_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, '', 'records:read', $7, $8, $7, 0)`
	now, end := testNow.Unix(), testNow.Add(time.Hour).Unix()
	for range benchTokens / 2 {
		text, h := credential.Mint(credential.Personal)
		texts["personal"] = append(texts["personal"], text)
		_, err = tx.Exec(insert, h.Text[:], rand.Text(), "personal", "", "", "spqr"+rand.Text()[:3], now, 0)
		require.NoError(b, err)
		text, h = credential.Mint(credential.Access)
		texts["oauth"] = append(texts["oauth"], text)
		grant, principal := rand.Text(), "spqr"+rand.Text()[:3]
		_, err = tx.Exec(`INSERT INTO wlsoauth_grants (id, client_id, principal, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			grant, c.ID, principal, now, end)
		require.NoError(b, err)
		_, err = tx.Exec(insert, h.Text[:], rand.Text(), "access", grant, c.ID, principal, now, end)
		require.NoError(b, err)
	}
	require.NoError(b, tx.Commit())
	if s.db.PostgreSQL {
		s.db.Exec(b, `VACUUM ANALYZE`)
	}
}
