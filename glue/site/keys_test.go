package site_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/site"
	"github.com/ucam-webauth/go-webauth/webauth"
)

func someSecret() string { return rand.Text() + rand.Text() }

func parsed(t *testing.T, text string) *site.Secret {
	t.Helper()
	secret, err := site.ParseSecret(text)
	require.NoError(t, err)
	return secret
}

func TestSiteWithoutSecret(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: base})
	assert.Nil(t, s.Keys("forms"))
	require.ErrorContains(t, s.OnSecret(func(*site.Secret) error { return nil }), "Config.SecretFile is missing: name a file")
	require.ErrorContains(t, s.SetSecret(parsed(t, someSecret())), "Config.SecretFile is missing")
	require.ErrorContains(t, s.ReloadSecret(), "there is no Config.SecretFile")
}

func TestKeysDiffer(t *testing.T) {
	secret := someSecret()
	keysOf := func(baseURL, purpose string, context ...string) string {
		s, _ := newSite(t, site.Config{BaseURL: baseURL, Secret: secret})
		keys := s.Keys(purpose, context...)
		require.Len(t, keys, 1)
		assert.Equal(t, keys, s.Keys(purpose, context...))
		return string(keys[0])
	}
	one, _ := newSite(t, site.Config{BaseURL: base, Secret: secret})
	seen := map[string]string{keysOf(base, "a"): "the first", string(one.Keys("a\x00x", "y")[0]): "of the one site"}
	for name, key := range map[string]string{
		"purpose":          keysOf(base, "b"),
		"context":          keysOf(base, "a", "x"),
		"more context":     keysOf(base, "a", "x", "y"),
		"joined context":   keysOf(base, "a", "x\x00y"),
		"parts at one":     string(one.Keys("a", "x", "z")[0]),
		"joined at one":    string(one.Keys("a", "x\x00z")[0]),
		"purpose at one":   string(one.Keys("a\x00x\x00z")[0]),
		"context in front": keysOf(base, "a\x00x"),
		"host":             keysOf("https://www.soc.example", "a"),
		"path":             keysOf(base+"/a", "a"),
	} {
		assert.Empty(t, seen[key], name)
		seen[key] = name
	}
}

func TestSetSecretReplacesAllOrNothing(t *testing.T) {
	s, _ := newSite(t, site.Config{BaseURL: base, Secret: someSecret()})
	first := string(s.Keys("a")[0])
	var uses []string
	broken := false
	require.NoError(t, s.OnSecret(func(secret *site.Secret) error {
		uses = append(uses, string(secret.Derive("a")[0]))
		return nil
	}))
	require.NoError(t, s.OnSecret(func(*site.Secret) error {
		if broken {
			return errors.New("no room")
		}
		return nil
	}))
	require.ErrorContains(t, s.OnSecret(func(*site.Secret) error { return errors.New("not with this one") }), "not with this one")

	broken = true
	require.EqualError(t, s.SetSecret(parsed(t, someSecret())), "no room")
	assert.Equal(t, first, string(s.Keys("a")[0]))
	require.Len(t, uses, 3)
	assert.Equal(t, uses[0], uses[2], "the first user goes back to the old one")

	broken = false
	require.NoError(t, s.SetSecret(parsed(t, someSecret())))
	assert.NotEqual(t, first, string(s.Keys("a")[0]))
	assert.Len(t, uses, 4)
	require.ErrorContains(t, s.SetSecret(nil), "SetSecret: nil")
}

func TestReloadSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	s, _ := newSite(t, site.Config{BaseURL: base, SecretFile: file})
	first := s.Keys("a")
	text, err := os.ReadFile(file)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(file, append([]byte(someSecret()+"\n"), text...), 0o600))
	require.NoError(t, s.ReloadSecret())
	require.Len(t, s.Keys("a"), 2)
	assert.Equal(t, first[0], s.Keys("a")[1])

	require.NoError(t, os.WriteFile(file, []byte("change me\n"), 0o600))
	require.ErrorContains(t, s.ReloadSecret(), "placeholder")
	require.NoError(t, os.Remove(file))
	require.ErrorIs(t, s.ReloadSecret(), os.ErrNotExist)
	assert.NoFileExists(t, file, "none is made")
	assert.Len(t, s.Keys("a"), 2)
}

func TestSecretMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for name, tt := range map[string]struct {
		cfg   site.Config
		wants string
	}{
		"two secrets":          {site.Config{BaseURL: base, SecretFile: file, Secret: "x"}, "set SecretFile or Secret, not both"},
		"weak secret":          {site.Config{BaseURL: base, Secret: "change me"}, "line 1 is a placeholder"},
		"file in no directory": {site.Config{BaseURL: base, SecretFile: "/no/such/dir/secret"}, "its directory does not exist"},
		"another mistake":      {site.Config{BaseURL: base, SecretFile: file, Redirect: "x"}, "is none of"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := site.New(tt.cfg)
			require.ErrorContains(t, err, tt.wants)
			assert.NoFileExists(t, file, "nothing is made for a configuration that is wrong")
		})
	}
}

func TestClockAndOneUse(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, _ := newSite(t, site.Config{BaseURL: base, Now: func() time.Time { return now }})
	assert.Equal(t, now, s.Now())
	require.NotNil(t, s.OneUse())
	assert.False(t, s.SharesOneUse())
	memory := webauth.NewMemoryOneUse(0, s.Now)
	s, _ = newSite(t, site.Config{BaseURL: base, OneUse: memory})
	assert.Same(t, memory, s.OneUse())
	assert.True(t, s.SharesOneUse())
}
