package oauth2server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

func TestConfigMistakes(t *testing.T) {
	db := dbtest.SQLite(t)
	for _, tc := range []struct {
		name string
		edit func(*Config)
		says string
	}{
		{"no database", func(c *Config) { c.DB = nil }, "Config.DB is missing"},
		{"no dialect", func(c *Config) { c.Dialect = "" }, `Config.Dialect is "", want "sqlite" or "postgresql"`},
		{"another dialect", func(c *Config) { c.Dialect = "mysql" }, `Config.Dialect is "mysql"`},
		{"no login", func(c *Config) { c.Auth = nil }, "Config.Auth is missing"},
		{"no guard", func(c *Config) { c.Guard = nil }, "Config.Guard is missing"},
		{"issuer on http", func(c *Config) { c.Issuer = "http://soc.example" }, "want https"},
		{"issuer without a scheme", func(c *Config) { c.Issuer = "soc.example" }, "Config.Issuer"},
		{"issuer with a slash", func(c *Config) { c.Issuer = "https://soc.example/" }, "Config.Issuer"},
		{"issuer with a query", func(c *Config) { c.Issuer = "https://soc.example?a" }, "Config.Issuer"},
		{"issuer with a fragment", func(c *Config) { c.Issuer = "https://soc.example#a" }, "Config.Issuer"},
		{"issuer in capitals", func(c *Config) { c.Issuer = "https://SOC.example" }, "Config.Issuer"},
		{"issuer with a default port", func(c *Config) { c.Issuer = "https://soc.example:443" }, "Config.Issuer"},
		{"issuer with quotes", func(c *Config) { c.Issuer = `https://soc.example/"` }, "Config.Issuer"},
		{"path without a slash", func(c *Config) { c.Path = "oauth" }, "Config.Path"},
		{"path with a slash at its end", func(c *Config) { c.Path = "/oauth/" }, "Config.Path"},
		{"root", func(c *Config) { c.Path = "/" }, "Config.Path"},
		{"path with dots", func(c *Config) { c.Path = "/a/../b" }, "Config.Path"},
		{"home without a slash", func(c *Config) { c.Home = "home" }, "Config.Home"},
		{"home of another site", func(c *Config) { c.Home = "//evil.example/" }, "Config.Home"},
		{"home with a backslash", func(c *Config) { c.Home = `/\evil.example` }, "Config.Home"},
		{"home with a line break", func(c *Config) { c.Home = "/a\r\nb" }, "Config.Home"},
		{"no scopes", func(c *Config) { c.Scopes = nil }, "Config.Scopes is empty"},
		{"scope with a blank", func(c *Config) { c.Scopes = []Scope{{Name: "a b", Text: "x"}} }, `"a b" is no scope`},
		{"scope with a quote", func(c *Config) { c.Scopes = []Scope{{Name: `a"`, Text: "x"}} }, "is no scope"},
		{"scope without words", func(c *Config) { c.Scopes = []Scope{{Name: "a", Text: " "}} }, `"a" has no Text`},
		{"scope twice", func(c *Config) { c.Scopes = []Scope{{Name: "a", Text: "x"}, {Name: "a", Text: "y"}} }, `"a" is there twice`},
		{"unknown scope of clients", func(c *Config) { c.ClientScopes = []string{"nothing"} }, `Config.ClientScopes: "nothing"`},
		{"internal scope for everybody", func(c *Config) { c.MayRegister = nil }, `Config.ClientScopes: "harvest" is internal, but everybody`},
		{"short access", func(c *Config) { c.AccessLife = time.Second }, "Config.AccessLife is 1 second, want 1 minute to 1 day"},
		{"long access", func(c *Config) { c.AccessLife = 25 * time.Hour }, "Config.AccessLife"},
		{"refresh shorter than access", func(c *Config) { c.RefreshLife = time.Minute }, "Config.RefreshLife"},
		{"grant shorter than refresh", func(c *Config) { c.GrantLife = 24 * time.Hour }, "Config.GrantLife"},
		{"long code", func(c *Config) { c.CodeLife = 11 * time.Minute }, "Config.CodeLife"},
		{"short code", func(c *Config) { c.CodeLife = time.Second }, "Config.CodeLife"},
		{"long leeway", func(c *Config) { c.RefreshLeeway = 2 * time.Minute }, "Config.RefreshLeeway"},
		{"negative leeway", func(c *Config) { c.RefreshLeeway = -1 }, "Config.RefreshLeeway"},
		{"part of a second", func(c *Config) { c.RefreshLeeway = 1500 * time.Millisecond }, "want whole seconds"},
		{"negative life", func(c *Config) { c.PersonalMaxLife = -1 }, "Config.PersonalMaxLife"},
		{"hardly fresh", func(c *Config) { c.FreshFor = time.Second }, "Config.FreshFor"},
		{"negative limit", func(c *Config) { c.MaxClients = -1 }, "MaxClients"},
		{"a resource server without scopes", func(c *Config) { c.ResourceServers = map[string][]string{"ID": nil} }, `ResourceServers: "ID" serves no scope`},
		{"a resource server's scope", func(c *Config) { c.ResourceServers = map[string][]string{"ID": {"profile", "x"}} }, `ResourceServers: "x" of "ID" is not in Scopes`},
		{"passwords unchecked", func(c *Config) { c.InsecureAllowPassword = true }, "needs PasswordCheck"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := tryServer(t, db, tc.edit)
			assert.ErrorContains(t, err, tc.says)
		})
	}
}

func TestAllConfigMistakesAtOnce(t *testing.T) {
	_, err := New(t.Context(), Config{})
	for _, field := range []string{"DB", "Dialect", "Auth", "Guard"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
	_, err = tryServer(t, dbtest.SQLite(t), func(c *Config) {
		c.Issuer, c.Path, c.CodeLife, c.ClientScopes = "x", "x", -1, []string{"x"}
	})
	for _, field := range []string{"Issuer", "Path", "CodeLife", "ClientScopes"} {
		assert.ErrorContains(t, err, "Config."+field)
	}
}

func TestConfigDefaults(t *testing.T) {
	db := dbtest.SQLite(t)
	c := newServer(t, db).cfg
	assert.Equal(t, "https://soc.example", c.Issuer)
	assert.Equal(t, "/oauth", c.Path)
	assert.Equal(t, time.Hour, c.AccessLife)
	assert.Equal(t, 90*24*time.Hour, c.RefreshLife)
	assert.Equal(t, 365*24*time.Hour, c.GrantLife)
	assert.Equal(t, time.Minute, c.CodeLife)
	assert.Equal(t, 5*time.Minute, c.FreshFor)
	assert.Zero(t, c.RefreshLeeway)
	assert.Zero(t, c.PersonalMaxLife)
	assert.Equal(t, 50, c.MaxPersonal)
	assert.Equal(t, 20, c.MaxClients)

	long := newServer(t, db, func(c *Config) { c.RefreshLife = 400 * 24 * time.Hour }).cfg
	assert.Equal(t, long.RefreshLife, long.GrantLife, "a default gives way to what was said")
	for _, issuer := range []string{"https://soc.example/api", "https://soc.example:8443", "http://localhost:8080", "http://[::1]:1/x/y"} {
		newServer(t, db, func(c *Config) { c.Issuer = issuer })
	}
}

func TestAPoolWithoutALimitIsLogged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		for _, most := range []int{0, 1} {
			s := newServer(t, db, func(c *Config) { c.DB.SetMaxOpenConns(most) })
			warned := strings.Contains(s.log.String(), "SetMaxOpenConns(16)")
			assert.Equal(t, db.PostgreSQL && most == 0, warned, most)
		}
	})
}

func TestScopesOfEverybodysApplications(t *testing.T) {
	newServer(t, dbtest.SQLite(t), func(c *Config) { c.ClientScopes, c.MayRegister = []string{"profile"}, nil })
}

func TestConfigIsCopied(t *testing.T) {
	scopes := []Scope{{Name: "a", Text: "A."}}
	s := newServer(t, dbtest.SQLite(t), func(c *Config) { c.Scopes, c.ClientScopes = scopes, nil })
	scopes[0].Name = "b"
	_, ok := s.scopes.find("a")
	assert.True(t, ok)
}

func TestActive(t *testing.T) {
	db := dbtest.SQLite(t)
	nobodyAsked := newServer(t, db)
	yes, err := nobodyAsked.active(t.Context(), "spqr1")
	require.NoError(t, err)
	assert.True(t, yes)
	asked := newServer(t, db, func(c *Config) {
		c.Active = func(context.Context, string) (bool, error) { return true, nil }
	})
	for _, s := range []*testServer{nobodyAsked, asked} {
		yes, err = s.active(t.Context(), "")
		require.NoError(t, err)
		assert.False(t, yes, "nobody is not active")
	}
}
