package webauth_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/webauth"
	"github.com/ucam-webauth/go-webauth/webauth/internal/testkeys"
)

// responseVector is a response signed with a test key of RFC 9500.
type responseVector struct {
	Name, URL string
	At        time.Time
	Versions  []int
	IAct      webauth.Interact
	AAuth     []string
	Reason    webauth.Reason
	Signed    bool
	Principal string
	Value     string
}

func TestVerifyVectors(t *testing.T) {
	set := keySet(t, testKid, &testkeys.RSA2048().PublicKey)
	for _, row := range loadVectors[responseVector](t, "responses.json") {
		t.Run(row.Name, func(t *testing.T) {
			v := bareVerifier(t, func(c *webauth.VerifierConfig) {
				c.Service.Keys, c.Versions, c.Now = set, row.Versions, clock(row.At)
			})
			resp, err := v.Verify(t.Context(), row.Value, webauth.Expect{URL: row.URL, IAct: row.IAct, AAuth: row.AAuth})
			if row.Reason == "" {
				require.NoError(t, err)
				assert.Equal(t, row.Principal, resp.Principal())
				return
			}
			e := wantReason(t, row.Reason, err)
			assert.Equal(t, row.Signed, e.Signed)
			confirmed := row.Principal != "" && row.Reason != webauth.ReasonURL
			assert.Equal(t, confirmed, e.SamePrincipal("test0001"))
		})
	}
}
