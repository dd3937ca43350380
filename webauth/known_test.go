package webauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/keys"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// custom is a service of which nothing is known.
func custom(k webauth.KeySource) webauth.Service {
	return webauth.Service{Name: "college", AuthURL: "https://wls.college.example/authenticate", Keys: k}
}

func TestService_CheckPrincipal(t *testing.T) {
	for _, row := range []struct {
		name                         string
		crsids, goose, other, within bool // whether it is accused; within is with the right name given
	}{
		{name: "spqr1"},
		{name: "test0001"},
		{name: "SPQR1", crsids: true, goose: true, within: true},
		{name: "spqr1@cam.ac.uk", crsids: true, goose: true, within: true},
		{name: "soc-admin", crsids: true},
		{name: "soc_admin", crsids: true},
		{name: "spqr1 ", crsids: true, goose: true, other: true, within: true},
		{name: "sp qr1", crsids: true, goose: true, other: true},
		{name: "sparé", crsids: true, goose: true, other: true},
		{name: "", crsids: true, goose: true, other: true},
	} {
		for _, s := range []struct {
			webauth.Service
			accused bool
		}{{webauth.Raven(), row.crsids}, {webauth.RavenDemo(), row.crsids}, {webauth.Nevar(nil), row.crsids}, {webauth.Goose(nil), row.goose}, {custom(nil), row.other}} {
			t.Run(s.Name+" "+row.name, func(t *testing.T) {
				err := s.CheckPrincipal(row.name)
				if !s.accused {
					assert.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "lets nobody in")
				if row.within {
					assert.ErrorContains(t, err, `write "spqr1"`)
				}
			})
		}
	}
}

func TestService_CheckPtag(t *testing.T) {
	for _, s := range []webauth.Service{webauth.Raven(), webauth.RavenDemo(), webauth.Nevar(nil)} {
		assert.NoError(t, s.CheckPtag("current"))
		assert.NoError(t, s.CheckPtag("CURRENT"))
		assert.ErrorContains(t, s.CheckPtag("staff"), `"staff" is not known of `+s.Name)
	}
	assert.NoError(t, custom(nil).CheckPtag("staff"))
}

func TestService_CheckOrigin(t *testing.T) {
	for origin, refused := range map[string]bool{
		"https://soc.example": false, "https://localhost:8443": false, "http://localhost": false,
		"http://localhost:8080": true, "http://127.0.0.1": true, "http://soc.example": true, "http://localhost.example": true,
	} {
		assert.Equal(t, refused, webauth.Nevar(nil).CheckOrigin(origin) != nil, origin)
		for _, s := range []webauth.Service{webauth.Raven(), webauth.RavenDemo(), webauth.Goose(nil), custom(nil)} {
			assert.NoError(t, s.CheckOrigin(origin), origin)
		}
	}
}

// TestService_CheckKeys: a key counts by its fingerprint, under whatever kid.
func TestService_CheckKeys(t *testing.T) {
	own := keySet(t, "500", &newRSAKey().PublicKey).Keys()[0]
	raven, _ := keys.Raven().Lookup("2")
	set := func(all ...keys.Key) *keys.Set {
		s, err := keys.NewSet(all...)
		require.NoError(t, err)
		return s
	}
	for _, row := range []struct {
		name    string
		service webauth.Service
		want    string
	}{
		{"Raven with its own", webauth.Raven(), ""},
		{"the demo with its own", webauth.RavenDemo(), ""},
		{"Goose with its own", webauth.Goose(set(own)), ""},
		{"Goose with Raven's beside", webauth.Goose(set(own, raven)), "key 2 is that of raven: whoever raven logs in could log in here"},
		{"Goose with Raven's alone", webauth.Goose(set(raven)), "key 2 is that of raven"},
		{"Nevar with Raven's", webauth.Nevar(set(raven)), "key 2 is that of raven"},
		{"a service that signs with Raven's", custom(set(raven)), ""},
		{"a service with Raven's beside", custom(set(own, raven)), "key 2 is that of raven"},
		{"no keys", webauth.Goose(nil), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := row.service.CheckKeys()
			if row.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, row.want)
		})
	}
}
