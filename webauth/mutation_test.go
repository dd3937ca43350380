package webauth_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/webauthtest"
)

// No change whatever leaves a response acceptable: neither of its value nor, where the
// decoded value changes with it, of the query that carries it.
func TestVerifyRefusesEveryMutation(t *testing.T) {
	s := newSite(t)
	value := signed(t, success(s.params(t, nil)))
	v := s.verifier(t, func(c *webauth.VerifierConfig) { c.OneUse, c.InsecureNoReplayCheck = nil, true })
	verify := func(value string, secret webauth.BrowserSecret) error {
		_, err := v.Verify(t.Context(), value, webauth.Expect{URL: pageURL, Secret: secret})
		return err
	}
	require.NoError(t, verify(value, s.secret))

	tried := 0
	for mutant := range webauthtest.Mutations(value) {
		tried++
		require.Error(t, verify(mutant, s.secret), "%q", mutant)
	}
	t.Logf("%d mutations of a response of %d bytes refused", tried, len(value))
	assert.Greater(t, tried, 15*len(value))

	parameter := webauth.ResponseParam + "=" + url.QueryEscape(value)
	tried, same := 0, 0
	for mutant := range webauthtest.Mutations(parameter) {
		tried++
		decoded, found, err := webauth.ResponseFrom("n=1&m=&" + mutant)
		switch {
		case err != nil || !found:
		case decoded == value:
			same++
		default:
			require.Error(t, verify(decoded, s.secret), "%q", mutant)
		}
	}
	t.Logf("%d mutations of the query parameter refused, but for %d other spellings of the same response", tried, same)
	assert.Greater(t, tried, 15*len(parameter))
	assert.Less(t, same, len(parameter)/4, "such as %%2f for %%2F")

	tried = 0
	for mutant := range webauthtest.Mutations(string(s.secret)) {
		tried++
		require.Error(t, verify(value, webauth.BrowserSecret(mutant)), "%q", mutant)
	}
	t.Logf("%d mutations of the browser's secret refused", tried)
}
