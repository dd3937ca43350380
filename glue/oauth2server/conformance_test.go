package oauth2server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oauth2server/internal/dbtest"
)

// check is something that the specifications want of an authorization server. It is
// made over HTTP alone, so that whatever takes this package's place can be held to it.
type check struct {
	section string // of the specification, such as "RFC 6749 section 4.1.3"
	name    string
	run     func(t *testing.T, s *party)
}

// conformance are all checks.
func conformance() []check {
	var all []check
	for _, some := range [][]check{
		redirectChecks(), authorizeChecks(), consentChecks(), loginChecks(),
		clientAuthChecks(), tokenRequestChecks(), codeChecks(), pkceChecks(),
		refreshChecks(), clientCredentialChecks(), resourceChecks(),
		revocationChecks(), introspectionChecks(), metadataChecks(), raceChecks(),
	} {
		all = append(all, some...)
	}
	return all
}

func TestConformance(t *testing.T) {
	all := conformance()
	seen := map[string]bool{}
	for _, c := range all {
		require.True(t, strings.HasPrefix(c.section, "RFC ") || strings.HasPrefix(c.section, "OpenID "), c.name)
		require.False(t, seen[c.name], "%q is there twice", c.name)
		seen[c.name] = true
	}
	assert.GreaterOrEqual(t, len(all), 120)
	dbtest.Each(t, func(t *testing.T, db *dbtest.Database) {
		w := newWorld(t, db)
		for _, c := range all {
			t.Run(c.section+": "+c.name, func(t *testing.T) { c.run(t, w.party(t)) })
		}
		w.assertNothingLeaked()
	})
}
