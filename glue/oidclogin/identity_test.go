package oidclogin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ucam-webauth/go-webauth/glue/oidclogin"
	"github.com/ucam-webauth/go-webauth/webauth"
)

// proofOf logs in with these claims beside the usual ones.
func (s *site) proofOf(t *testing.T, claims object) (*webauth.Proof, error) {
	t.Helper()
	s.jwt = func(_, all object) {
		for name, value := range claims {
			set(all, name, value)
		}
	}
	return s.answer(t, s.begin(t, webauth.Request{}))
}

func TestPrincipals(t *testing.T) {
	upn := func(p *oidclogin.Provider) { p.PrincipalClaim = "upn" }
	crsid := func(p *oidclogin.Provider) { p.PrincipalClaim, p.CRSid = "upn", true }
	for name, test := range map[string]struct {
		edit  func(*oidclogin.Provider)
		claim any
		want  string // empty for a refusal
	}{
		"a user name":                 {upn, "spqr1@cam.ac.uk", "spqr1@cam.ac.uk"},
		"of other letter case":        {upn, "SPQR1@cam.ac.uk", "SPQR1@cam.ac.uk"},
		"no domain":                   {upn, "spqr1", "spqr1"},
		"missing":                     {upn, nil, ""},
		"empty":                       {upn, "", ""},
		"a number":                    {upn, 1, ""},
		"a list":                      {upn, []string{"spqr1@cam.ac.uk"}, ""},
		"an object":                   {upn, object{}, ""},
		"a blank":                     {upn, "spqr1 @cam.ac.uk", ""},
		"a line break":                {upn, "spqr1\n@cam.ac.uk", ""},
		"not ASCII":                   {upn, "spqré1@cam.ac.uk", ""},
		"255 characters":              {upn, strings.Repeat("a", 255), strings.Repeat("a", 255)},
		"256 characters":              {upn, strings.Repeat("a", 256), ""},
		"CRSid":                       {crsid, "spqr1@cam.ac.uk", "spqr1"},
		"CRSid, alumni":               {crsid, "spqr1@cantab.ac.uk", "spqr1@cantab.ac.uk"},
		"CRSid, no domain":            {crsid, "spqr1", ""},
		"CRSid, nothing but a domain": {crsid, "@cam.ac.uk", ""},
		"CRSid, an empty domain":      {crsid, "spqr1@", ""},
		"CRSid, two domains":          {crsid, "spqr1@evil.example@cam.ac.uk", "spqr1@evil.example@cam.ac.uk"},
		"CRSid, the domain twice":     {crsid, "spqr1@cam.ac.uk@cam.ac.uk", "spqr1@cam.ac.uk@cam.ac.uk"},
		"CRSid, behind it":            {crsid, "spqr1@cam.ac.uk.evil.example", "spqr1@cam.ac.uk.evil.example"},
		"CRSid, below it":             {crsid, "spqr1@soc.cam.ac.uk", "spqr1@soc.cam.ac.uk"},
		"CRSid, capitals":             {crsid, "spqr1@CAM.AC.UK", "spqr1@CAM.AC.UK"},
		"CRSid, a guest":              {crsid, "a_gmail.com#EXT#@x.onmicrosoft.com", "a_gmail.com#EXT#@x.onmicrosoft.com"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, test.edit)
			// No other claim is taken in its place.
			proof, err := s.proofOf(t, object{"upn": test.claim, "email": "x@y.example", "preferred_username": "z@y.example", "UPN": "u@y.example"})
			if test.want == "" {
				require.Equal(t, webauth.ReasonIdentity, webauth.ReasonOf(err), "%v", err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, proof.Principal)
			assert.Equal(t, "subject-1", proof.Subject)
		})
	}
}

func TestObjectAndSession(t *testing.T) {
	oid := func(p *oidclogin.Provider) { p.ObjectClaim = "oid" }
	proof, err := newSite(t, oid).proofOf(t, object{"oid": "o-1", "sid": "s-1"})
	require.NoError(t, err)
	assert.Equal(t, "o-1", proof.ObjectID)
	assert.Equal(t, "s-1", proof.Session)
	_, err = newSite(t, oid).proofOf(t, nil)
	require.Equal(t, webauth.ReasonIdentity, webauth.ReasonOf(err))
	proof, err = newSite(t).proofOf(t, object{"oid": "o-1", "sid": "a b"})
	require.NoError(t, err)
	assert.Empty(t, proof.ObjectID)
	assert.Empty(t, proof.Session)
}

func TestTenant(t *testing.T) {
	for name, test := range map[string]struct {
		tid  any
		good bool
	}{"ours": {tenant, true}, "another": {"x", false}, "missing": {nil, false}, "a list": {[]string{tenant}, false}} {
		_, err := newSite(t, func(p *oidclogin.Provider) { p.TenantID = tenant }).proofOf(t, object{"tid": test.tid})
		if test.good {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, webauth.ReasonIdentity, webauth.ReasonOf(err), name)
	}
}

func TestPtags(t *testing.T) {
	guids := make([]string, 200)
	for i := range guids {
		guids[i] = strings.Repeat("f", i)
	}
	for name, test := range map[string]struct {
		claims object
		want   []string
		reason webauth.Reason
	}{
		"those that the site knows":   {object{"groups": []string{"x", "staff", "current"}}, []string{"current", "staff"}, ""},
		"twice":                       {object{"groups": []string{"staff", "staff"}}, []string{"staff"}, ""},
		"none that it knows":          {object{"groups": []string{"x"}}, nil, ""},
		"none at all":                 {object{"groups": []string{}}, nil, ""},
		"no claim":                    {nil, nil, ""},
		"a comma":                     {object{"groups": []string{"x,current"}}, nil, ""},
		"lines and blanks":            {object{"groups": []string{"x\ncurrent", " current", "CURRENT"}}, nil, ""},
		"very many":                   {object{"groups": append(guids, "staff")}, []string{"staff"}, ""},
		"overage":                     {object{"_claim_names": object{"groups": "src1"}, "_claim_sources": object{"src1": object{"endpoint": "https://graph.example/"}}}, nil, webauth.ReasonPtags},
		"overage without a source":    {object{"_claim_names": object{"groups": "src1"}}, nil, webauth.ReasonMalformed},
		"overage of another claim":    {object{"_claim_names": object{"roles": "src1"}, "_claim_sources": object{"src1": object{"endpoint": "https://graph.example/"}}}, nil, ""},
		"hasgroups":                   {object{"hasgroups": true}, nil, webauth.ReasonPtags},
		"hasgroups, a text":           {object{"hasgroups": "true"}, nil, webauth.ReasonPtags},
		"hasgroups, false":            {object{"hasgroups": false, "groups": []string{"staff"}}, []string{"staff"}, ""},
		"a text":                      {object{"groups": "staff"}, nil, webauth.ReasonPtags},
		"a number among them":         {object{"groups": []any{"staff", 1}}, nil, webauth.ReasonPtags},
		"an object":                   {object{"groups": object{"staff": true}}, nil, webauth.ReasonPtags},
		"a claim of other case":       {object{"Groups": []string{"staff"}}, nil, ""},
		"the list, and a link beside": {object{"groups": []string{"staff"}, "_claim_names": object{"groups": "src1"}, "_claim_sources": object{"src1": object{"endpoint": "https://graph.example/"}}}, nil, webauth.ReasonPtags},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(p *oidclogin.Provider) { p.PtagsClaim, p.Ptags = "groups", []string{"current", "staff"} })
			assert.False(t, s.provider.Info().NoPtags)
			require.NoError(t, s.provider.CheckPtag("Staff"))
			require.Error(t, s.provider.CheckPtag("student"))
			proof, err := s.proofOf(t, test.claims)
			if test.reason != "" {
				require.Equal(t, test.reason, webauth.ReasonOf(err), "%v", err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, proof.Ptags)
		})
	}
}
