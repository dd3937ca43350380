package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/examples/internal/demotest"
)

// borrowed asks the library, as a program.
func (p *api) borrowed(token string) demotest.Answer {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, p.at.library+"/loans", http.NoBody)
	require.NoError(p.t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return demotest.Do(p.t, http.DefaultClient, r)
}

// TestLibrary has a resource server judge tokens that it was given by nobody.
func TestLibrary(t *testing.T) {
	p, id, secret := startWithLibrary(t)
	someone := p.person("test0002")
	good, other := someone.token("loans:read", "profile"), someone.token("profile")
	assert.Equal(t, http.StatusServiceUnavailable, p.borrowed(good).StatusCode, "it is not set up")
	page := someone.get(p.at.library)
	require.Equal(t, "setup", page.Page())
	require.Equal(t, "ready", someone.post(page, "/setup", "client-id", id, "secret", secret).Page())

	lent := p.borrowed(good)
	require.Equal(t, http.StatusOK, lent.StatusCode, lent.Body)
	assert.Equal(t, "test0002", fieldsOf(t, lent)["principal"])
	for name, token := range map[string]string{"without its scope": other, "none of the site's": "x", "its own secret": secret} {
		got := p.borrowed(token)
		assert.Equal(t, http.StatusUnauthorized, got.StatusCode, name)
		assert.Contains(t, got.Header.Get("WWW-Authenticate"), `error="invalid_token"`, name)
	}
	assert.Equal(t, http.StatusUnauthorized, p.borrowed("").StatusCode)

	// Whoever else registers an application is told nothing.
	impostor, itsSecret := p.person(developer).application("confidential")
	someone.post(page, "/setup", "client-id", impostor, "secret", itsSecret)
	assert.Equal(t, http.StatusUnauthorized, p.borrowed(good).StatusCode)
	someone.post(page, "/setup", "client-id", id, "secret", itsSecret)
	assert.Equal(t, http.StatusServiceUnavailable, p.borrowed(good).StatusCode)
	assert.NotContains(t, p.Stderr.String(), good)
}
