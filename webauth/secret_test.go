package webauth_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

func TestNewBrowserSecret(t *testing.T) {
	seen := map[webauth.BrowserSecret]bool{}
	for range 1000 {
		s := webauth.NewBrowserSecret()
		require.True(t, s.Valid())
		require.Len(t, string(s), 22)
		require.False(t, seen[s])
		seen[s] = true
		require.Len(t, s.Binding(), 22)
	}
}

func TestBrowserSecretValid(t *testing.T) {
	for _, row := range []struct {
		name, secret string
		want         bool
	}{
		{"128 bits", "AAAAAAAAAAAAAAAAAAAAAA", true},
		{"all of the alphabet's end", "-_-_-_-_-_-_-_-_-_-_-w", true},
		{"empty", "", false},
		{"one short", "AAAAAAAAAAAAAAAAAAAAA", false},
		{"one long", "AAAAAAAAAAAAAAAAAAAAAAA", false},
		{"padded", "AAAAAAAAAAAAAAAAAAAAAA==", false},
		{"bits left over", "AAAAAAAAAAAAAAAAAAAAAB", false},
		{"the other alphabet", "AAAAAAAAAAAAAAAAAAAA+A", false},
		{"blank", "AAAAAAAAAAAAAAAAAAAA A", false},
		{"line break", "AAAAAAAAAAAAAAAAAAAAA\n", false},
		{"two line breaks", "AAAAAAAAAA\r\nAAAAAAAAAA", false},
		{"line breaks and whole bytes", "AAAAAAAAAAAAAAAAAAAA\n\n", false},
		{"a whole response", strings.Repeat("A", 4096), false},
	} {
		assert.Equal(t, row.want, webauth.BrowserSecret(row.secret).Valid(), row.name)
	}
}

func TestBrowserSecretBinding(t *testing.T) {
	a, b := webauth.NewBrowserSecret(), webauth.NewBrowserSecret()
	assert.Equal(t, a.Binding(), a.Binding())
	assert.NotEqual(t, a.Binding(), b.Binding())
	assert.NotContains(t, a.Binding(), string(a))
	_, err := base64.RawURLEncoding.Strict().DecodeString(a.Binding())
	assert.NoError(t, err)
	// Sessions in stores hold bindings: the function must never change.
	assert.Equal(t, "ygRnEx8p4I8GXVuVKMS0gw", webauth.BrowserSecret("AAAAAAAAAAAAAAAAAAAAAA").Binding())
}

func TestBrowserSecretHidesItself(t *testing.T) {
	s := webauth.NewBrowserSecret()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", struct{ S webauth.BrowserSecret }{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "in", webauth.Expect{Secret: s})
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&log, format, s)
		fmt.Fprintf(&log, format, webauth.Expect{Secret: s})
	}
	assert.NotContains(t, log.String(), string(s))
	assert.Contains(t, log.String(), "hidden")
}

func TestBrowserSecretFits(t *testing.T) {
	a, b := webauth.NewBrowserSecret(), webauth.NewBrowserSecret()
	binding := a.Binding()
	assert.True(t, a.Fits(binding))
	assert.False(t, b.Fits(binding))
	assert.False(t, a.Fits(""))
	assert.False(t, a.Fits(binding[:21]))
	assert.False(t, a.Fits(binding+"A"))
	none := webauth.BrowserSecret("")
	assert.False(t, none.Fits(none.Binding()), "no browser at all")
	assert.Zero(t, testing.AllocsPerRun(10, func() { a.Fits(binding) }))
}
