package webauth_test

import (
	"iter"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

// mutations gives everything that differs from text in one place: every bit flipped, every
// byte removed, doubled, and replaced by each of the protocol's and the query's special
// characters, a letter, a digit and NUL.
func mutations(text string) iter.Seq[string] {
	const others = "!%&=+,-._0A\x00"
	return func(yield func(string) bool) {
		for i := range len(text) {
			with := func(middle ...byte) bool {
				mutant := string(slices.Concat([]byte(text[:i]), middle, []byte(text[i+1:])))
				return mutant == text || yield(mutant)
			}
			for bit := range 8 {
				if !with(text[i] ^ 1<<bit) {
					return
				}
			}
			if !with() || !with(text[i], text[i]) {
				return
			}
			for _, other := range []byte(others) {
				if !with(other) {
					return
				}
			}
		}
	}
}

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
	for mutant := range mutations(value) {
		tried++
		require.Error(t, verify(mutant, s.secret), "%q", mutant)
	}
	t.Logf("%d mutations of a response of %d bytes refused", tried, len(value))
	assert.Greater(t, tried, 15*len(value))

	parameter := webauth.ResponseParam + "=" + url.QueryEscape(value)
	tried, same := 0, 0
	for mutant := range mutations(parameter) {
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
	for mutant := range mutations(string(s.secret)) {
		tried++
		require.Error(t, verify(value, webauth.BrowserSecret(mutant)), "%q", mutant)
	}
	t.Logf("%d mutations of the browser's secret refused", tried)
}
