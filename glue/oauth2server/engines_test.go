package oauth2server

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/enginetest"
	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// TestEnginesSettings: databases take the settings in ENGINES.md, and New takes the databases.
func TestEnginesSettings(t *testing.T) {
	page, err := os.ReadFile("../ENGINES.md")
	require.NoError(t, err)
	block := func(first string) string {
		_, rest, found := strings.Cut(string(page), "```\n"+first+"\n")
		require.True(t, found, first)
		block, _, found := strings.Cut(rest, "```\n")
		require.True(t, found, first)
		return block
	}
	t.Run("SQLite", func(t *testing.T) {
		const file = "/var/lib/soc/api.db"
		dsn := strings.TrimSpace(block("# DSN of SQLite"))
		require.Contains(t, dsn, file)
		newServer(t, &dbtest.Database{Driver: "sqlite", DSN: strings.Replace(dsn, file, filepath.Join(t.TempDir(), "api.db"), 1)})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		settings := func(first string) (all [][2]string) {
			for _, s := range regexp.MustCompile(`(?m)^(\w+) = ('[^']*'|\S+)`).FindAllStringSubmatch(block(first), -1) {
				all = append(all, [2]string{s[1], s[2]})
			}
			require.NotEmpty(t, all)
			return all
		}
		one, more := settings("# postgresql.conf"), settings("# postgresql.conf, besides, with two standbys")
		var arguments []string
		for _, s := range one {
			arguments = append(arguments, s[0]+"="+s[1])
		}
		p, err := enginetest.StartPostgreSQL(arguments...)
		enginetest.Require(t, err)
		t.Cleanup(p.Close)
		newServer(t, &dbtest.Database{PostgreSQL: true, Driver: "pgx", DSN: p.DSN})
		db, err := sql.Open("pgx", p.DSN)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		for _, s := range more { // nothing is committed with these before a standby is there
			_, err := db.Exec("ALTER SYSTEM SET " + s[0] + " = " + s[1])
			require.NoError(t, err)
		}
		require.NoError(t, p.Kill())
		require.NoError(t, p.Restart())
		_ = db.Ping() // the connection that was killed
		for _, s := range append(one, more...) {
			var value string
			require.NoError(t, db.QueryRow("SHOW "+s[0]).Scan(&value))
			assert.Equal(t, strings.Trim(s[1], "'"), value, s[0])
		}
	})
}
