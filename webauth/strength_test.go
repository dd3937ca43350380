package webauth_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
)

type strengthVector struct {
	About  string
	IAct   webauth.Interact
	AAuth  []string
	Auth   string
	SSO    []string
	Reason webauth.Reason
}

func TestCheckStrength(t *testing.T) {
	for _, row := range loadVectors[strengthVector](t, "strength.json") {
		t.Run(row.About, func(t *testing.T) {
			assert.Equal(t, row.Reason, webauth.CheckStrength(row.IAct, row.AAuth, row.Auth, row.SSO))
		})
	}
}

// TestCheckStrengthExhaustive holds every combination of up to three types against the
// protocol's table, written out once more.
func TestCheckStrengthExhaustive(t *testing.T) {
	types := []string{"pwd", "x-otp", "x-new"}
	var sets [][]string
	for bits := range 1 << len(types) {
		set := []string{}
		for i, name := range types {
			if bits>>i&1 == 1 {
				set = append(set, name)
			}
		}
		sets = append(sets, set)
	}
	n := 0
	for _, aauth := range append(slices.Clone(sets), nil) {
		accepted := aauth
		if aauth == nil {
			accepted = []string{"pwd"}
		}
		for _, auth := range append([]string{""}, types...) {
			authInA := slices.Contains(accepted, auth)
			for _, sso := range sets {
				ssoSharesA := false
				for _, earlier := range sso {
					ssoSharesA = ssoSharesA || slices.Contains(accepted, earlier)
				}
				passes := map[webauth.Interact]bool{
					webauth.IActYes:      auth != "" && authInA,
					webauth.IActNo:       auth == "" && ssoSharesA,
					webauth.IActAsNeeded: authInA || ssoSharesA,
				}
				for iact, want := range passes {
					got := webauth.CheckStrength(iact, aauth, auth, sso)
					require.Equal(t, want, got == "", "iact %q aauth %q auth %q sso %q: %q", iact, aauth, auth, sso, got)
					n++
				}
			}
		}
	}
	assert.Equal(t, 9*4*8*3, n)
}

// TestVerifyStrength takes every row of the table through a login: the strength comes
// from the token, whatever the caller of Verify says.
func TestVerifyStrength(t *testing.T) {
	for _, row := range loadVectors[strengthVector](t, "strength.json") {
		if row.Auth == "" && len(row.SSO) == 0 || row.IAct == "maybe" || row.AAuth != nil && len(row.AAuth) == 0 {
			continue // no such response, no such request
		}
		t.Run(row.About, func(t *testing.T) {
			s := newSite(t)
			r := success(s.params(t, func(q *webauth.Request) { q.IAct, q.AAuth = row.IAct, row.AAuth }))
			r.Auth, r.SSO = row.Auth, row.SSO
			lax := s.here()
			lax.AAuth = []string{"pwd", "x-otp", "x-new"}
			_, err := s.verifier(t, nil).Verify(t.Context(), signed(t, r), lax)
			assertOutcome(t, row.Reason, err)

			bare := bareVerifier(t, nil)
			_, err = bare.Verify(t.Context(), signed(t, r), webauth.Expect{URL: pageURL, IAct: row.IAct, AAuth: row.AAuth})
			assertOutcome(t, row.Reason, err)
		})
	}
}

func assertOutcome(t *testing.T, reason webauth.Reason, err error) {
	t.Helper()
	if reason == "" {
		require.NoError(t, err)
		return
	}
	wantReason(t, reason, err)
}
