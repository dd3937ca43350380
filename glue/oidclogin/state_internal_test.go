package oidclogin

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// Nonce and verifier are of this state, this browser, this key and no other.
func TestValuesDiffer(t *testing.T) {
	secret, other := webauth.NewBrowserSecret(), webauth.NewBrowserSecret()
	keys, err := newSiteKeys([][]byte{make([]byte, 32), append(make([]byte, 32), 1)}, "scope")
	require.NoError(t, err)
	s, text, err := newState(keys[1], secret, webauth.Request{URL: "https://soc.example/"}, time.Unix(1e9, 5000))
	require.NoError(t, err)
	another, _, err := newState(keys[1], secret, webauth.Request{URL: "https://soc.example/"}, time.Unix(1e9, 0))
	require.NoError(t, err)
	elsewhere := *s
	elsewhere.key = keys[0]
	values := map[string]bool{
		s.nonce(secret): true, s.verifier(secret): true, s.nonce(other): true, s.verifier(other): true,
		another.nonce(secret): true, elsewhere.nonce(secret): true,
	}
	assert.Len(t, values, 6)

	read := readState(keys, text, time.Unix(1e9, 0))
	require.NotNil(t, read)
	assert.Equal(t, *s, *read)
	assert.Equal(t, s.verifier(secret), read.verifier(secret))

	_, err = newSiteKeys([][]byte{make([]byte, 31)}, "scope")
	require.Error(t, err)
	_, err = newSiteKeys(nil, "scope")
	require.Error(t, err)
}
