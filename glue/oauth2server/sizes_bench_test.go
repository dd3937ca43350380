package oauth2server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// BenchmarkSizes is what tokens take in a database: personal ones, and authorisations of
// applications, which are a grant, an access token and a refresh token each. Run it with
// -benchtime 1x.
func BenchmarkSizes(b *testing.B) {
	dbtest.Each(b, func(b *testing.B, _ *dbtest.Database) {
		for _, kind := range []string{"personal", "oauth"} {
			for _, n := range []int{1e4, 1e5, 1e6} {
				b.Run(fmt.Sprintf("%s/%d", kind, n), func(b *testing.B) {
					for b.Loop() {
						benchSize(b, kind, n)
					}
				})
			}
		}
	})
}

func benchSize(b *testing.B, kind string, n int) {
	db := dbtest.SQLite(b)
	if strings.Contains(b.Name(), "/postgresql/") {
		db = dbtest.PostgreSQL(b)
	}
	newServer(b, db)
	before := diskSize(b, db)
	now := testNow.Unix()
	if kind == "personal" {
		fillTokens(b, db, n, fmt.Sprintf("'personal', '', '', 'spqr' || i, 'My program', 'records:read', %d, 0, %d, 0", now, now))
	} else {
		fillRows(b, db, n, "wlsoauth_grants", fmt.Sprintf("'GRANT234567890123456' || (1000000 + i), 'CLIENT23456789012345678901', 'spqr' || i, %d, %d", now, now+86400))
		for _, kind := range []string{"access", "refresh"} {
			fillTokens(b, db, n, fmt.Sprintf("'%s', 'GRANT234567890123456' || (1000000 + i), 'CLIENT23456789012345678901', 'spqr' || i, '', 'records:read', %d, %d, %d, 0", kind, now, now+3600, now))
		}
	}
	grown := diskSize(b, db) - before
	b.ReportMetric(float64(grown)/float64(n), "B/each")
	b.ReportMetric(float64(grown)/1e6, "MB")
}

// fillTokens adds n tokens with the columns that follow the hashes and the id, for numbers i.
func fillTokens(b *testing.B, db *dbtest.Database, n int, columns string) {
	hash, id := "randomblob(32)", "hex(randomblob(13))"
	if db.PostgreSQL {
		hash, id = "sha256(random()::text::bytea)", "left(md5(random()::text), 26)"
	}
	line := "NULL, NULL"
	if strings.HasPrefix(columns, "'refresh'") {
		line = hash + ", " + hash
	}
	fillRows(b, db, n, "wlsoauth_tokens", strings.Join([]string{hash, line, id, columns}, ", "))
}

func fillRows(b *testing.B, db *dbtest.Database, n int, table, columns string) {
	db.Exec(b, fmt.Sprintf(`INSERT INTO %s WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT %s FROM n`, table, n, columns))
}

// diskSize returns how many bytes the tables and their indexes take.
func diskSize(b *testing.B, db *dbtest.Database) int {
	if db.PostgreSQL {
		return db.Number(b, `SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'wlsoauth%' AND relnamespace = current_schema()::regnamespace`)
	}
	return db.Number(b, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`)
}
