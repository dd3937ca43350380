package redisstore_test

import (
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gorilla/sessions"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/redisstore"
)

func TestConfigMistakes(t *testing.T) {
	const password = "s3cr3t"
	good := redisstore.Config{URL: "redis://127.0.0.1:1", Site: "soc", Timeout: patience}
	for _, c := range []struct {
		name string
		edit func(*redisstore.Config)
		says string
	}{
		{"no Redis", func(c *redisstore.Config) { c.URL = "" }, "Config.URL is missing"},
		{"two Redises", func(c *redisstore.Config) { c.Redis = &redis.UniversalOptions{} }, "not both"},
		{"no address", func(c *redisstore.Config) { c.URL, c.Redis = "", &redis.UniversalOptions{} }, "Addrs is empty"},
		{"other scheme", func(c *redisstore.Config) { c.URL = "http://u:" + password + "@127.0.0.1" }, "Config.URL cannot be read"},
		{"password with a blank", func(c *redisstore.Config) { c.URL = "redis://u:" + password + " x@127.0.0.1" }, "Config.URL cannot be read"},
		{"password with a slash", func(c *redisstore.Config) { c.URL = "redis://u:" + password + "/x@127.0.0.1" }, "Config.URL cannot be read"},
		{"unchecked certificate", func(c *redisstore.Config) { c.URL = "rediss://127.0.0.1?skip_verify=true" }, "has a query"},
		{"no site", func(c *redisstore.Config) { c.Site = "" }, "Config.Site"},
		{"site with braces", func(c *redisstore.Config) { c.Site = "a}{b" }, "Config.Site"},
		{"site too long", func(c *redisstore.Config) { c.Site = string(make([]byte, 65)) }, "Config.Site"},
		{"timeout too short", func(c *redisstore.Config) { c.Timeout = time.Millisecond }, "Config.Timeout"},
		{"timeout too long", func(c *redisstore.Config) { c.Timeout = time.Minute }, "Config.Timeout"},
		{"too few logins", func(c *redisstore.Config) { c.LoginsPerHour = 9_999 }, "Config.LoginsPerHour"},
		{"too many logins", func(c *redisstore.Config) { c.LoginsPerHour = math.MaxInt }, "Config.LoginsPerHour"},
		{"life too short", func(c *redisstore.Config) { c.MaxLife = time.Second }, "Config.MaxLife"},
		{"inactivity too short", func(c *redisstore.Config) { c.Inactivity = time.Minute }, "Config.Inactivity"},
		{"cookies that delete", func(c *redisstore.Config) { c.Cookie = &sessions.Options{MaxAge: -1} }, "Config.Cookie.MaxAge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := good
			c.edit(&cfg)
			_, err := redisstore.New(cfg)
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), password)
		})
	}
}

func TestConfigAllMistakesAtOnce(t *testing.T) {
	_, err := redisstore.New(redisstore.Config{Timeout: -1})
	assert.ErrorContains(t, err, "Config.Timeout")
	assert.ErrorContains(t, err, "Config.Site")
	assert.ErrorContains(t, err, "Config.URL")
}

func TestNewWithoutRedis(t *testing.T) {
	mini := miniredis.RunT(t)
	addr := mini.Addr()
	mini.Close()
	for name, cfg := range map[string]redisstore.Config{
		"URL":     {URL: "redis://:s3cr3t@" + addr, Site: "soc", Timeout: patience},
		"options": {Redis: &redis.UniversalOptions{Addrs: []string{addr}, Password: "s3cr3t"}, Site: "soc", Timeout: patience},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redisstore.New(cfg)
			require.ErrorContains(t, err, addr)
			assert.ErrorContains(t, err, "connection refused")
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func TestNewWithWrongPassword(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.RequireAuth("right")
	_, err := redisstore.New(redisstore.Config{URL: "redis://:wr0ng@" + mini.Addr(), Site: "soc", Timeout: patience})
	require.ErrorContains(t, err, mini.Addr())
	assert.NotContains(t, err.Error(), "wr0ng")

	s, err := redisstore.New(redisstore.Config{URL: "redis://:right@" + mini.Addr(), Site: "soc", Timeout: patience})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestConfigIsCopied(t *testing.T) {
	mini := miniredis.RunT(t)
	cookie := &sessions.Options{Path: "/a", Secure: true}
	addrs := &redis.UniversalOptions{Addrs: []string{mini.Addr()}}
	s, err := redisstore.New(redisstore.Config{Redis: addrs, Site: "soc", Timeout: patience, Cookie: cookie})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	assert.Equal(t, &redis.UniversalOptions{Addrs: []string{mini.Addr()}}, addrs)

	cookie.Path = "/b"
	session, err := s.New(request(), "x")
	require.NoError(t, err)
	assert.Equal(t, "/a", session.Options.Path)
	session.Options.Path = "/c"
	session, err = s.New(request(), "x")
	require.NoError(t, err)
	assert.Equal(t, "/a", session.Options.Path)
}

func TestWarningAboutClocks(t *testing.T) {
	mini := miniredis.RunT(t)
	mini.SetTime(start.Add(time.Hour))
	log := &buffer{}
	s, err := redisstore.New(redisstore.Config{
		URL: "redis://" + mini.Addr(), Site: "soc", Timeout: patience, Logger: slog.New(slog.NewTextHandler(log, nil)),
		Now: func() time.Time { return start },
	})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Contains(t, log.String(), "1 hour ahead of")
}
